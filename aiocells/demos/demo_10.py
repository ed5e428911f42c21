"""100,000 cells that do nothing, in every computer.

What is measured is the cost of the computers alone. The first computation of a
graph also compiles it; the others use the same plan.
"""

import asyncio
from functools import partial

from aiocells import (
    Graph,
    Stopwatch,
    async_compute_concurrent,
    async_compute_concurrent_simple,
    async_compute_sequential,
    cell,
    compute_sequential,
)


def null() -> None:
    """Do nothing."""


def main(scale: float = 1.0, count: int = 100_000) -> None:
    """Compute many cells that do nothing, and time each computer.

    Args:
        scale: for all demos alike; nothing sleeps here.
        count: how many cells.
    """
    graph = Graph.from_cells(*[cell(partial(null)) for _ in range(count)])

    print(f"{count:,} cells that do nothing:")
    with Stopwatch("  compute_sequential, first time:  {elapsed_time}"):
        compute_sequential(graph)
    with Stopwatch("  compute_sequential, again:       {elapsed_time}"):
        compute_sequential(graph)
    with Stopwatch("  async_compute_sequential:        {elapsed_time}"):
        asyncio.run(async_compute_sequential(graph))
    with Stopwatch("  async_compute_concurrent_simple: {elapsed_time}"):
        asyncio.run(async_compute_concurrent_simple(graph))
    with Stopwatch("  async_compute_concurrent:        {elapsed_time}"):
        asyncio.run(async_compute_concurrent(graph))
