"""Hold: cells computed once, and resources that stay open until a block ends."""

import asyncio
import contextlib
import contextvars
import copy
import gc
import multiprocessing
import pickle
import signal
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

import anyio
import pytest

import aiocells
from aiocells import (
    Graph,
    Lazy,
    MissingInput,
    MissingValue,
    UnknownCell,
    UnknownInput,
    UnsupportedCell,
    async_compute_concurrent,
    cell,
    compute_sequential,
    depends_on,
    hold,
    resource,
)
from aiocells.observers import Event, Recorder
from tests.factories import FACTORIES
from tests.helpers import described
from tests.virtual_loop import VirtualLoop, run_virtually

variable = contextvars.ContextVar("variable", default="unset")


class Trouble(Exception):
    """Raised by the cells of this module."""


class Exit(BaseException):
    """Such as an interrupt."""


class Service:
    """A graph with resources, plain and async, and what happened to them.

    Args:
        is_plain: whether all cells are plain.
        closing: raised by the inner resource when it closes.
        outer_closing: raised by the outer one.
        opening: raised by the inner one when it opens.
    """

    def __init__(
        self,
        *,
        is_plain: bool = False,
        closing: BaseException | None = None,
        outer_closing: BaseException | None = None,
        opening: BaseException | None = None,
    ) -> None:
        """Make the graph."""
        self.log: list[str] = []
        log = self.log

        def plain_outer(address: str) -> Iterator[str]:
            log.append("open outer")
            yield f"outer {address}"
            log.append("close outer")
            if outer_closing is not None:
                raise outer_closing

        async def outer(address: str) -> AsyncIterator[str]:
            await asyncio.sleep(0)
            for value in plain_outer(address):
                yield value
                await asyncio.sleep(0)

        def inner(outer: str) -> Iterator[str]:
            if opening is not None:
                raise opening
            log.append("open inner")
            yield f"inner of {outer}"
            log.append("close inner")
            if closing is not None:
                raise closing

        def model(inner: str) -> str:
            log.append("model")
            return f"model by {inner}"

        def page(inner: str, model: str, customer: str) -> str:
            log.append(customer)
            return f"{customer}: {model}"

        self.outer: Any = resource(name="outer")(plain_outer if is_plain else outer)
        self.inner = resource(inner)
        self.model = cell(model)
        self.page = cell(page)
        self.graph = Graph.from_cells(self.outer, self.inner, self.model, self.page)

    def hold(self, *cells: Any, **options: Any) -> Any:
        """Hold the inner resource and the model, unless it is said what."""
        asked = cells or (self.inner, self.model)
        return hold(self.graph, asked, inputs={"address": "here"}, **options)


async def until(what: str, log: list[str]) -> None:
    """Let others have turns of the event loop until something has happened."""
    for _ in range(1000):
        if what in log:
            return
        await asyncio.sleep(0)
    pytest.fail(f"there is no {what}")


OPENED = ["open outer", "open inner", "model"]
CLOSED = ["close inner", "close outer"]


@contextlib.asynccontextmanager
async def entered(holding: Any, *, is_plain: bool) -> AsyncIterator[Any]:
    """Enter a block in either way."""
    if is_plain:
        with holding as held:
            yield held
    else:
        async with holding as held:
            yield held


either = pytest.mark.parametrize("is_plain", [False, True], ids=["async", "plain"])


# What it gives


@either
async def test_cells_are_computed_once_and_held_until_the_block_ends(
    is_plain: bool,
) -> None:
    """Computations that get them as overrides open nothing, and close nothing."""
    service = Service(is_plain=is_plain)
    async with entered(service.hold(), is_plain=is_plain) as held:
        assert service.log == OPENED
        assert dict(held) == {
            service.inner: "inner of outer here",
            service.model: "model by inner of outer here",
        }
        for customer in ("Ada", "Bob"):
            options: dict[str, Any] = {
                "targets": [service.page],
                "inputs": {"customer": customer},
                "overrides": held,
            }
            results = await async_compute_concurrent(service.graph, **options)
            assert results[service.page] == f"{customer}: {held['model']}"
            assert dict(compute_sequential(service.graph, **options)) == dict(results)
        assert service.log == [*OPENED, "Ada", "Ada", "Bob", "Bob"]
    assert service.log[-2:] == CLOSED


@either
async def test_it_is_a_read_only_mapping(is_plain: bool) -> None:
    """Cells are its keys, in order; names will do; it can be added to."""
    service = Service(is_plain=is_plain)
    holding = service.hold("model", service.inner, "model")
    async with entered(holding, is_plain=is_plain) as held:
        assert list(held) == [service.model, service.inner]
        assert held["inner"] == held[service.inner] == "inner of outer here"
        assert len(held) == 2
        assert held.get(service.inner) == held["inner"]
        assert {**held, service.page: 1}[service.page] == 1
        assert held.by_name() == {"model": held["model"], "inner": held["inner"]}
        assert list(held.values()) == [held["model"], held["inner"]]
        assert repr(held) == "<Held: 'model', 'inner'>"
        with pytest.raises(TypeError):
            held[service.inner] = 1
        for spoil in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError, match=r"cannot be copied or pickled\. Make"):
                spoil(held)


