"""No value outlives what was returned or raised: no circle keeps it."""

import asyncio
import contextlib
import functools
import gc
import logging
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

import aiocells
from aiocells import Graph, cell, depends_on, resource
from aiocells.observers import Event
from tests.helpers import Modules

COMPUTERS: dict[str, Any] = {
    "sequential": aiocells.compute_sequential,
    "async_sequential": aiocells.async_compute_sequential,
    "concurrent": aiocells.async_compute_concurrent,
    "simple": aiocells.async_compute_concurrent_simple,
}
MODES = ("raise", "group", "continue")
every_computer = pytest.mark.parametrize("name", COMPUTERS)


class Trouble(Exception):
    """Raised by the cells of this module."""


class Big:
    """A value whose end can be seen."""


class Made:
    """The values that cells have made."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.references: list[weakref.ref[Big]] = []

    def big(self) -> Big:
        """Make one more."""
        value = Big()
        self.references.append(weakref.ref(value))
        return value

    def left(self) -> int:
        """How many are still alive."""
        return sum(reference() is not None for reference in self.references)


@pytest.fixture
def made() -> Iterator[Made]:
    """The values of a test, which the garbage collector does not help to end."""
    gc.collect()
    gc.disable()
    yield Made()
    gc.enable()


# Graphs in which something fails


def plain(made: Made, run_in: str | None = None) -> Graph:
    """A plain cell fails, inline or in a thread."""

    @cell
    def big() -> Big:
        return made.big()

    @cell(run_in=run_in)
    def broken(big: Big) -> None:
        raise Trouble

    @cell
    def after(broken: None, big: Big) -> None: ...

    return Graph.from_cells(big, broken, after)


def in_thread(made: Made) -> Graph:
    """The same in a thread."""
    return plain(made, "thread")


def exhausted(made: Made) -> Graph:
    """A cell raises StopIteration, which is replaced."""

    @cell
    def big() -> Big:
        return made.big()

    @cell
    def broken(big: Big) -> None:
        next(iter(()))

    return Graph.from_cells(big, broken)


def beside(made: Made, timeout: float | None = None) -> Graph:
    """An async cell fails, and then another that is cancelled for that."""

    @cell
    async def big() -> Big:
        return made.big()

    @cell(timeout=timeout)
    async def broken(big: Big) -> None:
        await asyncio.sleep(0)
        raise Trouble

    @cell(timeout=timeout)
    async def other(big: Big) -> None:
        try:
            await asyncio.sleep(0)
        finally:
            raise KeyError

    return Graph.from_cells(big, broken, other)


def with_timeouts(made: Made) -> Graph:
    """The same, with timeouts."""
    return beside(made, 3600)


def too_late(made: Made) -> Graph:
    """A cell takes longer than it may."""

    @cell
    async def big() -> Big:
        return made.big()

    @cell(timeout=1e-6)
    async def broken(big: Big) -> None:
        await asyncio.Event().wait()

    return Graph.from_cells(big, broken)


def own_cancellation(made: Made) -> Graph:
    """A cell raises CancelledError by itself."""

    @cell
    def big() -> Big:
        return made.big()

    @cell
    async def broken(big: Big) -> None:
        raise asyncio.CancelledError

    return Graph.from_cells(big, broken)


def nested(made: Made) -> Graph:
    """A cell computes a graph in which a cell fails."""
    inner = plain(made)

    @cell
    async def broken() -> None:
        await aiocells.async_compute_concurrent(inner)

    return Graph.from_cells(broken)


def opening(made: Made) -> Graph:
    """Resources of all kinds of which one fails when it is opened."""
    return resources(made, "opening")


def using(made: Made) -> Graph:
    """Resources of all kinds, and a cell that fails while they are open."""
    return resources(made, "using")


def closing(made: Made) -> Graph:
    """Resources of all kinds that fail when they are closed."""
    return resources(made, "closing")


def resources(made: Made, fails: str) -> Graph:
    """Resources of all kinds."""

    @cell
    def big() -> Big:
        return made.big()

    def opened(run_in: str | None) -> Any:
        @resource(run_in=run_in, name=f"resource_{run_in}")
        def opened(big: Big) -> Iterator[Big]:
            if fails == "opening":
                raise Trouble
            yield made.big()
            if fails == "closing":
                raise Trouble

        return opened

    @resource(timeout=3600)
    async def asynchronous(big: Big) -> AsyncIterator[Big]:
        if fails == "opening":
            raise Trouble
        yield made.big()
        if fails == "closing":
            raise Trouble

    @cell
    @depends_on(one=opened(None), two=opened("thread"))
    def broken(one: Big, two: Big, asynchronous: Big) -> None:
        if fails == "using":
            raise Trouble

    return Graph.from_cells(broken, big, asynchronous)


def falling_back(made: Made, fallback: Any = lambda error: None) -> Graph:
    """Cells fall back, each from a failure of its own or of what it needs."""

    @cell
    def big() -> Big:
        return made.big()

    @cell(fallback=fallback)
    def broken(big: Big) -> None:
        raise Trouble

    @resource
    @depends_on(big=big)
    def opened(big: Big) -> Iterator[Big]:
        raise Trouble
        yield made.big()

    @cell(fallback=fallback)
    def user(big: Big, opened: Big) -> None: ...

    @cell(fallback=fallback)
    @depends_on(user)
    async def after(big: Big) -> None:
        await asyncio.sleep(0)
        raise Trouble

    return Graph.from_cells(big, broken, opened, user, after)


def passing_on(made: Made) -> Graph:
    """The same, where the values are what they fell back from."""
    return falling_back(made, lambda error: error)


def plain_passing_on(made: Made) -> Graph:
    """One of them, where all is plain."""

    @cell
    def big() -> Big:
        return made.big()

    @cell(fallback=lambda error: error)
    def broken(big: Big) -> None:
        raise Trouble

    return Graph.from_cells(big, broken)


def declining(made: Made) -> Graph:
    """The same, where none of them gives a value."""

    def decline(error: BaseException) -> None:
        raise error

    return falling_back(made, decline)


def failing_again(made: Made) -> Graph:
    """The same, where each raises another exception."""

    def fail(error: BaseException) -> None:
        raise KeyError

    return falling_back(made, fail)


GRAPHS = (
    *(plain, exhausted, beside, with_timeouts, too_late, own_cancellation, nested),
    *(falling_back, passing_on, declining, failing_again),
    *(
        pytest.param(make, marks=pytest.mark.needs_threads)
        for make in (in_thread, opening, using, closing)
    ),
)


# Ways to compute them


async def awaited(compute: Callable[[], Any]) -> None:
    """In the caller's own task."""
    await compute()


