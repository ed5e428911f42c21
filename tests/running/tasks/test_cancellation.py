"""Cancellation from outside: all is ended and closed, then it goes on."""

import asyncio
import contextlib
import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

import aiocells
from aiocells import Graph, cell, resource
from tests.helpers import ASYNC_COMPUTERS
from tests.virtual_loop import VirtualLoop

CONCURRENT = ("concurrent", "simple")
MODES = ("raise", "group", "continue")

each_computer = pytest.mark.parametrize(
    "computer", ASYNC_COMPUTERS.values(), ids=ASYNC_COMPUTERS
)
each_concurrent = pytest.mark.parametrize(
    "computer", [ASYNC_COMPUTERS[name] for name in CONCURRENT], ids=CONCURRENT
)
each_mode = pytest.mark.parametrize("on_error", MODES)


class Waiting:
    """A cell that waits for ever, and two resources; what happens is in `log`."""

    def __init__(self, on_cancel: Callable[[], Any] = lambda: None) -> None:
        """Make the graph; `on_cancel` is called when the cell is cancelled."""
        self.log: list[str] = []
        self.ready = asyncio.Event()
        log, ready = self.log, self.ready

        @resource
        async def outer() -> AsyncIterator[str]:
            yield "outer"
            await asyncio.sleep(0)
            log.append("outer closed")

        @resource
        def inner(outer: str) -> Iterator[str]:
            yield "inner"
            log.append("inner closed")

        @cell
        async def waits(inner: str) -> Any:
            ready.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                log.append("cell cancelled")
                result = on_cancel()
                if result is not None:
                    return result
                raise
            finally:
                log.append("cell ended")

        @cell
        def never(waits: Any) -> None:
            log.append("never")

        self.cell = waits
        self.graph = Graph.from_cells(waits, never, inner, outer)


ENDED = ["cell cancelled", "cell ended", "inner closed", "outer closed"]


def refuse() -> None:
    """Raise an error."""
    msg = "refused"
    raise ValueError(msg)


def leave() -> None:
    """Ask for an exit."""
    raise SystemExit(3)


class Started:
    """A computation in a task of its own.

    Args:
        computing: what a computer returned.
    """

    def __init__(self, computing: Coroutine[Any, Any, Any]) -> None:
        """Start it."""
        self._error: BaseException | None = None
        self.task = asyncio.create_task(self._run(computing))

    async def _run(self, computing: Coroutine[Any, Any, Any]) -> None:
        # What asks for an exit would leave the loop, too, if it left the task.
        try:
            await computing
        except BaseException as error:
            self._error = error

    async def until(self, event: asyncio.Event) -> None:
        """Wait for an event in it; fails where it ends before."""
        waiting = asyncio.create_task(event.wait())
        await asyncio.wait({waiting, self.task}, return_when="FIRST_COMPLETED")
        assert event.is_set(), self._error

    async def cancel(self, message: str = "why") -> None:
        """Cancel it, and let it begin to end."""
        self.task.cancel(message)
        await asyncio.sleep(0)

    async def error(self, of: type[BaseException] = asyncio.CancelledError) -> Any:
        """What it raised, when it is over."""
        await asyncio.wait({self.task})
        assert isinstance(self._error, of)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return self._error


async def cancelled(made: Waiting, computer: Any, **options: Any) -> Started:
    """Cancel a computation when its cell waits."""
    started = Started(computer(made.graph, **options))
    await started.until(made.ready)
    started.task.cancel("why")
    return started


@each_mode
@each_computer
async def test_cancel_ends_cells_then_closes_resources_then_goes_on(
    computer: Any, on_error: str
) -> None:
    """The cells are ended, the resources closed in reverse, then it is raised."""
    made = Waiting()
    started = await cancelled(made, computer, on_error=on_error)
    error = await started.error()
    assert error.args == ("why",)
    assert aiocells.failures(error) == {}
    assert made.log == ENDED


@each_computer
async def test_the_tasks_count_of_cancellations_is_left_alone(computer: Any) -> None:
    """The computer takes no cancellation back: `cancelling()` is what it was."""
    made = Waiting()
    started = await cancelled(made, computer)
    await started.error()
    assert started.task.cancelling() == 1


