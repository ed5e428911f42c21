"""Running plain cells one after the other, as fast as they can be called.

Knows no event loop.
"""
