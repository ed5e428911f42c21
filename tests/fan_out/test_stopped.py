"""A fan-out that is cancelled, or whose first item fails, leaves nothing behind."""

import asyncio
import contextlib
import gc
import sys
import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import pytest

import aiocells
from aiocells import Graph, async_compute_concurrent, each
from aiocells._fan_out import window
from tests.factories import FACTORIES, FactoryError, failing_at
from tests.fan_out.cells import XS, made
from tests.helpers import ASYNC_COMPUTERS

every_computer = pytest.mark.parametrize(
    "computer", ASYNC_COMPUTERS.values(), ids=ASYNC_COMPUTERS
)


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Every test leaves the threads that were there before it."""
    threads = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) == threads


async def alone() -> None:
    """No task is left but the one that runs this."""
    assert asyncio.all_tasks() == {asyncio.current_task()}


class Items:
    """Async items that wait, and tell of their beginning and end."""

    def __init__(self) -> None:
        """None has begun."""
        self.begun: list[int] = []
        self.ended: list[int] = []
        self.are_there = asyncio.Event()

    async def wait(self, x: int) -> None:
        """Wait for ever."""
        self.begun.append(x)
        if len(self.begun) == 3:
            self.are_there.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.append(x)


@every_computer
async def test_a_failed_item_stops_those_that_run(computer: Any) -> None:
    """No other starts; those that run are cancelled, and waited for."""
    items = Items()

    async def work(x: int) -> None:
        if x == 2:
            raise ValueError(x)
        if computer is aiocells.async_compute_sequential:
            return
        await items.wait(x)

    cells = each(work, x=XS, name="made", limit=4)
    with pytest.raises(ValueError, match="2"):
        await computer(Graph.from_cells(cells), inputs={"xs": range(100)})
    assert sorted(items.ended) == sorted(items.begun)
    assert set(items.begun) <= {0, 1, 3}
    await alone()


@every_computer
async def test_what_others_raise_while_they_are_stopped_is_told(computer: Any) -> None:
    """Nothing is lost."""
    if computer is aiocells.async_compute_sequential:
        return
    both = asyncio.Barrier(2)

    async def work(x: int) -> None:
        try:
            await both.wait()
            if x == 1:
                raise ValueError(x)
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise KeyError(x) from None

    cells = each(work, x=XS, name="made")
    with pytest.raises(ValueError, match="1") as caught:
        await computer(Graph.from_cells(cells), inputs={"xs": range(2)})
    assert caught.value.__notes__[1] == "also failed: item 0: KeyError: 0"


@every_computer
async def test_a_cancellation_stops_all_items(computer: Any) -> None:
    """It goes on when the last of them has ended."""
    items = Items()
    cells = each(items.wait, x=XS, name="made", limit=3)
    computing = asyncio.create_task(
        computer(Graph.from_cells(cells), inputs={"xs": range(10)})
    )
    if computer is aiocells.async_compute_sequential:
        items.begun = [-2, -1]
    await items.are_there.wait()
    computing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await computing
    assert len(items.ended) == (1 if -1 in items.begun else 3)
    await alone()


@every_computer
async def test_a_timeout_around_it_is_one(computer: Any) -> None:
    """Of asyncio, and of anyio."""
    for timeout in (asyncio.timeout, anyio.fail_after):
        items = Items()
        cells = each(items.wait, x=XS, name="made", limit=3)
        with pytest.raises(TimeoutError):
            await _within(timeout(0.01), computer, Graph.from_cells(cells))
        assert sorted(items.ended) == sorted(items.begun)
    task: Any = asyncio.current_task()
    assert task.cancelling() == 0
    await alone()


async def _within(bound: Any, computer: Any, graph: Graph) -> None:
    if hasattr(bound, "__aenter__"):
        async with bound:
            await computer(graph, inputs={"xs": range(10)})
    else:
        with bound:
            await computer(graph, inputs={"xs": range(10)})


async def test_items_that_swallow_their_cancellation_are_waited_for() -> None:
    """They are cancelled once, and end as they like."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def work(x: int) -> int:
        try:
            begun.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await go_on.wait()
        return x

    cells = each(work, x=XS, name="made")
    computing = asyncio.create_task(
        async_compute_concurrent(Graph.from_cells(cells), inputs={"xs": [1]})
    )
    await begun.wait()
    computing.cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not computing.done()
    computing.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await computing
    await alone()


async def test_one_that_is_called_by_itself_can_be_cancelled() -> None:
    """As any coroutine."""
    items = Items()
    cells = each(items.wait, x=XS, name="made", limit=3)
    calling = asyncio.create_task(cells(x=range(10)))
    await items.are_there.wait()
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    assert len(items.ended) == 3
    await alone()


