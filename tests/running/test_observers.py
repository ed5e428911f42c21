"""Observers: what they are told, and that they never disturb a computation."""

import asyncio
import contextlib
import functools
import logging
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import attrs
import pytest
from hypothesis import given

import aiocells
from aiocells import Graph, cell, depends_on, resource
from aiocells.observers import Event, LoggingObserver, Recorder
from tests.helpers import COMPUTERS
from tests.strategies import Built, Shape, shapes

every_computer = pytest.mark.parametrize("name", COMPUTERS)
every_concurrent = pytest.mark.parametrize("name", ["concurrent", "simple"])


class Trouble(Exception):
    """Raised by the cells of this module."""


@cell
def one() -> int:
    """Give 1."""
    return 1


@cell
def two(one: int) -> int:
    """Give 2."""
    return one + 1


@cell
def broken(two: int) -> int:
    """Fail."""
    raise Trouble


@cell
def after(broken: int) -> None:
    """Never run."""


def told(recorder: Recorder) -> list[tuple[str, str]]:
    """The kinds and names of the events, in order."""
    return [(event.kind, event.name) for event in recorder.events]


@every_computer
def test_starts_and_ends_are_told_in_order(name: str) -> None:
    """Each cell has a start and an end, between which it runs."""
    recorder = Recorder()
    COMPUTERS[name](Graph.from_cells(two), observers=[recorder])
    assert told(recorder) == [
        ("start", "one"),
        ("end", "one"),
        ("start", "two"),
        ("end", "two"),
    ]
    assert [event.cell for event in recorder.events] == [one, one, two, two]
    times = [event.time for event in recorder.events]
    assert times == sorted(times)
    assert recorder.names("end") == ["one", "two"]


@every_computer
def test_failures_and_skips_are_told(name: str) -> None:
    """A failed cell has a failure with its error; what is not run for it, a skip."""
    recorder = Recorder()
    results = COMPUTERS[name](
        Graph.from_cells(after), observers=[recorder], on_error="continue"
    )
    assert told(recorder)[4:] == [
        ("start", "broken"),
        ("failure", "broken"),
        ("skip", "after"),
    ]
    errors = [event.error for event in recorder.events]
    assert errors == [None] * 5 + [results.failures[broken], None]
    assert type(errors[5]) is Trouble


@every_computer
def test_without_continue_nothing_is_told_of_what_never_ran(name: str) -> None:
    """A computation that stops at a failure skips nothing: it just ends."""
    recorder = Recorder()
    with pytest.raises(Trouble):
        COMPUTERS[name](Graph.from_cells(after), observers=[recorder])
    assert recorder.names("failure") == ["broken"]
    assert recorder.names("skip") == []


@every_concurrent
def test_cells_that_are_cancelled_are_told_as_such(name: str) -> None:
    """A sibling of a failed cell is cancelled, which is no failure."""

    @cell
    async def waiting() -> None:
        await asyncio.Event().wait()

    @cell
    async def failing() -> None:
        await asyncio.sleep(0)
        raise Trouble

    recorder = Recorder()
    with pytest.raises(Trouble):
        COMPUTERS[name](Graph.from_cells(waiting, failing), observers=[recorder])
    assert told(recorder) == [
        ("start", "waiting"),
        ("start", "failing"),
        ("failure", "failing"),
        ("cancel", "waiting"),
    ]


@pytest.mark.parametrize(
    "computer",
    [aiocells.async_compute_sequential, aiocells.async_compute_concurrent],
)
async def test_a_cell_that_is_cancelled_from_outside_is_told(computer: Any) -> None:
    """The same goes for a cancellation of the computation."""

    @cell
    async def waiting() -> None:
        await asyncio.Event().wait()

    recorder = Recorder()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await computer(Graph.from_cells(waiting), observers=[recorder])
    assert told(recorder) == [("start", "waiting"), ("cancel", "waiting")]


@every_computer
def test_a_resource_ends_when_it_is_open(name: str) -> None:
    """The end of a resource is when its value is there; its closer may still fail."""

    @resource
    def opened() -> Iterator[int]:
        yield 1
        raise Trouble

    @cell
    def using(opened: int) -> int:
        return opened

    recorder = Recorder()
    results = COMPUTERS[name](
        Graph.from_cells(using, opened), observers=[recorder], on_error="continue"
    )
    assert results[using] == 1
    assert told(recorder) == [
        ("start", "opened"),
        ("end", "opened"),
        ("start", "using"),
        ("end", "using"),
        ("failure", "opened"),
    ]


