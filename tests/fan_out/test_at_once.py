"""How many items run at once: a fan-out's own limit, and those of the computation."""

import asyncio
import threading
from typing import Any

import anyio
import pytest
from aiolimiter import AsyncLimiter

import aiocells
from aiocells import Graph, async_compute_concurrent, cell, depends_on, each
from tests.fan_out.cells import XS
from tests.helpers import ASYNC_COMPUTERS


class Counting:
    """Counts how many items run at once."""

    def __init__(self) -> None:
        """None runs yet."""
        self.running = self.peak = 0
        self._lock = threading.Lock()
        self._loop = asyncio.get_running_loop()

    def enter(self) -> None:
        """One begins."""
        with self._lock:
            self.running += 1
            self.peak = max(self.peak, self.running)

    def leave(self) -> None:
        """One ends."""
        with self._lock:
            self.running -= 1

    async def item(self, x: int) -> int:
        """An async item that lets others run a few times."""
        self.enter()
        for _ in range(3):
            await asyncio.sleep(0)
        self.leave()
        return x

    def in_thread(self, x: int) -> int:
        """An item in a thread, or on the loop, that lets others run once."""
        self.enter()
        if threading.current_thread() is not threading.main_thread():
            turn_of(self._loop)
        self.leave()
        return x


def turn_of(loop: asyncio.AbstractEventLoop) -> None:
    """Wait in a thread until an event loop has had a turn."""
    asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result()


@pytest.mark.parametrize("limit", [None, 1, 3, 100, 1000])
async def test_as_many_async_items_run_as_the_limit_says(limit: int | None) -> None:
    """A hundred, where nobody says it."""
    counting = Counting()
    cells = each(counting.item, x=XS, limit=limit, name="made")
    inputs = {"xs": range(300)}
    await async_compute_concurrent(Graph.from_cells(cells), inputs=inputs)
    assert counting.peak == min(limit or 100, 300)


async def test_one_runs_at_a_time_in_order() -> None:
    """In the computer that runs one cell at a time."""
    counting = Counting()
    cells = each(counting.item, x=XS, name="made")
    inputs = {"xs": range(10)}
    graph = Graph.from_cells(cells)
    await aiocells.async_compute_sequential(graph, inputs=inputs)
    assert counting.peak == 1


@pytest.mark.needs_threads
async def test_one_runs_at_a_time_in_threads_too() -> None:
    """The order is theirs as well."""
    counting = Counting()
    order: list[int] = []

    def work(x: int) -> None:
        order.append(counting.in_thread(x))

    cells = each(work, x=XS, name="made", run_in="thread")
    graph = Graph.from_cells(cells)
    await aiocells.async_compute_sequential(graph, inputs={"xs": range(10)})
    assert (counting.peak, order) == (1, [*range(10)])


@pytest.mark.parametrize("way", ["async", "thread"])
@pytest.mark.parametrize("at_once", [1, 2, 3, 5])
@pytest.mark.needs_threads
async def test_items_count_towards_max_concurrency(way: str, at_once: int) -> None:
    """Two fan-outs that follow each other, and two that do not, with cells beside."""
    counting = Counting()

    @cell
    async def beside() -> int:
        return await counting.item(1)

    options: dict[str, Any] = {"run_in": "thread"} if way == "thread" else {}
    function = counting.in_thread if way == "thread" else counting.item
    first = each(function, x=XS, name="first", **options)
    second = each(function, x=first, name="second", **options)
    other = each(function, x=XS, name="other", **options)
    results = await async_compute_concurrent(
        Graph.from_cells(second, other, beside),
        inputs={"xs": range(20)},
        max_concurrency=at_once,
    )
    assert results[second] == results[other] == [*range(20)]
    assert counting.peak == at_once if way == "async" else counting.peak <= at_once


async def test_items_count_towards_a_named_limit() -> None:
    """Like cells, and together with them."""
    counting = Counting()

    @cell(limit="api")
    async def beside() -> int:
        return await counting.item(1)

    cells = each(counting.item, x=XS, limit="api", name="made")
    free = Counting()
    others = each(free.item, x=XS, name="others")
    await async_compute_concurrent(
        Graph.from_cells(beside, cells, others),
        inputs={"xs": range(50)},
        limits={"api": 3},
    )
    assert counting.peak == 3
    assert free.peak == 50