@each_computer
async def test_asyncio_timeout_around_a_computer(computer: Any) -> None:
    """A timeout ends the computation, and is raised as a TimeoutError."""
    made = Waiting(refuse)
    limits: list[asyncio.Timeout] = []

    async def compute() -> None:
        async with asyncio.timeout(None) as limit:
            limits.append(limit)
            await computer(made.graph)

    started = Started(compute())
    await started.until(made.ready)
    limits[0].reschedule(-1)
    error = await started.error(TimeoutError)
    assert started.task.cancelling() == 0
    assert made.log == ENDED
    # The failures beside it are found at the cancellation that it came from.
    assert list(aiocells.failures(error.__cause__)) == [made.cell]


@each_computer
async def test_a_sibling_in_a_task_group_fails(computer: Any) -> None:
    """The group's failure is the sibling's alone, and all was closed before."""
    made = Waiting()

    async def fail() -> None:
        await made.ready.wait()
        refuse()

    async def compute() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(computer(made.graph))
            group.create_task(fail())

    error = await Started(compute()).error(ExceptionGroup)
    assert [str(each) for each in error.exceptions] == ["refused"]
    assert made.log == ENDED


@each_mode
@each_computer
async def test_a_cell_that_swallows_its_cancellation(
    computer: Any, on_error: str
) -> None:
    """A cell may end in peace; the computation is cancelled all the same."""
    made = Waiting(lambda: "swallowed")
    started = await cancelled(made, computer, on_error=on_error)
    error = await started.error()
    assert error.args == ("why",)
    assert aiocells.failures(error) == {}
    assert made.log == ENDED


@each_mode
@each_computer
async def test_a_cell_that_raises_while_it_is_cancelled(
    computer: Any, on_error: str
) -> None:
    """The cancellation goes on; the failure is in its notes."""
    made = Waiting(refuse)
    started = await cancelled(made, computer, on_error=on_error)
    error = await started.error()
    assert error.args == ("why",)
    [note] = error.__notes__
    assert note.startswith("also failed: cell 'waits' (")
    assert note.endswith("): ValueError: refused")
    [(failed, failure)] = aiocells.failures(error).items()
    assert failed is made.cell
    assert isinstance(failure, ValueError)
    assert made.log == ENDED


@each_mode
@each_computer
async def test_an_exit_goes_before_a_cancellation(computer: Any, on_error: str) -> None:
    """A cell that asks for an exit while it is cancelled gets it."""
    made = Waiting(leave)
    started = await cancelled(made, computer, on_error=on_error)
    error = await started.error(SystemExit)
    assert error.code == 3
    assert aiocells.failures(error) == {made.cell: error}
    assert made.log == ENDED


@each_computer
async def test_cells_are_cancelled_once(computer: Any) -> None:
    """Further cancellations from outside do not cut their clean-up short."""
    ready, lingers, may_end = (asyncio.Event() for _ in range(3))
    log: list[str] = []

    @cell
    async def slow() -> None:
        try:
            ready.set()
            await asyncio.Event().wait()
        finally:
            lingers.set()
            await may_end.wait()
            log.append("cleaned up")

    started = Started(computer(Graph.from_cells(slow)))
    await started.until(ready)
    await started.cancel("first")
    await started.until(lingers)
    for _ in range(3):
        await started.cancel("again")
    assert not started.task.done()
    may_end.set()
    error = await started.error()
    assert error.args == ("first",)
    assert started.task.cancelling() == 4
    assert log == ["cleaned up"]


@each_computer
async def test_cancelled_before_its_first_step(computer: Any) -> None:
    """No cell runs when the task is cancelled before it has begun."""
    made = Waiting()
    task = asyncio.create_task(computer(made.graph))
    task.cancel("early")
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert caught.value.args == ("early",)
    assert made.log == []


@each_computer
async def test_cancelled_just_before_the_call(computer: Any) -> None:
    """A cancellation that is requested, and not delivered yet, ends it soon."""
    made = Waiting()

    async def compute() -> None:
        asyncio.current_task().cancel("pending")  # type: ignore[union-attr]
        await computer(made.graph)

    error = await Started(compute()).error()
    assert error.args == ("pending",)
    assert "never" not in made.log


@each_computer
async def test_cancelled_by_its_own_last_cell(computer: Any) -> None:
    """A cell may cancel the computation that it is part of; it comes just once."""

    @cell
    async def last() -> int:
        started.task.cancel("myself")
        return 1

    async def compute() -> None:
        try:
            await computer(Graph.from_cells(last))
        finally:
            await asyncio.sleep(0)  # the clean-up of the caller is not disturbed
            log.append("cleaned up")

    log: list[str] = []
    started = Started(compute())
    error = await started.error()
    assert error.args == ("myself",)
    assert log == ["cleaned up"]