@either
async def test_what_is_not_held_says_why(is_plain: bool) -> None:
    """A cell that was not asked for says how to have it."""
    service = Service(is_plain=is_plain)
    async with entered(service.hold("inner"), is_plain=is_plain) as held:
        for key, was in [
            ("outer", "was opened, but not asked for"),
            ("model", "was not computed, since it was not asked for"),
        ]:
            with pytest.raises(MissingValue) as caught:
                held[key]
            assert str(caught.value).endswith(f"{was}. Add it to the cells of hold().")
        with pytest.raises(MissingValue, match="Did you mean 'inner'"):
            held["iner"]
        assert "outer" not in held
    async with entered(service.hold("model"), is_plain=is_plain) as held:
        pass
    graph = Graph.from_cells(base, above)
    told = "was computed, but not asked for"
    with hold(graph, [above]) as plain, pytest.raises(MissingValue, match=told):
        plain[base]


@cell
def base() -> int:
    """A cell."""
    return 1


@cell
def above(base: int) -> int:
    """A cell that needs another."""
    return base + 1


@either
async def test_afterwards_it_raises_missing_value(is_plain: bool) -> None:
    """However it is asked; so it cannot pass for an empty set of overrides."""
    service = Service(is_plain=is_plain)
    async with entered(service.hold("inner"), is_plain=is_plain) as held:
        pass
    asks: list[Callable[[], Any]] = [
        lambda: held[service.inner],
        lambda: held["inner"],
        lambda: held.get("inner"),
        lambda: dict(held),
        lambda: {**held},
        held.by_name,
        held.items,
        held.values,
        lambda: compute_sequential(service.graph, overrides=held),
    ]
    for ask in asks:
        with pytest.raises(MissingValue) as caught:
            ask()
        place = described("inner", service.inner)
        assert str(caught.value) == (
            f"{place} is not held any more: the block of hold() has ended."
        )
    assert repr(held) == "<Held, not any more: 'inner'>"
    assert list(held) == [service.inner]


async def test_nobody_uses_what_is_just_closed() -> None:
    """The values are gone before the first resource closes."""
    given: list[Any] = []
    seen: list[Any] = []

    @resource
    async def pool() -> AsyncIterator[int]:
        yield 1
        with contextlib.suppress(MissingValue):
            seen.append(given[0][pool])

    async with hold(Graph.from_cells(pool), [pool]) as held:
        given.append(held)
        assert held[pool] == 1
    assert not seen


async def test_overrides_and_inputs_are_those_of_any_computer() -> None:
    """What is overridden is given as it is, and opens nothing."""
    service = Service()
    holding = hold(service.graph, ["inner", "model"], overrides={"inner": "fake"})
    async with holding as held:
        assert held.by_name() == {"inner": "fake", "model": "model by fake"}
    assert service.log == ["model"]

    @cell
    def sized(size: int = 3) -> int:
        return size

    graph = Graph.from_cells(sized)
    async with hold(graph, [sized]) as held:
        assert held[sized] == 3
    async with hold(graph, [sized], inputs={"size": 4}) as held:
        assert held[sized] == 4


@either
async def test_nothing_may_be_held(is_plain: bool) -> None:
    """Then nothing runs."""
    service = Service(is_plain=is_plain)
    holding = hold(service.graph, [], inputs={"address": "here"})
    async with entered(holding, is_plain=is_plain) as held:
        assert len(held) == 0
        assert held.executors == {}
    assert service.log == []


async def test_resources_are_no_targets_of_computers_all_the_same() -> None:
    """To hold one does not have a computer take it."""
    service = Service(is_plain=True)
    for _ in range(2):
        with service.hold("inner"):
            pass
        with pytest.raises(UnsupportedCell, match="is a resource, which is no target"):
            await async_compute_concurrent(service.graph, targets=["inner"])


# With, and async with


async def test_a_plain_with_refuses_what_must_be_awaited() -> None:
    """By name, before anything runs; the hold may still be entered rightly."""
    service = Service()
    holding = service.hold()
    with pytest.raises(UnsupportedCell) as caught, holding:
        pass
    assert caught.value.cell is service.outer
    assert str(caught.value) == (
        f"{described('outer', service.outer)} is an async generator function, which a "
        "plain `with` cannot await. Use `async with hold(...)`; or give its value with "
        "overrides=."
    )
    assert service.log == []
    async with holding:
        assert service.log == OPENED

    @cell(limit="db")
    def asking() -> int:
        return 1

    graph = Graph.from_cells(asking)
    with (
        pytest.raises(
            UnsupportedCell, match=r"waits for its limit 'db', which a plain"
        ),
        hold(graph, [asking], limits={"db": asyncio.Semaphore(1)}),
    ):
        pass
    with hold(graph, [asking], limits={"db": 1}) as held:
        assert held[asking] == 1
    with hold(graph, [asking]) as held:
        assert held[asking] == 1


def test_a_plain_with_refuses_who_awaits_what_it_asks_for() -> None:
    """By the name of the first cell that is async, though it may never be asked for."""

    @cell
    async def offers() -> list[str]:
        return []

    @cell
    @depends_on(offers=Lazy(offers))
    async def page(offers: Any) -> str:
        return "page"

    graph = Graph.from_cells(page)
    with (
        pytest.raises(
            UnsupportedCell, match=r"'offers' .* is an async function, which"
        ),
        hold(graph, [page]),
    ):
        pass


