"""An async node inside a flow.

The inputs of a flow must be coroutine functions; the nodes behind them may be.
`compute_flow` awaits them where their turn comes.
"""

import asyncio
from functools import partial

from aiocells import DependencyGraph, Place, cancel_flow, compute_flow, timer


async def print_time(place: Place) -> None:
    """Print the time that a place holds, as something async would."""
    await asyncio.sleep(0)
    print(f"  the time is {place.value:%H:%M:%S}")


async def run(scale: float) -> None:
    """Compute the flow ten times, then end it."""
    time = Place(name="time")
    graph = DependencyGraph()
    graph.add_precedence(partial(timer, scale, time), time)
    graph.add_precedence(time, partial(print_time, time))

    count = 0
    while await compute_flow(graph):
        count += 1
        if count == 10:
            await cancel_flow(graph)


def main(scale: float = 1.0) -> None:
    """Print the time every second, in an async node.

    Args:
        scale: multiplies the period of the timer.
    """
    print("A timer and an async printer, 10 iterations. Ctrl-C ends it sooner.")
    asyncio.run(run(scale))
