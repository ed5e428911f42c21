"""The code that one would write without any library: the floors."""

import asyncio
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from benchmarks.layered import INPUTS, Function, Layered

# A cell's function, the numbers of the cells that it takes, and whether it is async.
Step = tuple[Function, tuple[int, ...], bool]


def straight_line(made: Layered, wanted: Iterable[int]) -> Callable[[], list[Any]]:
    """A function of one line a cell.

    Args:
        made: the functions to call.
        wanted: the cells whose values it returns.
    """
    lines = [f"def computation({', '.join(INPUTS)}):"]
    for number, name in enumerate(made.names):
        given = [f"v{needed}" for needed in made.needs[number]] or INPUTS
        lines.append(f"    v{number} = {name}({', '.join(given)})")
    lines.append(f"    return [{', '.join(f'v{number}' for number in wanted)}]")
    names = dict(vars(made.module))
    exec("\n".join(lines), names)
    computation, values = names["computation"], tuple(INPUTS.values())
    return lambda: computation(*values)


def steps_of(made: Layered) -> list[Step]:
    """What the programs below run."""
    return [
        (function, needs, inspect.iscoroutinefunction(function))
        for function, needs in zip(made.functions, made.needs, strict=True)
    ]


async def awaiting_a_list(steps: Sequence[Step]) -> list[Any]:
    """A task a cell, for cells that take any number of others.

    This is the program that the targets were set against.
    """
    tasks: list[asyncio.Task[Any]] = []
    given = tuple(INPUTS.values())
    async with asyncio.TaskGroup() as group:
        for function, needs, is_async in steps:
            if not needs:
                body = function(*given) if is_async else _called(function, given)
            else:
                needed = [tasks[number] for number in needs]
                await_all = _awaits_a_list if is_async else _calls_with_a_list
                body = await_all(function, needed)
            tasks.append(group.create_task(body))
    return [task.result() for task in tasks]


async def awaiting_three(steps: Sequence[Step]) -> list[Any]:
    """A task a cell, for cells that are known to take three.

    Quicker than the other, since it builds no list, and closer to what one would write
    for a dozen cells: `await plan(await forecast, await hotels, await trains)`.
    """
    tasks: list[asyncio.Task[Any]] = []
    given = tuple(INPUTS.values())
    async with asyncio.TaskGroup() as group:
        for function, needs, is_async in steps:
            if not needs:
                body = function(*given) if is_async else _called(function, given)
            else:
                a, b, c = needs
                await_three = _awaits_three if is_async else _calls_with_three
                body = await_three(function, tasks[a], tasks[b], tasks[c])
            tasks.append(group.create_task(body))
    return [task.result() for task in tasks]


Tasks = list[asyncio.Task[Any]]
Task = asyncio.Task[Any]


async def _called(function: Function, given: tuple[Any, ...]) -> Any:
    return function(*given)


async def _awaits_a_list(function: Function, needed: Tasks) -> Any:
    return await function(*[await task for task in needed])


async def _calls_with_a_list(function: Function, needed: Tasks) -> Any:
    return function(*[await task for task in needed])


async def _awaits_three(function: Function, a: Task, b: Task, c: Task) -> Any:
    return await function(await a, await b, await c)


async def _calls_with_three(function: Function, a: Task, b: Task, c: Task) -> Any:
    return function(await a, await b, await c)


async def in_one_group(functions: Iterable[Function]) -> list[Any]:
    """All functions at once, a task each."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(function()) for function in functions]
    return [task.result() for task in tasks]


async def one_after_another(functions: Iterable[Function], value: Any) -> Any:
    """Await functions in turn, each with what the one before it returned."""
    for function in functions:
        value = await function(value)
    return value