async def test_a_cell_that_waits_gets_the_next_place() -> None:
    """A fan-out takes more only while nobody waits, and gives them back."""
    order: list[str] = []
    is_there, go_on = asyncio.Event(), asyncio.Event()

    async def work(x: int) -> None:
        order.append(f"item {x}")
        if x == 5:
            is_there.set()
        await asyncio.sleep(0)

    @cell
    async def first() -> None:
        await is_there.wait()

    @cell
    @depends_on(first)
    async def later() -> None:
        order.append("later")
        await go_on.wait()

    @cell
    @depends_on(first)
    async def too() -> None:
        order.append("too")
        go_on.set()

    cells = each(work, x=XS, name="made")
    await async_compute_concurrent(
        Graph.from_cells(cells, first, later, too),
        inputs={"xs": range(100)},
        max_concurrency=3,
    )
    assert order.index("later") < 15
    assert order.index("too") < 15


@pytest.mark.parametrize("at_once", [2, 3])
@pytest.mark.needs_threads
async def test_a_thread_gives_its_place_to_a_cell_that_waits(at_once: int) -> None:
    """After the item that it is at, unless it is the only one."""
    loop = asyncio.get_running_loop()
    order: list[str] = []
    is_there = asyncio.Event()

    def work(x: int) -> None:
        order.append(f"item {x}")
        if x == 5:
            loop.call_soon_threadsafe(is_there.set)
        turn_of(loop)

    @cell
    async def first() -> None:
        await is_there.wait()

    @cell
    @depends_on(first)
    async def later() -> None:
        order.append("later")
        await asyncio.sleep(0)

    @cell
    @depends_on(first)
    async def too() -> None:
        order.append("too")
        await asyncio.sleep(0)

    cells = each(work, x=XS, name="made", run_in="thread")
    await async_compute_concurrent(
        Graph.from_cells(first, cells, later, too),
        inputs={"xs": range(300)},
        max_concurrency=at_once,
    )
    assert "item 299" in order[order.index("too") :]


@pytest.mark.parametrize(
    "make",
    [
        lambda: asyncio.Semaphore(2),
        lambda: anyio.CapacityLimiter(2),
        lambda: AsyncLimiter(1000, 1),
    ],
)
@pytest.mark.parametrize("way", ["async", "inline", "thread", "process"])
@pytest.mark.parametrize("name", ["concurrent", "async_sequential"])
@pytest.mark.needs_threads
@pytest.mark.needs_processes
@pytest.mark.usefixtures("sent_tests")
async def test_items_enter_limiters(name: str, way: str, make: Any) -> None:
    """Each by itself; the cell does not, or it would wait for itself."""
    counting = Counting()
    limiter = make()
    if way == "process" and not isinstance(limiter, asyncio.Semaphore):
        pytest.skip("once is enough")
    functions = {
        "async": counting.item,
        "inline": counting.in_thread,
        "thread": counting.in_thread,
        "process": twice,
    }
    run_in = way if way in ("thread", "process") else None
    cells = each(functions[way], x=XS, limit="api", name="made", run_in=run_in)
    results = await ASYNC_COMPUTERS[name](
        Graph.from_cells(cells), inputs={"xs": range(5)}, limits={"api": limiter}
    )
    assert results[cells] == [twice(x) if way == "process" else x for x in range(5)]
    if not isinstance(limiter, AsyncLimiter):
        assert counting.peak <= 2


def twice(x: int) -> int:
    """An item in a process."""
    return 2 * x


@pytest.mark.usefixtures("sent_tests")
@pytest.mark.needs_processes
async def test_an_item_that_fails_inside_of_its_limiter() -> None:
    """It leaves that, and tells which it was; in a process as well."""
    for function, options in ((fails, {"run_in": "process"}), (fails, {})):
        limiter = asyncio.Semaphore(1)
        cells = each(function, x=XS, limit="api", name="made", **options)  # type: ignore[call-overload]
        with pytest.raises(ValueError, match="in item 1 of cell 'made'"):
            await async_compute_concurrent(
                Graph.from_cells(cells), inputs={"xs": [0, 1]}, limits={"api": limiter}
            )
        assert not limiter.locked()


def fails(x: int) -> int:
    """Fail, at the second item."""
    if x == 1:
        raise ValueError(x)
    return x


async def test_a_fan_out_of_nothing_needs_no_place() -> None:
    """Beyond the cell's own."""
    counting = Counting()
    cells = each(counting.item, x=XS, name="made")
    results = await async_compute_concurrent(
        Graph.from_cells(cells), inputs={"xs": []}, max_concurrency=1
    )
    assert results[cells] == []