@pytest.mark.needs_threads
def test_a_plain_with_runs_all_inline() -> None:
    """As `compute_sequential` does, whatever `run_in` says."""

    @cell(run_in="thread")
    def where() -> int:
        return threading.get_ident()

    @resource(run_in="thread")
    def opened() -> Iterator[int]:
        yield threading.get_ident()

    @cell(run_in="mine")
    def mine() -> int:
        return threading.get_ident()

    graph = Graph.from_cells(where, opened, mine)
    with hold(graph, [where, opened, mine]) as held:
        assert {*held.values()} == {threading.get_ident()}


# A task group is for tasks.
@pytest.mark.parametrize(
    "factory", [name for name in FACTORIES if name != "of_no_task"]
)
async def test_any_task_may_enter_or_leave(factory: str) -> None:
    """Each resource opens and closes in a task and a context of its own."""
    tasks: list[Any] = []
    asyncio.get_running_loop().set_task_factory(FACTORIES[factory])

    @resource
    async def scoped() -> AsyncIterator[str]:
        tasks.append(asyncio.current_task())
        token = variable.set("the resource's")
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(asyncio.Event().wait())
            with anyio.CancelScope():
                yield "value"
            waiting.cancel()
        variable.reset(token)
        tasks.append(asyncio.current_task())

    holding = hold(Graph.from_cells(scoped), [scoped])
    held = await asyncio.create_task(holding.__aenter__())
    assert held[scoped] == "value"
    await asyncio.create_task(holding.__aexit__(None, None, None))
    assert tasks[0] is tasks[1]
    asyncio.get_running_loop().set_task_factory(None)
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.needs_processes
@pytest.mark.usefixtures("sent_tests")
async def test_pools_of_the_computation_are_gone_within_the_block() -> None:
    """What only computes is ended when all is there."""

    graph = Graph.from_cells(square, in_thread)
    before = threading.active_count()
    async with hold(graph, [square, in_thread], inputs={"number": 3}) as held:
        assert held[square] == 9
        assert held[in_thread] == 3
        assert multiprocessing.active_children() == []
        assert threading.active_count() == before


@cell(run_in="process")
def square(number: int) -> int:
    """A cell of a process."""
    return number**2


@cell(run_in="thread")
def in_thread(number: int) -> int:
    """A cell of a thread."""
    return number


async def test_limits_hold_while_resources_open() -> None:
    """Numbers and limiters alike; a hold takes no room from what comes later."""
    semaphore = asyncio.Semaphore(1)

    @resource(limit=("db", "own"))
    async def pool() -> AsyncIterator[int]:
        assert semaphore.locked()
        yield 1

    limits = {"db": semaphore, "own": 1}
    async with hold(Graph.from_cells(pool), [pool], limits=limits):
        assert not semaphore.locked()
    with pytest.raises(UnsupportedCell, match="but how many 'db' is was not said"):
        async with hold(Graph.from_cells(pool), [pool]):
            pass


