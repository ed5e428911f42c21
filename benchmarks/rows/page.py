"""The page of eight cells, against a TaskGroup with a task for each question."""

import functools
from collections.abc import Iterator
from typing import Any

from aiocells import Graph, async_compute_concurrent, cell
from benchmarks.effort import Effort
from benchmarks.layered import CHOICES
from benchmarks.measure import compare_async
from benchmarks.page import INPUTS, answers_at_once, answers_later, as_tasks, shop
from benchmarks.row import Row, at_most, compared

GROUP = "page"
# How a service answers, and the target.
WORKLOADS = (
    ("never suspending", answers_at_once, at_most(1.0, 0.70)),
    ("each question awaits sleep(0)", answers_later, at_most(1.2, 1.0)),
)


def rows(effort: Effort) -> Iterator[Row]:
    """Measure the page alone, which is what one wants of it, and all values."""
    for kind, get, target in WORKLOADS:
        made = shop(get, cell)
        graph = Graph.from_module(made)
        for everything, which in reversed(CHOICES.items()):
            found = compare_async(
                GROUP,
                functools.partial(as_tasks, made, **INPUTS),
                functools.partial(
                    shown, graph, made.page, None if everything else [made.page]
                ),
                pairs=effort.pairs,
                least=effort.least,
            )
            yield compared(
                GROUP,
                f"8 cells, {kind}, {which}",
                found,
                target=None if everything else target,
                note="inputs= is given, and the page read from the results",
            )


async def shown(graph: Graph, page: Any, targets: list[Any] | None) -> str:
    """The page, computed as the README does."""
    results = await async_compute_concurrent(graph, targets=targets, inputs=INPUTS)
    text: str = results[page]
    return text
