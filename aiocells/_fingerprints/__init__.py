"""Digests of values and fingerprints of code, the same in every process.

It knows nothing of graphs, plans and runs.
"""