async def test_the_watchdog_is_that_of_the_computers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A plain cell that holds up the loop is logged."""
    service = Service()
    async with service.hold(watchdog=0):
        pass
    assert "held up the event loop" in caplog.text
    with pytest.raises(ValueError, match="watchdog='3': expected a number"):
        service.hold(watchdog="3")


@either
async def test_observers_are_told(is_plain: bool) -> None:
    """Of what is computed on entry, and of closing that fails."""
    recorder = Recorder()
    service = Service(is_plain=is_plain, closing=Trouble())
    with contextlib.suppress(Trouble):
        async with entered(service.hold(observers=[recorder]), is_plain=is_plain):
            assert recorder.names("end") == ["outer", "inner", "model"]
            recorder.check_order(service.graph)
            assert recorder.names("failure") == []
    assert recorder.names("failure") == ["inner"]


# How it ends


@either
async def test_a_failure_while_opening_closes_what_was_opened(is_plain: bool) -> None:
    """It leaves as it was raised, noted with its cell."""
    error = Trouble("no")
    service = Service(is_plain=is_plain, opening=error, outer_closing=Trouble("too"))
    with pytest.raises(Trouble) as caught:
        async with entered(service.hold(), is_plain=is_plain):
            pass
    assert caught.value is error
    assert error.__notes__[0].startswith("in cell 'inner' (")
    assert error.__notes__[1].startswith("also failed: cell 'outer' (")
    assert [*aiocells.failures(error)] == [service.inner, service.outer]
    assert service.log == ["open outer", "close outer"]


@either
@pytest.mark.parametrize(
    "error", [Trouble(), StopIteration(), KeyboardInterrupt(), asyncio.CancelledError()]
)
async def test_a_block_that_raises_closes_too(
    is_plain: bool, error: BaseException
) -> None:
    """Its exception leaves as it was raised."""
    service = Service(is_plain=is_plain)

    async def main() -> None:
        if is_plain:
            with service.hold():
                raise error
        async with service.hold():
            raise error

    with pytest.raises(BaseException) as caught:  # noqa: PT011
        await main()
    # Out of a coroutine Python makes a StopIteration a RuntimeError.
    is_kept = not isinstance(error, StopIteration)
    assert (caught.value if is_kept else caught.value.__cause__) is error
    assert error.__context__ is None
    assert not hasattr(error, "__notes__")
    assert service.log == [*OPENED, *CLOSED]


@either
async def test_the_blocks_exception_stays_primary(is_plain: bool) -> None:
    """What closing raises is told with it."""
    error, closing = Trouble("the block's"), Trouble("the closer's")
    service = Service(is_plain=is_plain, closing=closing, outer_closing=Trouble())
    with pytest.raises(Trouble) as caught:
        async with entered(service.hold(), is_plain=is_plain):
            raise error
    assert caught.value is error
    assert error.__notes__[0].startswith("also failed: cell 'inner' (")
    assert aiocells.failures(error)[service.inner] is closing
    assert len(aiocells.failures(error)) == 2
    assert service.log == [*OPENED, *CLOSED]


@either
async def test_what_closing_raises_is_the_failure_of_its_resource(
    is_plain: bool,
) -> None:
    """All others close, and the first one is raised."""
    first, second = Trouble("first"), Trouble("second")
    service = Service(is_plain=is_plain, closing=first, outer_closing=second)
    with pytest.raises(Trouble) as caught:
        async with entered(service.hold(), is_plain=is_plain):
            pass
    assert caught.value is first
    assert aiocells.failures(first) == {service.inner: first, service.outer: second}
    assert first.__notes__[0].startswith("in cell 'inner' (")


@either
async def test_an_exit_comes_before_the_blocks_exception(is_plain: bool) -> None:
    """Be it of a closer, or of an observer that is told of one."""
    for_closer, of_observer = Exit("closer"), Exit("observer")

    def observe(event: Event) -> None:
        if event.kind == "failure":
            raise of_observer

    service = Service(is_plain=is_plain, closing=for_closer)
    with pytest.raises(Exit) as caught:
        async with entered(service.hold(), is_plain=is_plain):
            raise Trouble
    assert caught.value is for_closer
    service = Service(is_plain=is_plain, closing=Trouble())
    with pytest.raises(Exit) as caught:
        async with entered(service.hold(observers=[observe]), is_plain=is_plain):
            raise Trouble
    assert caught.value is of_observer
    assert service.log == [*OPENED, *CLOSED]


@pytest.mark.parametrize("of_block", [None, Trouble("block")])
async def test_a_resource_whose_scope_is_cancelled_fails_when_the_block_ends(
    of_block: Exception | None,
) -> None:
    """Until then all stays open; it is told with an exception of the block."""
    log: list[str] = []
    may_fail = asyncio.Event()

    @resource
    async def grouped() -> AsyncIterator[str]:
        async with asyncio.TaskGroup() as group:
            group.create_task(failing())
            yield "grouped"
        log.append("never")

    @resource
    async def other() -> AsyncIterator[str]:
        yield "other"
        log.append("closed")

    async def failing() -> None:
        await may_fail.wait()
        raise Trouble

    async def main() -> None:
        async with hold(graph, [grouped, other]) as held:
            may_fail.set()
            for _ in range(5):
                await asyncio.sleep(0)
            assert log == []
            assert held[grouped] == "grouped"
            log.append("end of block")
            if of_block is not None:
                raise of_block

    graph = Graph.from_cells(grouped, other)
    with pytest.raises((Trouble, ExceptionGroup)) as caught:
        await main()
    assert log == ["end of block", "closed"]
    failures = aiocells.failures(caught.value)
    assert [*failures] == [grouped]
    assert isinstance(failures[grouped], ExceptionGroup)
    assert caught.value is (of_block or failures[grouped])


async def test_a_timeout_that_is_held_open_expires() -> None:
    """The block goes on; at its end the resource has failed."""

    @resource
    async def bounded() -> AsyncIterator[int]:
        async with asyncio.timeout(0):
            yield 1

    async def main() -> None:
        async with hold(Graph.from_cells(bounded), [bounded]):
            for _ in range(9):
                await asyncio.sleep(0)

    with pytest.raises((TimeoutError, RuntimeError)) as caught:
        await main()
    assert [*aiocells.failures(caught.value)] == [bounded]


# Cancellation


async def test_cancelled_while_it_opens() -> None:
    """What was opened is closed, and the same cancellation goes on."""
    service = Service()
    never = asyncio.Event()

    @cell
    async def slow(inner: str) -> None:
        service.log.append("slow")
        await never.wait()

    graph = Graph.from_cells(slow, service.inner, service.outer)
    service.graph = graph
    entering = asyncio.create_task(service.hold(slow).__aenter__())
    await until("slow", service.log)
    entering.cancel("enough")
    with pytest.raises(asyncio.CancelledError) as caught:
        await entering
    assert caught.value.args == ("enough",)
    assert service.log == ["open outer", "open inner", "slow", *CLOSED]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_cancelled_just_when_all_is_there() -> None:
    """What closing raises then is told with the cancellation."""
    error = Trouble("closing")

    @resource
    async def pool() -> AsyncIterator[int]:
        entering.cancel("enough")
        yield 1
        raise error

    async def enter() -> None:
        await hold(Graph.from_cells(pool), [pool]).__aenter__()

    entering = asyncio.create_task(enter())
    with pytest.raises(asyncio.CancelledError) as caught:
        await entering
    assert caught.value.args == ("enough",)
    assert aiocells.failures(caught.value) == {pool: error}


@pytest.mark.needs_threads
async def test_cancelled_while_the_pools_of_the_computation_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All is closed again, and told with the cancellation."""
    from aiocells._running.elsewhere.offload import Offload

    service = Service(closing=Trouble())
    where = cell(run_in="thread")(lambda inner: inner)
    service.graph = Graph.from_cells(where, service.inner, service.outer)
    close = Offload.close

    async def cancelled_and_close(self: Any) -> None:
        entering.cancel("enough")
        await close(self)

    monkeypatch.setattr(Offload, "close", cancelled_and_close)
    entering = asyncio.create_task(service.hold(where).__aenter__())
    with pytest.raises(asyncio.CancelledError) as caught:
        await entering
    assert caught.value.args == ("enough",)
    assert [*aiocells.failures(caught.value)] == [service.inner]
    assert service.log == ["open outer", "open inner", *CLOSED]


