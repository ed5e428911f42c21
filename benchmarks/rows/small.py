"""Graphs of one, three and ten async cells, against a TaskGroup with a task a cell."""

import functools
from collections.abc import Iterator

from aiocells import Graph, async_compute_concurrent, cell
from benchmarks import by_hand
from benchmarks.effort import Effort
from benchmarks.layered import CHOICES
from benchmarks.measure import compare_async, values_of
from benchmarks.row import Row, at_most, compared
from benchmarks.small import NEVER_SUSPEND, SLEEP, small

GROUP = "small"
# What the cells are like, and the target for each number of cells.
WORKLOADS = (
    (
        "never suspending",
        NEVER_SUSPEND,
        {1: at_most(0.90, 0.70), 3: at_most(0.80, 0.55), 10: at_most(0.75, 0.45)},
    ),
    (
        "each awaits sleep(0)",
        SLEEP,
        {1: at_most(1.4, 1.3), 3: at_most(1.1, 0.90), 10: at_most(0.85, 0.70)},
    ),
)


def rows(effort: Effort) -> Iterator[Row]:
    """Measure each size, with all values, and with those of the last cell."""
    for kind, bodies, targets in WORKLOADS:
        for count, target in targets.items():
            made = small(count, bodies, cell)
            graph = Graph.from_module(made.module)
            for everything, which in CHOICES.items():
                found = compare_async(
                    GROUP,
                    by_hand.a_task_each(made, made.wanted(everything)),
                    functools.partial(
                        async_compute_concurrent,
                        graph,
                        targets=None if everything else made.last,
                        inputs=made.inputs,
                    ),
                    values=values_of,
                    pairs=effort.pairs,
                    least=effort.least,
                )
                yield compared(
                    GROUP,
                    f"{count} cell{'s' * (count > 1)}, {kind}, {which}",
                    found,
                    target=target if everything else None,
                )
