"""A function for each of many items, against the loop that one would write by hand."""

import asyncio
import functools
import multiprocessing
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from time import perf_counter
from typing import Any

from aiocells import Graph, Input, async_compute_concurrent, compute_sequential, each
from benchmarks.effort import Effort
from benchmarks.measure import compare_async, compare_plain
from benchmarks.row import Row, at_most, compared

GROUP = "fan-out"
AT_ONCE = 100
# Of a tiny item, and for how long a working one adds, some 60 microseconds.
ROUNDS = 1_500
CHUNKS = (100, 1_000)


def tiny(x: int) -> int:
    """A plain item that does next to nothing."""
    return x + 1


def tiny_of_two(x: int, y: int) -> int:
    """The same with another parameter, which is not iterated."""
    return x + y


def working(x: int) -> int:
    """A plain item that takes its time."""
    return sum(range(ROUNDS)) + x


async def sleeping(x: int) -> int:
    """An async item that lets others run once."""
    await asyncio.sleep(0)
    return x + 1


async def quick(x: int) -> int:
    """An async item that never suspends."""
    return x + 1


XS = Input("xs")
PLAIN = each(tiny, x=XS)
OF_TWO = each(tiny_of_two, x=XS)
SLEEPING = each(sleeping, x=XS, limit=AT_ONCE)
QUICK = each(quick, x=XS, limit=AT_ONCE)
IN_THREADS = each(tiny, x=XS, run_in="thread")
IN_PROCESSES = each(working, x=XS, run_in="process")


def rows(effort: Effort) -> Iterator[Row]:
    """Measure plain and async items, items in threads, and items in processes."""
    few, many, most = effort.items
    for count, target in ((few, at_most(1.5)), (many, at_most(1.0))):
        floor = functools.partial(mapped, range(count))
        yield plain_row(f"{count:,} plain items", PLAIN, count, floor, target, effort)
    floor = functools.partial(listed, range(many), 1)
    name = f"{many:,} plain items of two parameters"
    yield plain_row(name, OF_TWO, many, floor, at_most(1.6), effort, y=1)
    for count, targets in ((few, (None, None)), (many, (0.3, 0.45))):
        for kind, cell, function, target in (
            ("async items that await sleep(0)", SLEEPING, sleeping, targets[0]),
            ("async items that never suspend", QUICK, quick, targets[1]),
        ):
            found = compare_async(
                GROUP,
                functools.partial(as_tasks, function, range(count)),
                concurrently(cell, range(count)),
                pairs=effort.pairs if count == few else effort.few_pairs,
                least=effort.least,
            )
            yield compared(
                GROUP,
                f"{count:,} {kind}, floor: TaskGroup and Semaphore({AT_ONCE})",
                found,
                count=count,
                target=target,
            )
    yield threads_row(effort)
    yield processes_row(effort)
    yield from memory_rows(many)
    yield from single_rows(most)


def plain_row(
    name: str,
    cell: Any,
    count: int,
    floor: Callable[[], list[int]],
    target: float,
    effort: Effort,
    **inputs: Any,
) -> Row:
    """Plain items in order."""
    graph, inputs = Graph.from_cells(cell), {"xs": range(count), **inputs}

    def ours() -> list[int]:
        return compute_sequential(graph, inputs=inputs)[cell]  # type: ignore[no-any-return]

    found = compare_plain(GROUP, floor, ours, pairs=effort.pairs, least=effort.least)
    return compared(GROUP, name, found, count=count, target=target)


def mapped(xs: range) -> list[int]:
    """The quickest loop there is."""
    return list(map(tiny, xs))


def listed(xs: range, y: int) -> list[int]:
    """A loop with another argument."""
    return [tiny_of_two(x, y) for x in xs]


def concurrently(cell: Any, xs: range) -> Callable[[], Awaitable[Any]]:
    """The fan-out in the concurrent computer."""
    graph = Graph.from_cells(cell)

    async def compute() -> Any:
        return (await async_compute_concurrent(graph, inputs={"xs": xs}))[cell]

    return compute


async def as_tasks(function: Callable[[int], Awaitable[int]], xs: range) -> list[int]:
    """A task for each item, so many at once."""
    semaphore = asyncio.Semaphore(AT_ONCE)

    async def limited(x: int) -> int:
        async with semaphore:
            return await function(x)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(limited(x)) for x in xs]
    return [task.result() for task in tasks]


def threads_row(effort: Effort) -> Row:
    """Tiny items in threads, which by hand go there one by one."""
    xs = range(effort.items[1] // 5)

    async def by_hand() -> list[int]:
        with ThreadPoolExecutor(40) as pool:
            return list(pool.map(tiny, xs))

    ours = concurrently(IN_THREADS, xs)
    found = _on_the_wall(by_hand, ours, effort)
    name = f"{len(xs):,} tiny items in threads, floor: ThreadPoolExecutor.map"
    note = "40 threads; wall time, since more than one thread works"
    return compared(GROUP, name, found, count=len(xs), note=note)


def processes_row(effort: Effort) -> Row:
    """Items of 60 microseconds in processes, against the best chunk by hand."""
    xs = range(effort.items[1] // 5)
    spawn = multiprocessing.get_context("spawn")

    def by_hand(chunk: int) -> Callable[[], Awaitable[list[int]]]:
        async def compute() -> list[int]:
            with ProcessPoolExecutor(mp_context=spawn) as pool:
                return list(pool.map(working, xs, chunksize=chunk))

        return compute

    ours = concurrently(IN_PROCESSES, xs)
    chunks = CHUNKS[: effort.few_pairs]
    found = max(
        (_on_the_wall(by_hand(chunk), ours, effort) for chunk in chunks),
        key=lambda each: each.ratio,
    )
    name = f"{len(xs):,} items of 60 us in processes, floor: the best chunk by hand"
    note = f"chunks of {' and '.join(map(str, chunks))}; wall time, processes included"
    target = at_most(1.05)
    return compared(GROUP, name, found, count=len(xs), target=target, note=note)


def _on_the_wall(floor: Any, ours: Any, effort: Effort) -> Any:
    pairs, least = effort.few_pairs, effort.least
    return compare_async(
        GROUP, floor, ours, pairs=pairs, least=least, clock=perf_counter
    )


def memory_rows(count: int) -> Iterator[Row]:
    """What an async item takes at the peak, its value included."""
    by_hand = functools.partial(as_tasks, sleeping, range(count))
    floor = _peak(by_hand) / count
    ours = _peak(concurrently(SLEEPING, range(count))) / count
    yield Row(
        group=GROUP,
        workload=f"{count:,} async items, at the peak",
        unit="bytes/item",
        ours=ours,
        floor=floor,
        target=60.0,
        note="values are whole numbers, of 28 bytes and a reference each",
    )


def _peak(compute: Callable[[], Awaitable[Any]]) -> int:
    async def measured() -> int:
        await compute()
        tracemalloc.start()
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        await compute()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak - before

    return asyncio.run(measured())


def single_rows(count: int) -> Iterator[Row]:
    """A million items, once."""
    for kind, cell in (("plain", PLAIN), ("async", SLEEPING)):
        compute = concurrently(cell, range(count))
        began = perf_counter()
        values = asyncio.run(_awaited(compute))
        seconds = perf_counter() - began
        assert values[-1] == count
        yield Row(
            group=GROUP,
            workload=f"{count:,} {kind} items",
            unit="us/item",
            ours=seconds / count * 1e6,
            note="once, on the wall",
        )


async def _awaited(compute: Callable[[], Awaitable[Any]]) -> Any:
    return await compute()
