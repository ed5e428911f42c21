"""Graphs inside a graph: a cell may compute another graph.

Ten cells compute one inner graph, each with other inputs, all at the same time.
A graph holds no values, so that it can be shared.
"""

import asyncio
from functools import partial

from aiocells import Graph, Stopwatch, async_compute_concurrent, cell, depends_on


@cell
async def sleep(seconds: float) -> None:
    """Sleep, in the inner graph."""
    await asyncio.sleep(seconds)


@cell
@depends_on(sleep)
def report(number: int) -> str:
    """Say in the inner graph that the sleep is over."""
    return f"inner graph {number} is done"


INNER = Graph.from_cells(report)


async def compute_inner(number: int, seconds: float) -> str:
    """Compute the inner graph, as a cell of the outer graph."""
    inputs = {"number": number, "seconds": seconds}
    results = await async_compute_concurrent(INNER, inputs=inputs)
    return results[report]


def main(scale: float = 1.0) -> None:
    """Compute ten inner graphs that each sleep for 2 seconds.

    Args:
        scale: multiplies the time that is slept.
    """
    seconds = 2 * scale
    outer = Graph.from_cells(
        *[cell(partial(compute_inner, number, seconds)) for number in range(10)]
    )

    print(f"Ten inner graphs, each sleeping for {seconds:g} s.")
    with Stopwatch("All together took {elapsed_time}"):
        results = asyncio.run(async_compute_concurrent(outer))
    for message in results.values():
        print(f"  {message}")
