"""Cells that each wait for a future of their own; each turn of the loop resolves one.

What looks at all that is waiting whenever something has happened becomes quadratic.
"""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from aiocells import Graph, async_compute_concurrent, cell
from benchmarks import by_hand
from benchmarks.effort import Effort
from benchmarks.layered import Function, name_of
from benchmarks.measure import compare_async, values_of
from benchmarks.row import Row, at_most, compared

GROUP = "futures"
TARGET = at_most(1.0)

Futures = list[asyncio.Future[int]]


def rows(effort: Effort) -> Iterator[Row]:
    """Measure few such cells, and many."""
    for count in effort.futures:
        futures: Futures = []
        functions = [waiting_for(number, futures) for number in range(count)]
        graph = Graph.from_cells(*functions)
        floor = functools.partial(by_hand.in_one_group, functions)
        ours = functools.partial(async_compute_concurrent, graph)
        contestants = [
            functools.partial(resolving, each, futures, count) for each in (floor, ours)
        ]
        found = compare_async(
            GROUP,
            *contestants,
            values=values_of,
            pairs=effort.pairs if count < 10_000 else effort.long_pairs,
            least=effort.least,
        )
        yield compared(GROUP, f"{count:,} cells", found, count=count, target=TARGET)


def waiting_for(number: int, futures: Futures) -> Function:
    """A cell that waits for the future of its number."""

    async def waits() -> int:
        return await futures[number]

    waits.__name__ = name_of(number)
    return cell(waits)


async def resolving(
    compute: Callable[[], Awaitable[Any]], futures: Futures, count: int
) -> Any:
    """Compute while the futures come, one a turn of the loop."""
    loop = asyncio.get_running_loop()
    futures[:] = [loop.create_future() for _ in range(count)]
    left = enumerate(futures)

    def resolve_next() -> None:
        for number, future in left:
            future.set_result(number)
            loop.call_soon(resolve_next)
            break

    # The second turn from now: by then every task waits.
    loop.call_soon(loop.call_soon, resolve_next)
    return await compute()