@each_computer
async def test_a_cells_own_cancelled_error_meets_a_cancellation(computer: Any) -> None:
    """Nothing is taken for computed that is not, whosever the CancelledError is."""

    @cell
    def first() -> int:
        started.task.cancel("why")
        raise asyncio.CancelledError

    @cell
    def second(first: int) -> int:
        return first

    started = Started(computer(Graph.from_cells(first, second)))
    await started.error()


@each_computer
async def test_the_task_of_a_cell_cancelled_by_somebody_else_is_a_failure(
    computer: Any,
) -> None:
    """A stranger who cancels one cell's task fails that cell, and so the rest."""
    made = Waiting()
    started = Started(computer(made.graph))
    await started.until(made.ready)
    [task] = [each for each in asyncio.all_tasks() if each.get_name() == "waits"]
    task.cancel("stranger")
    error = await started.error()
    assert error.args == ("stranger",)
    assert aiocells.failures(error) == {made.cell: error}
    assert made.log == ENDED


@each_concurrent
async def test_cells_that_are_cancelled_before_their_first_step(computer: Any) -> None:
    """A failure in the same turn of the loop keeps cells from starting at all."""
    log: list[str] = []

    @cell
    async def fails() -> None:
        refuse()

    @cell
    async def others() -> None:
        log.append("others")
        await asyncio.Event().wait()

    @resource
    async def opens() -> AsyncIterator[None]:
        log.append("opens")
        await asyncio.Event().wait()
        yield

    graph = Graph.from_cells(fails, others, opens)
    error = await Started(computer(graph)).error(ValueError)
    assert aiocells.failures(error) == {fails: error}
    assert log == []


# Cancellations that are a cell's own affair


async def broken() -> None:
    """Fail in a task of a group that waits for its end."""
    for _ in range(3):
        await asyncio.sleep(0)
    refuse()


@each_computer
async def test_a_task_group_within_a_cell_fails(computer: Any) -> None:
    """The group cancels its parent; that is no cancellation of the computation."""

    @cell
    async def groups() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(broken())

    error = await Started(computer(Graph.from_cells(groups))).error(ExceptionGroup)
    assert aiocells.failures(error) == {groups: error}


@each_computer
async def test_a_task_group_within_a_cell_fails_and_the_cell_handles_it(
    computer: Any,
) -> None:
    """What a cell handles itself is nothing to the computation."""

    @cell
    async def groups() -> str:
        with contextlib.suppress(ExceptionGroup):
            async with asyncio.TaskGroup() as group:
                group.create_task(broken())
        return "handled"

    @cell
    async def after(groups: str) -> str:
        await asyncio.sleep(0)
        return groups

    results = await computer(Graph.from_cells(groups, after))
    assert results[after] == "handled"


@each_computer
async def test_a_timeout_within_a_cell(computer: Any) -> None:
    """asyncio.timeout within a cell is that cell's own, too."""

    @cell
    async def handles() -> str:
        try:
            async with asyncio.timeout(0):
                await asyncio.Event().wait()
        except TimeoutError:
            return "handled"
        return "never"

    @cell
    async def fails(handles: str) -> None:
        async with asyncio.timeout(0):
            await asyncio.Event().wait()

    graph = Graph.from_cells(handles, fails)
    error = await Started(computer(graph)).error(TimeoutError)
    assert aiocells.failures(error) == {fails: error}
    assert (await computer(graph, targets=[handles]))[handles] == "handled"


# While resources are closed


class Closing:
    """Two resources that do not need each other, closed after a cell.

    Args:
        wait: what the one that is closed first waits for.
        options: of that resource.
    """

    def __init__(self, wait: Callable[[], Any], **options: Any) -> None:
        """Make the graph."""
        self.log: list[str] = []
        self.closing = asyncio.Event()
        log, closing = self.log, self.closing

        @resource
        def other() -> Iterator[int]:
            yield 1
            log.append("other closed")

        @resource(**options)
        async def slow() -> AsyncIterator[int]:
            yield 2
            closing.set()
            try:
                await wait()
            finally:
                log.append("slow closed")

        @cell
        def uses(slow: int, other: int) -> int:
            return slow + other

        self.slow = slow
        # The one that is opened last is the first that is closed, one by one.
        self.graph = Graph.from_cells(other, slow, uses)

    async def cancelled(self, computer: Any, **options: Any) -> Started:
        """Cancel a computation while it closes."""
        started = Started(computer(self.graph, **options))
        await started.until(self.closing)
        await started.cancel("late")
        return started


