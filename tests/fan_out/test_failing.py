"""Items that fail: who is told, what stops, and what goes on."""

import asyncio
import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import aiocells
from aiocells import Graph, Input, WorkerDied, cell, depends_on, each, failures
from aiocells.observers import Recorder
from tests.fan_out.cells import XS, compute, every, made
from tests.helpers import ASYNC_COMPUTERS, COMPUTERS, Modules
from tests.worker_cells import FrozenError, OddError

pytestmark = pytest.mark.usefixtures("sent_tests")


def graph_of(cells: Any) -> Graph:
    """A fan-out, and a cell that needs it."""

    @cell
    @depends_on(values=cells)
    def report(values: Any) -> Any:
        return values

    return Graph.from_cells(report)


@every()
def test_the_first_failure_is_the_end(way: str, computer: str) -> None:
    """It is raised as it is, and tells the item, the cell, the way, and the values."""
    cells = made(way)
    for on_error in ("raise", "group"):
        graph, inputs = graph_of(cells), {"xs": [1, 3, 5]}
        with pytest.raises((ValueError, ExceptionGroup)) as caught:
            compute(computer, graph, inputs=inputs, on_error=on_error)
        error: Any = caught.value
        if on_error == "group":
            [error] = error.exceptions
        assert type(error) is ValueError
        assert failures(caught.value) == {cells: error}
        [note] = error.__notes__
        assert note.startswith("in item 1 of cell 'made' (")
        assert ", needed by 'report'\n  called with x=3" in note


@every()
def test_all_run_with_continue(way: str, computer: str) -> None:
    """The lowest item is the failure, and tells of the others; there is no value."""
    cells = made(way)
    graph = graph_of(cells)
    xs = {f"k{x}": x for x in range(120)}
    results = compute(computer, graph, inputs={"xs": xs}, on_error="continue")
    error = results.failures[cells]
    assert error.args == (3,)
    first, *others = error.__notes__
    assert first.startswith("in item 'k3' of cell 'made' (")
    assert others == [
        *(f"also failed: item 'k{x}': ValueError: {x}" for x in range(13, 113, 10)),
        "and 1 more item failed",
    ]
    assert [each_cell.__name__ for each_cell in results.skipped] == ["report"]


@every()
def test_a_failed_item_may_be_kept(way: str, computer: str) -> None:
    """Its exception is in its place, noted; observers are told of each."""
    cells = made(way, on_error="keep")
    recorder = Recorder()
    inputs = {"xs": [1, 3, 5, 13]}
    results = compute(computer, graph_of(cells), inputs=inputs, observers=[recorder])
    one, error, five, other = results[cells]
    assert (one, five) == (2, 10)
    assert (error.args, other.args) == ((3,), (13,))
    assert error.__notes__[0].startswith("in item 1 of cell 'made' (")
    assert results.failures == {}
    told = {event.item: event.error for event in recorder.events if event.error}
    assert told == {1: error, 3: other}


@pytest.mark.parametrize("name", COMPUTERS)
def test_exits_and_cancellations_are_not_kept(name: str) -> None:
    """They are failures of the fan-out, whatever it says."""
    for raised in (SystemExit, KeyboardInterrupt, asyncio.CancelledError):

        def work(x: int, raised: Any = raised) -> None:
            raise raised

        cells = each(work, x=XS, name="made", on_error="keep")
        with pytest.raises(raised):
            COMPUTERS[name](Graph.from_cells(cells), inputs={"xs": [1, 2]})


@every("inline", "async", "thread", "process")
@pytest.mark.parametrize("on_error", ["raise", "continue"])
def test_an_exit_leaves_the_computer(way: str, computer: str, on_error: str) -> None:
    """Also where other items go on after a failure."""
    cells = made(way, function=exits_async if way == "async" else exits)
    graph, inputs = Graph.from_cells(cells), {"xs": [0, 1, 2]}
    with pytest.raises(SystemExit) as caught:
        compute(computer, graph, inputs=inputs, on_error=on_error)
    assert caught.value.code == 7


def exits(x: int) -> int:
    """Ask to exit, at the second item."""
    if x == 1:
        raise SystemExit(7)
    return x


async def exits_async(x: int) -> int:
    """The same."""
    if x == 1:
        raise SystemExit(7)
    await asyncio.sleep(0)
    return x


@every("inline", "async", "thread", "process")
def test_stop_iteration_is_a_runtime_error(way: str, computer: str) -> None:
    """It must not pass for the end of what is iterated."""
    cells = made(way, function=stops_async if way == "async" else stops)
    for xs in ([1, 2, 3], iter([1, 2, 3])):
        with pytest.raises(RuntimeError, match="raised StopIteration") as caught:
            compute(computer, Graph.from_cells(cells), inputs={"xs": xs})
        assert caught.value.__notes__[0].startswith("in item 1 of cell 'made' (")


def stops(x: int) -> int:
    """End, as an iterator does."""
    if x == 2:
        raise StopIteration
    return x


