"""Where a callable was written: its place in the source, and its module.

Both are those of the innermost function, where it is a wrapper or a partial.
"""

import contextlib
import functools
import inspect
import os
import sys
import types
from collections.abc import Callable
from typing import Any

_NOWHERE: dict[str, Any] = {}


def globals_of(function: Callable[..., Any]) -> dict[str, Any]:
    """The globals of the module that a callable was written in; {} if unknown."""
    if type(function) is types.FunctionType and "__wrapped__" not in function.__dict__:
        return function.__globals__
    written = _written(function)
    found = getattr(written, "__globals__", None)
    if isinstance(found, dict):
        return found
    # A class knows only the name of its module.
    module = sys.modules.get(getattr(written, "__module__", None) or "")
    return vars(module) if isinstance(module, types.ModuleType) else _NOWHERE


# What was made by a call, and not defined, has the path and the line of that call.
MADE = "__aiocells_place__"


def location_of(function: Any) -> str:
    """Where a callable is defined: "file.py:12", or "" where there is no source."""
    if hasattr(type(function), MADE):
        path, line = getattr(function, MADE)
    else:
        code = getattr(_written(function), "__code__", None)
        if type(code) is not types.CodeType:  # a mock may pass for one
            return ""
        path, line = code.co_filename, code.co_firstlineno
    # Without the folder, where that is gone.
    with contextlib.suppress(OSError):
        path = _near(path, os.getcwd())
    return f"{path}:{line}"


@functools.lru_cache
def _near(path: str, folder: str) -> str:
    """A path from the current folder, where it is below that."""
    try:
        near = os.path.relpath(path, folder)
    except ValueError:  # another drive
        return path
    return path if near.startswith(os.pardir) else near


def origin_of(cell: Any) -> str | None:
    """Where people look for a cell: the name of its module, or of a method's class.

    Nothing of the cell is evaluated, since it may be lazy.
    """
    kind = type(cell)
    while issubclass(kind, functools.partial):
        cell = cell.func
        kind = type(cell)
    if (
        kind is types.FunctionType
        or issubclass(kind, types.BuiltinFunctionType | type)
        or hasattr(kind, MADE)
    ):
        module: str | None = cell.__module__
        return module
    if kind is types.MethodType:
        owner = cell.__self__
        cls: type = owner if issubclass(type(owner), type) else type(owner)
        return cls.__name__
    return kind.__module__


def _written(function: Any) -> Any:
    """The function, or the class, that was written down to make a callable."""
    if type(function) is types.FunctionType and "__wrapped__" not in function.__dict__:
        return function  # as nearly all are
    function = _innermost(function)
    if isinstance(function, type) or inspect.isroutine(function):
        return function
    return _innermost(getattr(type(function), "__call__", None))


def _innermost(function: Any) -> Any:
    """The function inside of partials, and of wrappers made with functools.wraps."""
    while True:
        if isinstance(function, functools.partial):
            inner = function.func
        else:
            inner = inspect.unwrap(function)
        if inner is function:
            return function
        function = inner
