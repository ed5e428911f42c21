"""A diamond, computed in order: two sleeps take the sum of their times.

Neither sleep needs the other, so they could run at the same time; the sequential
computer does not do that. The next demo computes the same graphs concurrently.
"""

import asyncio
from functools import partial

from aiocells import (
    DependencyGraph,
    Graph,
    Stopwatch,
    async_compute_sequential,
    cell,
)


@cell
async def short_sleep(unit: float) -> float:
    """Sleep for one unit of time, in seconds."""
    await asyncio.sleep(unit)
    return unit


@cell
async def long_sleep(unit: float) -> float:
    """Sleep for two units of time, in seconds."""
    await asyncio.sleep(2 * unit)
    return 2 * unit


@cell
def slept(short_sleep: float, long_sleep: float) -> float:
    """Add up what was slept: runs when both sleeps have ended."""
    return short_sleep + long_sleep


def create_graph(stopwatch: Stopwatch, *, scale: float = 1.0) -> DependencyGraph:
    """Build a graph by hand: start a stopwatch, sleep twice, stop it.

    Args:
        stopwatch: what the graph starts and stops.
        scale: multiplies the sleeps, of 1 and 2 seconds.

    Returns:
        A graph for the async computers.
    """
    sleep_1 = partial(asyncio.sleep, 1 * scale)
    sleep_2 = partial(asyncio.sleep, 2 * scale)

    graph = DependencyGraph()
    for sleep in (sleep_1, sleep_2):
        graph.add_precedence(stopwatch.start, sleep)
        graph.add_precedence(sleep, stopwatch.stop)
    return graph


def main(scale: float = 1.0) -> None:
    """Compute the diamond in order, as cells and built by hand.

    Args:
        scale: multiplies the time that is slept.
    """
    print(f"Two sleeps in order, each way: {scale:g} s + {2 * scale:g} s.")

    with Stopwatch("A decorated module: {elapsed_time}"):
        graph = Graph.from_module(__name__)
        asyncio.run(async_compute_sequential(graph, inputs={"unit": scale}))

    stopwatch = Stopwatch()
    by_hand = create_graph(stopwatch, scale=scale)
    asyncio.run(async_compute_sequential(by_hand))
    print(f"The 1.x way:        {stopwatch.elapsed_time()}")
