"""A flow with one place that two inputs set.

As the last demo, but both timers set the same place, and one printer tells of
every change, whichever timer it came from.
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


def create_graph(scale: float) -> DependencyGraph:
    """Build the graph: two timers, a place, a printer."""
    clock = ModClock()
    time = ModPlace(clock)

    graph = DependencyGraph()
    graph.add_precedence(partial(timer, 1 * scale, time), time)
    graph.add_precedence(partial(timer, 3 * scale, time), time)
    printer = ModPrinter(clock, time, "  the time changed to {value:%H:%M:%S}")
    graph.add_precedence(time, printer)
    return graph


async def run(scale: float) -> None:
    """Compute the flow ten times, then end it."""
    graph = create_graph(scale)
    count = 0
    while await compute_flow(graph):
        count += 1
        if count == 10:
            await cancel_flow(graph)


def main(scale: float = 1.0) -> None:
    """Run timers of 1 and 3 seconds that set one place.

    Args:
        scale: multiplies the periods of the timers.
    """
    print("Two timers and one place, 10 iterations. Ctrl-C ends it sooner.")
    asyncio.run(run(scale))
