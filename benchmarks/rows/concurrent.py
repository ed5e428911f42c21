"""Async cells, against a TaskGroup in which each cell is a task."""

import functools
from collections.abc import Iterator

from aiocells import Graph, async_compute_concurrent, cell
from benchmarks import by_hand, layered
from benchmarks.effort import Effort
from benchmarks.layered import CHOICES, INPUTS, never_suspends, plain, sleeps
from benchmarks.measure import compare_async, values_of
from benchmarks.row import Row, at_most, compared

GROUP = "concurrent"
# What the cells are like, and the target.
WORKLOADS = (
    ("async, never suspending", (never_suspends,), at_most(0.55, 0.30)),
    ("half plain, half never suspending", (plain, never_suspends), at_most(0.38, 0.25)),
    ("every cell awaits sleep(0)", (sleeps,), at_most(0.57, 0.50)),
    ("half plain, half sleep(0)", (plain, sleeps), at_most(0.35)),
)
PROGRAMS = (
    ("any graph", by_hand.awaiting_a_list),
    ("cell by cell", by_hand.awaiting_three),
)


def rows(effort: Effort) -> Iterator[Row]:
    """Measure each kind of cells on each layered graph."""
    for layers, width in effort.layered:
        for kind, bodies, target in WORKLOADS:
            made = layered.layered(layers, width, bodies, cell)
            graph = Graph.from_module(made.module)
            steps = by_hand.steps_of(made)
            for everything, which in CHOICES.items():
                ours = functools.partial(
                    async_compute_concurrent,
                    graph,
                    targets=None if everything else made.last,
                    inputs=INPUTS,
                )
                # The figures of targets= have no target of their own; one will do.
                for name, program in PROGRAMS[: 1 + everything]:
                    wanted = made.wanted(everything)
                    found = compare_async(
                        GROUP,
                        functools.partial(program, steps, wanted),
                        ours,
                        values=values_of,
                        pairs=effort.pairs,
                        least=effort.least,
                    )
                    yield compared(
                        GROUP,
                        f"{kind}, {layers} x {width}, {which}, floor: {name}",
                        found,
                        count=layers * width,
                        target=target if everything else None,
                    )
