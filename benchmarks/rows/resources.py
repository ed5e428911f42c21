"""Async resources, against a task for each that opens it, and closes it in the end."""

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

from aiocells import Graph, async_compute_concurrent, cell, depends_on, resource
from benchmarks.effort import Effort
from benchmarks.layered import name_of
from benchmarks.measure import compare_async
from benchmarks.row import Row, at_most, compared

GROUP = "resources"

# What happened to which resource.
Log = list[tuple[str, int]]
Resource = Callable[[], AsyncIterator[int]]


def rows(effort: Effort) -> Iterator[Row]:
    """Measure a cell that uses a few resources, and one that uses many."""
    for count in effort.resources:
        log: Log = []
        functions = [logging(number, log) for number in range(count)]
        graph = Graph.from_cells(user(functions))
        for how, (program, target) in PROGRAMS.items():
            found = compare_async(
                GROUP,
                functools.partial(with_log, functools.partial(program, functions), log),
                functools.partial(with_log, functools.partial(ours, graph), log),
                pairs=effort.pairs,
                least=effort.least,
            )
            yield compared(
                GROUP,
                f"{count} async resources, floor: closes {how}",
                found,
                count=count,
                target=target,
                note="a cell uses them all, and none needs another; each is opened and "
                "closed in a task of its own",
            )


def logging(number: int, log: Log) -> Resource:
    """A resource that gives its number, and logs its opening and closing."""

    async def logs() -> AsyncIterator[int]:
        log.append(("open", number))
        yield number
        log.append(("close", number))

    logs.__name__ = name_of(number)
    return resource(logs)


def user(functions: list[Resource]) -> Callable[..., int]:
    """A cell that uses resources."""

    @cell
    @depends_on(numbers=functions)
    def total(numbers: list[int]) -> int:
        return sum(numbers)

    return total


async def with_log(
    compute: Callable[[], Awaitable[int]], log: Log
) -> tuple[int, list[str], Log]:
    """What is computed, and what happened meanwhile.

    All must be open before any is closed; which of them closes first does not matter.
    """
    log.clear()
    value = await compute()
    return value, [what for what, _ in log], sorted(log)


async def ours(graph: Graph) -> int:
    """The computation as a graph."""
    [value] = (await async_compute_concurrent(graph)).values()
    total: int = value
    return total


async def closing_one_by_one(functions: list[Resource]) -> int:
    """The same with tasks: opens all at once, closes the last one first."""
    loop = asyncio.get_running_loop()
    opened: list[asyncio.Future[int]] = [loop.create_future() for _ in functions]
    ends = [asyncio.Event() for _ in functions]
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_held(*each))
            for each in zip(functions, opened, ends, strict=True)
        ]
        total = sum([await value for value in opened])
        for task, end in zip(reversed(tasks), reversed(ends), strict=True):
            end.set()
            await task
    return total


async def closing_at_once(functions: list[Resource]) -> int:
    """The same with tasks: opens all at once, and lets none wait to be closed."""
    loop = asyncio.get_running_loop()
    opened: list[asyncio.Future[int]] = [loop.create_future() for _ in functions]
    end = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for function, value in zip(functions, opened, strict=True):
            group.create_task(_held(function, value, end))
        total = sum([await value for value in opened])
        end.set()
    return total


async def _held(
    function: Resource, value: asyncio.Future[int], end: asyncio.Event
) -> None:
    generator = function()
    value.set_result(await anext(generator))
    await end.wait()
    await anext(generator, None)


# How the program by hand closes them, and the target where it was set against that.
PROGRAMS = {
    "one by one": (closing_one_by_one, at_most(1.5)),
    "all at once": (closing_at_once, None),
}
