"""Resources: opened when needed, and closed whatever happens."""

import asyncio
import contextvars
import functools
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import anyio
import pytest

import aiocells
from aiocells import Graph, cell, depends_on, resource
from aiocells.errors import UnsupportedCell
from tests.helpers import COMPUTERS

ASYNC = ("async_sequential", "concurrent", "simple")
CONCURRENT = {
    "concurrent": aiocells.async_compute_concurrent,
    "simple": aiocells.async_compute_concurrent_simple,
}

each_computer = pytest.mark.parametrize("name", COMPUTERS)
each_async = pytest.mark.parametrize("name", ASYNC)
each_concurrent = pytest.mark.parametrize(
    "computer", CONCURRENT.values(), ids=CONCURRENT
)


def fail(text: str) -> None:
    """Raise an error."""
    raise ValueError(text)


def nothing() -> None:
    """Do nothing."""


class Chain:
    """A resource that needs another, and a cell between and after them.

    Args:
        act: what the last cell does.
        close: what each closer does, given the resource's name.
    """

    def __init__(
        self,
        act: Callable[[], object] = nothing,
        close: Callable[[str], object] = lambda name: None,
    ) -> None:
        """Make the graph."""
        log = self.log = []  # type: list[str]

        @resource
        def connection() -> Iterator[str]:
            log.append("connection opened")
            yield "connection"
            log.append("connection closed")
            close("connection")

        @cell
        def user(connection: str) -> str:
            return f"user of {connection}"

        @resource
        def session(user: str) -> Iterator[str]:
            log.append("session opened")
            yield f"session of {user}"
            log.append("session closed")
            close("session")

        @cell
        def answer(session: str) -> str:
            log.append("answer")
            act()
            return f"answer in {session}"

        self.connection, self.session, self.answer = connection, session, answer
        self.graph = Graph.from_cells(answer, session, user, connection)


USED = [
    "connection opened",
    "session opened",
    "answer",
    "session closed",
    "connection closed",
]


def raised(name: str, graph: Graph, **options: Any) -> Any:
    """What a computer raises."""
    with pytest.raises(BaseException) as caught:  # noqa: PT011
        COMPUTERS[name](graph, **options)
    return caught.value


@each_computer
def test_closed_in_reverse_order_after_success(name: str) -> None:
    """The last that was opened is closed first, after all cells."""
    made = Chain()
    results = COMPUTERS[name](made.graph)
    assert results[made.answer] == "answer in session of user of connection"
    assert made.log == USED


@pytest.mark.parametrize("on_error", ["raise", "group", "continue"])
@each_computer
def test_closed_in_reverse_order_after_a_failure(name: str, on_error: str) -> None:
    """A failure of a cell changes nothing about it."""
    made = Chain(functools.partial(fail, "answer"))
    if on_error == "continue":
        results = COMPUTERS[name](made.graph, on_error=on_error)
        assert list(results.failures) == [made.answer]
    else:
        error = raised(name, made.graph, on_error=on_error)
        assert list(aiocells.failures(error)) == [made.answer]
    assert made.log == USED


@pytest.mark.parametrize("exit_type", [KeyboardInterrupt, SystemExit])
@each_computer
def test_closed_in_reverse_order_after_an_exit(
    name: str, exit_type: type[BaseException]
) -> None:
    """An exit closes them too, and leaves as it is."""
    error = exit_type("enough")

    def leave() -> None:
        raise error

    made = Chain(leave)
    assert raised(name, made.graph) is error
    assert made.log == USED


@each_computer
def test_all_closers_run_and_the_bodys_error_stays_the_primary_one(name: str) -> None:
    """Closers' errors are attached to the body's, each with its own note."""
    made = Chain(functools.partial(fail, "body"), fail)
    error = raised(name, made.graph)
    assert str(error) == "body"
    failures = aiocells.failures(error)
    assert {each: str(failure) for each, failure in failures.items()} == {
        made.answer: "body",
        made.session: "session",
        made.connection: "connection",
    }
    assert failures[made.session].__notes__[0].startswith("in cell 'session' (")
    told = [note for note in error.__notes__ if note.startswith("also failed: ")]
    assert [note.split("'")[1] for note in told] == ["session", "connection"]
    assert made.log == USED


