"""Limits that hold across computations: limiters that cells enter before they begin."""

import asyncio
import contextlib
import functools
import gc
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import aiolimiter
import anyio
import hypothesis
import pytest
from hypothesis import strategies as st

import aiocells
from aiocells import DeclarationError, Graph, UnsupportedCell, cell, resource
from aiocells.observers import Recorder
from tests.helpers import ASYNC_COMPUTERS, described
from tests.virtual_loop import VirtualLoop
from tests.worker_cells import folded

CONCURRENT = [ASYNC_COMPUTERS[name] for name in ("concurrent", "simple")]
Computer = Callable[..., Any]
each_computer = pytest.mark.parametrize(
    "computer", ASYNC_COMPUTERS.values(), ids=ASYNC_COMPUTERS
)
each_concurrent = pytest.mark.parametrize(
    "computer", CONCURRENT, ids=("concurrent", "simple")
)


class Trouble(Exception):
    """Raised by the cells and limiters of this module."""


class Limiter:
    """A limiter that tells what happens.

    Args:
        log: where to.
        name: what to call it there.
        capacity: how many may be inside.
        entering: raised by each that enters, when it is inside.
        leaving: raised by each that leaves.
        answer: what leaving gives: true would hide a failure.
    """

    def __init__(
        self,
        log: list[Any],
        name: str = "db",
        capacity: int = 1,
        *,
        entering: BaseException | None = None,
        leaving: BaseException | None = None,
        answer: object = None,
    ) -> None:
        """Have nobody inside."""
        self.log = log
        self.name = name
        self.semaphore = asyncio.Semaphore(capacity)
        self.entering = entering
        self.leaving = leaving
        self.answer = answer
        self.tasks: dict[Any, None] = {}

    async def __aenter__(self) -> None:
        """Wait for room."""
        self.log.append(f"wait {self.name}")
        await self.semaphore.acquire()
        if self.entering is not None:
            self.semaphore.release()
            raise self.entering
        self.log.append(f"enter {self.name}")
        self.tasks[asyncio.current_task()] = None

    async def __aexit__(self, *told: object) -> Any:
        """Leave, and be told nothing."""
        assert told == (None, None, None)
        del self.tasks[asyncio.current_task()]
        self.semaphore.release()
        self.log.append(f"leave {self.name}")
        if self.leaving is not None:
            raise self.leaving
        return self.answer


def limited(
    name: str, body: Callable[..., Any], limit: Any = "db", **named: Any
) -> Any:
    """A cell of that name."""
    return cell(name=name, limit=limit, **named)(body)


async def turns(count: int = 5) -> None:
    """Let others have so many turns of the event loop."""
    for _ in range(count):
        await asyncio.sleep(0)


# What may be given


LIMITERS: dict[str, Callable[[], Any]] = {
    "semaphore": lambda: asyncio.Semaphore(3),
    "bounded": lambda: asyncio.BoundedSemaphore(3),
    "anyio": lambda: anyio.CapacityLimiter(3),
    "anyio_semaphore": lambda: anyio.Semaphore(3),
    "own": lambda: Limiter([], capacity=3),
}


@pytest.mark.parametrize("make", LIMITERS.values(), ids=LIMITERS)
@each_computer
async def test_a_limiter_holds_for_all_computations(
    computer: Computer, make: Callable[[], Any]
) -> None:
    """However many computations there are, never more cells run than are let in."""
    running = most = 0

    def make_cell(number: int) -> Any:
        async def body() -> int:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await turns()
            running -= 1
            return number

        return limited(f"cell_{number}", body)

    graph = Graph.from_cells(*map(make_cell, range(4)))
    limits = {"db": make()}
    computing = [computer(graph, limits=limits) for _ in range(6)]
    for results in await asyncio.gather(*computing):
        assert list(results.values()) == [0, 1, 2, 3]
    assert most == 3


def test_a_rate_holds_for_all_computations() -> None:
    """With `aiolimiter`, so many cells begin in each second, in all computations."""
    loop = VirtualLoop(lambda: False)
    starts: list[float] = []

    def make_cell(number: int) -> Any:
        async def body() -> None:
            starts.append(loop.time())

        return limited(f"cell_{number}", body, "rate")

    graph = Graph.from_cells(*map(make_cell, range(5)))

    async def main() -> None:
        began = loop.time()
        limits = {"rate": aiolimiter.AsyncLimiter(5, 1)}
        compute = aiocells.async_compute_concurrent
        await asyncio.gather(*(compute(graph, limits=limits) for _ in range(4)))
        assert sum(each < began + 0.1 for each in starts) == 5
        for second in range(3):
            within = [t for t in starts if second < t - began <= second + 1]
            assert len(within) <= 6

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(main())
    assert len(starts) == 20


class Once:
    """A context manager that would hold up the event loop."""

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, *told: object) -> None:
        """Do nothing."""

    def __repr__(self) -> str:
        """Be named in messages."""
        return "<once>"


