"""Running plain cells off the event loop, in threads and processes.

Knows nothing of the order of cells: each comes when it is ready.
"""
