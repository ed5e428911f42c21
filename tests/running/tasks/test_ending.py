"""What is raised in the scheduler itself leaves the computer, when all was stopped."""

import asyncio
import functools
import gc
import heapq
import itertools
import logging
import sys
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

import aiocells
from aiocells import Graph, cell, resource
from aiocells._running import making
from aiocells._running.loops import computing
from aiocells._running.tasks import (
    eager,
    in_order,
    resource_tasks,
    scheduler,
)
from aiocells.observers import Event, Recorder
from tests.factories import waiting_before
from tests.helpers import ASYNC_COMPUTERS
from tests.virtual_loop import Deadlock, VirtualLoop, run_virtually

CONCURRENT = {name: ASYNC_COMPUTERS[name] for name in ("concurrent", "simple")}
each_computer = pytest.mark.parametrize(
    "computer", ASYNC_COMPUTERS.values(), ids=ASYNC_COMPUTERS
)
each_concurrent = pytest.mark.parametrize(
    "computer", CONCURRENT.values(), ids=CONCURRENT
)
each_mode = pytest.mark.parametrize("on_error", ["raise", "group", "continue"])


class Trouble(Exception):
    """Raised where nobody should."""


class Mixed:
    """A graph with cells of several kinds, and two resources; `log` tells of ends.

    Args:
        act: what the last cell does.
    """

    def __init__(self, act: Callable[[], Any] = lambda: None) -> None:
        """Make the graph."""
        self.log: list[str] = []
        log = self.log

        @resource
        async def opened() -> AsyncIterator[int]:
            yield 1
            log.append("opened closed")

        @resource
        def plainly() -> Iterator[int]:
            yield 2
            log.append("plainly closed")

        @cell
        async def waits(opened: int) -> int:
            await asyncio.sleep(0)
            return opened + 2

        @cell
        async def lingers() -> None:
            await asyncio.sleep(1)

        @cell
        def first(waits: int, plainly: int) -> int:
            return waits + plainly

        @cell
        def second(first: int) -> int:
            return first + 1

        @cell
        async def last(second: int) -> int:
            await asyncio.sleep(0)
            act()
            await asyncio.sleep(0)
            return second + 1

        self.first, self.last = first, last
        self.graph = Graph.from_cells(
            opened, plainly, waits, lingers, first, second, last
        )


CELLS = ["opened", "plainly", "waits", "lingers", "first", "second", "last"]


