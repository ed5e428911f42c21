"""Very many cells that sleep at the same time, against a TaskGroup of as many tasks.

Each contestant runs in an interpreter of its own, since memory that one has used and
given back would hide what the other takes.
"""

import asyncio
import functools
import gc
import json
import statistics
import sys
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any

from aiocells import Graph, async_compute_concurrent, cell
from aiocells._planning.compiling import plan_of
from benchmarks import by_hand
from benchmarks.alone import alone
from benchmarks.effort import Effort
from benchmarks.layered import Function, name_of
from benchmarks.memory import peak_bytes, reset_peak
from benchmarks.row import Row, check_same

GROUP = "sleeping"
TARGET_TIME = 1.0
TARGET_MEMORY = 1.1
MEGABYTE = 1e6


def rows(effort: Effort) -> Iterator[Row]:
    """Measure the time beyond the sleep, and how much the peak of memory grows."""
    floors, ours = [], []
    for _ in range(effort.long_pairs):
        floors.append(_measured("floor", effort))
        ours.append(_measured("ours", effort))
    check_same(GROUP, floors[0]["check"], ours[0]["check"])
    what = f"{effort.sleepers:,} cells each sleep({effort.delay:g})"
    note = "first run of a process; the graph and its plan are there before it"
    yield _row(f"{what}, time beyond that", "seconds", TARGET_TIME, note, floors, ours)
    yield _row(
        f"{what}, growth of peak memory", "megabytes", TARGET_MEMORY, note, floors, ours
    )


def _row(
    workload: str,
    unit: str,
    target: float,
    note: str,
    floors: list[dict[str, float]],
    ours: list[dict[str, float]],
) -> Row:
    # A run of a few cells takes no page of memory that can be told.
    ratios = [b[unit] / (a[unit] or 1) for a, b in zip(floors, ours, strict=True)]
    return Row(
        group=GROUP,
        workload=workload,
        unit=unit,
        floor=statistics.median(each[unit] for each in floors),
        ours=statistics.median(each[unit] for each in ours),
        ratio=statistics.median(ratios),
        low=min(ratios),
        high=max(ratios),
        target=target,
        note=note,
    )


def _measured(contestant: str, effort: Effort) -> dict[str, float]:
    found: dict[str, float] = alone(__name__, contestant, effort.sleepers, effort.delay)
    return found


def sleeping(number: int, delay: float) -> Function:
    """A cell that sleeps."""

    async def sleeps() -> int:
        await asyncio.sleep(delay)
        return number

    sleeps.__name__ = name_of(number)
    return cell(sleeps)


def main(contestant: str, count: int, delay: float) -> None:
    """Run one contestant once, and print what it took."""
    functions = [sleeping(number, delay) for number in range(count)]
    compute: Callable[[], Any] = functools.partial(by_hand.in_one_group, functions)
    if contestant == "ours":
        graph = Graph.from_cells(*functions)
        plan_of(graph)
        compute = functools.partial(async_compute_concurrent, graph)
    with asyncio.Runner() as runner:
        runner.get_loop()
        gc.collect()
        before = reset_peak()
        start = perf_counter()
        result = runner.run(compute())
        seconds = perf_counter() - start - delay
        grown = peak_bytes() - before
    values = result if isinstance(result, list) else result.values()
    found = {
        "seconds": seconds,
        "megabytes": grown / MEGABYTE,
        "check": hash(tuple(values)),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
