"""What the process cells of the tests do; worker processes import it.

It imports little, because every worker process imports it anew.
"""

import asyncio
import os
import threading

import attrs

# The variable of the environment that names a pipe, for those that hang to say so.
HANGING = "AIOCELLS_TESTS_HANGING"


class CellError(Exception):
    """What a failing cell raises."""


@attrs.frozen
class FrozenError(Exception):
    """One that takes no attributes."""

    rank: int


class OddError(Exception):
    """One that makes its notes itself, has no text, and counts as false."""

    @property
    def __notes__(self) -> tuple[str, ...]:
        """Notes that cannot be added to."""
        return ("of its own",)

    def __bool__(self) -> bool:
        """Whether there is anything in it."""
        return False

    def __str__(self) -> str:
        """No text."""
        raise SystemExit


def folded(rank: int, values: list[int]) -> int:
    """What a cell returns: a number that tells all that it saw."""
    seen = sum((place + 1) * value for place, value in enumerate(values))
    return (31 * seen + rank + 1) % 1_000_003


def error_of(rank: int, act: str) -> BaseException | None:
    """The exception that a cell which does `act` raises, if any."""
    types: dict[str, type[BaseException]] = {
        "raise": CellError,
        "raise_frozen": FrozenError,
        "raise_odd": OddError,
        "own_cancel": asyncio.CancelledError,
        "stop_iteration": StopIteration,
        "exit": SystemExit,
        "interrupt": KeyboardInterrupt,
    }
    return types[act](rank) if act in types else None


def process_body(rank: int, act: str, values: list[int]) -> int:
    """Do in a worker process what `act` says."""
    if act == "die":
        os._exit(3)
    if act == "hang":
        with open(os.environ[HANGING], "wb", buffering=0) as pipe:
            pipe.write(bytes([rank]))
        threading.Event().wait()
    if act == "leave_thread":
        threading.Thread(target=threading.Event().wait).start()
    error = error_of(rank, act)
    if error is not None:
        raise error
    return folded(rank, values)
