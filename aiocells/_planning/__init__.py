"""A graph compiled for running, and selections of it.

Knows no event loop: what it makes serves every computer.
"""
