"""What stands for values that are not loaded, and what is told of cells and values."""

import asyncio
from collections.abc import Callable
from typing import Any

from aiocells._outcome.secrets import is_secret
from aiocells._planning.program import Program

# What is larger is digested and written in a thread, where there are any.
_BIG_BYTES = 1 << 20
_BIG_COUNT = 10_000

MISSING: Any = object()


class Stored:
    """Stands for a value that was found and is not loaded."""

    __slots__ = ("function", "key", "lock", "number", "value", "values")

    def __init__(
        self, number: int, key: bytes, function: Callable[..., Any], values: Any
    ) -> None:
        self.number = number
        self.key = key
        # What gives it, should it turn out not to be readable.
        self.function = function
        self.values = values
        self.value = MISSING
        self.lock: asyncio.Lock | None = None


def why_not(program: Program, number: int, everything: bool) -> str:
    """Why the value of a cell is not kept; empty where it is."""
    said = program.options[number].cache
    if program.is_resource(number):
        return "it is a resource"
    if is_secret(program, number):
        return "its value is secret, and is not kept"
    if number in program.asks:
        return "it asks for other cells when it runs"
    if said is False:
        return "it says cache=False"
    if said is None and not everything:
        return "it says nothing of a cache"
    if said is None and any(
        source >= 0 and program.is_resource(source) for source in program.args[number]
    ):
        return "it takes a resource, and says no cache=True"
    return ""


def is_big(value: Any) -> bool:
    """Whether it takes long to digest a value, as far as can be told at once."""
    if isinstance(value, str | bytes | bytearray):
        return len(value) > _BIG_BYTES
    if isinstance(value, list | tuple | dict | set | frozenset):
        return len(value) > _BIG_COUNT
    size = getattr(value, "nbytes", 0) if hasattr(type(value), "nbytes") else 0
    if hasattr(type(value), "columns") and hasattr(type(value), "shape"):
        rows, columns = value.shape
        size = rows * columns * 8
    return isinstance(size, int) and size > _BIG_BYTES
