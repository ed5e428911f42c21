"""What calling a callable gives: a value, a coroutine, or a generator.

The outermost callable decides, so a plain wrapper around an `async def` function
is plain.
"""

import enum
import functools
import inspect
import types
from collections.abc import Callable
from typing import Any


class Kind(enum.Enum):
    """What a call of a function gives."""

    PLAIN = "a plain function"
    ASYNC = "an async function"
    GENERATOR = "a generator function"
    ASYNC_GENERATOR = "an async generator function"


_KIND_FLAGS = inspect.CO_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR


def kind_of(function: Callable[..., Any]) -> Kind:
    """The kind of a callable.

    A function's own flags answer nearly always; `inspect` knows the rest, such as
    marked coroutine functions, partials and mocks.
    """
    if (
        type(function) is types.FunctionType
        and not function.__code__.co_flags & _KIND_FLAGS
        and "_is_coroutine_mark" not in function.__dict__
    ):
        return Kind.PLAIN
    while isinstance(function, functools.partial):
        function = function.func
    kind = _inspected(function)
    if kind is Kind.PLAIN and not isinstance(function, type):
        call = getattr(type(function), "__call__", None)
        if call is not None and not inspect.isroutine(function):
            kind = _inspected(call)
    return kind


def _inspected(function: Any) -> Kind:
    code = getattr(function, "__code__", None)
    if code is not None and not isinstance(getattr(code, "co_flags", None), int):
        return Kind.PLAIN  # a mock that passes for a function
    if inspect.iscoroutinefunction(function):
        return Kind.ASYNC
    if inspect.isasyncgenfunction(function):
        return Kind.ASYNC_GENERATOR
    if inspect.isgeneratorfunction(function):
        return Kind.GENERATOR
    return Kind.PLAIN
