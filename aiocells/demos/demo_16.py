"""A flow: the graph is computed whenever one of its inputs has news.

The inputs of a flow are coroutine functions, here two timers. `compute_flow`
waits for one of them, starts it again, and computes the other nodes in order.
"""

import asyncio
from functools import partial

from aiocells import (
    DependencyGraph,
    ModClock,
    ModPlace,
    ModPrinter,
    cancel_flow,
    compute_flow,
    timer,
)


def add_timer(
    graph: DependencyGraph, clock: ModClock, name: str, period: float
) -> None:
    """Add a timer, the place that it sets, and a printer of that place.

    A printer of a `ModPlace` keeps quiet when the other timer had the news.
    """
    time = ModPlace(clock)
    graph.add_precedence(partial(timer, period, time), time)
    message = f"  {name:<16} {{value:%H:%M:%S}}"
    graph.add_precedence(time, ModPrinter(clock, time, message))


async def run(iterations: int, scale: float) -> None:
    """Compute the flow a number of times, then end it."""
    clock = ModClock()
    graph = DependencyGraph(name="two timers")
    add_timer(graph, clock, "every second:", 1 * scale)
    add_timer(graph, clock, "every 3 seconds:", 3 * scale)

    count = 0
    while await compute_flow(graph):
        count += 1
        if count >= iterations:
            await cancel_flow(graph)


def main(iterations: int | None = None, scale: float = 1.0) -> None:
    """Run two timers that know nothing of each other.

    Args:
        iterations: how many times to compute; 10 if left out.
        scale: multiplies the periods of the timers.
    """
    wanted = 10 if iterations is None else iterations
    print(f"Two timers, {wanted} iterations. Ctrl-C ends it sooner.")
    asyncio.run(run(wanted, scale))
