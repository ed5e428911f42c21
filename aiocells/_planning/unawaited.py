"""Plain wrappers around async functions, whose coroutine nobody would await."""

import functools
import inspect
import types
from collections.abc import Callable
from typing import Any


def checked(
    function: Callable[..., Any], call: Callable[..., Any]
) -> Callable[..., Any]:
    """A call of a plain cell that must not return the coroutine of what it wraps.

    Such a wrapper may well run the coroutine itself, so that only the call can tell.

    Args:
        function: the cell.
        call: what is called in its place.
    """
    if type(function) is not types.FunctionType or "__wrapped__" not in (
        function.__dict__
    ):
        return call
    if not inspect.iscoroutinefunction(inspect.unwrap(function)):
        return call
    return functools.partial(_call, call)


def _call(function: Callable[..., Any], /, *values: Any, **named: Any) -> Any:
    value = function(*values, **named)
    if not inspect.iscoroutine(value):
        return value
    value.close()
    msg = (
        "the cell returned a coroutine, which nobody awaits: the function inside is "
        "async, but the decorator's wrapper around it is plain. Make the wrapper async "
        "def, and have it await."
    )
    raise TypeError(msg)