async def as_task(compute: Callable[[], Any]) -> None:
    """As a task of its own."""
    await asyncio.create_task(compute())


async def cancelled(compute: Callable[[], Any]) -> None:
    """As a task that is cancelled, if it is not done before."""
    task = asyncio.create_task(compute())
    for _ in range(3):
        await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    finally:
        del task  # or it would hold itself, by this frame


async def drop(way: Callable[[Callable[[], Any]], Any], compute: Any) -> None:
    """Compute, and let go of the results or the exception."""
    with contextlib.suppress(Exception, BaseExceptionGroup, asyncio.CancelledError):
        await way(compute)


def silent(event: Event) -> None:
    """An observer."""


def failing(event: Event) -> None:
    """An observer that is dropped at its first event."""
    raise Trouble


@pytest.mark.parametrize("way", [awaited, as_task, cancelled])
@pytest.mark.parametrize("name", [name for name in COMPUTERS if name != "sequential"])
@pytest.mark.parametrize("make", GRAPHS)
async def test_a_failed_computation_keeps_no_value_alive(
    make: Callable[[Made], Graph], name: str, way: Any, made: Made
) -> None:
    """Whatever has failed, with observers or without, in a task of its own or not."""
    logging.getLogger("aiocells").disabled = True  # of observers that fail
    graph = make(made)
    for observers in ((), (silent,), (failing,)):
        for mode in MODES:
            options = {"on_error": mode, "observers": observers}
            await drop(way, functools.partial(COMPUTERS[name], graph, **options))
            await asyncio.sleep(0)  # the loop, too, lets go of what it called
            assert made.left() == 0, (mode, observers)
    logging.getLogger("aiocells").disabled = False
    assert made.references


@pytest.mark.parametrize("make", [plain, exhausted, plain_passing_on])
def test_a_failed_sequential_computation_keeps_no_value_alive(
    make: Callable[[Made], Graph], made: Made
) -> None:
    """The same without an event loop."""
    graph = make(made)
    for observers in ((), (silent,)):
        for mode in MODES:
            with contextlib.suppress(Exception):
                # No name: a failure holds the frames that it came through.
                aiocells.compute_sequential(graph, on_error=mode, observers=observers)
            assert made.left() == 0, (mode, observers)
    assert made.references


@pytest.mark.needs_threads
@every_computer
@pytest.mark.parametrize("observers", [(), (silent,)])
async def test_a_computation_keeps_no_value_alive(
    name: str, observers: Any, made: Made
) -> None:
    """Once its results are dropped, nothing is left, with observers or without."""

    @cell
    def big() -> Big:
        return made.big()

    @cell(run_in="thread")
    def used(big: Big) -> int:
        return 1

    graph = Graph.from_cells(big, used)
    computed = COMPUTERS[name](graph, observers=observers)
    if name != "sequential":
        computed = await computed
    assert computed[used] == 1
    del computed
    await asyncio.sleep(0)
    assert made.left() == 0


