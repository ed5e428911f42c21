"""Plain functions in threads of the caller's executor, against `run_in_executor`."""

import asyncio
import functools
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from time import perf_counter
from typing import Any

from aiocells import Graph, async_compute_concurrent, cell
from benchmarks.effort import Effort
from benchmarks.layered import name_of
from benchmarks.measure import compare_async, values_of
from benchmarks.row import Row, at_most, compared

GROUP = "threads"
TARGET = at_most(1.1)
POOL = "pool"
THREADS = 2


def rows(effort: Effort) -> Iterator[Row]:
    """Measure one cell, ten, and many that do nothing in their threads."""
    with ThreadPoolExecutor(THREADS) as pool:
        for count in effort.threads:
            functions = [giving(number) for number in range(count)]
            graph = Graph.from_cells(*functions)
            found = compare_async(
                GROUP,
                functools.partial(by_hand, functions, pool),
                functools.partial(
                    async_compute_concurrent, graph, executors={POOL: pool}
                ),
                values=values_of,
                pairs=effort.pairs,
                least=effort.least,
                # More than one thread works.
                clock=perf_counter,
            )
            yield compared(
                GROUP,
                f"{count} cell{'s' * (count > 1)}, an executor of the caller's",
                found,
                count=count,
                target=TARGET,
                note=f"{THREADS} threads; wall time, since more than one thread works",
            )


def giving(number: int) -> Callable[[], int]:
    """A cell that gives its number, in a thread."""

    def gives() -> int:
        return number

    gives.__name__ = name_of(number)
    return cell(run_in=POOL)(gives)


async def by_hand(functions: list[Callable[[], int]], pool: Executor) -> list[Any]:
    """All functions at once in the threads of a pool."""
    loop = asyncio.get_running_loop()
    return await asyncio.gather(
        *(loop.run_in_executor(pool, function) for function in functions)
    )
