"""The cells that an object's class declares."""

import functools
import inspect
import operator
import types
from collections.abc import Callable
from typing import Any, NamedTuple

from aiocells._declaring.marking import refuse_bare
from aiocells._declaring.marks import mark_of
from aiocells._declaring.names import described, mangled
from aiocells._declaring.spec import CellSpec
from aiocells.errors import DeclarationError

Function = Callable[..., Any]


class ObjectCells(NamedTuple):
    """What an object brings into a graph.

    Attributes:
        cells: bound cells by the name of their attribute, in definition order.
        specs: the spec of each of them.
        attributes: for each function of the object's classes the name under which
            the object has it.
    """

    cells: dict[str, Function]
    specs: dict[Function, CellSpec]
    attributes: dict[Any, str]


def cells_of_object(owner: object) -> ObjectCells:
    """Find the decorated methods of an object, or of a class those bound to it.

    A method that overrides a cell is a cell as well. Properties and other
    descriptors are not evaluated.
    """
    found: dict[str, CellSpec] = {}
    attributes: dict[Any, str] = {}
    for cls in reversed(_classes_of(owner)):
        marked: list[tuple[int, str, CellSpec]] = []
        for name, value in vars(cls).items():
            refuse_bare(name, value)
            kind = type(value)
            function = (
                value.__func__
                if issubclass(kind, staticmethod | classmethod)
                else value
            )
            if type(function) is types.FunctionType:
                attributes.setdefault(function, name)
            mark = mark_of(value)
            if mark is not None:
                _refuse_fan_out(name, value, mark.spec, cls)
                marked.append((mark.sequence, name, mark.spec))
        marked.sort(key=operator.itemgetter(0))
        found.update({name: spec for _, name, spec in marked})
    cells: dict[str, Function] = {}
    specs: dict[Function, CellSpec] = {}
    for name, spec in found.items():
        bound = bound_method(owner, name)
        if bound is not None:
            cells[name] = bound
            specs[bound] = spec
    return ObjectCells(cells, specs, attributes)


def _refuse_fan_out(name: str, value: Any, spec: CellSpec, cls: type) -> None:
    """Refuse what `each` made in a class: it would be bound to no object."""
    if spec.options is not None and spec.options.fan_out is not None:
        msg = (
            f"{described(name, value)} is a fan-out in the body of a class, "
            f"{cls.__name__}, whose objects it would not know. Make it in a module, or "
            "of a bound method: each(obj.method, ...)."
        )
        raise DeclarationError(msg, cell=value)


def _classes_of(owner: object) -> tuple[type, ...]:
    return owner.__mro__ if isinstance(owner, type) else type(owner).__mro__


# What becomes callable when it is bound.
_BINDING = (classmethod, functools.partialmethod)


def bound_method(owner: object, name: str) -> Function | None:
    """The method of that name, bound to `owner`; None where it has no such method.

    A subclass may have switched it off with `name = None`, or have a property there.
    """
    written = inspect.getattr_static(owner, name, None)
    if isinstance(owner, type) and type(written) is types.FunctionType:
        return None  # it needs an object
    if not callable(written) and not issubclass(type(written), _BINDING):
        return None
    bound = getattr(owner, name)
    return bound if callable(bound) else None


def redefined_as(owner: object, function: types.FunctionType) -> str | None:
    """The attribute under which a class of an object has defined a function anew.

    A decorator in the class body may hold the function of that name as it was before.
    """
    name = function.__name__
    for cls in _classes_of(owner):
        if function.__module__ == cls.__module__ and (
            function.__qualname__ == f"{cls.__qualname__}.{name}"
        ):
            return mangled(name, function)
    return None


def is_unbound(function: Any) -> bool:
    """Whether a function is a method, of whose object nothing is known.

    Args:
        function: any callable. Only its class can tell it from a static method; where
            that is local to a function, the name of the first parameter has to.
    """
    if type(function) is not types.FunctionType:
        return False
    *path, name = function.__qualname__.split(".")
    if not path or path[-1] == "<locals>":
        return False
    found: Any = function.__globals__.get(path[0])
    for each in path[1:]:
        found = vars(found).get(each) if isinstance(found, type) else None
    written = vars(found).get(mangled(name, function)) if isinstance(found, type) else 0
    if isinstance(written, staticmethod):
        return False
    return written is function or function.__code__.co_varnames[:1] == ("self",)
