"""The watchdog: a plain cell that holds up the event loop is logged."""

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest

import aiocells
from aiocells import Graph, cell
from aiocells._running.tasks import scheduler
from tests.helpers import COMPUTERS

every_concurrent = pytest.mark.parametrize("name", ["concurrent", "simple"])


class Clock:
    """A clock that only the cells move."""

    def __init__(self) -> None:
        """Start at 100 s."""
        self.now = 100.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the scheduler, for this test."""
    made = Clock()
    monkeypatch.setattr(scheduler, "monotonic", made)
    return made


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """What the library logs, from warnings on."""
    with caplog.at_level(logging.WARNING, logger="aiocells"):
        yield caplog


def busy(clock: Clock, seconds: float, **options: Any) -> Any:
    """A plain cell that takes some seconds of the clock."""

    @cell(name="busy", **options)
    def taking() -> int:
        clock.now += seconds
        return 1

    return taking


@every_concurrent
def test_a_cell_that_blocks_the_loop_is_logged_by_name(
    name: str, clock: Clock, log: pytest.LogCaptureFixture
) -> None:
    """A plain cell that takes over 50 ms is logged, with the remedy; nothing fails."""
    blocking = busy(clock, 0.25)
    assert COMPUTERS[name](Graph.from_cells(blocking))[blocking] == 1
    [record] = log.records
    assert record.name == "aiocells"
    assert record.levelno == logging.WARNING
    told = record.getMessage()
    assert told.startswith("The plain cell 'busy' (")
    assert told.endswith(
        ") held up the event loop for 250 ms; nothing else ran meanwhile. Move it off "
        'the loop with @cell(run_in="thread"), or set the computer\'s watchdog= to '
        "more seconds, or to None."
    )


@every_concurrent
def test_a_cell_is_logged_once(
    name: str, clock: Clock, log: pytest.LogCaptureFixture
) -> None:
    """However often a graph is computed, a cell of it is told of once."""
    blocking = busy(clock, 0.25)
    graph = Graph.from_cells(blocking)
    for _ in range(3):
        COMPUTERS[name](graph)
    assert len(log.records) == 1
    COMPUTERS[name](Graph.from_cells(blocking))
    assert len(log.records) == 2


@every_concurrent
def test_a_cell_is_logged_once_whatever_is_given(
    name: str, clock: Clock, log: pytest.LogCaptureFixture
) -> None:
    """It is the same cell, with an input or with its default."""

    @cell
    def blocking(seconds: float = 0.5) -> None:
        clock.now += seconds

    graph = Graph.from_cells(blocking)
    COMPUTERS[name](graph)
    COMPUTERS[name](graph, inputs={"seconds": 2.0})
    assert len(log.records) == 1


@every_concurrent
@pytest.mark.parametrize(
    ("seconds", "watchdog", "count"),
    [
        (0.0625, {}, 1),
        (0.046875, {}, 0),
        (0.25, {"watchdog": 0.5}, 0),
        (0.25, {"watchdog": 0.25}, 0),
        (0.25, {"watchdog": 0.125}, 1),
        (0.25, {"watchdog": 0}, 1),
        (3600.0, {"watchdog": None}, 0),
    ],
)
def test_the_watchdog_can_be_set_and_switched_off(
    name: str,
    seconds: float,
    watchdog: dict[str, Any],
    count: int,
    clock: Clock,
    log: pytest.LogCaptureFixture,
) -> None:
    """`watchdog=` is the seconds beyond which a cell is logged; None is never."""
    COMPUTERS[name](Graph.from_cells(busy(clock, seconds)), **watchdog)
    assert len(log.records) == count


@every_concurrent
def test_a_cell_that_fails_is_logged_too(
    name: str, clock: Clock, log: pytest.LogCaptureFixture
) -> None:
    """A cell that blocks and then raises has blocked."""

    @cell
    def broken() -> None:
        clock.now += 1
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        COMPUTERS[name](Graph.from_cells(broken))
    assert "The plain cell 'broken'" in log.text


@every_concurrent
def test_each_cell_answers_for_its_own_time(
    name: str, clock: Clock, log: pytest.LogCaptureFixture
) -> None:
    """Many short cells, and what other tasks do between them, are nobody's fault."""

    def make(number: int) -> Any:
        def short() -> None:
            clock.now += 0.03125

        async def long() -> None:
            clock.now += 1
            await asyncio.sleep(0)
            clock.now += 1

        return cell(name=f"cell_{number}")(long if number % 4 == 3 else short)

    COMPUTERS[name](Graph.from_cells(*map(make, range(20))))
    assert log.records == []


@pytest.mark.parametrize("name", ["sequential", "async_sequential"])
def test_the_sequential_computers_have_no_watchdog(
    name: str, clock: Clock, log: pytest.LogCaptureFixture
) -> None:
    """Where one cell runs at a time, no other is held up."""
    COMPUTERS[name](Graph.from_cells(busy(clock, 3600.0)))
    assert log.records == []


@pytest.mark.needs_threads
@every_concurrent
def test_a_thread_cell_blocks_nothing(
    name: str, clock: Clock, log: pytest.LogCaptureFixture
) -> None:
    """The remedy helps: a cell in a thread is not logged."""
    COMPUTERS[name](Graph.from_cells(busy(clock, 3600.0, run_in="thread")))
    assert log.records == []


@every_concurrent
@pytest.mark.parametrize("watchdog", ["0.1", -1, True, float("nan")])
def test_a_watchdog_is_a_number_of_seconds(name: str, watchdog: Any) -> None:
    """Another value is refused before a cell runs."""
    ran = []

    @cell
    def answer() -> None:
        ran.append(1)

    with pytest.raises(ValueError, match="watchdog=") as caught:
        COMPUTERS[name](Graph.from_cells(answer), watchdog=watchdog)
    assert str(caught.value) == (
        f"watchdog={watchdog!r}: expected a number of seconds, or None for never."
    )
    assert not ran


async def test_the_real_clock_is_watched(log: pytest.LogCaptureFixture) -> None:
    """Without a fake clock the time of a cell counts, too."""

    @cell
    def answer() -> int:
        return sum(range(1000))

    await aiocells.async_compute_concurrent(Graph.from_cells(answer), watchdog=0)
    assert "The plain cell 'answer'" in log.text