@each_computer
def test_an_exit_out_of_a_closer_goes_first(name: str) -> None:
    """A closer that asks for an exit gets it; the other closers run before."""

    def leave(resource: str) -> None:
        if resource == "session":
            raise SystemExit(resource)

    made = Chain(functools.partial(fail, "body"), leave)
    error = raised(name, made.graph, on_error="continue")
    assert isinstance(error, SystemExit)
    assert list(aiocells.failures(error)) == [made.answer, made.session]
    assert made.log == USED


@each_computer
def test_a_resource_opens_anew_in_every_computation(name: str) -> None:
    """What one computation opened is nothing to the next."""
    made = Chain()
    for _ in range(2):
        COMPUTERS[name](made.graph)
    assert made.log == USED + USED


@each_computer
def test_a_resource_that_no_target_needs_is_not_opened(name: str) -> None:
    """Only what the targets need is opened."""
    made = Chain()
    COMPUTERS[name](made.graph, targets=["user"])
    assert made.log == ["connection opened", "connection closed"]


@each_computer
def test_a_resource_that_is_overridden_is_not_opened(name: str) -> None:
    """The given value is used instead, and never closed."""
    made = Chain()
    results = COMPUTERS[name](made.graph, overrides={made.session: "a fake"})
    assert results[made.answer] == "answer in a fake"
    assert made.log == ["answer"]


@each_computer
def test_a_resource_is_no_target(name: str) -> None:
    """Its value would be closed: it is refused before anything is opened."""
    made = Chain()
    error = raised(name, made.graph, targets=[made.session])
    assert isinstance(error, UnsupportedCell)
    assert made.log == []
    results = COMPUTERS[name](made.graph)
    assert made.session not in results
    with pytest.raises(KeyError, match="is a resource: its value was closed"):
        results[made.session]


@each_computer
def test_a_resource_that_only_comes_before_is_open_meanwhile(name: str) -> None:
    """A cell may need a resource by order alone, as a lock that is held."""
    log: list[str] = []

    @resource
    def lock() -> Iterator[None]:
        log.append("locked")
        yield
        log.append("unlocked")

    @cell
    @depends_on(lock)
    def critical() -> None:
        log.append("critical")

    COMPUTERS[name](Graph.from_cells(critical))
    assert log == ["locked", "critical", "unlocked"]


# Resources that fail


@each_computer
def test_a_resource_that_fails_to_open(name: str) -> None:
    """It is a cell that failed: what needs it is skipped, what it needs is closed."""
    log: list[str] = []

    @resource
    def base() -> Iterator[int]:
        yield 1
        log.append("base closed")

    @resource
    def broken(base: int) -> Iterator[int]:
        fail("no")
        yield base
        log.append("never")

    @cell
    def uses(broken: int) -> int:
        return broken

    graph = Graph.from_cells(base, broken, uses)
    error = raised(name, graph)
    assert str(error) == "no"
    assert error.__notes__[0].startswith("in cell 'broken' (")
    results = COMPUTERS[name](graph, on_error="continue")
    assert list(results.failures) == [broken]
    assert results.skipped == {uses}
    assert log == ["base closed"] * 2


@each_computer
def test_a_closer_that_fails_skips_nothing(name: str) -> None:
    """With "continue" the values are there, and the failure is told."""
    made = Chain(close=fail)
    results = COMPUTERS[name](made.graph, on_error="continue")
    assert results[made.answer].startswith("answer in ")
    assert list(results.failures) == [made.session, made.connection]
    assert results.skipped == frozenset()