@each_mode
@each_computer
async def test_cancelled_while_closing(computer: Any, on_error: str) -> None:
    """Every closer still runs, then the cancellation goes on."""
    may_close = asyncio.Event()
    made = Closing(may_close.wait)
    started = await made.cancelled(computer, on_error=on_error)
    may_close.set()
    error = await started.error()
    assert error.args == ("late",)
    assert aiocells.failures(error) == {}
    assert sorted(made.log) == ["other closed", "slow closed"]


@each_computer
async def test_a_closer_is_not_cancelled_with_the_computation(computer: Any) -> None:
    """A closer runs in the task of its resource, and ends in peace."""
    may_close = asyncio.Event()
    ended: list[bool] = []

    async def wait() -> None:
        ended.append(await may_close.wait())

    started = await Closing(wait).cancelled(computer)
    await started.cancel("again")
    assert not started.task.done()
    may_close.set()
    await started.error()
    assert ended == [True]


@each_computer
async def test_a_closer_that_swallows_the_cancellation(computer: Any) -> None:
    """The cancellation is not lost with it."""
    may_close = asyncio.Event()

    async def swallow() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await may_close.wait()

    made = Closing(swallow)
    started = await made.cancelled(computer)
    may_close.set()
    await started.error()
    assert sorted(made.log) == ["other closed", "slow closed"]


@each_computer
async def test_a_closer_that_fails_while_it_is_cancelled(computer: Any) -> None:
    """The cancellation goes on, with the closer's failure in its notes."""
    may_close = asyncio.Event()

    async def fail() -> None:
        try:
            await may_close.wait()
        finally:
            refuse()

    made = Closing(fail)
    started = await made.cancelled(computer)
    may_close.set()
    error = await started.error()
    assert error.args == ("late",)
    [(failed, failure)] = aiocells.failures(error).items()
    assert failed is made.slow
    assert str(failure) == "refused"
    assert sorted(made.log) == ["other closed", "slow closed"]


@pytest.mark.parametrize(("seconds", "told"), [(None, "30"), (2.5, "2.5")])
@each_computer
def test_a_closer_that_hangs_is_given_up(
    computer: Any, seconds: float | None, told: str
) -> None:
    """Closing is bounded, by 30 s or the resource's own timeout; the others close."""

    async def compute() -> None:
        made = Closing(lambda: asyncio.Event().wait(), timeout=seconds)
        error = await Started(computer(made.graph)).error(TimeoutError)
        assert str(error) == f"the clean-up of the resource took longer than {told} s"
        assert error.__notes__[0].startswith("in cell 'slow' (")
        assert aiocells.failures(error) == {made.slow: error}
        assert sorted(made.log) == ["other closed", "slow closed"]

    loop = VirtualLoop()
    try:
        loop.run_until_complete(compute())
        assert loop.time() == float(told)
    finally:
        loop.close()


async def swallow_for_ever() -> None:
    """Wait for ever, whoever cancels it."""
    while True:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()


@pytest.mark.parametrize(("seconds", "told"), [(None, "30"), (2.5, "2.5")])
@each_computer
def test_a_closer_that_swallows_its_cancellation_is_given_up(
    computer: Any, seconds: float | None, told: str
) -> None:
    """After as long again, it is thrown away where it stands; the others close."""

    async def compute() -> None:
        made = Closing(swallow_for_ever, timeout=seconds)
        error = await Started(computer(made.graph)).error(TimeoutError)
        assert str(error) == (
            f"the clean-up of the resource took longer than {told} s, went on when it "
            "was cancelled, and was thrown away"
        )
        assert error.__notes__[0].startswith("in cell 'slow' (")
        assert aiocells.failures(error) == {made.slow: error}
        assert sorted(made.log) == ["other closed", "slow closed"]

    loop = VirtualLoop()
    try:
        loop.run_until_complete(compute())
        assert loop.time() == 2 * float(told)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


