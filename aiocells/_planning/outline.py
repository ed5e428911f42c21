"""What results tell of a plan, which they outlive, and so must not hold."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from aiocells._graphs.roster import Roster


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
