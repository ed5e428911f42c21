"""Families: lists, tuples and dicts of cells at the top of a module."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from aiocells._declaring.marks import Mark, mark_of

Function = Callable[..., Any]


class Family(NamedTuple):
    """Cells that a module has in one list, tuple or dict.

    Attributes:
        cells: its cells.
        marks: their marks.
        keys: their keys in a dict; None for a list or a tuple.
    """

    cells: tuple[Function, ...]
    marks: tuple[Mark, ...]
    keys: tuple[Any, ...] | None

    def named(self, name: str) -> Iterator[tuple[str, Function, Mark]]:
        """Each cell with its name in the family, and its mark.

        Args:
            name: that of the family.
        """
        keys = range(len(self.cells)) if self.keys is None else self.keys
        for key, cell, mark in zip(keys, self.cells, self.marks, strict=True):
            yield f"{name}[{key!r}]", cell, mark


def family_of(value: Any) -> Family | None:
    """The family that a value is; None where it is none, or not all of it are cells.

    Args:
        value: anything; no code of its class is run.
    """
    kind = type(value)
    keys: Iterable[Any] | None = None
    if issubclass(kind, list):
        cells: Iterable[Any] = list.__iter__(value)
    elif issubclass(kind, tuple):
        cells = tuple.__iter__(value)
    elif issubclass(kind, dict):
        keys, cells = dict.keys(value), dict.values(value)
    else:
        return None
    found, marks = [], []
    for each in cells:
        mark = mark_of(each)
        if mark is None:
            return None
        found.append(each)
        marks.append(mark)
    if not found:
        return None
    return Family(tuple(found), tuple(marks), None if keys is None else tuple(keys))


def cells_of(found: Any) -> Iterable[Any]:
    """The cells of what a name or a reference means: one, a list, or a dict."""
    if type(found) is dict:
        return found.values()
    return found if type(found) is list else (found,)