async def stops_async(x: int) -> int:
    """The same."""
    return stops(x)


@every("inline", "async", "thread")
@pytest.mark.parametrize("error", [FrozenError(1), OddError()])
def test_odd_exceptions_arrive(way: str, computer: str, error: Exception) -> None:
    """Those that take no attributes, or make their own notes."""

    def work(x: int) -> None:
        raise error

    async def work_later(x: int) -> None:
        raise error

    cells = made(way, function=work_later if way == "async" else work)
    graph, inputs = Graph.from_cells(cells), {"xs": [1, 2]}
    with pytest.raises(type(error)) as caught:
        compute(computer, graph, inputs=inputs)
    assert caught.value is error
    results = compute(computer, graph, inputs=inputs, on_error="continue")
    assert results.failures == {cells: error}


@pytest.mark.parametrize("name", COMPUTERS)
def test_one_exception_of_several_items_is_noted_once(name: str) -> None:
    """It tells the first of them."""
    error = ValueError("shared")

    def work(x: int) -> None:
        raise error

    cells = each(work, x=XS, name="made")
    inputs = {"xs": range(50)}
    graph = Graph.from_cells(cells)
    results = COMPUTERS[name](graph, inputs=inputs, on_error="continue")
    assert results.failures[cells] is error
    [note] = error.__notes__
    assert note.startswith("in item 0 of cell 'made' (")


@pytest.mark.parametrize("name", COMPUTERS)
def test_secrets_are_hidden(name: str) -> None:
    """What is iterated may be secret, by its name or by what is said of it."""

    def work(word: str, token: str, plain: str) -> None:
        raise ValueError

    word = Input("word", secret=True)
    cells = each(work, word=word, token=Input("tokens"), plain=Input("plains"))
    inputs = {"word": ["hunter2"], "tokens": ["abc"], "plains": ["shown"]}
    with pytest.raises(
        ValueError, match="called with word=•••, token=•••, pl"
    ) as caught:
        COMPUTERS[name](Graph.from_cells(cells), inputs=inputs)
    assert "plain='shown'" in caught.value.__notes__[0]