@pytest.mark.needs_threads
@pytest.mark.parametrize("name", ["async_sequential", "concurrent"])
def test_async_and_thread_cells_are_observed_too(name: str) -> None:
    """Observers are called on the loop's thread, wherever a cell runs."""

    @cell(run_in="thread")
    def in_thread() -> int:
        return 1

    @cell
    async def awaited(in_thread: int) -> int:
        return in_thread

    @resource
    async def opened(awaited: int) -> AsyncIterator[int]:
        yield awaited

    @cell
    @depends_on(opened)
    def last() -> None: ...

    recorder = Recorder()
    cells = [in_thread, awaited, opened, last]
    COMPUTERS[name](Graph.from_cells(*cells), observers=[recorder])
    assert recorder.names("start") == ["in_thread", "awaited", "opened", "last"]
    assert recorder.names("end") == ["in_thread", "awaited", "opened", "last"]


@every_computer
def test_only_what_runs_is_told(name: str) -> None:
    """Cells that are not chosen, or overridden, have no events."""
    recorder = Recorder()
    COMPUTERS[name](
        Graph.from_cells(after),
        targets=[two],
        overrides={one: 5},
        observers=[recorder],
    )
    assert told(recorder) == [("start", "two"), ("end", "two")]


def test_an_event_is_frozen() -> None:
    """What an observer is given, it cannot change for the next one."""
    event = Event("start", one, "one", 0.0)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        event.kind = "end"  # type: ignore[misc]


# Observers that fail


class Failing:
    """An observer that raises at its second event."""

    def __init__(self) -> None:
        """Count from 0."""
        self.calls = 0

    def __call__(self, event: Event) -> None:
        """Raise from the second event on."""
        self.calls += 1
        if self.calls > 1:
            raise Trouble

    def __eq__(self, other: object) -> bool:
        """Be equal to everything, as an observer may."""
        return True

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Be named in the log."""
        return "<a failing observer>"


@every_computer
def test_an_observer_that_raises_is_logged_and_dropped(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The computation goes on, and so do the other observers."""
    caplog.set_level(logging.ERROR, "aiocells")  # a slow cell would be warned of
    first, failing, last = Recorder(), Failing(), Recorder()
    results = COMPUTERS[name](Graph.from_cells(two), observers=[first, failing, last])
    assert results[two] == 2
    assert failing.calls == 2
    assert told(first) == told(last)
    assert len(told(first)) == 4
    [record] = caplog.records
    assert record.name == "aiocells"
    assert record.levelno == logging.ERROR
    assert record.getMessage() == (
        "The observer <a failing observer> raised at the end of cell 'one'. It is "
        "dropped; the computation goes on."
    )
    assert record.exc_info is not None
    assert record.exc_info[0] is Trouble