@pytest.mark.parametrize("turns", range(25))
async def test_cancelled_at_any_turn_nothing_is_left(turns: int) -> None:
    """Either it is held, or all is closed; and never is a task left."""
    service = Service()

    async def main() -> None:
        async with service.hold(threads=1):
            service.log.append("block")
            await asyncio.sleep(0)

    task = asyncio.create_task(main())
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    opened = [each.removeprefix("open ") for each in service.log if "open" in each]
    closed = [each.removeprefix("close ") for each in service.log if "close" in each]
    assert closed == opened[::-1]
    assert asyncio.all_tasks() == {asyncio.current_task()}


def test_a_timeout_around_what_opens() -> None:
    """It is a TimeoutError, as around any other await."""

    @resource
    async def slow() -> AsyncIterator[int]:
        await asyncio.sleep(60)
        yield 1

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1), hold(Graph.from_cells(slow), [slow]):
                pass

    run_virtually(main())


async def test_cancelled_while_it_closes() -> None:
    """Every closer runs to its end, and then the cancellation goes on."""
    log: list[str] = []
    closing = asyncio.Event()

    @resource
    async def slow() -> AsyncIterator[int]:
        yield 1
        closing.set()
        for _ in range(5):
            await asyncio.sleep(0)
        log.append("closed")

    async def main() -> None:
        async with hold(Graph.from_cells(slow), [slow]):
            pass
        log.append("went on")

    task = asyncio.create_task(main())
    await closing.wait()
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert log == ["closed"]


async def test_a_scope_of_anyio_around_it() -> None:
    """It cancels in every turn, which cuts short nothing."""
    service = Service()
    with anyio.CancelScope() as scope:
        async with service.hold():
            scope.cancel()
            await asyncio.sleep(0)
    assert scope.cancelled_caught
    assert service.log == [*OPENED, *CLOSED]


@pytest.mark.needs_threads
def test_ctrl_c_within_the_block() -> None:
    """Under `asyncio.run` it closes, and is told as ever."""
    service = Service()

    async def main() -> None:
        async with service.hold():
            signal.raise_signal(signal.SIGINT)
            await asyncio.Event().wait()

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(main())
    assert service.log == [*OPENED, *CLOSED]
    service = Service(is_plain=True)
    with pytest.raises(KeyboardInterrupt), service.hold():
        signal.raise_signal(signal.SIGINT)
    assert service.log == [*OPENED, *CLOSED]


