"""The cache in one computation.

It knows nothing of loops, tasks and computers, which ask it for what to call.
"""
