"""Running cells as tasks of an event loop.

`computing` alone knows of threads and processes: to the others here, what runs
elsewhere is one more coroutine.
"""