@every_computer
def test_an_observer_that_is_dropped_is_back_in_the_next_computation(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is dropped for one computation only."""
    caplog.set_level(logging.ERROR, "aiocells")  # a slow cell would be warned of
    graph, failing = Graph.from_cells(one), Failing()
    COMPUTERS[name](graph, observers=[failing])
    failing.calls = 0
    COMPUTERS[name](graph, observers=[failing])
    assert failing.calls == 2
    assert len(caplog.records) == 2


@every_computer
@pytest.mark.parametrize(
    ("kind", "cell_name", "started"),
    [
        ("start", "two", ["one"]),
        ("end", "two", ["one", "two"]),
        ("failure", "broken", ["one", "two", "broken"]),
        ("skip", "after", ["one", "two", "broken"]),
    ],
)
def test_an_exit_out_of_an_observer_ends_the_computation(
    name: str, kind: str, cell_name: str, started: list[str]
) -> None:
    """Ctrl-C may arrive while an observer runs; no further cell starts then."""

    def leaving(event: Event) -> None:
        if (event.kind, event.name) == (kind, cell_name):
            raise KeyboardInterrupt

    @cell
    @depends_on(broken=one, after=two)
    def last(broken: int, after: int) -> None: ...

    recorder = Recorder()
    with pytest.raises(KeyboardInterrupt):
        COMPUTERS[name](
            Graph.from_cells(one, two, broken, after, last),
            observers=[leaving, recorder],
            on_error="continue",
        )
    assert recorder.names("start") == started


@every_computer
def test_observers_may_come_from_any_iterable(name: str) -> None:
    """A generator of observers will do."""
    recorder = Recorder()
    COMPUTERS[name](Graph.from_cells(one), observers=(each for each in [recorder]))
    assert recorder.names("end") == ["one"]


@every_computer
def test_without_observers_nothing_stands_around_a_cell(name: str) -> None:
    """What no observer watches is not wrapped, so that it costs nothing."""
    files: list[set[str]] = []

    @cell
    def looking() -> None:
        frame, found = sys._getframe(), set()
        while frame is not None:
            found.add(frame.f_code.co_filename.rpartition("/")[2])
            frame = frame.f_back  # type: ignore[assignment]
        files.append(found)

    COMPUTERS[name](Graph.from_cells(looking))
    COMPUTERS[name](Graph.from_cells(looking), observers=[Recorder()])
    assert ["observing.py" in found for found in files] == [False, True]


@pytest.mark.parametrize("kind", ["start", "end"])
@pytest.mark.parametrize("place", ["plain", "async"])
@every_computer
def test_an_exit_at_an_event_of_a_resource_ends_the_computation(
    name: str, place: str, kind: str
) -> None:
    """At once: what runs is cancelled, and the exit is the resource's, if anybody's."""
    log: list[str] = []

    def leaving(event: Event) -> None:
        if (event.kind, event.name) == (kind, "opened"):
            raise KeyboardInterrupt

    @resource(name="opened")
    def opened() -> Iterator[int]:
        log.append("open")
        yield 1
        log.append("closed")

    @resource(name="opened")
    async def opened_async() -> AsyncIterator[int]:
        log.append("open")
        yield 1
        log.append("closed")

    made: Any = opened if place == "plain" else opened_async

    @cell
    @depends_on(opened=made)
    def after(opened: int) -> None:
        log.append("never")

    @cell
    @depends_on(made)
    async def waits() -> None:
        log.append("never")

    @cell
    async def beside() -> None:
        await asyncio.Event().wait()

    cells = [made, after]
    if name == "sequential":
        if place == "async":
            pytest.skip("it takes no async cells")
    else:
        cells.append(waits)
        if name != "async_sequential":
            cells.insert(0, beside)
    recorder = Recorder()
    with pytest.raises(KeyboardInterrupt) as caught:
        COMPUTERS[name](
            Graph.from_cells(*cells),
            observers=[recorder, leaving],
            on_error="continue",
        )
    assert log == (["open", "closed"] if kind == "end" else [])
    assert aiocells.failures(caught.value) == {made: caught.value}
    [note] = caught.value.__notes__
    assert note.startswith("in cell 'opened' (")
    assert set(recorder.names("start")) <= {"opened", "beside"}
    assert recorder.names("cancel") == recorder.names("start")[:-1]


@every_concurrent
def test_an_exit_is_not_put_down_to_other_cells(name: str) -> None:
    """A cell that ends after it, whatever happened to it, has nothing to do with it."""

    def leaving(event: Event) -> None:
        if event.kind == "failure":
            raise KeyboardInterrupt

    @cell
    async def swallows() -> int:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return 1

    @cell
    async def fails() -> None:
        await asyncio.sleep(0)
        raise Trouble

    with pytest.raises(KeyboardInterrupt) as caught:
        COMPUTERS[name](Graph.from_cells(swallows, fails), observers=[leaving])
    assert list(aiocells.failures(caught.value)) == [fails]


# What is no observer


async def watch(event: Event) -> None:
    """Be async, as no observer can be."""


async def generate(event: Event) -> AsyncIterator[Event]:
    """Be an async generator function."""
    yield event


class Watcher:
    """Something whose call is async."""

    async def __call__(self, event: Event) -> None:
        """Be called with an event."""


@pytest.mark.parametrize(
    ("observers", "told"),
    [
        (None, "observers= takes a list of callables, not None."),
        (3, "observers= takes a list of callables, not 3."),
        ("", "observers= takes a list of callables, not ''."),
        (b"", "observers= takes a list of callables, not b''."),
        (
            print,
            "observers= takes a list of callables, not <built-in function print>: "
            "observers=[<built-in function print>].",
        ),
        ([3], "observers: 3 is no observer: it cannot be called with an event."),
        (
            {"one": print},
            "observers: 'one' is no observer: it cannot be called with an event.",
        ),
        (
            [print, Recorder],
            "observers: <class 'aiocells.observers.Recorder'> is a class, which would "
            "be made anew for each event. Give an instance of it.",
        ),
        *(
            (
                [observer],
                f"observers: {observer!r} is {kind}, which nobody would await or go "
                "through. An observer is a plain callable that takes an event.",
            )
            for observer, kind in (
                (watch, "an async function"),
                (Watcher(), "an async function"),
                (functools.partial(watch), "an async function"),
                (generate, "an async generator function"),
            )
        ),
    ],
)
@every_computer
def test_what_is_no_observer_is_refused(name: str, observers: Any, told: str) -> None:
    """Before a cell has run, with a word on what is right."""
    ran: list[int] = []
    never = cell(lambda: ran.append(1), name="never")
    with pytest.raises(TypeError) as caught:
        COMPUTERS[name](Graph.from_cells(never), observers=observers)
    assert str(caught.value) == told
    assert ran == []


@every_computer
def test_an_observer_that_returns_a_coroutine_is_dropped(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A plain wrapper around an async function shows only when it is called."""
    recorder = Recorder()
    observers: list[Any] = [lambda event: watch(event), recorder, lambda event: 3]
    results = COMPUTERS[name](Graph.from_cells(one), observers=observers)
    assert results[one] == 1
    assert recorder.names("end") == ["one"]
    [record] = caplog.records
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == (
        "the observer returned a coroutine, which nobody awaits"
    )


# The observers that come with the library


def test_the_logging_observer_logs_each_event(caplog: pytest.LogCaptureFixture) -> None:
    """Failures are errors, the rest is information."""
    with caplog.at_level(logging.INFO, logger="aiocells"):
        aiocells.compute_sequential(
            Graph.from_cells(after),
            observers=[LoggingObserver()],
            on_error="continue",
        )
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "start of cell 'one'"),
        ("INFO", "end of cell 'one'"),
        ("INFO", "start of cell 'two'"),
        ("INFO", "end of cell 'two'"),
        ("INFO", "start of cell 'broken'"),
        ("ERROR", "failure of cell 'broken': Trouble()"),
        ("INFO", "skip of cell 'after'"),
    ]