async def test_tasks_that_are_cancelled_before_they_begin() -> None:
    """They never tell of their end, and are waited for all the same."""
    begun: list[int] = []

    async def work(x: int) -> None:
        begun.append(x)
        if x == 0:
            raise ValueError(x)
        await asyncio.Event().wait()

    cells = each(work, x=XS, name="made")
    with pytest.raises(ValueError, match="0"):
        await async_compute_concurrent(
            Graph.from_cells(cells), inputs={"xs": range(50)}
        )
    assert len(begun) <= 50
    await alone()


# What is pulled


@every_computer
async def test_a_failed_item_stops_the_pulling(computer: Any) -> None:
    """Also while what is pulled waits for ever; it is closed before the end."""
    closed = []

    async def gives() -> Any:
        try:
            yield 0
            yield 1
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            closed.append(1)

    async def work(x: int) -> None:
        await asyncio.sleep(0)
        if x == 1:
            raise ValueError(x)

    cells = each(work, x=XS, name="made")
    with pytest.raises(ValueError, match="1"):
        await computer(Graph.from_cells(cells), inputs={"xs": gives()})
    assert closed
    task: Any = asyncio.current_task()
    assert task.cancelling() == 0
    await alone()


async def test_one_that_catches_our_cancellation_ends_all_the_same() -> None:
    """What it gives then comes too late."""

    async def gives() -> Any:
        yield 1
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            yield 2

    seen: list[int] = []

    async def work(x: int) -> None:
        seen.append(x)
        await asyncio.sleep(0)
        raise ValueError(x)

    cells = each(work, x=XS, name="made")
    with pytest.raises(ValueError, match="1"):
        await async_compute_concurrent(Graph.from_cells(cells), inputs={"xs": gives()})
    assert seen == [1]
    task: Any = asyncio.current_task()
    assert task.cancelling() == 0


@every_computer
async def test_what_is_pulled_may_fail(computer: Any) -> None:
    """It is a failure of no item; those that run are stopped."""
    items = Items()

    async def gives() -> Any:
        yield 1
        raise KeyError

    cells = each(items.wait, x=XS, name="made")
    if computer is aiocells.async_compute_sequential:
        cells = made("async")
    with pytest.raises(KeyError) as caught:
        await computer(Graph.from_cells(cells), inputs={"xs": gives()})
    assert caught.value.__notes__[0].startswith("in cell 'made' (")
    await alone()


async def test_closing_what_is_pulled_may_fail() -> None:
    """It counts where nothing else has failed."""

    class Stubborn:
        """Cannot be closed."""

        def __aiter__(self) -> "Stubborn":
            return self

        async def __anext__(self) -> int:
            raise StopAsyncIteration

        async def aclose(self) -> None:
            raise KeyError

    cells = made("async")
    with pytest.raises(KeyError):
        await async_compute_concurrent(
            Graph.from_cells(cells), inputs={"xs": Stubborn()}
        )


@every_computer
async def test_pulling_may_be_cancelled(computer: Any) -> None:
    """While it waits for the next item, and while items run."""
    for waits_first in (True, False):
        asked = asyncio.Event()
        closed: list[int] = []

        async def gives(
            waits_first: bool = waits_first,
            asked: asyncio.Event = asked,
            closed: list[int] = closed,
        ) -> Any:
            try:
                if not waits_first:
                    yield 1
                asked.set()
                await asyncio.Event().wait()
            finally:
                closed.append(1)

        cells = made("async")
        graph = Graph.from_cells(cells)
        computing = asyncio.create_task(computer(graph, inputs={"xs": gives()}))
        await asked.wait()
        computing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await computing
        assert closed
        await alone()


async def test_pulling_is_cancelled_by_both() -> None:
    """A failed item, and somebody outside at the same time: the failure is told."""
    asked = asyncio.Event()
    computing: Any = None

    async def gives() -> Any:
        yield 1
        asked.set()
        await asyncio.Event().wait()

    async def work(x: int) -> None:
        await asked.wait()
        computing.cancel()
        raise ValueError(x)

    cells = each(work, x=XS, name="made")
    graph = Graph.from_cells(cells)
    computing = asyncio.create_task(
        async_compute_concurrent(graph, inputs={"xs": gives()})
    )
    with pytest.raises((asyncio.CancelledError, ValueError)):
        await computing
    await alone()


async def test_it_waits_through_every_cancellation() -> None:
    """Items that take their time to end are not left to themselves."""
    begun, go_on = asyncio.Event(), asyncio.Event()
    ended: list[int] = []

    async def work(x: int) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await go_on.wait()
            ended.append(x)

    cells: Any = each(work, x=XS, name="made")
    running = asyncio.ensure_future(cells([1, 2]))
    await begun.wait()
    for _ in range(2):
        running.cancel()
        await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert sorted(ended) == [1, 2]


