"""Items give the same in each way that they run, and in each computer."""

import asyncio
import contextvars
import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import hypothesis
import hypothesis.strategies as st
import pytest

import aiocells
from aiocells import Graph, Input, cell, depends_on, each, hold
from tests.fan_out.cells import XS, compute, every, made, plain
from tests.helpers import ASYNC_COMPUTERS, COMPUTERS, run_to_end

pytestmark = pytest.mark.usefixtures("sent_tests")


@every()
def test_values_come_in_the_order_of_the_items(way: str, computer: str) -> None:
    """However many there are, and however they are given."""
    cells = made(way)
    graph = Graph.from_cells(cells)
    for xs in ([], [1], range(0, 1000, 10), iter([4, 5, 6]), {"a": 1, "b": 2}):
        wanted: Any = (
            [2 * x for x in xs] if not isinstance(xs, dict) else {"a": 2, "b": 4}
        )
        xs = iter([4, 5, 6]) if wanted == [8, 10, 12] else xs
        assert compute(computer, graph, inputs={"xs": xs})[cells] == wanted


@every("inline", "async", "thread")
def test_it_can_be_called_by_itself(way: str, computer: str) -> None:
    """As its function can, with all items at once; wherever they would run."""
    cells = made(way)
    found = cells(x=[1, 2])
    assert (asyncio.run(found) if asyncio.iscoroutine(found) else found) == [2, 4]


