"""The diamond of demo 6, computed concurrently: the longest sleep counts.

The graph is the same; only the computer differs. A cell starts as soon as the
last cell that it needs has ended.
"""

import asyncio

from aiocells import Graph, Stopwatch, async_compute_concurrent
from aiocells.demos import demo_6


def main(scale: float = 1.0) -> None:
    """Compute the diamond concurrently, as cells and built by hand.

    Args:
        scale: multiplies the time that is slept.
    """
    print(f"Two sleeps at once, each way: {scale:g} s beside {2 * scale:g} s.")

    with Stopwatch("A decorated module: {elapsed_time}"):
        graph = Graph.from_module(demo_6)
        asyncio.run(async_compute_concurrent(graph, inputs={"unit": scale}))

    stopwatch = Stopwatch()
    by_hand = demo_6.create_graph(stopwatch, scale=scale)
    asyncio.run(async_compute_concurrent(by_hand))
    print(f"The 1.x way:        {stopwatch.elapsed_time()}")