def yielding(count: int, is_async: bool, **options: Any) -> tuple[Any, list[str]]:
    """A resource that yields so many times, and what it does."""
    log: list[str] = []

    def plain() -> Iterator[int]:
        try:
            yield from range(count)
        finally:
            log.append("ended")

    async def awaited() -> AsyncIterator[int]:
        try:
            for number in range(count):
                yield number
        finally:
            await asyncio.sleep(0)
            log.append("ended")

    return resource(name="odd", **options)(awaited if is_async else plain), log


KINDS = [
    pytest.param(
        name,
        is_async,
        options,
        marks=[pytest.mark.needs_threads] if options and name != "sequential" else [],
    )
    for name in COMPUTERS
    for is_async, options in ((False, {}), (False, {"run_in": "thread"}), (True, {}))
    if name != "sequential" or not is_async
]


@pytest.mark.parametrize(("name", "is_async", "options"), KINDS)
def test_a_resource_that_never_yields(
    name: str, is_async: bool, options: dict[str, str]
) -> None:
    """It has no value: it has failed to open."""
    odd, log = yielding(0, is_async, **options)
    error = raised(name, Graph.from_cells(odd))
    assert isinstance(error, RuntimeError)
    assert str(error) == (
        "the resource ended without a yield; it must yield its value once"
    )
    assert list(aiocells.failures(error)) == [odd]
    assert log == ["ended"]


@pytest.mark.parametrize(("name", "is_async", "options"), KINDS)
def test_a_resource_that_yields_again(
    name: str, is_async: bool, options: dict[str, str]
) -> None:
    """Its clean-up has failed; the generator is ended all the same."""
    odd, log = yielding(2, is_async, **options)
    error = raised(name, Graph.from_cells(odd))
    assert isinstance(error, RuntimeError)
    assert str(error) == "the resource yielded again; it must yield its value once"
    assert list(aiocells.failures(error)) == [odd]
    assert log == ["ended"]


# Who waits for whom


class Pair:
    """Two resources, of which each closer tells when it begins, and waits.

    Args:
        needs: whether the second needs the first.
    """

    def __init__(self, needs: bool) -> None:
        """Make the graph."""
        self.closing = {name: asyncio.Event() for name in ("first", "second")}
        self.may_close = {name: asyncio.Event() for name in ("first", "second")}

        @resource
        async def first() -> AsyncIterator[int]:
            yield 1
            await self._close("first")

        @resource
        async def second() -> AsyncIterator[int]:
            yield 2
            await self._close("second")

        @cell
        def uses(first: int, second: int) -> None: ...

        if needs:
            depends_on(first)(second)
        self.graph = Graph.from_cells(first, second, uses)

    async def _close(self, name: str) -> None:
        self.closing[name].set()
        await self.may_close[name].wait()


@each_concurrent
async def test_independent_closers_do_not_wait_for_each_other(computer: Any) -> None:
    """Both run at once, in whichever order they end."""
    made = Pair(needs=False)
    task = asyncio.create_task(computer(made.graph))
    async with asyncio.timeout(10):
        for closing in made.closing.values():
            await closing.wait()
        for may_close in made.may_close.values():
            may_close.set()
        await task


@each_concurrent
async def test_a_closer_waits_for_those_that_need_its_resource(computer: Any) -> None:
    """What another resource was made of is closed after that."""
    made = Pair(needs=True)
    task = asyncio.create_task(computer(made.graph))
    async with asyncio.timeout(10):
        await made.closing["second"].wait()
        for _ in range(5):
            await asyncio.sleep(0)
        assert not made.closing["first"].is_set()
        made.may_close["second"].set()
        await made.closing["first"].wait()
        made.may_close["first"].set()
        await task


# One task, one context, one thread