@contextlib.asynccontextmanager
async def entered_once() -> AsyncIterator[None]:
    """A context manager of one use."""
    yield


@each_computer
async def test_what_is_no_limiter_is_refused(computer: Computer) -> None:
    """It is said what is wrong with it, and what would be right."""
    graph = Graph.from_cells(limited("asking", lambda: None))
    once = entered_once()
    for given, reason in [
        (once, "which can be entered once only"),
        (asyncio.Semaphore, "a class, of which it takes an instance"),
        (Once(), "which would hold up the event loop"),
        (print, "which nobody can enter"),
        ([1], "which nobody can enter"),
    ]:
        with pytest.raises(ValueError, match="limits") as caught:
            await computer(graph, limits={"db": given})
        assert str(caught.value) == (
            f"limits: 'db' is {given!r}, {reason}. Expected a whole number of at least "
            "1, or an async context manager that many can enter, such as "
            "asyncio.Semaphore(10)."
        )
    async with once:
        pass


@each_computer
async def test_a_limiter_that_no_cell_names_is_refused(computer: Computer) -> None:
    """Near names are suggested, as for numbers."""
    graph = Graph.from_cells(limited("asking", lambda: None, "backend"))
    limits = {"backend": 1, "backends": asyncio.Semaphore(1)}
    with pytest.raises(ValueError, match="limits") as caught:
        await computer(graph, limits=limits)
    told = "limits: no cell has limit='backends'. Did you mean 'backend'?"
    assert str(caught.value) == told


async def test_one_after_the_other_limits_are_complete_or_left_out() -> None:
    """`async_compute_sequential` needs none; those that are given must be all."""
    ran: list[int] = []

    def first() -> None:
        ran.append(1)

    def second() -> None:
        ran.append(2)

    one, two = limited("one", first), limited("two", second, ("db", "rate"))
    graph = Graph.from_cells(one, two)
    compute = aiocells.async_compute_sequential
    await compute(graph)
    assert ran == [1, 2]
    for given, cell_and_name in [
        ({}, (described("one", first), "'db'", "that", "db")),
        ({"db": 1}, (described("two", second), "('db', 'rate')", "'rate'", "rate")),
        (
            {"db": asyncio.Lock()},
            (described("two", second), "('db', 'rate')", "'rate'", "rate"),
        ),
    ]:
        with pytest.raises(UnsupportedCell) as caught:
            await compute(graph, limits=given)
        where, limit, which, name = cell_and_name
        assert str(caught.value) == (
            f"{where} has limit={limit}, but how many {which} is was not said. Give it "
            f"as limits={{{name!r}: ...}}."
        )
    await compute(graph, targets=[one], limits={"db": asyncio.Lock()})
    await compute(graph, limits={"db": 1, "rate": asyncio.Lock()})
    assert ran == [1, 2, 1, 1, 2]


def test_compute_sequential_has_no_limits() -> None:
    """It waits for nothing, so that nothing of the kind can be given."""
    graph = Graph.from_cells(limited("asking", lambda: 3))
    computer: Any = aiocells.compute_sequential
    with pytest.raises(TypeError, match="unexpected keyword argument 'limits'"):
        computer(graph, limits={"db": 1})
    assert list(computer(graph).values()) == [3]


# When it is entered, and left


@each_computer
async def test_a_cell_begins_inside_and_ends_before_it_leaves(
    computer: Computer,
) -> None:
    """Its limiters are entered in their order, and left in the reverse order."""
    log: list[Any] = []

    async def awaited() -> None:
        log.append("runs")
        await asyncio.sleep(0)
        log.append("ran")

    limits = {"rate": Limiter(log, "rate"), "db": Limiter(log, "db")}
    graph = Graph.from_cells(limited("asking", awaited, ("db", "rate")))

    def observe(event: Any) -> None:
        log.append(event.kind)

    await computer(graph, limits=limits, observers=[observe])
    assert log == [
        *("wait db", "enter db", "wait rate", "enter rate"),
        *("start", "runs", "ran", "end"),
        *("leave rate", "leave db"),
    ]


KINDS = {
    "async": {},
    "plain": {},
    "thread": {"run_in": "thread"},
    "process": {"run_in": "process"},
}


@pytest.mark.needs_threads
@pytest.mark.needs_processes
@pytest.mark.usefixtures("sent_tests")
@pytest.mark.parametrize("kind", KINDS)
@each_computer
async def test_cells_of_any_kind_enter(computer: Computer, kind: str) -> None:
    """Plain, thread and process cells wait in a task, too; what needs them waits."""
    log: list[Any] = []

    async def awaited() -> int:
        return 1

    def plain() -> int:
        return 1

    body: Any = awaited if kind == "async" else plain
    if kind == "process":
        body = len_of_nothing
    one = limited("one_of_a_kind", body, **KINDS[kind])

    @cell
    @aiocells.depends_on(one=one)
    def after(one: int) -> int:
        log.append("after")
        return one + 1

    limiter = Limiter(log)
    async with limiter:
        computing = asyncio.create_task(
            computer(Graph.from_cells(one, after), limits={"db": limiter})
        )
        await turns()
        assert log == ["wait db", "enter db", "wait db"]
    results = await computing
    assert results[after] == results[one] + 1
    assert log[3:] == ["leave db", "enter db", "leave db", "after"]


