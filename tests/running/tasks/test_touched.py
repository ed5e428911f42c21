"""What a plain concurrent computation touches: nothing that it does not use."""

import sys
from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import aiocells
from aiocells import Graph, cell

PACKAGE = Path(aiocells.__file__).parent
TASKS = "_running.tasks."
# In the order of their first call, and how often each is called. Eager tasks by hand
# are of Python 3.11 alone.
CALLED_IN_TASKS = {
    "_running.tasks.computing.concurrent_scheduler": 1,
    "_running.tasks.computing.compute_as_tasks": 1,
    "_running.tasks.scheduler.Scheduler.__init__": 1,
    "_running.tasks.ending.Ending.__init__": 1,
    "_running.tasks.scheduler.Scheduler.compute": 1,
    "_running.tasks.scheduler.Scheduler._admit": 1,
    "_running.tasks.scheduler.Scheduler._advance": 1,
    "_running.tasks.scheduler.Scheduler._start_all": 1,
    "_running.tasks.scheduler.Scheduler._body": 2,
    "_running.tasks.scheduler.Scheduler.done": 3,
    "_running.tasks.scheduler.Scheduler._run_inline": 1,
    "_running.tasks.ending.Ending._is_busy": 1,
    "_running.tasks.ending.Ending._is_newly_cancelled": 1,
}
MODULES_BESIDE = {
    "_graphs.dependency_graph",
    "_graphs.structure",
    "_outcome.results",
    "_planning.compiling",
    "_planning.program",
    "_running.options",
    "_running.prepare",
    "_running.run",
    "computers.concurrent",
}
MOST_CALLED_BESIDE = 19


async def called(
    function: Callable[[], Coroutine[Any, Any, Any]],
) -> "Counter[tuple[str, str]]":
    """The functions of the library that are called, each by its module and its name."""
    codes: list[Any] = []

    def count(frame: Any, event: str, argument: object) -> None:
        if event == "call":  # the rest later, or the event loop would be held up
            codes.append(frame.f_code)

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        await function()
    finally:
        sys.setprofile(before)
    counted: Counter[tuple[str, str]] = Counter()
    for code in codes:
        path = Path(code.co_filename)
        if path.is_relative_to(PACKAGE):
            parts = path.relative_to(PACKAGE).with_suffix("").parts
            counted[".".join(parts), code.co_qualname] += 1
    return counted


async def test_three_cells_touch_nothing_that_they_do_not_use() -> None:
    """No limits, executors, resources, observers, or failures are asked about."""

    @cell
    async def first(number: int) -> int:
        return number + 1

    @cell
    async def second(number: int) -> int:
        return number + 2

    @cell
    def third(first: int, second: int) -> int:
        return first + second

    graph = Graph.from_cells(first, second, third)
    inputs = {"number": 1}

    async def compute() -> aiocells.Results:
        return await aiocells.async_compute_concurrent(graph, inputs=inputs)

    await compute()  # what is kept with the plan is made now
    counted = await called(compute)
    in_tasks = {
        f"{module}.{name}": times
        for (module, name), times in counted.items()
        if module.startswith(TASKS) and module != f"{TASKS}eager"
    }
    assert in_tasks == CALLED_IN_TASKS
    beside = {pair: n for pair, n in counted.items() if not pair[0].startswith(TASKS)}
    assert {module for module, _ in beside} <= MODULES_BESIDE
    assert sum(beside.values()) <= MOST_CALLED_BESIDE, beside