@each_computer
def test_a_context_variable_can_be_reset(name: str) -> None:
    """A plain resource is opened and closed in one context."""
    variable = contextvars.ContextVar[str]("variable", default="outside")

    @resource
    def scope() -> Iterator[str]:
        token = variable.set("inside")
        yield variable.get()
        variable.reset(token)

    @cell
    def uses(scope: str) -> str:
        return scope

    assert COMPUTERS[name](Graph.from_cells(scope, uses))[uses] == "inside"
    assert variable.get() == "outside"


@pytest.mark.parametrize(
    "run_in", [None, pytest.param("thread", marks=pytest.mark.needs_threads)]
)
@each_async
def test_it_sees_the_callers_context(name: str, run_in: str | None) -> None:
    """What the caller set is there at the opening and at the closing."""
    variable = contextvars.ContextVar[str]("variable", default="unset")
    seen: list[str] = []

    @resource(run_in=run_in)
    def scope() -> Iterator[None]:
        seen.append(variable.get())
        token = variable.set("inside")
        yield
        seen.append(variable.get())
        variable.reset(token)
        seen.append(variable.get())

    token = variable.set("caller's")
    try:
        COMPUTERS[name](Graph.from_cells(scope))
    finally:
        variable.reset(token)
    assert seen == ["caller's", "inside", "caller's"]


@each_async
def test_an_async_resource_lives_in_one_task_and_context(name: str) -> None:
    """The task that opens it is the one that closes it."""
    variable = contextvars.ContextVar[str]("variable", default="outside")
    tasks: list[Any] = []

    @resource
    async def scope() -> AsyncIterator[str]:
        token = variable.set("inside")
        tasks.append(asyncio.current_task())
        await asyncio.sleep(0)
        yield variable.get()
        await asyncio.sleep(0)
        tasks.append(asyncio.current_task())
        variable.reset(token)

    @cell
    async def uses(scope: str) -> str:
        await asyncio.sleep(0)
        return scope

    assert COMPUTERS[name](Graph.from_cells(scope, uses))[uses] == "inside"
    assert tasks[0] is tasks[1]


@each_async
def test_a_task_group_of_asyncio_is_held_open(name: str) -> None:
    """Cells start tasks in it, and its end waits for them."""
    log: list[str] = []

    async def work() -> None:
        await asyncio.sleep(0)
        log.append("worked")

    @resource
    async def group() -> AsyncIterator[asyncio.TaskGroup]:
        async with asyncio.TaskGroup() as opened:
            yield opened
        log.append("closed")

    @cell
    async def starts(group: asyncio.TaskGroup) -> str:
        group.create_task(work())
        return "started"

    assert COMPUTERS[name](Graph.from_cells(group, starts))[starts] == "started"
    assert log == ["worked", "closed"]


@each_async
def test_a_task_group_and_a_scope_of_anyio_are_held_open(name: str) -> None:
    """anyio's scopes refuse to be left in another task; this one is the same."""
    log: list[str] = []

    async def work() -> None:
        await anyio.lowlevel.checkpoint()
        log.append("worked")

    @resource
    async def group() -> AsyncIterator[Any]:
        with anyio.CancelScope():
            async with anyio.create_task_group() as opened:
                yield opened
        log.append("closed")

    @cell
    async def starts(group: Any) -> str:
        group.start_soon(work)
        return "started"

    assert COMPUTERS[name](Graph.from_cells(group, starts))[starts] == "started"
    assert log == ["worked", "closed"]


async def broken() -> None:
    """Fail in a task of a group."""
    fail("child")


