"""Random computations in which cells fail, hang, and are cancelled.

They are made with a chooser, so that hypothesis can choose and shrink them, and that
the soak can choose them at random without it.
"""

from collections.abc import Callable, Sequence
from typing import Any

import attrs

from tests.factories import FACTORIES
from tests.helpers import IN_BROWSER

Chooser = Callable[[Sequence[Any]], Any]

COMPUTERS = ("sequential", "async_sequential", "concurrent", "simple")
# The rank of the first cell of a graph that cell 0 computes.
FIRST_INNER = 10_000

# What a cell may do, by where it runs; what is listed twice is chosen more often.
_FINE = ("return",) * 6
_RAISES = (
    *("raise", "raise", "raise_frozen", "raise_odd"),
    *("own_cancel", "stop_iteration", "exit", "interrupt"),
)
_WAITS = ("hang", "swallow", "raise_when_cancelled", "exit_when_cancelled", "linger")
ACTS: dict[str, tuple[str, ...]] = {
    "inline": _FINE + _RAISES,
    "thread": _FINE + _RAISES,
    "async": (*_FINE, *_RAISES, *_WAITS, "time_out"),
    "process": (*_FINE, "leave_thread", *_RAISES, "hang", "hang", *("die",) * 6),
    "resource": (*_FINE, *_RAISES, "no_yield"),
    "thread_resource": (*_FINE, *_RAISES, "no_yield"),
    "async_resource": (*_FINE, *_RAISES, "no_yield", *_WAITS),
    "group_resource": ("return", "child_fails"),
    "nested": ("return", "nest", "nest"),
}
# What the cells of a graph do that a cell computes.
INNER_ACTS = (*("return",) * 3, "raise", "raise", "raise_frozen", "exit", *_WAITS)
CLOSINGS: dict[str, tuple[str, ...]] = {
    "resource": (*_FINE, *_RAISES, "yield_again"),
    "thread_resource": (*_FINE, *_RAISES, "yield_again"),
    "async_resource": (*_FINE, *_RAISES, "yield_again", *_WAITS, "never_ends"),
    "group_resource": ("return",),
}
PLACES = tuple(
    place
    for place in ACTS
    if place != "process" and not (IN_BROWSER and place.startswith("thread"))
)
# What is the same in every computer: it needs no cancellation, and stops nothing when
# the computation is to go on.
PLAIN_FAULTS = frozenset(
    (
        "return",
        "raise",
        "raise_frozen",
        "raise_odd",
        "own_cancel",
        "stop_iteration",
        "time_out",
        "no_yield",
        "yield_again",
        "die",
        "leave_thread",
    )
)
# What a fallback does; most cells have none.
FALLBACKS = ("",) * 4 + ("value", "value", "raise", "decline")
ASYNC_PLACES = ("async", "async_resource", "group_resource", "nested")


@attrs.frozen
class FaultyNode:
    """One cell of a random computation.

    Attributes:
        rank: it needs only cells of a lower rank.
        place: where it runs, and whether it is a resource.
        act: what it does once it runs; a resource, when it opens.
        closing: what a resource does when it closes.
        turns: how often an async cell lets others run before.
        seconds: how long it waits before, by the virtual clock.
        values: the ranks of the cells whose values it gets.
        orders: the ranks of the cells that only come before it.
        is_limited: whether it counts towards the limit "few".
        fallback: what its fallback does; "" for none.
        inner: the cells of the graph that it computes, if it does.
        inner_computer: which computer that is done with.
        inner_on_error: what a failure means there.
    """

    rank: int
    place: str
    act: str
    closing: str
    turns: int
    seconds: int
    values: tuple[int, ...]
    orders: tuple[int, ...]
    is_limited: bool
    fallback: str = ""
    inner: "tuple[FaultyNode, ...]" = ()
    inner_computer: str = "concurrent"
    inner_on_error: str = "raise"

    @property
    def needs(self) -> tuple[int, ...]:
        """All cells that come before it, in the order declared."""
        return tuple(dict.fromkeys(self.orders + self.values))

    @property
    def is_resource(self) -> bool:
        """Whether it is opened and closed."""
        return self.place in CLOSINGS


@attrs.frozen
class Case:
    """A random computation.

    Attributes:
        nodes: its cells, by rank.
        declared: the order in which they are declared.
        computer: which of the four computes it.
        on_error: what a failure means.
        targets: the ranks of the cells asked for; None for all.
        max_concurrency: how many cells may run at once, if bounded.
        few: how many cells of the limit "few", if any cell counts towards it.
        cancel_at: the events, counted from 1, at which it is cancelled from outside.
        timeout: the virtual second at which it is, if any.
        is_scoped: whether it is cancelled by a scope of anyio, which does so again and
            again.
        factory: the name of the loop's task factory; "" for none.
        factory_fails_at: the call at which the factory raises, if any.
    """

    nodes: tuple[FaultyNode, ...]
    declared: tuple[int, ...]
    computer: str
    on_error: str
    targets: tuple[int, ...] | None = None
    max_concurrency: int | None = None
    few: int | None = None
    cancel_at: tuple[int, ...] = ()
    timeout: float | None = None
    is_scoped: bool = False
    factory: str = ""
    factory_fails_at: int | None = None

    @property
    def is_limited(self) -> bool:
        """Whether any cell counts towards the limit "few"."""
        return self.few is not None and any(node.is_limited for node in self.nodes)

    @property
    def options(self) -> dict[str, Any]:
        """What the computer is told."""
        options: dict[str, Any] = {"on_error": self.on_error}
        if "sequential" not in self.computer:
            options["max_concurrency"] = self.max_concurrency
            options["limits"] = {"few": self.few} if self.is_limited else None
        return options

    @property
    def is_undisturbed(self) -> bool:
        """Whether nothing is planned that ends it from outside."""
        planned = self.timeout is not None or self.factory_fails_at is not None
        return not self.cancel_at and not planned

    @property
    def is_calm(self) -> bool:
        """Whether nothing stops it: every cell runs that needs no failed one."""
        acts = {node.act for node in self.nodes} | {node.closing for node in self.nodes}
        return (
            self.on_error == "continue"
            and self.is_undisturbed
            and acts <= PLAIN_FAULTS | {""}
        )

    @property
    def computers(self) -> tuple[str, ...]:
        """The computers that can run it."""
        # compute_sequential runs process cells inline: these would end the test.
        deadly = ("die", "hang", "leave_thread")
        if any(n.place in ASYNC_PLACES or n.act in deadly for n in self.nodes):
            return COMPUTERS[1:]
        return COMPUTERS


