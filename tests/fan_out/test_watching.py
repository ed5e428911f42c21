"""What observers, the log and the watchdog are told of items."""

import asyncio
import logging
from typing import Any

import pytest

from aiocells import Graph, async_compute_concurrent, each
from aiocells.observers import Event, LoggingObserver, Recorder
from tests.fan_out.cells import XS, compute, every, made
from tests.helpers import COMPUTERS

pytestmark = pytest.mark.usefixtures("sent_tests")


def progress(recorder: Recorder) -> list[tuple[int | None, int | None]]:
    """How many items were done, and of how many, event by event."""
    return [(e.done, e.total) for e in recorder.events if e.kind == "progress"]


@every()
def test_up_to_a_thousand_each_item_is_told(way: str, computer: str) -> None:
    """Between the start and the end of the cell."""
    cells, recorder = made(way), Recorder()
    graph = Graph.from_cells(cells)
    inputs = {"xs": range(0, 50, 10)}
    compute(computer, graph, inputs=inputs, observers=[recorder])
    kinds = [event.kind for event in recorder.events]
    assert kinds == ["start", *["progress"] * 5, "end"]
    assert progress(recorder) == [(done, 5) for done in range(1, 6)]


@every("inline", "never suspending", "thread")
@pytest.mark.parametrize("count", [1_000, 1_001, 2_500])
def test_of_more_each_thousandth_part_is_told(
    way: str, computer: str, count: int
) -> None:
    """And always the last, by count, so that one can rely on it."""
    cells, recorder = made(way), Recorder()
    graph = Graph.from_cells(cells)
    inputs = {"xs": range(0, 10 * count, 10)}
    compute(computer, graph, inputs=inputs, observers=[recorder])
    step = -(-count // 1000)
    wanted = [*range(step, count + 1, step)]
    if wanted[-1] != count:
        wanted.append(count)
    assert progress(recorder) == [(done, count) for done in wanted]


@pytest.mark.parametrize("name", COMPUTERS)
def test_where_nobody_knows_how_many_there_are(name: str) -> None:
    """There is no total."""
    cells, recorder = each(lambda x: x, x=XS, name="made"), Recorder()
    graph = Graph.from_cells(cells)
    COMPUTERS[name](graph, inputs={"xs": iter([1, 2])}, observers=[recorder])
    assert progress(recorder) == [(1, None), (2, None)]


@pytest.mark.parametrize("name", COMPUTERS)
def test_failed_items_are_done_too(name: str) -> None:
    """And the failure of the cell is no item's."""
    cells, recorder = each(lambda x: {1: 1}[x], x=XS, name="made"), Recorder()
    graph = Graph.from_cells(cells)
    options = {"on_error": "continue", "observers": [recorder]}
    COMPUTERS[name](graph, inputs={"xs": [1, 0, 2]}, **options)
    assert progress(recorder) == [(1, 3), (2, 3), (3, 3)]
    [failure] = [event for event in recorder.events if event.kind == "failure"]
    assert failure.item is None


@every("inline", "async", "thread")
def test_an_observer_that_asks_to_exit_ends_it(way: str, computer: str) -> None:
    """At the progress of an item."""
    seen: list[Event] = []

    def leave(event: Event) -> None:
        if event.kind == "progress":
            seen.append(event)
            raise SystemExit(3)

    cells = made(way)
    with pytest.raises(SystemExit):
        compute(
            computer,
            Graph.from_cells(cells),
            inputs={"xs": range(0, 50, 10)},
            observers=[leave],
        )
    assert len(seen) == 1


@every("inline", "async", "thread")
def test_an_observer_may_exit_at_a_failure_that_is_kept(
    way: str, computer: str
) -> None:
    """As at any other event."""

    def leave(event: Event) -> None:
        if event.item is not None:
            raise SystemExit(3)

    cells = made(way, on_error="keep")
    graph, inputs = Graph.from_cells(cells), {"xs": [1, 3, 5]}
    with pytest.raises(SystemExit):
        compute(computer, graph, inputs=inputs, observers=[leave])


def test_the_log_tells_of_items(caplog: pytest.LogCaptureFixture) -> None:
    """Their progress, and the failures that are kept."""
    caplog.set_level(logging.INFO, "aiocells")
    cells = each(lambda x: {1: 1}[x], x=XS, name="made", on_error="keep")
    graph = Graph.from_cells(cells)
    COMPUTERS["concurrent"](graph, inputs={"xs": [1, 0]}, observers=[LoggingObserver()])
    COMPUTERS["sequential"](
        graph, inputs={"xs": iter([1])}, observers=[LoggingObserver()]
    )
    assert caplog.messages == [
        "start of cell 'made'",
        "progress of cell 'made': 1 of 2",
        "failure of item 1 of cell 'made': KeyError(0)",
        "progress of cell 'made': 2 of 2",
        "end of cell 'made'",
        "start of cell 'made'",
        "progress of cell 'made': 1 of ?",
        "end of cell 'made'",
    ]


@pytest.mark.parametrize("is_watched", [True, False])
async def test_the_watchdog_looks_at_single_items(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, is_watched: bool
) -> None:
    """Many that are quick are no trouble; one that is slow is."""
    now = 0.0
    seconds = 0.02
    monkeypatch.setattr("aiocells._fan_out.on_the_loop.monotonic", lambda: now)

    def work(x: int) -> None:
        nonlocal now
        now += seconds

    cells = each(work, x=XS, name="made")
    graph = Graph.from_cells(cells)
    observers = [Recorder()] if is_watched else []
    options: Any = {"inputs": {"xs": range(100)}, "observers": observers}
    await async_compute_concurrent(graph, **options)
    assert caplog.messages == []
    seconds = 0.2
    await async_compute_concurrent(graph, **options)
    [message] = caplog.messages
    assert "The plain cell 'made' (" in message
    assert "held up the event loop for 200 ms" in message


async def test_the_watchdog_looks_at_items_inside_of_limiters(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which each wait by themselves."""
    now = 0.0
    monkeypatch.setattr("aiocells._fan_out.ways.monotonic", lambda: now)

    def work(x: int) -> None:
        nonlocal now
        now += 0.2

    cells = each(work, x=XS, name="made", limit="api")
    await async_compute_concurrent(
        Graph.from_cells(cells),
        inputs={"xs": range(3)},
        limits={"api": asyncio.Semaphore(1)},
    )
    assert "held up the event loop for 200 ms" in caplog.text