@every_computer
async def test_items_run_where_no_task_is_eager(
    computer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in Python 3.11."""
    monkeypatch.setattr(window, "_CAN_BE_EAGER", False)
    cells = made("async")
    graph = Graph.from_cells(cells)
    results = await computer(graph, inputs={"xs": range(0, 2000, 10)})
    assert results[cells] == [2 * x for x in range(0, 2000, 10)]


@pytest.mark.needs_processes
@pytest.mark.usefixtures("sent_tests")
async def test_a_cancellation_stops_chunks() -> None:
    """No process is left, nor anything that waits for one."""
    computing: Any = None

    def cancelling() -> Iterator[int]:
        yield 0
        computing.cancel()
        yield 10

    cells = made("process")
    computing = asyncio.ensure_future(
        async_compute_concurrent(Graph.from_cells(cells), inputs={"xs": cancelling()})
    )
    with pytest.raises(asyncio.CancelledError):
        await computing
    await alone()


# Threads


@pytest.mark.needs_threads
async def test_what_an_iterable_raises_after_a_cancellation_is_dropped() -> None:
    """The thread that went through it has ended before."""
    loop = asyncio.get_running_loop()
    is_there, go_on = asyncio.Event(), threading.Event()

    def broken() -> Iterator[int]:
        loop.call_soon_threadsafe(is_there.set)
        go_on.wait()
        yield from {}.pop("no")

    cells = made("thread")
    computing = asyncio.create_task(
        async_compute_concurrent(Graph.from_cells(cells), inputs={"xs": broken()})
    )
    await is_there.wait()
    computing.cancel()
    for _ in range(5):  # it comes to the cell, and from there to its items
        await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await computing


@pytest.mark.needs_threads
@every_computer
async def test_a_cancellation_waits_for_threads(computer: Any) -> None:
    """What has begun there goes to its end; nothing else starts."""
    begun, go_on = threading.Event(), threading.Event()
    done: list[int] = []
    loop = asyncio.get_running_loop()
    is_there = asyncio.Event()

    def work(x: int) -> None:
        begun.set()
        loop.call_soon_threadsafe(is_there.set)
        go_on.wait()
        done.append(x)

    cells = each(work, x=XS, name="made", run_in="thread", limit=1)
    computing = asyncio.create_task(
        computer(Graph.from_cells(cells), inputs={"xs": range(10)})
    )
    await is_there.wait()
    computing.cancel()
    for _ in range(5):  # it comes to the cell, and from there to its items
        await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await computing
    assert done == [0]


@pytest.mark.needs_threads
async def test_a_cancellation_takes_back_what_waits_for_a_pool() -> None:
    """Nobody is called there any more."""
    go_on = threading.Event()
    called: list[int] = []
    with ThreadPoolExecutor(1) as pool:
        pool.submit(go_on.wait)
        cells = each(lambda x: called.append(x), x=XS, name="made", run_in="pool")
        computing = asyncio.create_task(
            async_compute_concurrent(
                Graph.from_cells(cells),
                inputs={"xs": range(10)},
                executors={"pool": pool},
            )
        )
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        computing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await computing
        go_on.set()
    assert called == []


@pytest.mark.needs_threads
async def test_an_iterable_that_fails_in_a_thread_ends_all() -> None:
    """It is gone through there, one item at a time."""

    def broken() -> Iterator[int]:
        yield 1
        raise KeyError

    cells = made("thread")
    with pytest.raises(KeyError) as caught:
        await async_compute_concurrent(Graph.from_cells(cells), inputs={"xs": broken()})
    assert caught.value.__notes__[0].startswith("in cell 'made' (")


# Task factories


@pytest.mark.parametrize("factory", FACTORIES.values(), ids=FACTORIES)
@every_computer
def test_items_run_with_any_task_factory(computer: Any, factory: Any) -> None:
    """As users write them."""

    async def main() -> None:
        asyncio.get_running_loop().set_task_factory(factory)
        cells = made("async")
        graph = Graph.from_cells(cells)
        xs = [x for x in range(250) if x % 10 != 3]
        results = await computer(graph, inputs={"xs": xs})
        assert results[cells] == [2 * x for x in xs]
        with pytest.raises(ValueError, match="3"):
            await computer(graph, inputs={"xs": range(250)})
        items = Items()
        cells = each(items.wait, x=XS, name="made", limit=3)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await computer(Graph.from_cells(cells), inputs={"xs": range(10)})
        asyncio.get_running_loop().set_task_factory(None)
        assert sorted(items.ended) == sorted(items.begun)

    asyncio.run(main())


@pytest.mark.skipif(sys.version_info < (3, 12), reason="it is new in Python 3.12")
@every_computer
def test_items_run_with_eager_tasks(computer: Any) -> None:
    """The factory of asyncio itself."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined]
        for way in ("async", "never suspending"):
            cells = made(way)
            graph = Graph.from_cells(cells)
            results = await computer(graph, inputs={"xs": range(0, 2000, 10)})
            assert results[cells] == [2 * x for x in range(0, 2000, 10)]

    asyncio.run(main())


@pytest.mark.parametrize("call", range(1, 6))
@pytest.mark.parametrize("makes", [True, False])
@pytest.mark.parametrize("inner", FACTORIES.values(), ids=FACTORIES)
def test_a_factory_that_raises_ends_the_computation(
    inner: Any, makes: bool, call: int
) -> None:
    """What it raises leaves the computer, when all items have ended."""

    async def main() -> None:
        factory, _ = failing_at(call, inner, makes=makes)
        items = Items()
        cells = each(items.wait, x=XS, name="made", limit=10)
        loop = asyncio.get_running_loop()
        loop.set_task_factory(factory)
        with pytest.raises(FactoryError):
            await async_compute_concurrent(
                Graph.from_cells(cells), inputs={"xs": range(10)}
            )
        loop.set_task_factory(None)
        assert sorted(items.ended) == sorted(items.begun)

    asyncio.run(main())


def test_a_factory_that_runs_something_else_is_told_of() -> None:
    """Its items would never end."""

    def other(loop: Any, body: Any, **options: Any) -> Any:
        if not body.__qualname__.endswith("_item"):
            return asyncio.Task(body, loop=loop)
        body.close()
        return asyncio.Task(asyncio.sleep(0), loop=loop)

    async def main() -> None:
        asyncio.get_running_loop().set_task_factory(other)
        cells = made("async")
        with pytest.raises(RuntimeError, match="an item has neither run nor failed"):
            await async_compute_concurrent(Graph.from_cells(cells), inputs={"xs": [1]})

    asyncio.run(main())


# Memory


class Big:
    """A value that can be watched."""


@pytest.mark.parametrize("end", ["value", "failure", "cancellation"])
@pytest.mark.parametrize("way", ["inline", "async", "thread"])
@pytest.mark.needs_threads
async def test_no_value_is_kept_by_a_circle(way: str, end: str) -> None:
    """Not even until the next garbage collection."""
    watched: list[Any] = []

    def work(x: Any) -> Any:
        if x == 2 and end == "failure":
            raise ValueError
        value = Big()
        watched.append(weakref.ref(value))
        return value

    async def work_later(x: Any) -> Any:
        await asyncio.sleep(0)
        if x == 2 and end == "cancellation":
            await asyncio.Event().wait()
        return work(x)

    cells = made(way, function=work_later if way == "async" else work)
    graph = Graph.from_cells(cells)
    gc.collect()
    gc.disable()
    try:
        with contextlib.suppress(ValueError, TimeoutError):
            async with asyncio.timeout(0.02):
                await async_compute_concurrent(graph, inputs={"xs": [1, 2, 3]})
        await asyncio.sleep(0)
        assert [ref() for ref in watched] == [None] * len(watched)
    finally:
        gc.enable()
    assert watched


# At the limits of Python


async def test_a_task_that_cannot_be_made_ends_the_computation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As at the limit of memory: it leaves the computer when all items have ended."""
    items = Items()
    made_tasks: list[Any] = []
    name = "_Task" if sys.version_info >= (3, 12) else "later_task"
    make = getattr(window, name)

    def fail(*args: Any, **named: Any) -> Any:
        if len(made_tasks) == 2:
            raise MemoryError
        made_tasks.append(args)
        return make(*args, **named)

    monkeypatch.setattr(window, name, fail)
    cells = each(items.wait, x=XS, name="made")
    with pytest.raises(MemoryError):
        await async_compute_concurrent(
            Graph.from_cells(cells), inputs={"xs": range(10)}
        )
    assert sorted(items.ended) == sorted(items.begun)
    await alone()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("pulls", [True, False])
def test_a_loop_that_is_closed_under_it_is_the_end(pulls: bool) -> None:
    """Nothing can be run any more, and nothing is told."""
    items = Items()
    loop = asyncio.new_event_loop()

    async def gives() -> Any:
        for x in range(3):
            yield x
        await asyncio.Event().wait()

    async def main() -> None:
        cells = each(items.wait, x=XS, name="made")
        await async_compute_concurrent(
            Graph.from_cells(cells), inputs={"xs": gives() if pulls else range(3)}
        )

    main_task = loop.create_task(main())
    loop.run_until_complete(items.are_there.wait())
    main_task._log_destroy_pending = False  # type: ignore[attr-defined]
    del main_task
    loop.close()
    gc.collect()
    assert len(items.begun) == 3
