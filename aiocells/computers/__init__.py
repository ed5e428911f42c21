"""The computers: the public functions that run a graph.

Holds no mechanism: that is in `_running`.
"""
