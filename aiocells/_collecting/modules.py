"""The cells that a module brings into a graph."""

import operator
import os
import types
from collections.abc import Callable, Iterable
from typing import Any

from aiocells._collecting.families import family_of
from aiocells._declaring.marking import refuse_bare
from aiocells._declaring.marks import MARK, Mark, home_of, mark_of
from aiocells._declaring.names import name_under
from aiocells.errors import DeclarationError

Function = Callable[..., Any]


def cells_of_module(module: types.ModuleType) -> list[tuple[str | None, Function]]:
    """The cells of a module, in the order in which they were marked.

    Taken is what it defines, marks, or makes by a factory, and what it lists in its
    `__all__`: cells, and lists, tuples and dicts of cells.

    Args:
        module: the module; nothing in it is called.

    Returns:
        Each cell, with the name under which it was found where it has none of its own.
    """
    known = vars(module)
    here = known.get("__name__")
    exported = _exported(module)
    found: list[tuple[int, str | None, Function]] = []
    for name, value in [*known.items(), *_served(module, exported).items()]:
        if type(value) is types.FunctionType and value.__name__ == name:
            # Nearly all: a function under a bare `@cell`, where it is written.
            sequence = value.__dict__.get(MARK)
            if type(sequence) is int and value.__module__ == here:
                found.append((sequence, None, value))
                continue
        mark = mark_of(value)
        members: Iterable[tuple[str, Function, Mark]] = ()
        if mark is not None:
            members = ((name, value, mark),)
        elif (family := family_of(value)) is not None:
            members = family.named(name)
        else:
            refuse_bare(name, value)
        for label, each, mark in members:
            if name in exported or _belongs(each, mark, here):
                found.append((mark.sequence, name_under(label, each, known), each))
    found.sort(key=operator.itemgetter(0))
    return [(name, value) for _, name, value in found]


def _belongs(value: Function, mark: Mark, here: object) -> bool:
    """Whether a cell is of a module, and not merely imported there."""
    home = value.__module__ if type(value) is types.FunctionType else home_of(value)
    return home is None or home == here or here in mark.modules


def _exported(module: types.ModuleType) -> dict[str, None]:
    """The names in the `__all__` of a module; somebody may have put anything there."""
    written = vars(module).get("__all__")
    try:
        names = list(written or ())
    except TypeError:  # nothing that lists
        return {}
    return dict.fromkeys([each for each in names if isinstance(each, str)])


def _served(module: types.ModuleType, names: Iterable[str]) -> dict[str, Any]:
    """What a module says that it has, and makes only when it is asked."""
    known = vars(module)
    return {name: getattr(module, name, None) for name in names if name not in known}


def refuse_empty(module: types.ModuleType, given: object) -> None:
    """Refuse a module that knows no cell, not even one that it imports.

    Args:
        module: the module.
        given: what the user gave for it.
    """
    known = vars(module)
    if any(mark_of(each) or family_of(each) for each in list(known.values())):
        return
    shown = given if isinstance(given, str | os.PathLike) else known.get("__name__")
    msg = f"{shown} has no cells. Mark its functions with @cell."
    raise DeclarationError(msg, cell=module)