class Stubborn:
    """An awaitable that cannot be ended, and does not say so when it goes.

    A coroutine that cannot be ended is reported by Python when it is thrown away.
    """

    def __await__(self) -> Iterator[Any]:
        """Wait for ever."""
        return self

    def __iter__(self) -> Iterator[Any]:
        """Be the iterator that is awaited."""
        return self

    def __next__(self) -> None:
        """Wait a turn."""
        return

    def throw(self, *_: Any) -> None:
        """Go on, whatever is thrown."""


@each_computer
def test_a_closer_that_cannot_be_ended_is_left(computer: Any) -> None:
    """Nobody takes another step of it, so that the computation ends."""

    async def wait() -> None:
        await Stubborn()

    async def compute() -> None:
        made = Closing(wait, timeout=1)
        loop.call_later(1, lambda: None)
        error = await Started(computer(made.graph)).error(TimeoutError)
        assert str(error).endswith("and was thrown away")
        assert "other closed" in made.log

    class TickingLoop(VirtualLoop):
        def _run_once(self) -> None:
            self.now += 0.125  # or it would never be idle
            super()._run_once()  # type: ignore[misc]

    loop = TickingLoop()
    try:
        loop.run_until_complete(compute())
    finally:
        loop.close()


@each_computer
def test_a_closer_that_ends_when_it_is_cancelled_in_the_second_half(
    computer: Any,
) -> None:
    """It was too slow, but is not thrown away."""
    ended: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0.5)
        ended.append("in peace")

    async def compute() -> None:
        made = Closing(wait, timeout=1)
        error = await Started(computer(made.graph)).error(TimeoutError)
        assert str(error) == "the clean-up of the resource took longer than 1 s"

    loop = VirtualLoop()
    try:
        loop.run_until_complete(compute())
        assert loop.time() == 1.5
    finally:
        loop.close()
    assert ended == ["in peace"]


@pytest.mark.parametrize("problem", [TimeoutError("its own"), LookupError("its own")])
@each_computer
async def test_what_a_closer_raises_in_time_is_its_failure(
    computer: Any, problem: Exception
) -> None:
    """A TimeoutError of its own is not taken for ours."""

    async def fail() -> None:
        raise problem

    made = Closing(fail, timeout=60)
    assert await Started(computer(made.graph)).error(type(problem)) is problem


# Scopes of anyio


@each_computer
async def test_a_scope_of_anyio_that_is_cancelled(computer: Any) -> None:
    """It cancels again in every turn, until it is left; cells are cancelled once."""
    cancellations: list[str] = []
    log: list[str] = []
    scope = anyio.CancelScope()

    @resource
    async def opened() -> AsyncIterator[None]:
        yield
        for _ in range(3):
            await asyncio.sleep(0)
        log.append("closed")

    @cell
    async def slow(opened: None) -> None:
        try:
            loop = asyncio.get_running_loop()
            loop.call_soon(scope.cancel)
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancellations.append("slow")
            with anyio.CancelScope(shield=True):
                for _ in range(5):
                    await asyncio.sleep(0)
            log.append("cleaned up")
            raise

    graph = Graph.from_cells(opened, slow)
    with scope:
        await computer(graph)
    assert scope.cancelled_caught
    assert cancellations == ["slow"]
    assert log == ["cleaned up", "closed"]
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


@each_computer
async def test_a_timeout_of_anyio(computer: Any) -> None:
    """`fail_after` works as around any other await."""
    made = Waiting()

    async def compute() -> None:
        with anyio.fail_after(None) as scope:
            made_scopes.append(scope)
            await computer(made.graph)

    made_scopes: list[anyio.CancelScope] = []
    started = Started(compute())
    await started.until(made.ready)
    made_scopes[0].deadline = -1
    await started.error(TimeoutError)
    assert made.log == ENDED


@each_computer
async def test_a_task_group_of_anyio_around_it(computer: Any) -> None:
    """A sibling that fails ends the computation, which is cleaned up before."""
    made = Waiting()

    async def fail() -> None:
        await made.ready.wait()
        refuse()

    async def compute() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(lambda: computer(made.graph))
            group.start_soon(fail)

    error = await Started(compute()).error(ExceptionGroup)
    assert [str(each) for each in error.exceptions] == ["refused"]
    assert made.log == ENDED