@pytest.mark.parametrize("name", COMPUTERS)
def test_a_fallback_covers_the_fan_out(name: str) -> None:
    """It gives the value for all items, also where what it needs fails."""

    @cell
    def broken() -> list[int]:
        raise KeyError

    cells = each(lambda x: 1 // x, x=XS, name="made", fallback=lambda error: [])
    results = COMPUTERS[name](Graph.from_cells(cells), inputs={"xs": [1, 0]})
    assert results[cells] == []
    [error] = results.fallbacks.values()
    assert "in item 1 of cell 'made'" in error.__notes__[0]
    cells = each(lambda x: x, x=broken, name="made", fallback=lambda error: [1])
    assert COMPUTERS[name](Graph.from_cells(cells), targets=[cells])[cells] == [1]


@pytest.mark.parametrize("computer", ASYNC_COMPUTERS.values(), ids=ASYNC_COMPUTERS)
async def test_a_timeout_is_that_of_an_item(computer: Any) -> None:
    """The fan-out itself may take as long as it does."""

    async def work(x: int) -> int:
        if x == 1:
            await asyncio.Event().wait()
        return x

    cells = each(work, x=XS, name="made", timeout=0.01, on_error="keep")
    results = await computer(Graph.from_cells(cells), inputs={"xs": [0, 1]})
    value, error = results[cells]
    assert value == 0
    assert isinstance(error, TimeoutError)
    assert str(error) == "the item took longer than 0.01 s"


# Processes


@pytest.mark.needs_processes
@pytest.mark.parametrize("computer", ASYNC_COMPUTERS.values(), ids=ASYNC_COMPUTERS)
async def test_a_worker_that_dies_takes_its_items_along(computer: Any) -> None:
    """The failure names the fan-out, and which items it may have been."""
    cells = each(dies, x=XS, name="made", run_in="process")
    with pytest.raises(WorkerDied) as caught:
        await computer(Graph.from_cells(cells), inputs={"xs": [0, 1, 2]})
    assert caught.value.cells == (cells,)
    first, second = caught.value.__notes__
    assert first.startswith("one of the items ")
    assert second.startswith("in cell 'made' (")


def dies(x: int) -> int:
    """End the process."""
    if x == 1:
        os._exit(3)
    return x


class Unsendable:
    """What cannot be pickled."""

    def __reduce__(self) -> Any:
        """Refuse."""
        msg = "not this one"
        raise TypeError(msg)


def unsendable(x: int) -> Any:
    """Give something that cannot be sent back, at the second item."""
    return Unsendable() if x == 1 else x


@pytest.mark.needs_processes
async def test_a_value_that_cannot_be_sent_is_a_failure_of_its_item() -> None:
    """Others of its chunk arrive."""
    cells = each(unsendable, x=XS, name="made", run_in="process", on_error="keep")
    graph = Graph.from_cells(cells)
    results = await aiocells.async_compute_concurrent(graph, inputs={"xs": range(50)})
    values = results[cells]
    assert values[:1] + values[2:] == [0, *range(2, 50)]
    assert isinstance(values[1], pickle.PicklingError)
    assert "the value cannot be sent back from the process: TypeError" in str(values[1])


@pytest.mark.needs_processes
async def test_what_cannot_be_sent_there_is_refused_or_fails() -> None:
    """A function before anything runs; an argument when it is sent."""
    local = each(lambda x: x, x=XS, name="made", run_in="process")
    with pytest.raises(aiocells.UnsupportedCell, match=r"'made'.* cannot be sent"):
        await aiocells.async_compute_concurrent(
            Graph.from_cells(local), inputs={"xs": [1]}
        )
    cells = made("process")
    with pytest.raises(pickle.PicklingError, match="an argument cannot be sent"):
        await aiocells.async_compute_concurrent(
            Graph.from_cells(cells), inputs={"xs": [Unsendable()]}
        )


@pytest.mark.needs_processes
def test_items_of_a_module_that_only_its_path_leads_to(modules: Modules) -> None:
    """Worker processes load it by its path as well."""
    modules.write("sub.json", "def work(x, *, y):\n    return x * y")
    path = modules.write(
        "sub.trip",
        """
        from aiocells import each
        def work(x, *, y):
            return x * y
        made = each(work, x=Input("xs"), run_in="process")
        keyed = each(work, y=Input("xs"), run_in="process")
        """,
    )
    path = path.rename(path.with_name("json.py"))
    graph = Graph.from_module(path)
    results = compute("concurrent", graph, inputs={"xs": [1, 2], "y": 3, "x": 4})
    assert results["made"] == [3, 6]
    assert results["keyed"] == [4, 8]


@pytest.mark.needs_processes
async def test_a_worker_is_told_the_function_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And again if it has not heard of it, as one in the place of another."""
    from aiocells._fan_out import in_chunks

    sent: list[bool] = []
    forgets: list[bool] = []
    run = in_chunks._run_chunk

    async def send(function: Any, token: bytes, job: Any, values: Any) -> Any:
        sent.append(job is not None)
        if job is None and forgets:
            in_chunks._known.clear()
        return run(token, job, values)

    monkeypatch.setattr(in_chunks._Chunks, "_resize", lambda *_: None)
    offload = "aiocells._running.elsewhere.offload.Offload"
    monkeypatch.setattr(f"{offload}.sender_of", lambda *_: send)
    cells = made("process")
    monkeypatch.setattr(type(cells._fan_out), "width", lambda *_: 2)
    graph = Graph.from_cells(cells)
    for told in ([False] * 4, [False, True] * 4):
        forgets += [True] * told.count(True)
        sent.clear()
        await aiocells.async_compute_concurrent(graph, inputs={"xs": range(0, 60, 10)})
        assert sent == [True, True, *told]


def test_chunks_grow_until_they_are_worth_the_way() -> None:
    """By ten, then by two; and by half where they take long."""
    from aiocells._fan_out.gathering import Gathering
    from aiocells._fan_out.in_chunks import _Chunks
    from aiocells._fan_out.items import items_of

    class Anybody:
        goes_on = is_watched = False

    fan_out = made("process")._fan_out
    items = items_of(fan_out, (range(10_000),), {})
    chunks = _Chunks(items, Gathering(items, Anybody()), 2, None, None)  # type: ignore[arg-type]
    sizes = []
    for _, rows in chunks.cut():
        sizes.append(len(rows))
        chunks._resize(len(rows), len(rows) * 0.001)
    assert sizes[:7] == [1, 10, 20, 40, 40, 40, 40]
    assert sum(sizes) == 10_000
    assert sizes[-1] == 1
    chunks._size = 100
    chunks._resize(100, 1.0)
    assert chunks._size == 50


# Threads


@pytest.mark.needs_threads
async def test_a_pool_that_is_shut_down_is_a_failure() -> None:
    """Of the fan-out, and of no item."""
    cells = made("thread pool")
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    with pytest.raises(RuntimeError, match="after shutdown") as caught:
        await aiocells.async_compute_concurrent(
            Graph.from_cells(cells), inputs={"xs": [1]}, executors={"threads": pool}
        )
    assert caught.value.__notes__[0].startswith("in cell 'made' (")


@every("async")
def test_failures_within_items_are_told(way: str, computer: str) -> None:
    """Items may compute graphs of their own."""

    @cell
    def inner(x: int) -> float:
        return 1 / x

    async def work(x: int) -> Any:
        graph = Graph.from_cells(inner)
        results = await aiocells.async_compute_concurrent(graph, inputs={"x": x})
        return results[inner]

    cells = made(way, function=work)
    with pytest.raises(ZeroDivisionError) as caught:
        compute(computer, Graph.from_cells(cells), inputs={"xs": [1, 0]})
    first, second = caught.value.__notes__
    assert first.startswith("in cell 'inner'")
    assert second.startswith("in item 1 of cell 'made'")
    assert failures(caught.value)[cells] is caught.value