@pytest.mark.parametrize("method", ["done", "leave"])
@pytest.mark.parametrize("name", CELLS)
@each_mode
@each_computer
def test_bookkeeping_that_fails_for_a_cell(
    computer: Any,
    on_error: str,
    name: str,
    method: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A fault of ours is raised, whichever cell it is about, and all is closed."""
    original = getattr(scheduler.Scheduler, method)

    def broken(self: Any, number: int, *what: Any) -> None:
        if self._names[number] == name:
            raise Trouble
        original(self, number, *what)

    monkeypatch.setattr(scheduler.Scheduler, method, broken)
    made = Mixed()
    raised: list[Trouble] = []
    try:
        results = run_virtually(computer(made.graph, on_error=on_error))
    except Trouble as error:
        raised.append(error)
    if raised:
        assert aiocells.failures(raised[0]) == {}
    else:  # those that end in their first step never leave, or are not even tasks
        assert method == "leave"
        assert results[made.last] == 7
    assert sorted(made.log) == sorted(set(made.log))


@each_mode
@each_computer
def test_tasks_that_cannot_be_made(
    computer: Any, on_error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Be it for want of memory: nothing is left, not even a coroutine."""

    def broken(*args: Any, **options: Any) -> None:
        raise MemoryError

    for module, name in ((scheduler, "_Task"), (eager, "_Task"), (making, "CellTask")):
        monkeypatch.setattr(module, name, broken)
    with pytest.raises(MemoryError) as caught:
        run_virtually(computer(Mixed().graph, on_error=on_error))
    assert aiocells.failures(caught.value) == {}


@each_mode
@each_computer
def test_waiting_for_the_turn_to_close_that_fails(
    computer: Any, on_error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The resource is closed at once, and what was raised is raised."""

    class BrokenFutures(dict[int, Any]):
        def __setitem__(self, number: int, future: Any) -> None:
            super().__setitem__(number, future)
            if not future.done():
                future.set_exception(Trouble())

    original = resource_tasks.ResourceTasks.__init__

    def init(self: Any, *args: Any, **named: Any) -> None:
        original(self, *args, **named)
        self.open = BrokenFutures()

    monkeypatch.setattr(resource_tasks.ResourceTasks, "__init__", init)
    made = Mixed()
    with pytest.raises(Trouble) as caught:
        run_virtually(computer(made.graph, on_error=on_error))
    assert aiocells.failures(caught.value) == {}
    assert made.log
    assert sorted(made.log) == sorted(set(made.log))


@pytest.mark.parametrize("on_error", ["raise", "continue"])
def test_a_loop_that_fails_before_it_has_called_a_cell(
    on_error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is put down to no cell of compute_sequential, and all is closed."""
    log: list[str] = []

    @resource
    def opened() -> Iterator[int]:
        yield 1
        log.append("closed")

    @cell
    def uses(opened: int) -> None:
        log.append("never")

    def broken(running: Any, values: list[Any]) -> None:
        raise Trouble

    def segments(run: Any) -> Any:
        first, second = original(run)
        return [first, second._replace(loop=broken)]

    original = computing._segments
    monkeypatch.setattr(computing, "_segments", segments)
    graph = Graph.from_cells(opened, uses)
    with pytest.raises(Trouble) as caught:
        aiocells.compute_sequential(graph, on_error=on_error)
    assert aiocells.failures(caught.value) == {}
    assert log == ["closed"]


# Logging


class Raising(logging.Handler):
    """A handler that raises, as those of logging itself never do."""

    def emit(self, record: logging.LogRecord) -> None:
        """Raise."""
        raise Trouble


@pytest.fixture
def raising() -> Iterator[None]:
    """The library's logger has a handler that raises."""
    handler = Raising()
    logger = logging.getLogger("aiocells")
    logger.addHandler(handler)
    yield
    logger.removeHandler(handler)


@pytest.mark.usefixtures("raising")
@each_mode
@each_concurrent
def test_a_logging_handler_that_raises_at_the_watchdog(
    computer: Any, on_error: str
) -> None:
    """What it raises is raised, and no cell's value is made up."""
    made = Mixed()
    with pytest.raises(Trouble) as caught:
        run_virtually(computer(made.graph, watchdog=0, on_error=on_error))
    assert aiocells.failures(caught.value) == {}
    assert sorted(made.log) in (["opened closed", "plainly closed"], ["plainly closed"])


@pytest.mark.usefixtures("raising")
@pytest.mark.parametrize("event", ["start", "end"])
@each_mode
@each_computer
def test_a_logging_handler_that_raises_at_an_observer(
    computer: Any, on_error: str, event: str
) -> None:
    """The report on an observer that raised is no failure of a cell to go on after."""

    def observer(told: Event) -> None:
        if (told.kind, told.name) == (event, "first"):
            raise LookupError

    made = Mixed()
    with pytest.raises(Trouble):
        run_virtually(computer(made.graph, observers=[observer], on_error=on_error))
    assert sorted(made.log) == ["opened closed", "plainly closed"]


@pytest.mark.parametrize("at", range(1, 12))
@each_mode
@each_computer
def test_a_clock_that_raises(
    computer: Any, on_error: str, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it is in the scheduler that something is raised, it leaves it."""
    calls = 0

    def clock() -> float:
        nonlocal calls
        calls += 1
        if calls == at:
            raise Trouble
        return 0.0

    monkeypatch.setattr(scheduler, "monotonic", clock)
    made = Mixed()
    try:
        results = run_virtually(computer(made.graph, on_error=on_error))
    except Trouble:
        assert calls >= at
    else:
        assert calls < at
        assert results[made.last] == 7
    closed = sorted(made.log)
    assert closed == sorted(set(closed))


# The stack


def at_depth(depth: int, function: Callable[[], Any]) -> Any:
    """Call a function from within so many calls."""
    return at_depth(depth - 1, function) if depth > 0 else function()


async def awaited_at_depth(depth: int, awaitable: Any) -> Any:
    """Await something from within so many coroutines."""
    if depth > 0:
        return await awaited_at_depth(depth - 1, awaitable)
    return await awaitable


async def leaving_nothing(awaitable: Any) -> Any:
    """Await something, and check that it leaves no task."""
    try:
        return await awaitable
    finally:
        assert asyncio.all_tasks() == {asyncio.current_task()}


def own_depth() -> int:
    """How many calls this one is within."""
    frame, depth = sys._getframe(), 0
    while frame.f_back is not None:
        frame, depth = frame.f_back, depth + 1
    return depth


def fail() -> None:
    """Fail as a cell of a user does."""
    raise LookupError


def cancel() -> None:
    """Cancel the computation; the tasks of cells have other names."""
    for task in asyncio.all_tasks():
        if task.get_name().startswith("Task-"):
            task.cancel()


ACTS: dict[str, Callable[[], Any]] = {
    "succeeds": lambda: None,
    "fails": fail,
    "cancels": cancel,
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("way", ["called", "awaited"])
@each_mode
@each_computer
def test_the_limit_of_recursion(
    computer: Any, on_error: str, way: str, act: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However little room the stack has: the right end or a RecursionError, no hang."""
    # What Python has no room to report is nothing of ours.
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)
    outcomes = set()
    for room in (600, *range(60, 0, -1)):  # a tracer takes as much again
        made = Mixed(ACTS[act])
        loop = VirtualLoop()
        loop.set_exception_handler(lambda *_: None)
        main = computing = computer(made.graph, on_error=on_error)
        depth = sys.getrecursionlimit() - own_depth() - room
        if way == "awaited":
            main = leaving_nothing(awaited_at_depth(depth, main))
            depth = 0
        try:
            results = at_depth(depth, functools.partial(loop.run_until_complete, main))
        except (LookupError, asyncio.CancelledError):
            outcomes.add("end")
        except (RecursionError, ExceptionGroup):
            outcomes.add("error")
        except Deadlock:  # the loop itself had no room to tell that the task is done
            assert asyncio.all_tasks(loop) == set()
        else:
            failed = {type(error) for error in results.failures.values()}
            outcomes.add("error" if RecursionError in failed else "end")
            assert failed <= {RecursionError, LookupError}
            assert failed or results[made.last] == 7
        main.close()
        computing.close()
        loop.close()
    assert "error" in outcomes
    assert "end" in outcomes or (act, on_error) == ("fails", "group")


# Cells that are lost


@each_computer
def test_a_cell_that_is_lost_is_told(
    computer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No computer returns before each cell is done: it looks."""

    def forgetful(queue: list[int], number: int) -> None:
        if number != 1:
            heapq.heappush(queue, number)

    @cell
    def kept() -> int:
        return 1

    @cell
    def lost() -> int:
        return 2

    for module in (scheduler, in_order):
        monkeypatch.setattr(module, "heappush", forgetful)
    with pytest.raises(RuntimeError) as caught:
        run_virtually(computer(Graph.from_cells(kept, lost)))
    message = str(caught.value)
    assert message.startswith("'lost' (")
    assert message.endswith("this is a fault of aiocells: please report it.")


@pytest.mark.parametrize("stops", [False, True])
@each_computer
def test_skipped_cells_are_not_lost(computer: Any, stops: bool) -> None:
    """Nor are those that did not start because the computation was stopped."""

    @cell
    def fails() -> None:
        raise Trouble

    @cell
    def skipped(fails: None) -> None: ...

    graph = Graph.from_cells(fails, skipped)
    if stops:
        with pytest.raises(Trouble):
            run_virtually(computer(graph))
    else:
        results = run_virtually(computer(graph, on_error="continue"))
        assert results.skipped == {skipped}


# Tasks that somebody else cancels


@each_computer
def test_a_stranger_cancels_a_cell_before_its_first_step(computer: Any) -> None:
    """That cell has failed, whether its task had begun or not; nobody waits for it."""
    recorder = Recorder()

    @cell
    async def quick() -> None: ...

    @cell
    async def victim() -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        computing = asyncio.create_task(
            computer(Graph.from_cells(quick, victim), observers=[recorder])
        )
        found: list[asyncio.Task[Any]] = []
        for _ in range(5):
            found += [t for t in asyncio.all_tasks() if t.get_name() == "victim"]
            if found:
                break
            await asyncio.sleep(0)
        found[0].cancel("stranger")
        with pytest.raises(asyncio.CancelledError) as caught:
            await computing
        assert caught.value.args == ("stranger",)
        assert aiocells.failures(caught.value) == {victim: caught.value}

    run_virtually(main())
    assert recorder.names("failure") == ["victim"]


@each_mode
@each_computer
def test_bookkeeping_that_fails_for_a_cell_that_never_began(
    computer: Any, on_error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is raised as well."""

    def broken(self: Any, number: int) -> None:
        raise Trouble

    @cell
    async def victim() -> None: ...

    async def main() -> None:
        loop = asyncio.get_running_loop()
        computing_task = loop.create_task(
            computer(Graph.from_cells(victim), on_error=on_error)
        )
        loop.set_task_factory(waiting_before)
        await asyncio.sleep(0)
        monkeypatch.setattr(scheduler.Scheduler, "leave", broken)
        [task] = [t for t in asyncio.all_tasks() if t.get_name() == "victim"]
        task.cancel("stranger")
        with pytest.raises(Trouble) as caught:
            await computing_task
        assert list(aiocells.failures(caught.value)) == [victim]

    run_virtually(main())


@each_concurrent
async def test_a_computation_that_is_thrown_away(
    computer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left of it can be cancelled, and disturbs nobody."""
    monkeypatch.setattr(scheduler, "_CAN_BE_EAGER", False)
    monkeypatch.setattr(scheduler, "eager_tasks", lambda loop: None)
    problems: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, told: problems.append(told)
    )

    @cell
    async def never() -> None: ...

    thrown_away = computer(Graph.from_cells(never))
    thrown_away.send(None)
    thrown_away.close()
    del thrown_away
    gc.collect()
    [task] = asyncio.all_tasks() - {asyncio.current_task()}
    task.cancel()
    for _ in range(3):
        await asyncio.sleep(0)
    assert task.cancelled()
    assert problems == []


async def test_a_task_whose_computation_is_gone_ends_in_peace() -> None:
    """There is nobody to tell, and nothing is reported."""
    problems: list[Any] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, told: problems.append(told))

    class Host:
        """What ran the task."""

    task = making.CellTask(asyncio.sleep(0), loop=loop)
    task.host, task.number = weakref.ref(Host()), 0
    task.cancel()
    for _ in range(3):
        await asyncio.sleep(0)
    assert task.cancelled()
    assert problems == []


@each_concurrent
def test_cells_that_never_began_are_not_told_of(computer: Any) -> None:
    """Observers hear of the cancellation of those only that had started."""
    recorder = Recorder()

    @cell
    async def fails() -> None:
        raise Trouble

    @cell
    async def other() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Trouble):
        run_virtually(computer(Graph.from_cells(fails, other), observers=[recorder]))
    assert set(recorder.names("cancel")) <= set(recorder.names("start"))


@pytest.mark.parametrize("on_error", ["raise", "continue"])
async def test_what_is_raised_in_a_turn_of_the_loop(
    on_error: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody awaits a turn; what is raised in one leaves the computation."""
    reports: list[int] = []

    def broken(program: Any, number: int, seconds: float) -> None:
        reports.append(number)
        if len(reports) == 2:  # the first is told before there was any turn
            raise Trouble

    clock = itertools.count()
    monkeypatch.setattr(scheduler, "monotonic", lambda: next(clock))
    monkeypatch.setattr(scheduler, "_SLICE", -1)
    monkeypatch.setattr(scheduler, "report_blocking", broken)

    @cell
    def first() -> int:
        return 1

    @cell
    def second(first: int) -> int:
        return first

    @cell
    def third(second: int) -> int:
        return second

    graph = Graph.from_cells(third, second, first)
    with pytest.raises(Trouble):
        await aiocells.async_compute_concurrent(graph, on_error=on_error, watchdog=0)
    assert len(reports) == 2


@each_concurrent
async def test_the_clean_up_has_a_timeout_of_its_own(computer: Any) -> None:
    """A TimeoutError that a clean-up raises in time is its own, and left as it is."""

    @resource
    async def opened() -> AsyncIterator[int]:
        yield 1
        await asyncio.sleep(0)
        msg = "its own"
        raise TimeoutError(msg)

    @cell
    def uses(opened: int) -> int:
        return opened

    with pytest.raises(TimeoutError, match="its own"):
        await computer(Graph.from_cells(uses, opened))
