"""The cells of a graph by number, with their names and places.

It serves messages and results, which outlive a plan, and so must not hold one.
"""

import functools
import types
from collections.abc import KeysView, Mapping, Sequence
from typing import Any

from aiocells._declaring.names import fallback_name, name_of, placed, shown
from aiocells._declaring.source import location_of
from aiocells._declaring.spec import PLAIN, Options, normal


class Roster:
    """The cells of a graph by number.

    Attributes:
        nodes: the cells.
        index: the number of each; later ones are of nodes that came since.
        found_names: of those cells that do not tell their own.
        options: what `cell` or `resource` said.
        inputs: the names of what the caller may give.
    """

    def __init__(
        self,
        nodes: Sequence[Any],
        index: Mapping[Any, int],
        found_names: Mapping[int, str],
        options: Sequence[Options],
        inputs: Sequence[str],
    ) -> None:
        self.nodes = nodes
        self.index = index
        self.found_names = found_names
        self.options = options
        self.inputs = inputs

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
            else name_of(node, found.get(number))
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

    def place(self, number: int) -> str:
        """Where a cell is defined, or ""."""
        return location_of(self.nodes[number])

    def described(self, number: int) -> str:
        """A cell as messages name it, with its place in the source."""
        return placed(self.names[number], self.place(number))

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
        same = self.named.get(fallback_name(key)) if callable(key) else None
        if not same:
            return ""
        return (
            f"{shown(key)} is no cell of the graph. It has another cell of that name: "
            f"{self.described(same[0])}."
        )

    def is_resource(self, number: int) -> bool:
        return self.options[number].is_resource


class Outline:
    """What the results of a plan tell of it.

    Attributes:
        roster: the cells of the graph.
        targets: the numbers of the cells whose values were asked for, in order.
        target_set: the same.
        computed: the numbers of the cells that were to run.
        needs: for each cell the cells that it needs.
        places: for each target, by number, where its value stands in the results.
    """

    def __init__(
        self,
        roster: Roster,
        targets: tuple[int, ...],
        target_set: frozenset[int],
        computed: Sequence[int],
        needs: Any,
        places: Mapping[int, int] | None = None,
    ) -> None:
        self.roster = roster
        self.targets = targets
        self.target_set = target_set
        self.computed = computed
        self.needs = needs
        self.places: Mapping[int, int] | Sequence[int] = (
            range(len(roster.nodes)) if places is None else places
        )

    @functools.cached_property
    def index(self) -> Mapping[Any, int]:
        """For each target, by cell, where its value stands in the results.

        That of the whole graph is shared. It may know cells that came since, but they
        stand beyond the end.
        """
        nodes, places = self.roster.nodes, self.places
        if len(self.targets) == len(nodes) == len(places) and type(places) is range:
            return self.roster.index
        return {nodes[number]: places[number] for number in self.targets}
