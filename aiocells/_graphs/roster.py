"""The cells of a graph by number, with their names and places; which a user means.

It serves messages and results, which outlive a plan, and so must not hold one.
"""

import functools
import types
from collections.abc import Callable, Iterable, KeysView, Mapping, Sequence
from typing import Any

from aiocells._declaring import names as _names
from aiocells._declaring.source import location_of
from aiocells._declaring.spec import PLAIN, Options, normal
from aiocells.errors import AmbiguousCell, UnknownCell

_NOTHING: Mapping[int, Any] = types.MappingProxyType({})


class Roster:
    """The cells of a graph by number.

    Attributes:
        nodes: the cells.
        index: the number of each, and of each function that stands for one; later ones
            are of nodes that came since.
        found_names: of those cells that do not tell their own.
        options: what `cell` or `resource` said.
        inputs: the names of what the caller may give.
        stand_ins: the functions that stand for some cells.
    """

    def __init__(
        self,
        nodes: Sequence[Any],
        index: Mapping[Any, int],
        found_names: Mapping[int, str],
        options: Sequence[Options],
        inputs: Sequence[str],
        stand_ins: Mapping[int, Any] = _NOTHING,
    ) -> None:
        self.nodes = nodes
        self.index = index
        self.found_names = found_names
        self.options = options
        self.inputs = inputs
        self.stand_ins = stand_ins

    @functools.cached_property
    def names(self) -> list[str]:
        """The name of each cell, by which messages and the caller speak of it."""
        found = self.found_names
        return [
            node.__name__
            if type(node) is types.FunctionType
            and self.options[number] is PLAIN
            and number not in found
            and node.__name__ != "<lambda>"
            else _names.name_of(node, found.get(number))
            for number, node in enumerate(self.nodes)
        ]

    @functools.cached_property
    def named(self) -> dict[str, list[int]]:
        """For each name the cells that have it."""
        named: dict[str, list[int]] = {}
        for number, name in enumerate(self.names):
            named.setdefault(name, []).append(number)
        return named

    @functools.cached_property
    def input_names(self) -> KeysView[str]:
        """What the caller may give."""
        return dict.fromkeys(self.inputs).keys()

    @functools.cached_property
    def meant(self) -> dict[tuple[str, str], tuple[int, ...]]:
        """The replaced cells, by name and place of all functions that mean them."""
        meant: dict[tuple[str, str], tuple[int, ...]] = {}
        if self.stand_ins:
            for key, number in self.index.items():
                if number in self.stand_ins:
                    function = _names.name_of(key), location_of(key)
                    meant[function] = (*meant.get(function, ()), number)
        return meant

    def written(self, number: int) -> Callable[..., Any]:
        """The function that was written for a cell: itself, or what stands for it."""
        function: Callable[..., Any] = self.stand_ins.get(number, self.nodes[number])
        return function

    def place(self, number: int) -> str:
        """Where a cell is defined, or ""."""
        return location_of(self.written(number))

    def described(self, number: int) -> str:
        """A cell as messages name it, with its place in the source."""
        return _names.placed(self.names[number], self.place(number))

    def find(self, key: Any) -> Sequence[int]:
        """The cell that `key` is, or all those that it names; empty for neither."""
        try:
            number = self.index.get(key)
        except TypeError:  # not hashable
            return ()
        if number is not None and number < len(self.nodes):
            return (number,)
        if not isinstance(key, str):
            return ()
        return self.named.get(key) or self.named.get(normal(key)) or ()

    def namesake(self, key: Any) -> str:
        """What to tell of a function that is no cell, where a cell has its name."""
        same = self.named.get(_names.fallback_name(key)) if callable(key) else None
        if not same:
            return ""
        return (
            f"{_names.shown(key)} is no cell of the graph. It has another cell of that "
            f"name: {self.described(same[0])}."
        )

    def is_resource(self, number: int) -> bool:
        return self.options[number].is_resource


def numbers_of(cells: Roster, keys: Iterable[Any], where: str) -> tuple[int, ...]:
    """The numbers of the cells that `keys` are, or name; none of them twice.

    Args:
        cells: the cells.
        keys: cells, or names.
        where: the option that has them, for the message.

    Raises:
        UnknownCell: there is no such cell.
        AmbiguousCell: several have that name.
        ValueError: a cell is given twice.
    """
    found: dict[int, Any] = {}
    for key in keys:
        number = number_of(cells, key, where)
        if number in found:
            msg = (
                f"{where}: {cells.described(number)} is given twice, as "
                f"{found[number]!r} and as {key!r}. Keep one of the two."
            )
            raise ValueError(msg)
        found[number] = key
    return tuple(found)


def number_of(cells: Roster, key: Any, where: str) -> int:
    """The number of the cell that `key` is, or names.

    Args:
        cells: the cells.
        key: a cell, or a name.
        where: the option that has it, for the message.

    Raises:
        UnknownCell: there is no such cell.
        AmbiguousCell: several have that name.
    """
    numbers = cells.find(key)
    if len(numbers) == 1:
        return numbers[0]
    if numbers:
        candidates = " and ".join(cells.described(number) for number in numbers)
        msg = f"{where}: {key!r} is the name of {candidates}. Give the cell itself."
        nodes = [cells.nodes[number] for number in numbers]
        raise AmbiguousCell(msg, name=key, candidates=nodes)
    if not isinstance(key, str):
        told = cells.namesake(key) or (
            f"{_names.shown(key)} is no cell of the graph. Is it among the modules or "
            "cells that the graph was made from?"
        )
        msg = f"{where}: {told}"
        raise UnknownCell(msg, name=key)
    near: list[str] = []
    if normal(key) not in cells.input_names:
        near = _names.suggestions(key, cells.named)
        hint = _names.did_you_mean(near)
    elif where == "overrides":
        hint = f" It is an input: give it as inputs={{{key!r}: ...}}."
    else:
        hint = " It is an input, whose value is given and not computed."
    msg = f"{where}: there is no cell {key!r} in the graph.{hint}"
    raise UnknownCell(msg, name=key, suggestions=near)
