"""Plain wrappers around async functions, whose coroutine nobody would await."""

import functools
import inspect
import types
from collections.abc import Callable
from typing import Any


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """A plain function that, if it wraps an async one, must not return its coroutine.

    Such a wrapper may well run the coroutine itself, so that only the call can tell.
    """
    if type(function) is not types.FunctionType or "__wrapped__" not in (
        function.__dict__
    ):
        return function
    if not inspect.iscoroutinefunction(inspect.unwrap(function)):
        return function
    return functools.partial(_call, function)


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