@each_computer
async def test_a_scope_of_anyio_that_a_resource_holds_open(computer: Any) -> None:
    """What it cancels again and again is its own resource, and the cells once."""
    cancellations: list[str] = []

    @resource
    async def scoped() -> AsyncIterator[anyio.CancelScope]:
        with anyio.CancelScope() as scope:
            yield scope

    @cell
    async def slow(scoped: anyio.CancelScope) -> None:
        scoped.cancel()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancellations.append("slow")
            for _ in range(5):
                await asyncio.sleep(0)
            raise

    error = await Started(computer(Graph.from_cells(scoped, slow))).error(RuntimeError)
    assert "by a scope that it holds open" in str(error)
    assert list(aiocells.failures(error)) == [scoped]
    assert cancellations == ["slow"]


@each_computer
async def test_a_resource_that_is_cancelled_while_it_opens(computer: Any) -> None:
    """It has not opened, so that nothing of it is closed; what it needs is."""
    ready = asyncio.Event()
    log: list[str] = []

    @resource
    def base() -> Iterator[int]:
        yield 1
        log.append("base closed")

    @resource
    async def opens(base: int) -> AsyncIterator[int]:
        ready.set()
        await asyncio.Event().wait()
        yield 2
        log.append("never")

    @cell
    def uses(opens: int) -> None: ...

    started = Started(computer(Graph.from_cells(base, opens, uses)))
    await started.until(ready)
    await started.cancel()
    await started.error()
    assert log == ["base closed"]


# Threads


@pytest.mark.needs_threads
@each_computer
async def test_a_thread_is_outlasted(computer: Any) -> None:
    """A thread cannot be stopped: the cancellation goes on when it has ended."""
    ready, may_end = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()
    log: list[str] = []

    @cell(run_in="thread")
    def works() -> None:
        loop.call_soon_threadsafe(ready.set)
        may_end.wait()
        log.append("thread ended")

    threads = threading.enumerate()
    started = Started(computer(Graph.from_cells(works)))
    await started.until(ready)
    for _ in range(3):
        await started.cancel()
    assert not started.task.done()
    may_end.set()
    error = await started.error()
    assert error.args == ("why",)
    assert log == ["thread ended"]
    assert threading.enumerate() == threads


@pytest.mark.needs_threads
@each_computer
async def test_a_thread_that_fails_after_the_cancellation_is_told(
    computer: Any,
) -> None:
    """Its failure is not lost, but in the notes of the cancellation."""
    ready, may_end = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    @cell(run_in="thread")
    def works() -> None:
        loop.call_soon_threadsafe(ready.set)
        may_end.wait()
        refuse()

    started = Started(computer(Graph.from_cells(works)))
    await started.until(ready)
    await started.cancel()
    may_end.set()
    error = await started.error()
    assert error.args == ("why",)
    assert list(aiocells.failures(error)) == [works]


@pytest.mark.needs_threads
@each_computer
async def test_a_resource_that_its_thread_opens_after_the_cancellation(
    computer: Any,
) -> None:
    """What a thread has opened meanwhile is closed, in that thread."""
    ready, may_open = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()
    threads: list[int] = []

    @resource(run_in="thread")
    def opens() -> Iterator[int]:
        loop.call_soon_threadsafe(ready.set)
        may_open.wait()
        threads.append(threading.get_ident())
        yield 1
        threads.append(threading.get_ident())

    @cell
    def uses(opens: int) -> None: ...

    started = Started(computer(Graph.from_cells(opens, uses)))
    await started.until(ready)
    await started.cancel()
    await started.cancel()
    may_open.set()
    await started.error()
    assert len(threads) == 2
    assert len(set(threads)) == 1


# Ctrl-C