def len_of_nothing() -> int:
    """A cell that can be sent to a process."""
    return len("")


@each_concurrent
async def test_plain_cells_of_others_stay_inline(computer: Computer) -> None:
    """Who waits for a limiter holds up only what needs it."""
    ran: list[str] = []
    limiter = asyncio.Semaphore(1)

    async def held() -> None:
        ran.append("held")

    @cell
    def other() -> None:
        ran.append("other")

    graph = Graph.from_cells(limited("held", held), other)
    async with limiter:
        computing = asyncio.create_task(computer(graph, limits={"db": limiter}))
        await turns()
        assert ran == ["other"]
    await computing
    assert ran == ["other", "held"]


async def test_one_after_the_other_the_next_cell_waits_too() -> None:
    """In `async_compute_sequential` the order holds through every wait."""
    ran: list[str] = []
    limiter = asyncio.Semaphore(1)

    @cell
    def other() -> None:
        ran.append("other")

    graph = Graph.from_cells(limited("held", lambda: ran.append("held")), other)
    async with limiter:
        computing = asyncio.create_task(
            aiocells.async_compute_sequential(graph, limits={"db": limiter})
        )
        await turns()
        assert ran == []
    await computing
    assert ran == ["held", "other"]


@each_computer
def test_the_time_in_which_it_waits_does_not_count(computer: Computer) -> None:
    """The limiter is entered outside of `timeout=`."""
    limiter = asyncio.Semaphore(1)

    async def hold() -> None:
        async with limiter:
            await asyncio.sleep(100)

    async def quick() -> int:
        await asyncio.sleep(1)
        return 42

    async def main() -> Any:
        holding = asyncio.create_task(hold())
        await asyncio.sleep(0)
        results = await computer(
            Graph.from_cells(limited("quick", quick, timeout=2)),
            limits={"db": limiter},
        )
        await holding
        return results["quick"]

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(lambda: False)) as runner:
        assert runner.run(main()) == 42


@each_computer
async def test_a_cell_whose_time_is_over_leaves(computer: Computer) -> None:
    """A timeout is a failure like another."""
    log: list[Any] = []

    async def slow() -> None:
        await asyncio.Event().wait()

    graph = Graph.from_cells(limited("slow", slow, timeout=0.001))
    with pytest.raises(TimeoutError, match="the cell took longer"):
        await computer(graph, limits={"db": Limiter(log)})
    assert log == ["wait db", "enter db", "leave db"]


@each_computer
async def test_it_is_entered_in_the_cells_task_and_context(computer: Computer) -> None:
    """What the cell asks of its task is what the limiter asked."""
    limiter = Limiter([])

    async def asking() -> None:
        assert [*limiter.tasks] == [asyncio.current_task()]

    graph = Graph.from_cells(limited("asking", asking))
    await computer(graph, limits={"db": limiter})
    assert not limiter.tasks


@each_computer
async def test_a_resource_is_inside_while_it_opens(computer: Computer) -> None:
    """Plain or async, it has left when it is open; so cells that use it may enter."""
    log: list[Any] = []

    @resource(limit="db")
    async def pool() -> AsyncIterator[int]:
        log.append("open")
        yield 1
        log.append("close")

    @resource(limit="db")
    def table(pool: int) -> Iterator[int]:
        log.append("open")
        yield pool + 1
        log.append("close")

    async def rows(table: int) -> int:
        log.append("rows")
        return table + 1

    graph = Graph.from_cells(pool, table, limited("rows", rows))
    results = await computer(graph, limits={"db": Limiter(log)})
    assert results["rows"] == 3
    inside = ("wait db", "enter db")
    assert log == [
        *(*inside, "open", "leave db"),
        *(*inside, "open", "leave db"),
        *(*inside, "rows", "leave db"),
        *("close", "close"),
    ]


