"""Async cells, against a TaskGroup in which each cell is a task."""

import asyncio
import functools
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from aiocells import Graph, async_compute_concurrent, cell
from benchmarks import by_hand, layered
from benchmarks.effort import Effort
from benchmarks.layered import INPUTS, never_suspends, plain, sleeps
from benchmarks.measure import Comparison, async_timer, compare
from benchmarks.row import Row, check_same, compared

GROUP = "concurrent"
EAGER = sys.version_info >= (3, 12)
# What the cells are like, and the target.
WORKLOADS = (
    ("every cell awaits sleep(0)", (sleeps,), 0.50 if EAGER else 0.57),
    ("async, never suspending", (never_suspends,), 0.30 if EAGER else 0.70),
    ("half plain, half never suspending", (plain, never_suspends), 0.35),
    ("half plain, half sleep(0)", (plain, sleeps), 0.35),
)
PROGRAMS = (
    ("any graph", by_hand.awaiting_a_list),
    ("cell by cell", by_hand.awaiting_three),
)

Contestant = Callable[[], Awaitable[Any]]


def rows(effort: Effort) -> Iterator[Row]:
    """Measure each kind of cells on each layered graph."""
    for layers, width in effort.layered:
        for kind, bodies, target in WORKLOADS:
            made = layered.layered(layers, width, bodies, cell)
            graph = Graph.from_module(made.module)
            ours = functools.partial(async_compute_concurrent, graph, inputs=INPUTS)
            for name, program in PROGRAMS:
                floor = functools.partial(program, by_hand.steps_of(made))
                found = _compared((floor, ours), effort)
                yield compared(
                    GROUP,
                    f"{kind}, {layers} x {width}, floor: {name}",
                    found,
                    count=layers * width,
                    target=target,
                )


def _compared(contestants: tuple[Contestant, Contestant], effort: Effort) -> Comparison:
    floor, ours = contestants
    with asyncio.Runner() as runner:
        check_same(
            GROUP,
            runner.run(_awaited(floor)),
            list(runner.run(_awaited(ours)).values()),
        )
        return compare(
            async_timer(floor, runner),
            async_timer(ours, runner),
            pairs=effort.pairs,
            least=effort.least,
        )


async def _awaited(contestant: Contestant) -> Any:
    return await contestant()
