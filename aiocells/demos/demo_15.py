"""One graph, computed again and again with other inputs.

The graph is collected and compiled once. Where something happens outside that
should start a computation, a flow fits better: see the next demo.
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
def report(number: int, now: datetime.datetime) -> None:
    """Tell the time of one computation."""
    print(f"Computation {number:2}: the time is {now:%H:%M:%S}")


async def compute_ten_times(seconds: float) -> None:
    """Compute the cells of this module ten times in one event loop."""
    graph = Graph.from_module(__name__)
    for number in range(1, 11):
        inputs = {"number": number, "seconds": seconds}
        await async_compute_concurrent(graph, inputs=inputs)


def main(scale: float = 1.0) -> None:
    """Tell the time ten times, after 1 second each.

    Args:
        scale: multiplies the time that is slept.
    """
    asyncio.run(compute_ten_times(scale))