@each_computer
async def test_the_watchdog_looks_at_plain_cells_inside(
    computer: Computer,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A plain cell that waits for a limiter is watched while it runs, not before."""
    if computer is aiocells.async_compute_sequential:
        pytest.skip("it has no watchdog")
    now = 0.0

    def work() -> None:
        nonlocal now
        now += 3

    monkeypatch.setattr("aiocells._running.tasks.watchdog.monotonic", lambda: now)
    graph = Graph.from_cells(limited("work", work))
    await computer(graph, limits={"db": asyncio.Semaphore(1)}, watchdog=3.5)
    assert not caplog.records
    await computer(graph, limits={"db": asyncio.Semaphore(1)}, watchdog=2.5)
    [record] = caplog.records
    assert "'work'" in record.getMessage()
    assert "held up the event loop for 3000 ms" in record.getMessage()


@each_computer
async def test_a_plain_cell_raises_stop_iteration_inside(computer: Computer) -> None:
    """It is a RuntimeError of the same words as in any other cell."""

    def stops() -> None:
        raise StopIteration

    graph = Graph.from_cells(limited("stops", stops))
    with pytest.raises(RuntimeError, match=r"^cell raised StopIteration"):
        await computer(graph, limits={"db": asyncio.Semaphore(1)})


# With numbers


@each_concurrent
async def test_who_waits_takes_no_place(computer: Computer) -> None:
    """A cell outside of its limiter leaves the one place of all cells to others."""
    ran: list[str] = []
    limiter = asyncio.Semaphore(1)

    @cell
    async def other() -> None:
        await turns()
        ran.append("other")

    held = limited("held", lambda: ran.append("held"), ("shared", "own"))
    also = limited("also", lambda: ran.append("also"), "own")
    limits = {"shared": limiter, "own": 1}
    async with limiter:
        computing = asyncio.create_task(
            computer(
                Graph.from_cells(held, also, other), limits=limits, max_concurrency=1
            )
        )
        await turns(20)
        assert ran == ["also", "other"]
    await computing
    assert ran == ["also", "other", "held"]


@each_concurrent
async def test_counts_and_place_come_together_once_inside(computer: Computer) -> None:
    """Inside of its limiter a cell waits like others; declaration order decides."""
    log: list[Any] = []
    may_end = asyncio.Event()

    @cell(limit="own")
    async def first() -> None:
        await may_end.wait()
        log.append("first")

    graph = Graph.from_cells(
        first,
        limited("second", lambda: log.append("second"), ("own", "shared")),
        limited("third", lambda: log.append("third"), "own"),
        limited("fourth", lambda: log.append("fourth"), "other"),
    )
    limits = {"shared": Limiter(log, "shared"), "own": 1, "other": 1}
    computing = asyncio.create_task(computer(graph, limits=limits, max_concurrency=2))
    await turns()
    assert sorted(log) == ["enter shared", "fourth", "wait shared"]
    may_end.set()
    await computing
    assert log[3:5] == ["first", "second"]
    assert sorted(log[5:]) == ["leave shared", "third"]


@hypothesis.given(st.data())
def test_several_counts_are_kept_and_all_cells_run(data: st.DataObject) -> None:
    """Whatever cells name, numbers and limiters: no more at once, and no deadlock."""
    names = ("a", "b", "c", "d")
    several = [
        data.draw(st.lists(st.sampled_from(names), max_size=3, unique=True).map(sorted))
        for _ in range(8)
    ]
    numbers = {name: data.draw(st.integers(1, 2)) for name in names}
    is_shared = {name: data.draw(st.booleans()) for name in names}
    most = data.draw(st.none() | st.integers(1, 3))
    failing = data.draw(st.sets(st.integers(0, 7), max_size=3))
    running: dict[str, int] = dict.fromkeys([*names, "all"], 0)

    def make(number: int, limit: list[str]) -> Any:
        counted = [*limit, "all"]

        async def body() -> int:
            for name in counted:
                running[name] += 1
                assert running[name] <= (numbers.get(name) or most or 99)
            await turns(number % 3)
            for name in counted:
                running[name] -= 1
            if number in failing:
                raise Trouble
            return folded(number, [])

        return cell(name=f"cell_{number}", limit=tuple(limit) or None)(body)

    cells = [make(number, limit) for number, limit in enumerate(several)]
    graph = Graph.from_cells(*cells)
    named = {name for limit in several for name in limit}

    async def main(computer: Computer) -> None:
        limits = {
            name: asyncio.Semaphore(numbers[name]) if is_shared[name] else numbers[name]
            for name in sorted(named)
        }
        options: dict[str, Any] = {"on_error": "continue", "limits": limits}
        if computer is not aiocells.async_compute_sequential:
            options["max_concurrency"] = most
        results = await computer(graph, **options)
        assert {cells.index(each) for each in results.failures} == failing
        assert len(results) == 8 - len(failing)

    for computer in ASYNC_COMPUTERS.values():
        with asyncio.Runner(loop_factory=lambda: VirtualLoop(lambda: False)) as runner:
            runner.run(main(computer))


@each_concurrent
async def test_who_lacks_one_of_its_limits_keeps_nobody_from_the_other(
    computer: Computer,
) -> None:
    """A cell that has room in one limit only leaves that to the next."""
    order: list[str] = []
    first_ends, second_ends = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        await first_ends.wait()
        order.append("first")

    async def second() -> None:
        await second_ends.wait()
        order.append("second")

    graph = Graph.from_cells(
        limited("first", first, "a"),
        limited("second", second, "b"),
        limited("third", lambda: order.append("third"), ("a", "b")),
        limited("fourth", lambda: order.append("fourth"), "a"),
    )
    computing = asyncio.create_task(computer(graph, limits={"a": 1, "b": 1}))
    await turns()
    first_ends.set()
    await turns()
    assert order == ["first", "fourth"]
    second_ends.set()
    await computing
    assert order == ["first", "fourth", "second", "third"]


# Failures


@each_computer
@pytest.mark.parametrize("on_error", ["raise", "group", "continue"])
async def test_what_entering_raises_is_the_cells_failure(
    computer: Computer, on_error: str
) -> None:
    """The cell has never begun; the limiter that was entered before it is left."""
    log: list[Any] = []
    error = Trouble("full")
    limits = {"a": Limiter(log, "a"), "b": Limiter(log, "b", entering=error)}
    asking = limited("asking", lambda: log.append("ran"), ("a", "b"))
    recorder = Recorder()
    computing = computer(
        Graph.from_cells(asking), limits=limits, on_error=on_error, observers=[recorder]
    )
    if on_error == "continue":
        failures = (await computing).failures
    else:
        with pytest.raises((Trouble, ExceptionGroup)) as caught:
            await computing
        failures = aiocells.failures(caught.value)
    assert failures == {asking: error}
    assert log == ["wait a", "enter a", "wait b", "leave a"]
    assert [event.kind for event in recorder.events] == ["failure"]
    assert error.__notes__[0] == "while entering its limit 'b'"
    assert error.__notes__[1].startswith("in cell 'asking' (")


@each_computer
async def test_what_leaving_raises_is_the_cells_failure(computer: Computer) -> None:
    """Other limiters are left all the same, and nobody gets its value."""
    log: list[Any] = []
    error = Trouble("broken")
    limits = {"a": Limiter(log, "a"), "b": Limiter(log, "b", leaving=error)}
    asking = limited("asking", lambda: 42, ("a", "b"))

    @aiocells.depends_on(asking)
    def after() -> None:
        log.append("after")

    graph = Graph.from_cells(asking, after)
    results = await computer(graph, limits=limits, on_error="continue")
    assert results.failures == {asking: error}
    assert results.skipped == {after}
    assert log[-2:] == ["leave b", "leave a"]
    assert error.__notes__[0] == "while leaving its limit 'b'"


@each_computer
async def test_a_limiter_hides_no_failure(computer: Computer) -> None:
    """It is not told how the cell ended, and what it answers does not count."""
    error = Trouble("the cell's")

    def fails() -> None:
        raise error

    limits = {"db": Limiter([], answer=True)}
    with pytest.raises(Trouble) as caught:
        await computer(Graph.from_cells(limited("fails", fails)), limits=limits)
    assert caught.value is error


@each_computer
async def test_what_leaving_raises_after_a_failure_is_told_with_it(
    computer: Computer,
) -> None:
    """What the cell raised stays its failure; a note tells of the rest."""
    error = Trouble("the cell's")
    limits = {
        "a": Limiter([], "a", leaving=Trouble("the limiter's")),
        "b": Limiter([], "b", leaving=Trouble("the other's")),
    }

    def fails() -> None:
        raise error

    graph = Graph.from_cells(limited("fails", fails, ("a", "b")))
    with pytest.raises(Trouble) as caught:
        await computer(graph, limits=limits)
    assert caught.value is error
    assert error.__notes__[:2] == [
        "also failed, leaving its limit 'b': Trouble: the other's",
        "also failed, leaving its limit 'a': Trouble: the limiter's",
    ]


@each_computer
async def test_an_exit_comes_before_a_failure(computer: Computer) -> None:
    """Whoever of the two raises it, the cell or its limiter."""

    class Exit(BaseException):
        """Such as an interrupt."""

    leaves = Exit("limiter")

    def fails() -> None:
        raise Trouble

    graph = Graph.from_cells(limited("fails", fails))
    with pytest.raises(Exit) as caught:
        await computer(graph, limits={"db": Limiter([], leaving=leaves)})
    assert caught.value is leaves
    exits = Exit("cell")

    def asks() -> None:
        raise exits

    graph = Graph.from_cells(limited("asks", asks))
    with pytest.raises(Exit) as caught:
        await computer(graph, limits={"db": Limiter([], leaving=Trouble())})
    assert caught.value is exits


@each_computer
async def test_a_resource_that_cannot_leave_is_closed(computer: Computer) -> None:
    """It has failed, and nothing that needs it runs."""
    log: list[Any] = []
    error = Trouble("broken")

    @resource(limit="db")
    async def pool() -> AsyncIterator[int]:
        log.append("open")
        yield 1
        log.append("close")

    @cell
    def rows(pool: int) -> None:
        log.append("rows")

    results = await computer(
        Graph.from_cells(pool, rows),
        limits={"db": Limiter(log, leaving=error)},
        on_error="continue",
    )
    assert results.failures == {pool: error}
    assert log == ["wait db", "enter db", "open", "leave db", "close"]


@each_computer
async def test_a_resource_that_cannot_enter_never_opens(computer: Computer) -> None:
    """It has failed, and is not told to have started."""
    log: list[Any] = []

    @resource(limit="db")
    def pool() -> Iterator[int]:
        log.append("open")
        yield 1

    graph, recorder = Graph.from_cells(pool), Recorder()
    with pytest.raises(Trouble):
        await computer(
            graph,
            limits={"db": Limiter(log, entering=Trouble())},
            observers=[recorder],
        )
    assert log == ["wait db"]
    assert [event.kind for event in recorder.events] == ["failure"]


@each_computer
def test_a_semaphore_of_another_loop(computer: Computer) -> None:
    """What it raises is the failure of the cell that had to wait for it."""
    semaphore = asyncio.Semaphore(1)
    graph = Graph.from_cells(limited("asking", lambda: 42))

    async def bind() -> None:
        async with semaphore:
            waiting = asyncio.create_task(semaphore.acquire())
            await turns()
        await waiting

    async def main() -> None:
        await computer(graph, limits={"db": semaphore})

    asyncio.run(bind())
    with pytest.raises(RuntimeError, match="different event loop") as caught:
        asyncio.run(main())
    assert any("'asking'" in note for note in caught.value.__notes__)


# Cancellation


@each_computer
async def test_a_cancelled_wait_enters_nothing(computer: Computer) -> None:
    """Nothing has started, so that observers are told nothing."""
    log: list[Any] = []
    limits = {"a": Limiter(log, "a"), "b": Limiter(log, "b")}
    recorder = Recorder()
    graph = Graph.from_cells(limited("asking", lambda: log.append("ran"), ("a", "b")))
    async with limits["b"]:
        log.clear()
        computing = asyncio.create_task(
            computer(graph, limits=limits, observers=[recorder])
        )
        await turns()
        computing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await computing
        assert log == ["wait a", "enter a", "wait b", "leave a"]
    assert recorder.events == []
    async with limits["a"], limits["b"]:
        pass


@each_concurrent
async def test_a_failure_elsewhere_ends_every_wait(computer: Computer) -> None:
    """Be it for a limiter that lets in nobody, or for a place inside of it."""
    log: list[Any] = []

    class Never:
        """Lets in nobody."""

        async def __aenter__(self) -> None:
            log.append("wait never")
            await asyncio.Event().wait()

        async def __aexit__(self, *told: object) -> None:
            log.append("leave never")

    @cell
    async def fails() -> None:
        await turns(10)
        raise Trouble

    graph = Graph.from_cells(
        fails,
        limited("first", lambda: log.append("first"), "never"),
        limited("second", lambda: log.append("second")),
    )
    with pytest.raises(Trouble):
        await computer(
            graph,
            limits={"never": Never(), "db": Limiter(log)},
            max_concurrency=1,
        )
    assert sorted(log) == ["enter db", "leave db", "wait db", "wait never"]


@each_concurrent
async def test_who_waits_for_a_place_is_not_taken_out_of_line_at_the_end(
    computer: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One by one, that would take the square of their number."""
    monkeypatch.delattr("aiocells._running.tasks.sharing.SharingScheduler._withdraw")
    log: list[Any] = []
    graph = Graph.from_cells(
        *(limited(f"cell_{each}", functools.partial(turns, 20)) for each in range(5))
    )
    computing = computer(
        graph, limits={"db": Limiter(log, capacity=5)}, max_concurrency=1
    )
    task = asyncio.ensure_future(computing)
    await turns(10)
    assert log.count("enter db") == 5
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert not aiocells.failures(caught.value)
    assert log.count("leave db") == 5


@each_computer
async def test_a_limiter_that_swallows_the_cancellation_is_left(
    computer: Computer,
) -> None:
    """Whoever was cancelled while it waited does not begin."""
    log: list[Any] = []

    class Swallowing(Limiter):
        """Lets in whoever is cancelled."""

        async def __aenter__(self) -> None:
            """Wait to be cancelled."""
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            await super().__aenter__()

    recorder = Recorder()
    graph = Graph.from_cells(limited("asking", lambda: log.append("ran")))
    computing = asyncio.create_task(
        computer(graph, limits={"db": Swallowing(log)}, observers=[recorder])
    )
    await turns()
    computing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await computing
    assert log == ["wait db", "enter db", "leave db"]
    assert recorder.events == []


@each_computer
async def test_a_cell_that_is_cancelled_inside_leaves(computer: Computer) -> None:
    """With all its limiters; what leaving raises is told with the cancellation."""
    log: list[Any] = []
    error = Trouble("broken")

    async def hangs() -> None:
        await asyncio.Event().wait()

    hanging = limited("hangs", hangs, ("a", "b"))
    limits = {"a": Limiter(log, "a"), "b": Limiter(log, "b", leaving=error)}
    computing = asyncio.create_task(computer(Graph.from_cells(hanging), limits=limits))
    await turns()
    computing.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await computing
    assert log[-2:] == ["leave b", "leave a"]
    assert aiocells.failures(caught.value) == {hanging: error}


async def task_named(name: str) -> "asyncio.Task[Any]":
    """The task of a cell."""
    [task] = [each for each in asyncio.all_tasks() if each.get_name() == name]
    return task


@each_concurrent
@pytest.mark.parametrize("inside", ["place", "count"])
async def test_a_stranger_cancels_a_cell_that_waits_for_its_turn(
    computer: Computer, inside: str
) -> None:
    """It has failed, and neither place nor room is lost by it."""
    ran: list[str] = []
    may_end = asyncio.Event()

    @cell(limit="own")
    async def first() -> None:
        await may_end.wait()

    held = limited("held", lambda: ran.append("held"), ("db", "own"))
    last = limited("last", lambda: ran.append("last"), "own")
    limits = {"db": asyncio.Semaphore(1), "own": 1 if inside == "count" else 5}
    computing = asyncio.create_task(
        computer(
            Graph.from_cells(first, held, last),
            limits=limits,
            max_concurrency=1 if inside == "place" else None,
            on_error="continue",
        )
    )
    await turns()
    (await task_named("held")).cancel()
    await turns()
    may_end.set()
    results = await computing
    assert [*results.failures] == [held]
    assert ran == ["last"]
    assert not limits["db"].locked()  # type: ignore[attr-defined]


@each_concurrent
async def test_a_stranger_cancels_a_cell_that_is_just_let_in(
    computer: Computer,
) -> None:
    """The place that it had got goes to the next."""
    ran: list[str] = []
    may_end = asyncio.Event()

    @cell
    async def first() -> None:
        await may_end.wait()
        (await task_named("held")).cancel()

    held = limited("held", lambda: ran.append("held"))
    last = cell(name="last")(lambda: ran.append("last"))
    computing = asyncio.create_task(
        computer(
            Graph.from_cells(first, held, last),
            limits={"db": asyncio.Semaphore(1)},
            max_concurrency=1,
            on_error="continue",
        )
    )
    await turns()
    may_end.set()
    results = await computing
    assert [*results.failures] == [held]
    assert ran == ["last"]


@each_computer
async def test_no_value_is_kept_alive(computer: Computer) -> None:
    """What cells with limiters gave goes with the results and the exceptions."""

    class Value:
        """Something that can be referred to weakly."""

    values: list[weakref.ref[Any]] = []

    def value() -> Value:
        made = Value()
        values.append(weakref.ref(made))
        return made

    def fails(value: Value) -> None:
        raise Trouble

    graph = Graph.from_cells(
        limited("value", value, ("db", "own")), limited("fails", fails)
    )
    gc.collect()
    gc.disable()
    try:
        for on_error in ("raise", "continue"):
            limits = {"db": asyncio.Semaphore(2), "own": 1}
            with contextlib.suppress(Trouble):
                await computer(graph, limits=limits, on_error=on_error)
        assert [each() for each in values] == [None, None]
    finally:
        gc.enable()


# Fallbacks


@each_computer
async def test_a_cell_falls_back_when_it_has_left(computer: Computer) -> None:
    """From what it raises itself, and from what entering or leaving raises."""
    log: list[Any] = []

    def falls_back(error: BaseException) -> str:
        log.append("fallback")
        return str(error)

    failure = Trouble("cell")

    def fails() -> None:
        raise failure

    limits = {
        "fine": Limiter(log, "fine"),
        "full": Limiter(log, "full", entering=Trouble("full")),
        "broken": Limiter(log, "broken", leaving=Trouble("broken")),
    }
    bodies = {"fine": fails, "full": lambda: None, "broken": lambda: None}
    cells = [
        limited(f"cell_{name}", body, name, fallback=falls_back)
        for name, body in bodies.items()
    ]
    results = await computer(Graph.from_cells(*cells), limits=limits)
    assert sorted(results.values()) == ["broken", "cell", "full"]
    assert log.index("leave fine") < log.index("fallback")
    assert log.count("fallback") == 3


@each_computer
async def test_what_is_lost_enters_nothing(computer: Computer) -> None:
    """A cell, or a resource, that falls back for what it needs never waits for it."""
    log: list[Any] = []
    failure = Trouble("broken")

    @cell
    def broken() -> None:
        raise failure

    @resource(limit="db", fallback=str)
    @aiocells.depends_on(broken=broken)
    async def pool(broken: None) -> AsyncIterator[int]:
        yield 1

    @cell(limit="db", fallback=str)
    @aiocells.depends_on(broken=broken)
    def rows(broken: None) -> None: ...

    skipped = limited("skipped", aiocells.depends_on(broken)(lambda: None))
    recorder = Recorder()
    results = await computer(
        Graph.from_cells(pool, rows, skipped, aiocells.depends_on(pool)(lambda: 1)),
        limits={"db": Limiter(log)},
        on_error="continue",
        observers=[recorder],
    )
    assert log == []
    assert results[rows] == "broken"
    assert results.skipped == {skipped}
    assert {*results.fallbacks} == {pool, rows}
    assert sorted(recorder.names("fallback")) == ["pool", "rows"]


# Orders


def test_opposite_orders_are_refused() -> None:
    """Each could hold what the other waits for: it is told which two, and where."""

    def nothing() -> None: ...

    def other() -> None: ...

    one = limited("one", nothing, ("db", "x", "rate"))
    two = limited("two", other, ("rate", "db"))
    with pytest.raises(DeclarationError) as caught:
        Graph.from_cells(one, two)
    assert str(caught.value) == (
        f"{described('one', nothing)} has limit=('db', 'x', 'rate') and "
        f"{described('two', other)} has limit=('rate', 'db'): each could hold what the "
        "other waits for. Limits are entered in the order in which they are named: "
        "name them in the same order everywhere."
    )
    assert caught.value.cell is two


def test_a_ring_of_orders_is_refused() -> None:
    """Of three, each could hold what the next one waits for."""

    orders = ("a", "b"), ("b", "c"), ("c", "a")
    cells = [limited("".join(names), lambda: None, names) for names in orders]
    Graph.from_cells(*cells[:2])
    Graph.from_cells(*cells[1:])
    with pytest.raises(DeclarationError) as caught:
        Graph.from_cells(*cells)
    text = str(caught.value)
    for part in ("('a', 'b'), ", "('b', 'c') and ", "('c', 'a'): each could hold"):
        assert part in text
    assert "what the next waits for" in text


def test_a_replacement_must_keep_to_the_order() -> None:
    """It is named with its own place; one that names fewer limits frees the order."""

    def opposite() -> None: ...

    one = limited("one", lambda: None, ("db", "rate"))
    two = limited("two", lambda: None, "db")
    graph = Graph.from_cells(one, two)
    replacement = cell(limit=("rate", "db"))(opposite)
    with pytest.raises(DeclarationError) as caught:
        graph.replace({two: replacement})
    assert f"{described('two', opposite)} has limit=('rate', 'db')" in str(caught.value)
    graph.replace({one: cell(limit="db")(lambda: None)}).replace({two: replacement})


@each_computer
async def test_limits_of_replaced_cells_may_still_be_given(computer: Computer) -> None:
    """Those of several names, too; the code under test need not change."""
    one = limited("one", lambda: 1, ("db", "rate"))
    graph = Graph.from_cells(one).replace({one: lambda: 2})
    limits = {"db": asyncio.Semaphore(1), "rate": 3}
    assert (await computer(graph, limits=limits))[one] == 2


def test_names_of_limits_are_told_apart() -> None:
    """A tuple of no names, of one twice, or of what is none is refused."""
    for given in [(), ("a", "a"), ("a", ""), ("a", 3), (None,)]:
        for mark in (cell, resource):
            with pytest.raises(DeclarationError) as caught:
                mark(limit=given)  # type: ignore[call-overload]
            assert str(caught.value) == (
                f"limit={given!r}: expected one or more names, each of them once."
            )
    Graph.from_cells(limited("one", lambda: None, ("a",)))


@each_computer
async def test_one_limiter_under_two_names(computer: Computer) -> None:
    """It may be given so, but not where cells would wait for themselves."""
    shared, other_one = asyncio.Semaphore(1), asyncio.Semaphore(1)
    apart = Graph.from_cells(limited("one", lambda: 1, "a"))
    await computer(apart, limits={"a": shared})

    def both() -> None: ...

    def reverse() -> None: ...

    graph = Graph.from_cells(
        limited("both", both, ("a", "b")), limited("reverse", reverse, ("b", "c"))
    )
    with pytest.raises(ValueError, match="limits") as caught:
        await computer(graph, limits={"a": shared, "b": shared, "c": other_one})
    assert str(caught.value) == (
        f"limits: 'a' and 'b' are one limiter, so that {described('both', both)} would "
        "wait for itself. Give a limiter for each name."
    )
    with pytest.raises(ValueError, match="limits") as caught:
        await computer(graph, limits={"a": shared, "b": other_one, "c": shared})
    assert str(caught.value) == (
        f"limits: 'a' and 'c' are one limiter, so that {described('both', both)} and "
        f"{described('reverse', reverse)} would wait for each other. Give a limiter "
        "for each name."
    )
    single = Graph.from_cells(
        limited("p", lambda: 1, "a"), limited("q", lambda: 2, "b")
    )
    results = await computer(single, limits={"a": shared, "b": shared})
    assert list(results.values()) == [1, 2]


@pytest.mark.needs_threads
@each_computer
async def test_threads_are_inside_as_long_as_they_run(computer: Computer) -> None:
    """A limiter that two computations share bounds their threads."""
    lock, running, most = threading.Lock(), 0, 0

    def make(number: int) -> Any:
        def body() -> None:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            with lock:
                running -= 1

        return limited(f"cell_{number}", body, run_in="thread")

    graph = Graph.from_cells(*map(make, range(4)))
    limits = {"db": anyio.CapacityLimiter(1)}
    await asyncio.gather(*(computer(graph, limits=limits) for _ in range(3)))
    assert most == 1
