"""One graph, computed twice.

A graph holds functions, no values: these are in the results, a new one for each
computation. The second changes nothing in the first.
"""

import asyncio
import datetime

from aiocells import Graph, async_compute_concurrent, cell


@cell
async def now(seconds: float) -> datetime.datetime:
    """Sleep, then look at the clock."""
    await asyncio.sleep(seconds)
    return datetime.datetime.now()


@cell
def message(now: datetime.datetime) -> str:
    """Tell the time."""
    return f"the clock shows {now:%H:%M:%S.%f}"


def main(scale: float = 1.0) -> None:
    """Look at the clock after 1 second, and after another.

    Args:
        scale: multiplies the time that is slept.
    """
    graph = Graph.from_module(__name__)
    inputs = {"seconds": scale}

    first = asyncio.run(async_compute_concurrent(graph, inputs=inputs))
    second = asyncio.run(async_compute_concurrent(graph, inputs=inputs))

    print(f"First computation:  {first[message]}")
    print(f"Second computation: {second[message]}")
