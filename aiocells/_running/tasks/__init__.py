"""Running cells as tasks of an event loop.

Knows of no thread or process: what runs elsewhere is one more coroutine here.
"""
