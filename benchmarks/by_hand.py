"""The code that one would write without any library: the floors."""

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable, Iterable, Sequence
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
    lines = [f"def computation({', '.join(made.inputs)}):"]
    for number, name in enumerate(made.names):
        given = [f"v{needed}" for needed in made.needs[number]] or made.inputs
        lines.append(f"    v{number} = {name}({', '.join(given)})")
    lines.append(f"    return [{', '.join(f'v{number}' for number in wanted)}]")
    names = dict(vars(made.module))
    exec("\n".join(lines), names)
    computation, values = names["computation"], tuple(made.inputs.values())
    return lambda: computation(*values)


def a_task_each(
    made: Layered, wanted: Iterable[int]
) -> Callable[[], Awaitable[list[Any]]]:
    """An async function of one line a cell, each of which makes a task.

    Args:
        made: the functions to call, none of which takes more than two others.
        wanted: the cells whose values it returns.
    """
    lines = [
        f"async def computation({', '.join(made.inputs)}):",
        "    async with TaskGroup() as group:",
    ]
    for number, name in enumerate(made.names):
        needed = [f"t{needed}" for needed in made.needs[number]]
        body = (
            f"awaits_two({name}, {', '.join(needed)})"
            if needed
            else f"{name}({', '.join(made.inputs)})"
        )
        lines.append(f"        t{number} = group.create_task({body})")
    lines.append(f"    return [{', '.join(f't{each}.result()' for each in wanted)}]")
    names = vars(made.module) | {
        "TaskGroup": asyncio.TaskGroup,
        "awaits_two": _awaits_two,
    }
    exec("\n".join(lines), names)
    return functools.partial(names["computation"], *made.inputs.values())


def in_a_loop(made: Layered) -> list[Any]:
    """The values of plain cells, computed one after the other."""
    values: list[Any] = []
    for function, needs in zip(made.functions, made.needs, strict=True):
        given = [values[number] for number in needs] or made.inputs.values()
        values.append(function(*given))
    return values


def steps_of(made: Layered) -> list[Step]:
    """What the programs below run."""
    return [
        (function, needs, inspect.iscoroutinefunction(function))
        for function, needs in zip(made.functions, made.needs, strict=True)
    ]


async def awaiting_a_list(
    steps: Sequence[Step], wanted: Iterable[int] | None = None
) -> list[Any]:
    """A task a cell, for cells that take any number of others.

    This is the program that the targets were set against.

    Args:
        steps: what to run.
        wanted: the cells whose values it returns; all if left out.
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
    return _results(tasks, wanted)


async def awaiting_three(
    steps: Sequence[Step], wanted: Iterable[int] | None = None
) -> list[Any]:
    """A task a cell, for cells that are known to take three.

    Quicker than the other, since it builds no list, and closer to what one would write
    for a dozen cells: `await plan(await forecast, await hotels, await trains)`.

    Args:
        steps: what to run.
        wanted: the cells whose values it returns; all if left out.
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
    return _results(tasks, wanted)


Tasks = list[asyncio.Task[Any]]
Task = asyncio.Task[Any]


def _results(tasks: Tasks, wanted: Iterable[int] | None) -> list[Any]:
    if wanted is None:
        return [task.result() for task in tasks]
    return [tasks[number].result() for number in wanted]


async def _called(function: Function, given: tuple[Any, ...]) -> Any:
    return function(*given)


async def _awaits_a_list(function: Function, needed: Tasks) -> Any:
    return await function(*[await task for task in needed])


async def _calls_with_a_list(function: Function, needed: Tasks) -> Any:
    return function(*[await task for task in needed])


async def _awaits_two(function: Function, a: Task, b: Task) -> Any:
    return await function(await a, await b)


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


async def keeping_each(functions: Iterable[Function], value: Any) -> list[Any]:
    """The same, for the values of all."""
    values = []
    for function in functions:
        value = await function(value)
        values.append(value)
    return values
