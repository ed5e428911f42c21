"""Computations within each other, whose eager tasks would pile up on the stack."""

import threading

# Each takes some ten calls of ours, and those of the user's.
MOST_NESTED = 10


class _Nesting(threading.local):
    """Of a thread.

    Attributes:
        depth: how many computations are just starting, each in the first step of a
            cell of the one before.
    """

    depth = 0


nesting = _Nesting()
