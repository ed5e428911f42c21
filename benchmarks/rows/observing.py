"""What it takes to tell an observer of each start and end of a cell."""

import asyncio
import functools
from collections.abc import Iterator

from aiocells import Graph, async_compute_concurrent, cell, compute_sequential
from aiocells.observers import Event
from benchmarks import layered
from benchmarks.effort import Effort
from benchmarks.layered import INPUTS, Layered, never_suspends, plain
from benchmarks.measure import check_same, compare_async, compare_plain
from benchmarks.row import Row, at_most
from benchmarks.rows.sequential import never_generated

GROUP = "observing"
TARGET = at_most(1.5)
# What an observer is told of each cell.
KINDS = ("start", "end")


def rows(effort: Effort) -> Iterator[Row]:
    """Measure an observer that does nothing, against none."""
    layers, width = effort.layered[0]
    made = layered.layered(layers, width, (plain,), cell)
    graph = Graph.from_module(made.module)
    compute = functools.partial(compute_sequential, graph, inputs=INPUTS)
    observed = functools.partial(compute, observers=[ignore])
    told: list[Event] = []
    compute(observers=[told.append])
    _check_told(made, told)
    with never_generated():
        found = compare_plain(
            GROUP, compute, observed, pairs=effort.pairs, least=effort.least
        )
    yield _row("compute_sequential", found.beyond, made)

    made = layered.layered(layers, width, (never_suspends,), cell)
    graph = Graph.from_module(made.module)
    awaited = functools.partial(async_compute_concurrent, graph, inputs=INPUTS)
    told = []
    asyncio.run(awaited(observers=[told.append]))
    _check_told(made, told)
    found = compare_async(
        GROUP,
        awaited,
        functools.partial(awaited, observers=[ignore]),
        pairs=effort.pairs,
        least=effort.least,
    )
    yield _row("async_compute_concurrent", found.beyond, made)


def ignore(event: Event) -> None:
    """Observe, and do nothing about it."""


def _check_told(made: Layered, told: list[Event]) -> None:
    """Refuse a computation that does not tell the start and the end of each cell."""
    expected = [(name, kind) for name in made.names for kind in KINDS]
    check_same(GROUP, sorted(expected), sorted((each.name, each.kind) for each in told))


def _row(computer: str, seconds: float, made: Layered) -> Row:
    cells = len(made.functions)
    return Row(
        group=GROUP,
        workload=f"an event, {computer}, {cells:,} cells",
        unit="us/event",
        ours=seconds * 1e6 / (len(KINDS) * cells),
        target=TARGET,
        note="one observer, which does nothing: what a run takes beyond the same run "
        "without it, by the number of events",
    )
