"""100,000 sleeps at once, in both concurrent computers.

A family of cells is made with `functools.partial`: each partial is a cell of its
own. The sleeps take a second together; the rest is what the computer adds.
"""

import asyncio
from functools import partial

from aiocells import (
    Graph,
    Stopwatch,
    async_compute_concurrent,
    async_compute_concurrent_simple,
    cell,
)


async def sleep(seconds: float) -> None:
    """Sleep without blocking."""
    await asyncio.sleep(seconds)


def main(scale: float = 1.0, count: int = 100_000) -> None:
    """Compute many sleeps of 1 second, and time each computer.

    Args:
        scale: multiplies the time that is slept.
        count: how many cells.
    """
    graph = Graph.from_cells(*[cell(partial(sleep, scale)) for _ in range(count)])

    print(f"{count:,} cells that each sleep for {scale:g} s:")
    with Stopwatch("  async_compute_concurrent_simple: {elapsed_time}"):
        asyncio.run(async_compute_concurrent_simple(graph))
    with Stopwatch("  async_compute_concurrent:        {elapsed_time}"):
        asyncio.run(async_compute_concurrent(graph))
