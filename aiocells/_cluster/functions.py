"""The functions of cells, as they are sent to a cluster.

Those of modules go by name. Others, such as those of the main module, go by value, and
without the marks of the decorators: these name other cells, which would go along.
"""

import functools
import sys
import types
from collections.abc import Callable
from typing import Any

from aiocells._declaring.marks import MARK


def sendable(function: Callable[..., Any]) -> Callable[..., Any]:
    """What to send for what a cell calls."""
    kind = type(function)
    if kind is functools.partial:
        args = [sendable(each) if callable(each) else each for each in function.args]  # type: ignore[attr-defined]
        called = sendable(function.func)  # type: ignore[attr-defined]
        return functools.partial(called, *args, **function.keywords)  # type: ignore[attr-defined]
    if (
        kind is types.FunctionType
        and MARK in vars(function)
        and _goes_by_value(function)
    ):
        return _unmarked(function)  # type: ignore[arg-type]
    return function


def _goes_by_value(function: Any) -> bool:
    """Whether no import finds a function elsewhere."""
    if function.__module__ == "__main__":
        return True
    found: Any = sys.modules.get(function.__module__)
    for name in function.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is not function


def _unmarked(function: types.FunctionType) -> types.FunctionType:
    copied = types.FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    copied.__kwdefaults__ = function.__kwdefaults__
    copied.__module__, copied.__qualname__ = function.__module__, function.__qualname__
    vars(copied).update(vars(function))
    del vars(copied)[MARK]
    return copied
