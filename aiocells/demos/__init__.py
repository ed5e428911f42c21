"""The demos: one module each, with a `main` to run it.

`aiocells demo-1` runs the first one. There never was a number 18.
"""
