"""Cells that are computed only if another asks for them.

What a cell may ask with comes to it as any other value does: a run has one object for
all who ask, at a place of its own among the values, and the cell's function is wrapped
so that it gets, for each cell that it may ask for, a function that this object makes.
So nothing but the wrapped function differs, and what is made of a plan stays as it is.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from aiocells._declaring.kinds import Kind
from aiocells._graphs.toposort import topological_order

NO_CELLS: frozenset[int] = frozenset()


class Answering(Protocol):
    """What a run has for all its cells that ask.

    Attributes:
        computed: the cells that were asked for, or computed for one, and have ended.
        values: those of the run.
    """

    computed: set[int]
    values: list[Any]

    def function(self, asker: int, cell: int) -> Callable[[], Any]:
        """What a cell calls to ask for another."""
        ...

    def ended(self, asker: int) -> None:
        """Record that a cell cannot ask any more."""

    def unasked(self) -> Mapping[int, None]:
        """The cells without a value since nobody asked for them."""
        ...


def asking_source(inputs: Sequence[str]) -> int:
    """Where the object is with which cells ask: beyond the last input."""
    return ~len(inputs)


class Asker(NamedTuple):
    """A cell that may ask for others.

    Attributes:
        number: its number.
        places: for each other where in its call it stands, and its number.
    """

    number: int
    places: tuple[tuple[int, int], ...]


def asker_of(
    number: int, args: tuple[int, ...], asks: Mapping[int, tuple[int, ...]], source: int
) -> Asker | None:
    """What a cell may ask for; None for one that does not ask.

    Args:
        number: the cell.
        args: where the values of its call come from.
        asks: for each cell that asks the others, in the order of its call.
        source: where that comes from with which cells ask.
    """
    if number not in asks:
        return None
    places = [place for place, each in enumerate(args) if each == source]
    return Asker(number, tuple(zip(places, asks[number], strict=True)))


def with_asking(
    function: Callable[..., Any], kind: Kind, asker: Asker
) -> Callable[..., Any]:
    """`function`, called with what it asks with, in place of a run's object for that.

    Args:
        function: takes values one by one.
        kind: what calling it gives.
        asker: the cell.
    """
    number, places = asker
    first = places[0][0]

    def call(*values: Any) -> Any:
        answering = values[first]
        made = [*values]
        for place, cell in places:
            made[place] = answering.function(number, cell)
        return function(*made)

    def call_to_end(*values: Any) -> Any:
        try:
            return call(*values)
        finally:
            values[first].ended(number)

    # Whoever runs a task, or opens a resource, knows when that is over.
    return call_to_end if kind is Kind.PLAIN else call


def without_lazy(
    needs: Sequence[Collection[int]], lazy: Mapping[int, Collection[int]]
) -> list[Collection[int]]:
    """What each cell needs before it starts."""
    return [
        tuple(each for each in needed if each not in lazy[number])
        if lazy.get(number)
        else needed
        for number, needed in enumerate(needs)
    ]


def roots_of(edges: Sequence[Collection[int]], cells: Collection[int]) -> list[int]:
    """Those of some cells that none of them needs, nor may ask for."""
    needed = {each for number in cells for each in edges[number]}
    return [number for number in cells if number not in needed]


def unneeded(
    needs: Sequence[Collection[int]], cells: Collection[int], targets: Iterable[int]
) -> frozenset[int]:
    """Those of some cells that are computed only if one of them asks.

    Args:
        needs: what each cell of the graph needs before it starts.
        cells: what the targets need, or may ask for.
        targets: what is computed in any case.
    """
    chosen = set(cells)
    needs = [each if number in chosen else () for number, each in enumerate(needs)]
    return frozenset(cells).difference(topological_order(needs, targets))


class Waiting:
    """Which cells wait for which, where some may ask for others.

    A cell that may be asked for waits for one more than it needs: for being asked. A
    plain cell cannot wait when it asks. So it waits before it starts, for what it may
    then use and is computed anyway.

    Args:
        needs: for each cell of the graph the cells that it needs before it starts.
        cells: those that are run.
        lazy: those of them that are run only if another asks.
        used_at_once: gives what a cell may use when it asks, and is computed anyway.
        given: the cells whose values are given.

    Attributes:
        dependents: for each cell those that wait for it, in declaration order.
        counts: for each cell for how many it waits.
    """

    def __init__(
        self,
        needs: Sequence[Collection[int]],
        cells: Iterable[int],
        lazy: Collection[int],
        used_at_once: Callable[[int], Iterable[int]],
        given: Collection[int],
    ) -> None:
        dependents: list[list[int]] = [[] for _ in needs]
        self.counts = [0] * len(needs)
        for number in sorted(cells):
            for each in {*needs[number], *used_at_once(number)}:
                if each not in given:
                    dependents[each].append(number)
                    self.counts[number] += 1
            self.counts[number] += number in lazy
        self.dependents: list[Sequence[int]] = [*dependents]
