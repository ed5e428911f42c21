"""Tasks that start eagerly on Python 3.11; later ones can make them that way too."""

import asyncio
import contextvars
import gc
from typing import Any

import pytest

import aiocells
from aiocells import Graph, cell
from aiocells._running.tasks import scheduler
from aiocells._running.tasks.eager import EagerTasks, eager_tasks

_held = contextvars.ContextVar[str]("_held")


@pytest.fixture
def _as_on_3_11(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "_CAN_BE_EAGER", False)


def made(tasks: EagerTasks, coroutine: Any, name: Any = "cell") -> "asyncio.Task[None]":
    """A task with a context of its own."""
    context = contextvars.copy_context()
    return tasks.make(coroutine, name, context, asyncio.current_task())


async def test_the_first_step_is_taken_at_once() -> None:
    """In the task's own context, and with the task as the current one."""
    loop = asyncio.get_running_loop()
    caller = asyncio.current_task()
    seen: list[Any] = []

    async def body() -> None:
        _held.set("of the task")
        seen.append(asyncio.current_task())
        await asyncio.sleep(0)
        seen.append((asyncio.current_task(), _held.get()))

    tasks = EagerTasks(loop)
    task = made(tasks, body(), "a name")
    assert seen == [task]
    assert task.get_name() == "a name"
    assert asyncio.current_task() is caller
    assert "call_soon" not in vars(loop)
    await task
    assert seen[1:] == [(task, "of the task")]
    assert _held.get(None) is None


async def test_a_task_is_made_where_none_is_running() -> None:
    """In a callback of the event loop, which is no task."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()

    async def body() -> None:
        done.set_result(asyncio.current_task())

    def call() -> None:
        task = made(EagerTasks(loop), body())
        assert task.done()
        assert asyncio.current_task() is None

    loop.call_soon(call)
    assert isinstance(await done, asyncio.Task)


async def test_what_others_ask_of_the_loop_meanwhile_is_done() -> None:
    """Signal handlers and finalizers run whenever they like."""
    loop = asyncio.get_running_loop()
    told: list[str] = []

    class Name:
        def __str__(self) -> str:
            loop.call_soon(told.append, "meanwhile")
            return "name"

    async def body() -> None:
        told.append("first step")

    assert made(EagerTasks(loop), body(), Name()).done()
    await asyncio.sleep(0)
    assert told == ["first step", "meanwhile"]


async def test_a_step_that_cannot_be_taken_leaves_no_task(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What hinders it is raised, and asyncio can be made to know nothing of the task.

    Not at once: there may be no room on the stack for that, either.
    """
    loop = asyncio.get_running_loop()
    before = asyncio.all_tasks()

    async def body() -> None:
        raise AssertionError

    coroutine = body()
    entered = contextvars.copy_context()
    current = asyncio.current_task()
    tasks = EagerTasks(loop)
    with pytest.raises(RuntimeError, match="already entered"):
        entered.run(tasks.make, coroutine, "cell", entered, current)
    [task] = tasks.lost
    assert asyncio.all_tasks() == before | {task}
    tasks.forget()
    assert tasks.lost == []
    assert asyncio.all_tasks() == before
    del task
    assert asyncio.current_task() is current
    coroutine.close()
    gc.collect()
    assert not caplog.records


async def test_a_loop_is_left_alone_that_others_look_into() -> None:
    """In debug mode, or with a `call_soon` that somebody has put there."""
    loop: Any = asyncio.get_running_loop()
    loop.set_debug(False)
    assert eager_tasks(loop) is not None
    loop.set_debug(True)
    assert eager_tasks(loop) is None
    loop.set_debug(False)
    loop.call_soon = loop.call_soon
    assert eager_tasks(loop) is None
    del loop.call_soon


def test_a_loop_is_left_alone_that_has_no_place() -> None:
    """Where nothing can be put in the place of a method."""

    class Bare:
        __slots__ = ()

        def get_debug(self) -> bool:
            return False

    loop: Any = Bare()
    assert eager_tasks(loop) is None


@pytest.mark.usefixtures("_as_on_3_11")
@pytest.mark.parametrize("is_debugged", [False, True])
async def test_a_cell_that_never_suspends_takes_no_turn(is_debugged: bool) -> None:
    """But where the loop is in debug mode, it starts in the next one."""
    loop = asyncio.get_running_loop()
    loop.set_debug(is_debugged)
    turns: list[str] = []

    @cell
    async def first() -> None:
        turns.append("first")

    @cell
    async def second(first: None) -> None:
        turns.append("second")

    loop.call_soon(turns.append, "turn")
    await aiocells.async_compute_concurrent(Graph.from_cells(first, second))
    loop.set_debug(False)
    late = ["turn", "first", "second"]
    assert turns[: len(late)] == (late if is_debugged else ["first", "second"])


@pytest.mark.usefixtures("_as_on_3_11")
async def test_a_computation_forgets_the_tasks_that_it_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A first step that cannot be taken ends it, and leaves asyncio no task."""

    def broken() -> None:
        raise MemoryError

    def catch(self: Any, callback: Any, *args: Any, context: Any = None) -> None:
        self._step = broken

    @cell
    async def never() -> None: ...

    monkeypatch.setattr(EagerTasks, "_catch", catch)
    before = asyncio.all_tasks()
    with pytest.raises(MemoryError):
        await aiocells.async_compute_concurrent(Graph.from_cells(never))
    assert asyncio.all_tasks() == before
