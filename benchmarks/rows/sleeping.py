"""Very many cells that sleep at the same time, against a TaskGroup of as many tasks.

For the memory each contestant runs in an interpreter of its own, since what one has
used and given back would hide what the other takes.
"""

import asyncio
import functools
import gc
import json
import statistics
import sys
from collections.abc import Callable, Iterator
from typing import Any

from aiocells import Graph, async_compute_concurrent, cell
from aiocells._planning.compiling import plan_of
from benchmarks import by_hand
from benchmarks.alone import alone
from benchmarks.effort import Effort
from benchmarks.layered import Function, name_of
from benchmarks.measure import check_same, compare_async, values_of
from benchmarks.memory import peak_bytes, reset_peak
from benchmarks.row import Row, at_most, compared

GROUP = "sleeping"
TARGET_TIME = at_most(1.0)
TARGET_MEMORY = at_most(1.1)
MEGABYTE = 1e6


def rows(effort: Effort) -> Iterator[Row]:
    """Measure the time that is not slept, and how much the peak of memory grows."""
    what = f"{effort.sleepers:,} cells each sleep({effort.delay:g})"
    functions = [sleeping(number, effort.delay) for number in range(effort.sleepers)]
    found = compare_async(
        GROUP,
        functools.partial(by_hand.in_one_group, functions),
        functools.partial(async_compute_concurrent, Graph.from_cells(*functions)),
        values=values_of,
        pairs=effort.long_pairs,
        least=effort.least,
    )
    yield compared(
        GROUP,
        f"{what}, processor time",
        found,
        count=effort.sleepers,
        target=TARGET_TIME,
    )
    yield _memory(f"{what}, growth of peak memory", effort)


def _memory(workload: str, effort: Effort) -> Row:
    floors, ours = [], []
    for _ in range(effort.interpreters):
        floors.append(_measured("floor", effort))
        ours.append(_measured("ours", effort))
    check_same(GROUP, floors[0]["check"], ours[0]["check"])
    pairs = [
        (floor["megabytes"], our["megabytes"])
        for floor, our in zip(floors, ours, strict=True)
    ]
    # A run of a few cells takes no page of memory that can be told.
    ratios = [our / (floor or 1) for floor, our in pairs]
    return Row(
        group=GROUP,
        workload=workload,
        unit="megabytes",
        floor=statistics.median(floor for floor, _ in pairs),
        ours=statistics.median(our for _, our in pairs),
        ratio=statistics.median(ratios),
        low=min(ratios),
        high=max(ratios),
        target=TARGET_MEMORY,
        note="first run of a process; the graph and its plan are there before it",
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
        result = runner.run(compute())
        grown = peak_bytes() - before
    values = result if isinstance(result, list) else result.values()
    found = {
        "megabytes": grown / MEGABYTE,
        "check": hash(tuple(values)),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