SCRIPT = """
import asyncio
import os
import signal
import sys
import threading

import aiocells
from aiocells import Graph, cell, depends_on, resource

# Whoever runs the tests in the background may have it ignored, which is inherited.
signal.signal(signal.SIGINT, signal.default_int_handler)

may_end = threading.Event()

@resource
async def connection():
    print("open", flush=True)
    yield 1
    print("closed", flush=True)

@cell
async def waits(connection):
    print("ready", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        print("cell ended", flush=True)
        may_end.set()

@cell(run_in="thread")
def thread(connection):
    print("ready", flush=True)
    may_end.wait()
    print("thread ended", flush=True)

@cell(run_in="process")
def process():
    print("ready", os.getpid(), flush=True)
    threading.Event().wait()

@cell
def plain():
    try:
        print("ready", flush=True)
        threading.Event().wait()
    finally:
        print("cell ended", flush=True)

cells = [globals()[name] for name in sys.argv[2].split(",")]
computer = getattr(aiocells, sys.argv[1])

async def beat():
    # A signal that comes just before the event loop goes to sleep does not wake it:
    # asyncio.run has no wake-up file descriptor.
    while True:
        await asyncio.sleep(0.01)

async def main():
    heart = asyncio.create_task(beat())
    try:
        await computer(Graph.from_cells(*cells))
    finally:
        others = asyncio.all_tasks() - {asyncio.current_task(), heart}
        print("left:", len(others), threading.active_count() - 1, flush=True)

if __name__ == "__main__":
    if sys.argv[1] == "compute_sequential":
        computer(Graph.from_cells(*cells))
    else:
        asyncio.run(main())
"""


def interrupted(
    folder: Path, computer: str, cells: str, ready: int = 1
) -> tuple[list[str], str]:
    """Press Ctrl-C when so many cells are ready; what the script printed."""
    script = folder / "script.py"
    script.write_text(textwrap.dedent(SCRIPT), encoding="utf-8")
    # The checkout, where it is that which is tested, must be found there too.
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, script, computer, cells]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    lines = []
    with subprocess.Popen(command, env=env, start_new_session=True, **pipes) as process:
        try:
            while sum(line.startswith("ready") for line in lines) < ready:
                lines.append(process.stdout.readline().strip())
                assert lines[-1], "it ended too early"
            # As a terminal does, to all processes of the group.
            os.killpg(process.pid, signal.SIGINT)
            rest, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == -signal.SIGINT, errors
    assert "\nKeyboardInterrupt" in errors
    assert "never retrieved" not in errors
    assert "was destroyed" not in errors
    return lines + rest.split("\n")[:-1], errors


NAMES = [computer.__name__ for computer in ASYNC_COMPUTERS.values()]


@pytest.mark.needs_processes
@pytest.mark.parametrize("computer", NAMES)
def test_ctrl_c_ends_an_async_cell(tmp_path: Path, computer: str) -> None:
    """Ctrl-C under asyncio.run: cells end, resources close, nothing is left."""
    lines, _ = interrupted(tmp_path, computer, "waits")
    assert lines == ["open", "ready", "cell ended", "closed", "left: 0 0"]


@pytest.mark.needs_processes
@pytest.mark.parametrize("computer", NAMES[1:])
def test_ctrl_c_waits_for_a_thread(tmp_path: Path, computer: str) -> None:
    """A thread that a cell runs in is waited for, and joined."""
    lines, _ = interrupted(tmp_path, computer, "waits,thread", ready=2)
    ended = ["cell ended", "thread ended", "closed", "left: 0 0"]
    assert lines == ["open", "ready", "ready", *ended]


@pytest.mark.needs_processes
@pytest.mark.parametrize("computer", NAMES)
def test_ctrl_c_ends_the_process_of_a_cell(tmp_path: Path, computer: str) -> None:
    """A worker process is ended, though it ignores Ctrl-C itself."""
    lines, errors = interrupted(tmp_path, computer, "process")
    assert lines[1:] == ["left: 0 0"]
    with pytest.raises(ProcessLookupError):
        os.kill(int(lines[0].split()[1]), 0)
    assert errors.count("Traceback") <= 2  # those of the parent


@pytest.mark.needs_processes
def test_ctrl_c_in_a_plain_cell_without_a_loop(tmp_path: Path) -> None:
    """Without an event loop the KeyboardInterrupt hits the cell, and is noted."""
    lines, errors = interrupted(tmp_path, "compute_sequential", "plain")
    assert lines == ["ready", "cell ended"]
    last = errors.rstrip().rsplit("\n", 1)[-1]
    assert last.startswith("in cell 'plain' (")


# A loop that is closed under a running computation


@each_computer
def test_a_loop_that_is_closed_under_a_running_computation(computer: Any) -> None:
    """What is left is thrown away without a hang; no further cell is run."""

    async def start() -> tuple[Waiting, Any]:
        made = Waiting()
        started = Started(computer(made.graph))
        await started.until(made.ready)
        return made, started

    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)  # it tells of tasks destroyed pending
    made, started = loop.run_until_complete(start())
    loop.close()
    del started
    gc.collect()
    assert "cell ended" in made.log
    assert "never" not in made.log