def some(choose: Chooser, ranks: Sequence[int], most: int) -> tuple[int, ...]:
    """At most so many of the ranks, each once."""
    if not ranks:
        return ()
    count = choose(range(min(most, len(ranks)) + 1))
    return tuple(dict.fromkeys(choose(ranks) for _ in range(count)))


def make_nodes(
    choose: Chooser,
    places: Sequence[str] = PLACES,
    faults: frozenset[str] | None = None,
    max_cells: int = 7,
    fallbacks: Sequence[str] = FALLBACKS,
) -> tuple[FaultyNode, ...]:
    """Cells of a graph of any shape.

    Args:
        choose: picks one of several things.
        places: where they may run.
        faults: what they may do; by default anything.
        max_cells: the most of them.
        fallbacks: what their fallbacks may do.
    """
    nodes = []
    for rank in range(choose(range(1, max_cells + 1))):
        place = choose(places)
        acts, closings = ACTS[place], CLOSINGS.get(place, ("",))
        if faults is not None:
            acts = tuple(act for act in acts if act in faults)
            closings = tuple(act for act in closings if act in faults) or ("",)
        lower = range(rank)
        act = choose(acts)
        nodes.append(
            FaultyNode(
                rank=rank,
                place=place,
                act=act,
                closing=choose(closings),
                turns=choose((0, 0, 1, 2)),
                seconds=choose((0, 0, 1, 2)),
                values=some(choose, lower, 3),
                orders=some(choose, lower, 2),
                is_limited=choose((False, False, True)),
                fallback=choose(fallbacks),
                inner=make_inner(choose, rank) if act == "nest" else (),
                inner_computer=choose(COMPUTERS[1:]),
                inner_on_error=choose(("raise", "group")),
            )
        )
    return tuple(nodes)


def make_inner(choose: Chooser, rank: int) -> tuple[FaultyNode, ...]:
    """The cells of a graph that a cell computes; their ranks begin where no others are.

    Args:
        choose: picks one of several things.
        rank: of the cell that computes it.
    """
    return tuple(
        FaultyNode(
            rank=FIRST_INNER * (rank + 1) + place,
            place="async",
            act=choose(INNER_ACTS),
            closing="",
            turns=choose((0, 0, 1, 2)),
            seconds=choose((0, 0, 1, 2)),
            values=(),
            orders=(),
            is_limited=False,
        )
        for place in range(choose((1, 2, 2)))
    )


def make_targets(
    choose: Chooser, nodes: Sequence[FaultyNode]
) -> tuple[int, ...] | None:
    """Some cells to ask for, or None for all."""
    ranks = [node.rank for node in nodes if not node.is_resource]
    if not ranks or choose((True, False)):
        return None
    return tuple(dict.fromkeys((choose(ranks), *some(choose, ranks, 3))))


def make_declared(choose: Chooser, count: int) -> tuple[int, ...]:
    """The ranks in any order."""
    left = list(range(count))
    return tuple(left.pop(choose(range(len(left)))) for _ in range(count))


def make_case(
    choose: Chooser, places: Sequence[str] = PLACES, max_cells: int = 7
) -> Case:
    """Any computation, with any faults, under any computer."""
    nodes = make_nodes(choose, places, max_cells=max_cells)
    case = Case(
        nodes,
        make_declared(choose, len(nodes)),
        computer="concurrent",
        on_error=choose(("raise", "group", "continue")),
        targets=make_targets(choose, nodes),
        max_concurrency=choose((None, None, 1, 2)),
        few=choose((None, None, 1, 2)),
        cancel_at=tuple(sorted(some(choose, range(1, 2 + 3 * len(nodes)), 2))),
        timeout=choose((None, None, None, 0.0, 1.0, 2.5)),
    )
    case = attrs.evolve(case, computer=choose(case.computers))
    if case.computer == "sequential":
        return case
    if choose((False,) * 5 + (True,)):
        case = attrs.evolve(case, is_scoped=True, timeout=None)
    # A task group is for tasks, and hides what a factory raises.
    if "group_resource" not in {node.place for node in nodes}:
        fails_at = choose((None, None, None, *range(1, 6)))
        factory = choose(("",) * 4 + tuple(FACTORIES))
        case = attrs.evolve(case, factory=factory, factory_fails_at=fails_at)
    return case
