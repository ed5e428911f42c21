"""Measures aiocells against code written by hand, and against other libraries.

`nox -s bench` runs it all, and `python -m benchmarks --quick` gives a first look.
"""