def test_the_logging_observer_warns_of_a_fallback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Somebody may want to know that something is down, though nothing failed."""
    broken_too = cell(name="broken_too", fallback=lambda error: None)(lambda: 1 / 0)
    with caplog.at_level(logging.WARNING, logger="aiocells"):
        aiocells.compute_sequential(
            Graph.from_cells(broken_too), observers=[LoggingObserver()]
        )
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        (
            "WARNING",
            "fallback of cell 'broken_too': ZeroDivisionError('division by zero')",
        )
    ]


def test_the_logging_observer_takes_a_logger_and_a_level(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Events go to the logger of the user's choice, at the level chosen."""
    logger = logging.getLogger("tests.observers")
    with caplog.at_level(logging.DEBUG, logger=logger.name):
        aiocells.compute_sequential(
            Graph.from_cells(one), observers=[LoggingObserver(logger, logging.DEBUG)]
        )
    assert {(record.name, record.levelname) for record in caplog.records} == {
        ("tests.observers", "DEBUG")
    }


@given(shapes(max_cells=8))
def test_the_recorder_finds_every_computation_in_order(shape: Shape) -> None:
    """What a computer does passes check_order, whatever the graph."""
    for name in ("async_sequential", "concurrent", "simple"):
        built, recorder = Built(shape), Recorder()
        inputs = {"extra": 1} if any(n.wants_input for n in shape.nodes) else {}
        COMPUTERS[name](built.graph, inputs=inputs, observers=[recorder])
        assert len(recorder.names("end")) == len(shape.nodes)
        recorder.check_order(built.graph)


def events(*words: str) -> Recorder:
    """A recorder that was told of "start one", "end one" and so on."""
    cells = {"one": one, "two": two, "broken": broken, "after": after}
    recorder = Recorder()
    for time, word in enumerate(words):
        kind, name = word.split()
        recorder(Event(kind, cells[name], name, time))  # type: ignore[arg-type]
    return recorder


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["start two", "start one"], "cell 'two' started before the end of one"),
        (
            ["start one", "start two", "end one"],
            "cell 'two' started before the end of one",
        ),
        (["start one", "end one", "start one"], "cell 'one' started twice"),
        (
            ["start one", "end one", "start two", "failure two", "start broken"],
            "cell 'broken' started before the end of two",
        ),
        (
            ["skip broken", "start after"],
            "cell 'after' started before the end of broken",
        ),
    ],
)
def test_check_order_finds_what_started_too_early(
    words: list[str], message: str
) -> None:
    """A cell that started before what it needs, or twice, is named."""
    recorder = events(*words)
    with pytest.raises(AssertionError) as caught:
        recorder.check_order(Graph.from_cells(after))
    assert str(caught.value) == message


def test_check_order_accepts_what_needs_nothing_that_was_recorded() -> None:
    """Where a dependency was overridden, or another run, it has no events."""
    events("start two", "end two", "start after").check_order(Graph.from_cells(after))
    events().check_order(Graph.from_cells(after))
