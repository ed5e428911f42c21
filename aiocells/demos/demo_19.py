"""Flows inside a flow: an input may be another flow.

The outer flow waits for either of the inner ones. To end the outer flow ends the
inner ones with it.
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


def inner_graph(name: str, period: float) -> DependencyGraph:
    """Build an inner flow: a timer, a place, a printer."""
    clock = ModClock()
    time = ModPlace(clock)

    graph = DependencyGraph(name=name)
    graph.add_precedence(partial(timer, period, time), time)
    printer = ModPrinter(clock, time, f"  {name:<6} {{value:%H:%M:%S.%f}}")
    graph.add_precedence(time, printer)
    return graph


async def run(scale: float) -> None:
    """Compute the outer flow ten times, then end it."""
    outer = DependencyGraph(name="outer")
    outer.add_node(partial(compute_flow, inner_graph("quick:", 0.7 * scale)))
    outer.add_node(partial(compute_flow, inner_graph("slow:", 1.5 * scale)))

    count = 0
    while await compute_flow(outer):
        count += 1
        if count == 10:
            await cancel_flow(outer)


def main(scale: float = 1.0) -> None:
    """Run inner flows with timers of 0.7 and 1.5 seconds.

    Args:
        scale: multiplies the periods of the timers.
    """
    print("Two flows in a flow, 10 iterations. Ctrl-C ends it sooner.")
    asyncio.run(run(scale))