def test_ctrl_c_between_plain_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was opened is closed, also where no cell is to blame."""
    service = Service(is_plain=True)
    from aiocells._running.loops import holding

    run_cells = holding.run_cells

    def interrupted(*args: Any) -> None:
        run_cells(*args)
        raise KeyboardInterrupt

    monkeypatch.setattr(holding, "run_cells", interrupted)
    with pytest.raises(KeyboardInterrupt), service.hold():
        pass
    assert service.log == [*OPENED, *CLOSED]


# A loop that ends first


def test_a_loop_that_ends_without_leaving_closes_all_the_same() -> None:
    """Whoever has entered, and whether or not anybody knows of the hold any more."""
    service = Service()

    async def main() -> None:
        await service.hold(threads=1).__aenter__()
        gc.collect()
        service.log.append("end")

    asyncio.run(main())
    assert service.log == [*OPENED, "end", *CLOSED]


def test_leaving_after_the_loop_has_closed_does_nothing() -> None:
    """As where an async generator is ended late."""
    service = Service()
    kept: list[Any] = []

    async def lifespan() -> AsyncIterator[Any]:
        async with service.hold() as held:
            kept.append(held)
            yield held
        service.log.append("left")

    async def main() -> None:
        kept.append(lifespan())
        await anext(kept[0])

    asyncio.run(main())
    assert service.log == [*OPENED, *CLOSED]
    with pytest.raises(MissingValue):
        kept[1]["inner"]


def test_a_block_that_ends_with_the_loop() -> None:
    """A task is cancelled within its block: it leaves, and closes once."""
    service = Service(closing=Trouble())
    told: list[dict[str, Any]] = []

    async def serve() -> None:
        async with service.hold():
            await asyncio.Event().wait()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: told.append(context))
        asyncio.create_task(serve())  # noqa: RUF006
        await until("model", service.log)
        for _ in range(9):
            await asyncio.sleep(0)

    asyncio.run(main())
    assert service.log == [*OPENED, *CLOSED]


def test_what_fails_while_the_loop_ends_is_reported_by_it() -> None:
    """As what any task raises then."""
    error = Trouble("broken")
    service = Service(closing=error)
    told: list[dict[str, Any]] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: told.append(context))
        await service.hold().__aenter__()

    asyncio.run(main())
    assert [each["exception"] for each in told] == [error]
    assert error.__notes__[0].startswith("in cell 'inner' (")
    assert service.log == [*OPENED, *CLOSED]


async def test_somebody_cancels_all_tasks_but_his_own() -> None:
    """That is how a loop ends: all is closed, and leaving raises nothing."""
    service = Service()
    async with service.hold() as held:
        current = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not current]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        assert service.log == [*OPENED, *CLOSED]
        with pytest.raises(MissingValue):
            held["inner"]
    assert asyncio.all_tasks() == {current}


@pytest.mark.parametrize("turns", [0, 1])
async def test_somebody_cancels_all_tasks_while_it_opens(turns: int) -> None:
    """Whoever enters is told by a CancelledError."""
    service = Service()
    before = asyncio.all_tasks()
    entering = asyncio.create_task(service.hold().__aenter__())
    await asyncio.sleep(0)
    for _ in range(turns):
        await asyncio.sleep(0)
    for task in asyncio.all_tasks() - before - {entering}:
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await entering
    assert len([each for each in service.log if "open" in each]) == len(
        [each for each in service.log if "close" in each]
    )
    assert asyncio.all_tasks() == before


# Threads


@pytest.mark.needs_threads
@either
async def test_threads_are_held_and_end_before_the_resources_close(
    is_plain: bool,
) -> None:
    """One pool serves the thread cells of all computations."""
    log: list[Any] = []

    @resource
    def pool() -> Iterator[int]:
        yield 1
        log.append([t for t in threading.enumerate() if t.name.startswith("aiocells")])

    @cell(run_in="thread")
    def where(pool: int) -> Any:
        return threading.current_thread()

    graph = Graph.from_cells(pool, where)
    holding = hold(graph, [pool], threads=1)
    async with entered(holding, is_plain=is_plain) as held:
        assert [*held.executors] == ["thread"]
        threads = set()
        for _ in range(3):
            results = await async_compute_concurrent(
                graph, targets=[where], overrides=held, executors=held.executors
            )
            threads.add(results[where])
        assert len(threads) == 1
        assert threads.pop().is_alive()
    assert log == [[]]
    with pytest.raises(RuntimeError, match="shutdown"):
        held.executors["thread"].submit(print)


class AtOnce(Executor):
    """Calls at once."""

    def submit(self, function: Any, /, *args: Any, **named: Any) -> "Future[Any]":
        """Call it."""
        future: Future[Any] = Future()
        future.set_result(function(*args, **named))
        return future


@pytest.mark.needs_threads
async def test_executors_that_were_given_are_handed_on() -> None:
    """With the threads among them; its own cells run there, too."""

    @cell(run_in="thread")
    def where() -> str:
        return threading.current_thread().name

    @cell(run_in="mine")
    def mine() -> str:
        return threading.current_thread().name

    graph = Graph.from_cells(where, mine)
    at_once = AtOnce()
    holding = hold(graph, [where, mine], threads=2, executors={"mine": at_once})
    async with holding as held:
        assert held[where] == "aiocells_0"
        assert held[mine] == threading.current_thread().name
        assert {**held.executors}["mine"] is at_once
        assert [*held.executors] == ["mine", "thread"]
        with pytest.raises(TypeError):
            held.executors["other"] = at_once
    with ThreadPoolExecutor(1, "own") as own:
        async with hold(graph, [where], executors={"thread": own}) as held:
            assert held[where] == "own_0"
            assert held.executors == {"thread": own}


@pytest.mark.needs_threads
async def test_cancelled_while_threads_end() -> None:
    """A thread that runs on is waited for, and the resources close after it."""
    service = Service()
    may_end = threading.Event()

    async def main() -> None:
        async with service.hold(threads=1) as held:
            held.executors["thread"].submit(may_end.wait)
            await asyncio.sleep(0)

    task = asyncio.create_task(main())
    await until("model", service.log)
    for _ in range(20):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    assert service.log == OPENED
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert service.log == [*OPENED, *CLOSED]


@pytest.mark.needs_threads
def test_the_loop_ends_while_threads_run() -> None:
    """They are waited for through every cancellation."""
    service = Service()
    may_end = threading.Event()

    async def main() -> None:
        held = await service.hold(threads=1).__aenter__()
        held.executors["thread"].submit(may_end.wait)

        async def late() -> None:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            keepers = [
                t for t in asyncio.all_tasks() if t.get_name() == "aiocells.hold"
            ]
            for _ in range(9):
                await asyncio.sleep(0)
            for keeper in keepers:
                keeper.cancel()
            may_end.set()

        asyncio.create_task(late())  # noqa: RUF006
        await asyncio.sleep(0)

    asyncio.run(main())
    assert service.log == [*OPENED, *CLOSED]


def test_an_exit_while_threads_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Resources of a plain block close all the same."""
    from aiocells._running.elsewhere.offload import Threads

    service = Service(is_plain=True)

    def interrupted(self: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Threads, "end_now", interrupted)
    with pytest.raises(KeyboardInterrupt), service.hold(threads=1):
        pass
    assert service.log == [*OPENED, *CLOSED]


# What is refused