@pytest.mark.parametrize("on_error", ["raise", "continue"])
@pytest.mark.parametrize("library", ["asyncio", "anyio"])
@each_async
def test_a_task_of_a_group_that_is_held_open_fails(
    name: str, library: str, on_error: str
) -> None:
    """The group's failure is the resource's; the cells are cancelled, and not lost."""
    log: list[str] = []

    @resource
    async def group() -> AsyncIterator[None]:
        if library == "asyncio":
            async with asyncio.TaskGroup() as opened:
                opened.create_task(broken())
                yield
                log.append("cleaned up")
        else:
            async with anyio.create_task_group() as scope:
                scope.start_soon(broken)
                yield
                log.append("cleaned up")

    @cell
    async def waits(group: None) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            log.append("cell ended")

    error = raised(name, Graph.from_cells(group, waits), on_error=on_error)
    assert isinstance(error, ExceptionGroup)
    assert [str(each) for each in error.exceptions] == ["child"]
    assert aiocells.failures(error) == {group: error}
    assert error.__notes__[0].startswith("in cell 'group' (")
    assert log == ["cell ended", "cleaned up"]


@pytest.mark.parametrize("library", ["asyncio", "anyio"])
@each_async
def test_a_task_of_a_group_fails_while_the_group_ends(name: str, library: str) -> None:
    """The end of a group waits for its tasks; what fails there is told as well."""

    async def fails_later() -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        fail("child")

    @resource
    async def group() -> AsyncIterator[Any]:
        if library == "asyncio":
            async with asyncio.TaskGroup() as opened:
                yield opened.create_task
        else:
            async with anyio.create_task_group() as scope:
                yield lambda coroutine: scope.start_soon(lambda: coroutine)

    @cell
    async def starts(group: Any) -> None:
        group(fails_later())

    error = raised(name, Graph.from_cells(group, starts))
    assert isinstance(error, ExceptionGroup)
    assert aiocells.failures(error) == {group: error}


@pytest.mark.parametrize("library", ["asyncio", "anyio"])
@each_async
def test_a_timeout_that_is_held_open_expires(name: str, library: str) -> None:
    """The resource has failed, though its end says nothing: no value is made up."""
    expire: list[Callable[[], object]] = []

    @resource
    async def limited() -> AsyncIterator[None]:
        if library == "asyncio":
            async with asyncio.timeout(None) as limit:
                expire.append(lambda: limit.reschedule(-1))
                yield
        else:
            with anyio.CancelScope() as scope:
                expire.append(scope.cancel)
                yield

    @cell
    async def waits(limited: None) -> None:
        expire[0]()
        await asyncio.Event().wait()

    error = raised(name, Graph.from_cells(limited, waits), on_error="continue")
    assert isinstance(error, RuntimeError)
    assert str(error) == (
        "the resource was cancelled, while it was in use, by a scope that it holds "
        "open, such as a timeout or a task group"
    )
    assert list(aiocells.failures(error)) == [limited]


@pytest.mark.needs_threads
@each_async
def test_a_connection_of_sqlite_opens_and_closes_in_its_own_thread(name: str) -> None:
    """sqlite3 refuses to close a connection in another thread than it was made in."""
    threads: list[str] = []

    @resource(run_in="thread")
    def connection() -> Iterator[sqlite3.Connection]:
        threads.append(threading.current_thread().name)
        opened = sqlite3.connect(":memory:")
        opened.execute("create table numbers (number)")
        yield opened
        opened.execute("insert into numbers values (1)")
        opened.close()
        threads.append(threading.current_thread().name)

    @cell
    async def uses(connection: sqlite3.Connection) -> str:
        with pytest.raises(sqlite3.ProgrammingError):
            connection.execute("select 1")  # this is the thread of the loop
        return "used"

    before = threading.enumerate()
    assert COMPUTERS[name](Graph.from_cells(connection, uses))[uses] == "used"
    assert threads[0] == threads[1] != threading.current_thread().name
    assert threading.enumerate() == before


def test_compute_sequential_opens_every_resource_inline() -> None:
    """It starts no thread, whatever `run_in` says."""
    threads: list[threading.Thread] = []

    @resource(run_in="thread")
    def opened() -> Iterator[None]:
        threads.append(threading.current_thread())
        yield
        threads.append(threading.current_thread())

    aiocells.compute_sequential(Graph.from_cells(opened))
    assert threads == [threading.main_thread()] * 2