def test_an_item_that_fails_in_a_call_is_told() -> None:
    """The note has its number, and what it got."""
    cells = each(lambda x, password: 1 // x, x=XS, name="made")
    with pytest.raises(ZeroDivisionError) as caught:
        cells(x={"a": 1, "b": 0}, password="hunter2")
    [note] = caught.value.__notes__
    assert note.startswith("in item 'b' of cell 'made' (")
    assert note.endswith("\n  called with x=0")
    with pytest.raises(ZeroDivisionError, match="in item 1 of cell 'made'"):
        cells([2, 0], None)


async def test_an_async_one_is_awaited() -> None:
    """A call of it runs as many at once as it may."""
    cells = made("async")
    assert await cells(x=[1, 2]) == [2, 4]
    with pytest.raises(ValueError, match="in item 1 of cell 'made'"):
        await cells(x=[1, 3])


@pytest.mark.parametrize("computer", ASYNC_COMPUTERS)
@pytest.mark.parametrize("way", ["inline", "async", "thread"])
@pytest.mark.needs_threads
async def test_an_async_iterable_is_pulled(way: str, computer: str) -> None:
    """Its items run as they come, and make up a list."""

    async def gives() -> Any:
        for x in (1, 2, 4):
            await asyncio.sleep(0)
            yield x

    class Plain:
        """An async iterable that cannot be closed."""

        def __init__(self) -> None:
            self.left = [1, 2, 4]

        def __aiter__(self) -> "Plain":
            return self

        async def __anext__(self) -> int:
            if not self.left:
                raise StopAsyncIteration
            return self.left.pop(0)

    cells = made(way)
    for xs in (gives(), Plain()):
        graph = Graph.from_cells(cells)
        results = await ASYNC_COMPUTERS[computer](graph, inputs={"xs": xs})
        assert results[cells] == [2, 4, 8]


@pytest.mark.needs_processes
async def test_an_async_iterable_is_pulled_for_processes() -> None:
    """Each item goes there by itself."""

    async def gives() -> Any:
        for x in (1, 2, 4):
            yield x

    cells = made("process")
    graph = Graph.from_cells(cells)
    results = await aiocells.async_compute_concurrent(graph, inputs={"xs": gives()})
    assert results[cells] == [2, 4, 8]


async def test_an_async_iterable_is_asked_as_there_is_room() -> None:
    """Never for more than may run at once, beyond what has ended."""
    asked, ended, ahead = 0, 0, []
    go_on = asyncio.Event()

    async def gives() -> Any:
        nonlocal asked
        for x in range(10):
            asked += 1
            ahead.append(asked - ended)
            yield x

    async def work(x: int) -> None:
        nonlocal ended
        if x == 2:
            go_on.set()
        await go_on.wait()
        ended += 1

    cells = each(work, x=XS, limit=3, name="made")
    graph = Graph.from_cells(cells)
    await aiocells.async_compute_concurrent(graph, inputs={"xs": gives()})
    assert max(ahead) == 3
    assert ended == 10


@pytest.mark.parametrize("computer", ASYNC_COMPUTERS)
def test_each_async_item_has_a_context_of_its_own(computer: str) -> None:
    """What one sets no other sees, nor what comes after."""
    var = contextvars.ContextVar("var", default=0)

    async def work(x: int) -> int:
        before = var.get()
        var.set(x)
        await asyncio.sleep(0)
        return before

    cells = each(work, x=XS, name="made", limit=2)
    graph = Graph.from_cells(cells)

    async def main() -> Any:
        var.set(100)
        results = await ASYNC_COMPUTERS[computer](graph, inputs={"xs": [1, 2, 3]})
        return results[cells], var.get()

    assert asyncio.run(main()) == ([100, 100, 100], 100)


@pytest.mark.needs_threads
@pytest.mark.parametrize("computer", ASYNC_COMPUTERS)
def test_each_item_in_a_thread_has_a_context_of_its_own(computer: str) -> None:
    """A copy of the caller's."""
    var = contextvars.ContextVar("var", default=0)

    def work(x: int) -> int:
        before = var.get()
        var.set(x)
        return before

    cells = each(work, x=XS, name="made", run_in="thread", limit=1)
    graph = Graph.from_cells(cells)

    async def main() -> Any:
        var.set(100)
        return (await ASYNC_COMPUTERS[computer](graph, inputs={"xs": [1, 2]}))[cells]

    assert asyncio.run(main()) == [100, 100]


@pytest.mark.needs_threads
async def test_items_run_in_threads_of_their_own_or_of_the_pool() -> None:
    """So many at once, and no other."""
    barrier = threading.Barrier(3)

    def work(x: int) -> str:
        barrier.wait()
        return threading.current_thread().name

    cells = each(work, x=XS, name="made", run_in="thread", limit=3)
    results = await aiocells.async_compute_concurrent(
        Graph.from_cells(cells), inputs={"xs": range(6)}
    )
    assert threading.current_thread().name not in results[cells]
    pooled = each(work, x=XS, name="made", run_in="mine")
    with ThreadPoolExecutor(3, "mine") as pool:
        results = await aiocells.async_compute_concurrent(
            Graph.from_cells(pooled),
            inputs={"xs": range(6)},
            executors={"mine": pool},
        )
    assert all(name.startswith("mine") for name in results[pooled])


@pytest.mark.needs_threads
async def test_a_pool_that_others_use_is_shared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A thread of it is let go after a while, so that others get a turn."""
    monkeypatch.setattr("aiocells._fan_out.in_threads._SLICE", 0.0)
    order: list[str] = []

    def work(x: int) -> None:
        order.append(f"item {x}")

    @cell(run_in="mine")
    def other() -> None:
        order.append("other")

    cells = each(work, x=XS, name="made", run_in="mine")
    with ThreadPoolExecutor(1) as pool:
        await aiocells.async_compute_concurrent(
            Graph.from_cells(cells, other),
            inputs={"xs": range(5)},
            executors={"mine": pool},
        )
    assert order.index("other") == 1


@every("inline", "async", "thread")
async def test_it_can_be_held(way: str, computer: str) -> None:
    """As any value."""
    cells = made(way)
    graph = Graph.from_cells(cells)
    if computer == "sequential":
        with hold(graph, [cells], inputs={"xs": [1, 2]}) as held:
            assert held[cells] == [2, 4]
    elif computer == "concurrent":
        async with hold(graph, [cells], inputs={"xs": [1, 2]}) as held:
            assert held[cells] == [2, 4]


@pytest.mark.parametrize("computer", COMPUTERS)
def test_values_that_nobody_needs_any_more_are_let_go(computer: str) -> None:
    """Also those that were gone through."""
    first = each(plain, x=XS, name="first")
    second = each(plain, x=first, name="second")
    graph = Graph.from_cells(second)
    results = COMPUTERS[computer](graph, targets=[second], inputs={"xs": [1, 2]})
    assert dict(results) == {second: [4, 8]}


# Against a reference


@st.composite
def chains(draw: st.DrawFn) -> tuple[list[Any], Graph]:
    """Fan-outs that go through inputs and through each other, and sums of them."""
    found: list[Any] = [Input("xs")]
    for number in range(draw(st.integers(1, 5))):
        way = draw(st.sampled_from(["inline", "async", "thread", "sum"]))
        over = draw(st.sampled_from(found))
        limit = draw(st.sampled_from([None, 1, 2, 5]))
        if way == "sum":

            @cell(name=f"c{number}")
            @depends_on(xs=over)
            def total(xs: list[int]) -> list[int]:
                return [sum(xs), len(xs)]

            found.append(total)
        else:
            function = {"async": double_later}.get(way, double)
            run_in = "thread" if way == "thread" else None
            found.append(
                each(function, x=over, name=f"c{number}", limit=limit, run_in=run_in)
            )
    return found[1:], Graph.from_cells(*found[1:])


def double(x: int) -> int:
    """A plain item."""
    return 2 * x + 1


async def double_later(x: int) -> int:
    """An async one."""
    await asyncio.sleep(x % 2 and 0)
    return 2 * x + 1


def by_hand(cells: list[Any], xs: list[int]) -> list[Any]:
    """What the cells give."""
    values: dict[Any, Any] = {Input("xs"): xs}
    for each_cell in cells:
        [(_, over)] = each_cell.__aiocells__.spec.bindings
        given = values[over]
        if each_cell.__aiocells__.spec.options.fan_out is None:
            values[each_cell] = [sum(given), len(given)]
        else:
            values[each_cell] = [2 * x + 1 for x in given]
    return [values[each_cell] for each_cell in cells]


@pytest.mark.needs_threads
@hypothesis.given(
    chains(),
    st.lists(st.integers(0, 9), max_size=12),
    st.sampled_from([None, 1, 2, 3]),
)
@hypothesis.settings(max_examples=60)
def test_graphs_of_fan_outs_give_what_loops_give(
    made_graph: tuple[list[Any], Graph], xs: list[int], at_once: int | None
) -> None:
    """In each computer, and under each bound of how many may run."""
    cells, graph = made_graph
    wanted = by_hand(cells, xs)
    for name, computer in ASYNC_COMPUTERS.items():
        options = {} if name == "async_sequential" else {"max_concurrency": at_once}
        results = run_to_end(computer)(graph, inputs={"xs": xs}, **options)
        assert [results[each_cell] for each_cell in cells] == wanted


def test_many_items_that_never_suspend() -> None:
    """The stack does not grow with them."""
    cells = made("never suspending")
    graph = Graph.from_cells(cells)
    found = compute("concurrent", graph, inputs={"xs": range(0, 200_000, 10)})
    assert found[cells][-1] == 2 * 199_990


@every("inline", "never suspending")
def test_the_loop_gets_a_turn(way: str, computer: str, monkeypatch: Any) -> None:
    """However many items there are that never wait."""
    for module in ("window", "on_the_loop"):
        monkeypatch.setattr(f"aiocells._fan_out.{module}._SLICE", 0.0)
    if computer in ("sequential", "async_sequential"):
        return
    turns = itertools.count()

    async def main() -> Any:
        loop = asyncio.get_running_loop()

        def count() -> None:
            next(turns)
            loop.call_soon(count)

        loop.call_soon(count)
        cells = made(way)
        graph = Graph.from_cells(cells)
        computing = aiocells.async_compute_concurrent
        return (await computing(graph, inputs={"xs": range(0, 100, 10)}))[cells]

    assert asyncio.run(main()) == [2 * x for x in range(0, 100, 10)]
    assert next(turns) >= 3