async def test_a_cancellation_that_is_swallowed_keeps_no_value_alive(
    made: Made,
) -> None:
    """It comes up when all is done, and holds no more than another."""

    @cell
    def big() -> Big:
        return made.big()

    @cell
    async def swallowing(big: Big) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()

    graph = Graph.from_cells(big, swallowing)
    for name in ("async_sequential", "concurrent", "simple"):
        await drop(cancelled, functools.partial(COMPUTERS[name], graph))
        await asyncio.sleep(0)
        assert made.left() == 0


PROCESSES = """
import asyncio

@cell(run_in="process")
def broken(): raise ValueError

@cell(run_in="process")
def dying():
    import os
    os._exit(1)

@cell(run_in="process")
def hanging():
    import signal
    signal.pause()
"""


@pytest.mark.needs_processes
@pytest.mark.parametrize("target", ["broken", "dying", "hanging"])
async def test_failing_processes_keep_no_value_alive(
    target: str, modules: Modules, made: Made
) -> None:
    """A cell in a process that fails, dies, or is killed."""
    work = modules.make("work", PROCESSES)

    @cell
    def big() -> Big:
        return made.big()

    @cell
    async def other(big: Big) -> None:
        if target == "hanging":
            raise Trouble

    graph = Graph.from_cells(big, other, getattr(work, target))
    await drop(as_task, lambda: aiocells.async_compute_concurrent(graph))
    await asyncio.sleep(0)
    assert made.left() == 0
    assert made.references


# While it is computed


@every_computer
async def test_what_only_failed_and_skipped_cells_need_is_let_go(
    name: str, made: Made
) -> None:
    """Values that are no target are gone when nobody will use them any more."""
    left = []

    @cell
    def big() -> Big:
        return made.big()

    @cell
    def more() -> Big:
        return made.big()

    @cell
    def kept() -> Big:
        return made.big()

    @cell
    def broken(big: Big) -> None:
        del big  # the failure holds this frame
        raise Trouble

    @cell
    def skipped(broken: None, more: Big, kept: Big) -> int:
        return 1

    @cell
    @depends_on(skipped)
    def skipped_too(more: Big) -> int:
        return 1

    @cell
    def later(kept: Big) -> int:
        left.append(made.left())
        return 1

    @resource
    @depends_on(later)
    def last() -> Iterator[int]:
        left.append(made.left())
        yield 1

    @cell
    def after(last: int) -> int:
        left.append(made.left())
        return 1

    cells = [big, more, kept, broken, skipped, skipped_too, later, last, after]
    computed = COMPUTERS[name](
        Graph.from_cells(*cells),
        targets=[skipped, skipped_too, later, after],
        on_error="continue",
    )
    results = computed if name == "sequential" else await computed
    assert results.skipped == {skipped, skipped_too}
    assert left == [1, 0, 0]  # at first what `later` uses


@every_computer
async def test_of_several_failures_each_lets_go_of_its_own(
    name: str, made: Made
) -> None:
    """A second failure counts as the first does, be it a resource that fails."""
    left = []

    @cell
    def big() -> Big:
        return made.big()

    @cell
    def first() -> None:
        raise Trouble

    @resource
    def second(big: Big) -> Iterator[int]:
        del big
        left.append(made.left())
        raise Trouble
        yield

    @cell
    def third(second: int, big: Big) -> None: ...

    @cell
    @depends_on(big)
    def between() -> None: ...

    @cell
    @depends_on(between)
    def later() -> None:
        left.append(made.left())

    computed = COMPUTERS[name](
        Graph.from_cells(big, first, second, third, between, later),
        targets=[first, third, later],
        on_error="continue",
    )
    results = computed if name == "sequential" else await computed
    assert set(results.failures) == {first, second}
    assert left == [1, 0]


@every_computer
async def test_a_failure_is_no_context_of_what_others_raise(name: str) -> None:
    """With "continue", each has only the context that it was raised in."""

    @resource
    def opened() -> Iterator[int]:
        raise Trouble
        yield

    @cell
    def broken() -> None:
        raise KeyError

    @cell
    def plain() -> None:
        raise Trouble

    @resource
    def closing() -> Iterator[int]:
        yield 1
        raise Trouble

    @cell
    @depends_on(opened, closing)
    def skipped() -> None: ...

    graph = Graph.from_cells(opened, broken, plain, closing, skipped)
    computed = COMPUTERS[name](graph, on_error="continue")
    results = computed if name == "sequential" else await computed
    assert set(results.failures) == {opened, broken, plain, closing}
    for error in results.failures.values():
        assert error.__context__ is None