def test_what_cannot_be_held_is_refused_at_once() -> None:
    """Before it is entered, with the words of the computers."""
    service = Service()
    graph = service.graph
    refusals: list[tuple[Callable[[], Any], type[Exception], str]] = [
        (lambda: hold([1], []), TypeError, "Expected a graph, got [1]."),  # type: ignore[arg-type]
        (
            lambda: hold(graph, "inner"),
            TypeError,
            "hold() takes a list of cells or names: hold(graph, ['inner']).",
        ),
        (
            lambda: hold(graph, service.inner),  # type: ignore[arg-type]
            TypeError,
            f"hold() takes a list of cells or names: hold(graph, [{service.inner!r}]).",
        ),
        (
            lambda: hold(graph, ["iner"]),
            UnknownCell,
            "hold: there is no cell 'iner' in the graph. Did you mean 'inner'?",
        ),
        (lambda: hold(graph, ["inner"]), MissingInput, "Missing input: 'address'"),
        (
            lambda: hold(graph, [], inputs={"adress": "here"}),
            UnknownInput,
            "inputs: no cell wants an input 'adress'.",
        ),
        (lambda: service.hold(overrides=[]), TypeError, "overrides= takes a mapping"),
        (lambda: service.hold(limits=[]), TypeError, "limits= takes a mapping"),
        (
            lambda: service.hold(limits={"db": 1}),
            ValueError,
            "limits: no cell has limit='db'.",
        ),
        (lambda: service.hold(executors=[]), TypeError, "executors= takes a mapping"),
        (
            lambda: service.hold(executors={"mine": AtOnce()}),
            ValueError,
            "executors: no cell has run_in='mine'.",
        ),
        (
            lambda: service.hold(executors={"thread": AtOnce()}, threads=2),
            ValueError,
            "threads=2: executors= has a 'thread' already. Give one of them.",
        ),
        (lambda: service.hold(observers=print), TypeError, "observers= takes a list"),
        *(
            (
                lambda count=count: service.hold(threads=count),  # type: ignore[misc]
                ValueError,
                f"threads={count!r}: expected a whole number of at least 1.",
            )
            for count in (0, -1, True, "2", 1.5)
        ),
    ]
    for refused, kind, text in refusals:
        with pytest.raises(kind) as caught:
            refused()
        assert type(caught.value) is kind
        assert str(caught.value).startswith(text)
    assert service.log == []


@either
async def test_it_is_entered_once(is_plain: bool) -> None:
    """A second time it says what to do, and disturbs nothing."""
    service = Service(is_plain=is_plain)
    holding = service.hold()
    told = r"^hold\(\) was entered already\. It holds once: call it again\.$"
    async with entered(holding, is_plain=is_plain) as held:
        with pytest.raises(RuntimeError, match=told):
            async with entered(holding, is_plain=is_plain):
                pass
        assert held["inner"] == "inner of outer here"
    with pytest.raises(RuntimeError, match=told):
        async with holding:
            pass
    with pytest.raises(RuntimeError, match=told), holding:
        pass
    assert service.log == [*OPENED, *CLOSED]


async def test_it_is_left_as_it_was_entered() -> None:
    """One that was not entered so cannot be left."""
    holding = Service().hold()
    told = "it as `async with` or `with`"
    with pytest.raises(RuntimeError, match=told):
        await holding.__aexit__(None, None, None)
    with pytest.raises(RuntimeError, match=told):
        holding.__exit__(None, None, None)


@either
async def test_leaving_again_does_nothing(is_plain: bool) -> None:
    """As where a framework shuts down twice."""
    service = Service(is_plain=is_plain)
    holding = service.hold()
    async with entered(holding, is_plain=is_plain):
        pass
    if is_plain:
        holding.__exit__(None, None, None)
    else:
        await holding.__aexit__(None, None, None)
    assert service.log == [*OPENED, *CLOSED]


def test_another_loop_cannot_leave() -> None:
    """It says so; the hold stays as it is."""
    service = Service()
    holding = service.hold()
    loop = VirtualLoop(lambda: False)

    async def leave() -> None:
        await holding.__aexit__(None, None, None)

    try:
        loop.run_until_complete(holding.__aenter__())
        with pytest.raises(RuntimeError, match="was entered in another event loop"):
            asyncio.run(leave())
        assert service.log == OPENED
        loop.run_until_complete(leave())
        assert service.log == [*OPENED, *CLOSED]
    finally:
        loop.close()


@pytest.mark.needs_processes
def test_what_cannot_run_is_refused_on_entry() -> None:
    """A cell that cannot be sent to a process; nothing was opened."""
    service = Service()
    local = cell(name="local", run_in="process")(lambda inner: inner)
    service.graph = Graph.from_cells(local, service.inner, service.outer)

    async def main() -> None:
        with pytest.raises(UnsupportedCell, match="cannot be sent to one"):
            async with service.hold(local):
                pass

    asyncio.run(main())
    assert service.log == []


# What is kept alive


class Value:
    """Something that can be referred to weakly."""


