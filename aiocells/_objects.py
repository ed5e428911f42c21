"""The cells that an object's class declares."""

import types
from collections.abc import Callable
from typing import Any

import attrs

from aiocells._cell import CellSpec, spec_of


@attrs.frozen
class ObjectCells:
    """What an object brings into a graph.

    Attributes:
        cells: bound cells by the name of their attribute, in definition order.
        specs: the spec of each of them.
        attributes: for each function of the object's classes the name under which
            the object has it.
    """

    cells: dict[str, Callable[..., Any]]
    specs: dict[Callable[..., Any], CellSpec]
    attributes: dict[Any, str]


def cells_of_object(owner: object) -> ObjectCells:
    """Find the decorated methods of an object.

    A method that overrides a cell is a cell as well. Properties and other
    descriptors are not evaluated.
    """
    found: dict[str, CellSpec] = {}
    attributes: dict[Any, str] = {}
    for cls in reversed(type(owner).__mro__):
        for name, value in vars(cls).items():
            spec = spec_of(value)
            if isinstance(value, staticmethod | classmethod):
                attributes[value.__func__] = name
                spec = spec or spec_of(value.__func__)
            elif isinstance(value, types.FunctionType):
                attributes[value] = name
            elif spec is None:
                continue
            if spec is not None:
                found[name] = spec
    cells: dict[str, Callable[..., Any]] = {}
    specs: dict[Callable[..., Any], CellSpec] = {}
    for name, spec in found.items():
        bound = getattr(owner, name)
        if callable(bound):  # a subclass may switch a cell off with `name = None`
            cells[name] = bound
            specs[bound] = spec
    return ObjectCells(cells, specs, attributes)
