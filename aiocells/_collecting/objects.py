"""The cells that an object's class declares."""

import functools
import inspect
import operator
import types
from collections.abc import Callable
from typing import Any, NamedTuple

from aiocells._declaring.marking import refuse_bare
from aiocells._declaring.marks import mark_of
from aiocells._declaring.spec import CellSpec

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
    mro = owner.__mro__ if isinstance(owner, type) else type(owner).__mro__
    for cls in reversed(mro):
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
