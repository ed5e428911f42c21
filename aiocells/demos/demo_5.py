"""Async cells, awaited one after the other.

`async_compute_sequential` takes plain and `async def` cells alike. It keeps the
order of `compute_sequential`: each cell ends before the next one starts.
"""

import asyncio
from functools import partial

from aiocells import (
    DependencyGraph,
    Graph,
    async_compute_sequential,
    cell,
    depends_on,
)


@cell
def announce() -> None:
    """Go first."""
    print("Sleeping...")


@cell
@depends_on(announce)
async def sleep(seconds: float) -> None:
    """Go second, and let the event loop do other work meanwhile."""
    await asyncio.sleep(seconds)


@cell
@depends_on(sleep)
def wake_up() -> None:
    """Go last."""
    print("Woke up!")


def built_by_hand(seconds: float) -> DependencyGraph:
    """Put the same three steps in order, the 1.x way."""
    graph = DependencyGraph()
    first = graph.add_node(lambda: print("Sleeping..."))
    # There is no async lambda; a partial of a coroutine function is one.
    second = partial(asyncio.sleep, seconds)
    last = graph.add_node(lambda: print("Woke up!"))
    # What is new to the graph is added to it here.
    graph.add_precedence(first, second)
    graph.add_precedence(second, last)
    return graph


def main(scale: float = 1.0) -> None:
    """Sleep for 2 seconds between two messages, each way.

    Args:
        scale: multiplies the time that is slept.
    """
    seconds = 2 * scale

    print("A decorated module:")
    graph = Graph.from_module(__name__)
    asyncio.run(async_compute_sequential(graph, inputs={"seconds": seconds}))

    print("The 1.x way, a graph built by hand:")
    asyncio.run(async_compute_sequential(built_by_hand(seconds)))
