"""Callables that hide an async or generator function, whose value nobody would run.

A decorator's wrapper around such a function may well run it, so that only the call can
tell. Callables with nothing of that kind inside are called as they are.
"""

import functools
import gc
import inspect
import itertools
import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

Place: TypeAlias = tuple[str, int, str]

_Cache = type(functools.cache(len))
_GENERATORS = inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR
_CONTAINERS = (dict, list, tuple)
_VARIADIC = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS
# Of an object that holds more callables than that, not all are looked at.
_MOST = 100

_COROUTINE = (
    "the cell returned a coroutine, which nobody awaits: the function inside is "
    "async, but the decorator's wrapper around it is plain. Make the wrapper async "
    "def, and have it await."
)
_GENERATOR = (
    "the cell returned a generator, which nobody runs: the function inside is a "
    "generator function, but the decorator's wrapper around it is plain. Have the "
    "wrapper return a list of what it yields. A resource must be a generator function "
    "itself."
)


def checked(
    function: Callable[..., Any], call: Callable[..., Any]
) -> Callable[..., Any]:
    """A call of a plain cell that must not return what a function inside of it makes.

    Args:
        function: the cell.
        call: what is called in its place.
    """
    if type(function) is types.FunctionType and (
        function.__closure__ is None and "__wrapped__" not in function.__dict__
    ):
        return call
    codes = [each.__code__ for each in _inside(function)]
    generators = frozenset(
        _place(code)
        for code in codes
        if code.co_flags & _GENERATORS and _passes_on(function)
    )
    is_async = any(code.co_flags & inspect.CO_COROUTINE for code in codes)
    if generators or is_async or _is_object(function):
        return functools.partial(_call, call, generators)
    return call


def _call(
    call: Callable[..., Any], generators: frozenset[Place], /, *values: Any
) -> Any:
    value = call(*values)
    if isinstance(value, types.CoroutineType):
        value.close()
        raise TypeError(_COROUTINE)
    if isinstance(value, types.GeneratorType):
        made = value.gi_code
    elif isinstance(value, types.AsyncGeneratorType):
        made = value.ag_code
    else:
        return value
    if _place(made) in generators:
        raise TypeError(_GENERATOR)
    return value


def _place(code: types.CodeType) -> Place:
    """What tells code from other code, in another process too."""
    return code.co_filename, code.co_firstlineno, code.co_qualname


def _passes_on(function: Callable[..., Any]) -> bool:
    """Whether a callable may pass on what a function inside of it returns.

    One that takes neither any arguments nor shows what it wraps is more likely to
    have made use of it.
    """
    return type(function) is not types.FunctionType or bool(
        "__wrapped__" in function.__dict__ or function.__code__.co_flags & _VARIADIC
    )


def _is_object(function: Any) -> bool:
    """Whether a callable is an object with a `__call__`, which may do anything."""
    while isinstance(function, functools.partial):
        function = function.func
    return not (inspect.isroutine(function) or isinstance(function, type | _Cache))


def _inside(function: Callable[..., Any]) -> Iterator[types.FunctionType]:
    """The functions that a callable holds, itself or through others.

    No code of what it holds is run: there may be proxies.
    """
    seen = {id(function)}
    waiting = [function]
    while waiting and len(seen) < _MOST:
        for held in itertools.islice(_held_by(waiting.pop()), _MOST):
            kind = type(held)
            if id(held) not in seen and (
                kind in _CONTAINERS or (callable(held) and not issubclass(kind, type))
            ):
                seen.add(id(held))
                waiting.append(held)
                if kind is types.FunctionType:
                    yield held


def _held_by(value: Any) -> Iterable[Any]:
    """What a callable, or a container that one holds, holds itself."""
    kind = type(value)
    if kind is types.MethodType:
        return (value.__func__,)
    if kind is types.FunctionType:
        closure = gc.get_referents(*(value.__closure__ or ()))
        return (value.__dict__.get("__wrapped__"), *closure)
    if kind is dict:
        return value.values()  # type: ignore[no-any-return]
    if kind in _CONTAINERS:
        return value  # type: ignore[no-any-return]
    return (getattr(kind, "__call__", None), *gc.get_referents(value))
