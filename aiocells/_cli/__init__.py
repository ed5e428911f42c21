"""The command `aiocells`.

Holds no meaning of its own: what it does, a program can do with the public names.
"""