@either
@pytest.mark.parametrize("fails", [False, True])
async def test_values_are_let_go_when_the_block_ends(
    is_plain: bool, fails: bool
) -> None:
    """Not even until the next garbage collection, though somebody keeps the hold."""
    values: list[weakref.ref[Value]] = []

    def plain_pool() -> Iterator[Value]:
        value = Value()
        values.append(weakref.ref(value))
        yield value

    async def pool() -> AsyncIterator[Value]:
        for value in plain_pool():
            yield value
            del value

    @cell
    def other(pool: Value) -> Value:
        value = Value()
        values.append(weakref.ref(value))
        return value

    opened: Any = resource(name="pool")(plain_pool if is_plain else pool)
    holding = hold(Graph.from_cells(opened, other), [opened, other])
    gc.collect()
    gc.disable()
    try:
        with contextlib.suppress(Trouble):
            async with entered(holding, is_plain=is_plain) as held:
                assert all(each() is not None for each in values)
                if fails:
                    raise Trouble
        assert len(held) == len(values) == 2
        assert [each() for each in values] == [None, None]
    finally:
        gc.enable()


@either
async def test_values_are_let_go_when_it_does_not_open(is_plain: bool) -> None:
    """Though somebody keeps the hold, to try another."""

    @cell
    def value() -> Value:
        return Value()

    @cell
    def fails(value: Value) -> None:
        values.append(weakref.ref(value))
        raise Trouble

    values: list[weakref.ref[Value]] = []
    holding = hold(Graph.from_cells(value, fails), [value, fails])
    with contextlib.suppress(Trouble):
        async with entered(holding, is_plain=is_plain):
            pass
    gc.collect()
    assert [each() for each in values] == [None]
    assert repr(holding)


async def test_a_hold_that_is_never_entered_leaves_nothing() -> None:
    """No warning, no task, no thread; and it is let go."""
    value = Value()
    known = weakref.ref(value)
    service = Service()
    threads = threading.active_count()
    hold(service.graph, ["inner"], inputs={"address": value}, threads=40)
    del value
    gc.collect()
    assert known() is None
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert threading.active_count() == threads
    assert service.log == []


@pytest.mark.filterwarnings("ignore:coroutine method 'aclose'")
def test_a_loop_that_is_closed_under_it() -> None:
    """Nothing can close then; it is let go at last, and Python tells of its tasks."""
    told: list[str] = []
    values: list[weakref.ref[Value]] = []

    @resource
    async def pool() -> AsyncIterator[Value]:
        value = Value()
        values.append(weakref.ref(value))
        yield value

    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda _, context: told.append(context["message"]))
    loop.run_until_complete(hold(Graph.from_cells(pool), [pool]).__aenter__())
    loop.close()
    service = Service()

    async def main() -> None:
        async with service.hold():
            pass

    asyncio.run(main())
    gc.collect()
    assert values[0]() is None
    assert {*told} == {"Task was destroyed but it is pending!"}


@pytest.mark.needs_threads
def test_loops_of_several_threads_hold_at_once() -> None:
    """One that enters meanwhile does not disturb the other."""
    entered_there, left_here = threading.Event(), threading.Event()
    closed: list[list[str]] = []

    async def there() -> None:
        service = Service()
        async with service.hold():
            entered_there.set()
            left_here.wait()
        closed.append(service.log)

    thread = threading.Thread(target=lambda: asyncio.run(there()))

    class Loop(asyncio.SelectorEventLoop):
        """Is asked whether it is closed when a hold is entered after another."""

        is_asked = False

        def is_closed(self) -> bool:
            if self.is_asked and not thread.ident:
                thread.start()
                entered_there.wait()
            return super().is_closed()

    async def here() -> None:
        service = Service()
        async with service.hold():
            loop.is_asked = True
            async with service.hold():
                pass
        closed.append(service.log)

    with asyncio.Runner(loop_factory=Loop) as runner:
        loop: Any = runner.get_loop()
        try:
            runner.run(here())
        finally:
            left_here.set()
            thread.join()
    assert closed == [2 * OPENED + 2 * CLOSED, OPENED + CLOSED]


async def test_what_the_scheduler_raises_leaves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is no cell's, and must not be lost in a task that nobody awaits."""
    from aiocells._running.tasks import holding

    error = MemoryError()

    def fails(*args: Any) -> None:
        raise error

    monkeypatch.setattr(holding._HoldingScheduler, "__init__", fails)
    with pytest.raises(MemoryError) as caught:
        async with Service().hold():
            pass
    assert caught.value is error


async def test_replacements_are_held() -> None:
    """A fake stands for a resource in a hold as in any computation."""
    service = Service()
    graph = service.graph.replace({service.inner: lambda: "fake"})
    async with hold(graph, [service.inner, service.model]) as held:
        assert held.by_name() == {"inner": "fake", "model": "model by fake"}


@either
async def test_what_falls_back_is_held_as_well(is_plain: bool) -> None:
    """A pool that cannot be opened has a value in its place, and so has a cell."""
    service = Service(is_plain=is_plain, opening=Trouble("no"))

    @resource(fallback=lambda error: f"no pool: {error}")
    def pool(outer: str) -> Iterator[str]:
        raise Trouble(outer)
        yield ""

    @cell
    def broken() -> None:
        raise Trouble

    @cell(fallback=lambda error: type(error))
    @aiocells.depends_on(broken=broken)
    def model(broken: None) -> None: ...

    service.graph = Graph.from_cells(pool, model, service.outer)
    async with entered(service.hold(pool, model), is_plain=is_plain) as held:
        assert held.by_name() == {"pool": "no pool: outer here", "model": Trouble}
        assert {*held.fallbacks} == {pool, model}
        assert repr(held).startswith("<Held: 'pool', 'model'; fell back: '")
        assert service.log == ["open outer"]
    assert service.log == ["open outer", "close outer"]
