"""Cells that want a thread or a process where the platform has none."""

import sys
import threading
import types
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import pytest

from aiocells import Graph, UnsupportedCell, cell, compute_sequential, resource
from aiocells._running.elsewhere import platform
from tests.helpers import COMPUTERS, IN_BROWSER, described

ASYNC = [name for name in COMPUTERS if name != "sequential"]
every_async = pytest.mark.parametrize("name", ASYNC)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has the platform offer nothing, as in a browser."""
    if not IN_BROWSER:
        monkeypatch.setattr(platform, "offers", lambda place: False)
        monkeypatch.setattr(sys, "platform", "emscripten")


def works(attempt: Callable[[], object]) -> bool:
    """Whether something can be done here."""
    try:
        attempt()
    except (RuntimeError, NotImplementedError, ImportError):
        return False
    return True


def test_what_is_offered_is_what_there_is() -> None:
    """There are threads where one can be started, and processes where a pool can."""

    def thread() -> None:
        started = threading.Thread(target=int)
        started.start()
        started.join()

    assert platform.offers("thread") is works(thread)
    assert platform.offers("process") is works(lambda: ProcessPoolExecutor().shutdown())


def test_stubs_of_threads_are_no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """WebAssembly has threads in name only, and so no pool of processes either."""
    stubs = types.SimpleNamespace(name="pthread-stubs")
    monkeypatch.setattr(sys, "thread_info", stubs)
    assert not platform.offers("thread")
    assert not platform.offers("process")


@pytest.mark.needs_threads
def test_threads_may_come_without_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where multiprocessing has no locks, there are no processes."""
    monkeypatch.setitem(sys.modules, "multiprocessing.synchronize", None)
    assert platform.offers("thread")
    assert not platform.offers("process")


class Immediate(Executor):
    """An executor that calls at once."""

    def submit(self, function: Any, /, *args: Any, **options: Any) -> Future[Any]:
        """Call `function` here and now."""
        future: Future[Any] = Future()
        future.set_result(function(*args, **options))
        return future


def answer() -> int:
    """What every cell of this module gives; at the top, to be found by processes."""
    return 42


def made(name: str, run_in: str) -> Any:
    """A cell, or a resource where the name says so."""
    if name == "resource":

        def opened() -> Iterator[int]:
            yield 42

        return resource(name=name, run_in=run_in)(opened)
    # Each is a function of its own, since marking one twice is refused.
    function = types.FunctionType(answer.__code__, globals(), "answer")
    return cell(name=name, run_in=run_in)(function)


@pytest.mark.usefixtures("bare")
@every_async
@pytest.mark.parametrize(
    ("kind", "run_in", "plural"),
    [
        ("cell", "thread", "threads"),
        ("cell", "process", "processes"),
        ("resource", "thread", "threads"),
    ],
)
def test_what_the_platform_does_not_have_is_refused_by_name(
    name: str, kind: str, run_in: str, plural: str
) -> None:
    """The cell is named before any other has run, with what to do instead."""
    ran: list[int] = []
    first = cell(lambda: ran.append(1), name="first")
    moved = made(kind, run_in)
    with pytest.raises(UnsupportedCell) as caught:
        COMPUTERS[name](Graph.from_cells(first, moved))
    assert str(caught.value) == (
        f"{described(kind, moved)} has run_in={run_in!r}, but on this platform "
        f"(emscripten) Python has no {plural}. Leave out run_in=, so that it runs "
        "inline, as compute_sequential runs it anyway; or give its value with "
        "overrides=."
    )
    assert caught.value.cell is moved
    assert not ran


@pytest.mark.usefixtures("bare")
@every_async
def test_a_pool_of_threads_is_refused_as_well(name: str) -> None:
    """It could be made, but would run nothing."""
    moved = made("cell", "disk")
    with ThreadPoolExecutor() as pool, pytest.raises(UnsupportedCell) as caught:
        COMPUTERS[name](Graph.from_cells(moved), executors={"disk": pool})
    assert "has run_in='disk', but on this platform (emscripten) " in str(caught.value)
    assert "has no threads. " in str(caught.value)


@pytest.mark.needs_processes
@pytest.mark.usefixtures("bare")
@every_async
def test_a_pool_of_processes_is_refused_as_well(name: str) -> None:
    """Where it could be made at all."""
    moved = made("cell", "cluster")
    with ProcessPoolExecutor() as pool, pytest.raises(UnsupportedCell) as caught:
        COMPUTERS[name](Graph.from_cells(moved), executors={"cluster": pool})
    assert "has no processes. " in str(caught.value)


@pytest.mark.usefixtures("bare")
@every_async
@pytest.mark.parametrize("run_in", ["thread", "process", "other"])
def test_an_executor_that_calls_at_once_will_do(name: str, run_in: str) -> None:
    """One module may serve a platform that has threads, and one that has none."""
    moved = made("cell", run_in)
    executors = {run_in: Immediate()}
    assert COMPUTERS[name](Graph.from_cells(moved), executors=executors)[moved] == 42


@pytest.mark.usefixtures("bare")
@every_async
def test_what_is_not_run_is_not_refused(name: str) -> None:
    """An overridden cell needs no thread, and neither does one that is not chosen."""
    moved, opened = made("cell", "thread"), made("resource", "thread")
    other = cell(lambda: 1, name="other")
    graph = Graph.from_cells(moved, opened, other)
    assert COMPUTERS[name](graph, targets=[other])[other] == 1
    results = COMPUTERS[name](graph, overrides={moved: 2, opened: 3})
    assert dict(results) == {moved: 2, other: 1}


@pytest.mark.usefixtures("bare")
def test_compute_sequential_needs_neither() -> None:
    """It runs every plain cell inline, whatever its `run_in`."""
    cells = [made("one", "thread"), made("two", "process"), made("resource", "thread")]
    results = compute_sequential(Graph.from_cells(*cells))
    assert list(results.values()) == [42, 42]
