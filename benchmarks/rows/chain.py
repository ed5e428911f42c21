"""A long chain of async cells, against awaiting them in a loop."""

import asyncio
import functools
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from aiocells import (
    Graph,
    async_compute_concurrent,
    async_compute_sequential,
    cell,
)
from benchmarks import by_hand
from benchmarks.effort import Effort
from benchmarks.layered import Function, name_of, renamed
from benchmarks.measure import compare_async, values_of
from benchmarks.row import Row, at_most, compared

GROUP = "chain"
TARGET = at_most(2.2, 1.9)
GIVEN = {"start": 0}

Contestant = Callable[[], Awaitable[Any]]


def rows(effort: Effort) -> Iterator[Row]:
    """Measure the longest chain with both computers, and the memory of all."""
    count = effort.chain[-1]
    functions, graph = chain(count)
    floor = functools.partial(by_hand.one_after_another, functions, 0)
    for computer in (async_compute_concurrent, async_compute_sequential):
        ours = functools.partial(_last_of, computer, graph, functions)
        yield _compared(floor, ours, f"{computer.__name__}, with targets=", effort)
    yield _compared(
        functools.partial(by_hand.keeping_each, functions, 0),
        functools.partial(_all_of, graph),
        f"{async_compute_concurrent.__name__}, all values",
        effort,
    )
    for count in effort.chain:
        yield Row(
            group=GROUP,
            workload=f"{count:,} cells, memory at the peak of a run",
            unit="bytes/cell",
            ours=_peak_bytes(count) / count,
            note="beyond the graph and its plan; tracemalloc",
        )


def _compared(floor: Contestant, ours: Contestant, what: str, effort: Effort) -> Row:
    count = effort.chain[-1]
    found = compare_async(
        GROUP, floor, ours, pairs=effort.long_pairs, least=effort.least
    )
    return compared(
        GROUP, f"{count:,} cells, {what}", found, count=count, target=TARGET
    )


async def counts(a):  # type: ignore[no-untyped-def]
    """Take a turn of the loop, and go on from the cell before."""
    await asyncio.sleep(0)
    return a + 1


def chain(count: int) -> tuple[list[Function], Graph]:
    """A chain of cells, each of which needs the one before it."""
    names = {"asyncio": asyncio, "__name__": "chain"}
    functions: list[Function] = [
        cell(renamed(counts, name_of(number), (_before(number),), names))
        for number in range(count)
    ]
    return functions, Graph.from_cells(*functions)


async def _last_of(computer: Any, graph: Graph, functions: list[Function]) -> Any:
    last = functions[-1]
    return (await computer(graph, targets=[last], inputs=GIVEN))[last]


async def _all_of(graph: Graph) -> list[Any]:
    return values_of(await async_compute_concurrent(graph, inputs=GIVEN))


def _before(number: int) -> str:
    return name_of(number - 1) if number else "start"


def _peak_bytes(count: int) -> int:
    """What a run takes at its peak; the run before it has derived all from the plan."""
    functions, graph = chain(count)
    with asyncio.Runner() as runner:
        compute = functools.partial(
            _last_of, async_compute_concurrent, graph, functions
        )
        runner.run(compute())
        tracemalloc.start()
        try:
            runner.run(compute())
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
