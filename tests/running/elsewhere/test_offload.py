"""Cells that run in threads, in processes, and in the user's executors."""

import asyncio
import contextvars
import functools
import multiprocessing
import os
import pickle
import subprocess
import sys
import textwrap
import threading
import types
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import pytest

import aiocells
from aiocells import Graph, UnsupportedCell, WorkerDied, cell, depends_on
from aiocells._running.elsewhere import offload, processes
from tests.helpers import ASYNC_COMPUTERS, COMPUTERS, Modules

ASYNC = [name for name in COMPUTERS if name != "sequential"]
every_async = pytest.mark.parametrize("name", ASYNC)
SPAWN = multiprocessing.get_context("spawn")
variable = contextvars.ContextVar("variable", default="unset")


class Trouble(Exception):
    """Raised by the cells of this module."""


@pytest.fixture(autouse=True)
def nothing_left_running() -> Any:
    """Every test leaves the threads and processes that were there before it."""
    threads, children = set(threading.enumerate()), multiprocessing.active_children()
    yield
    assert set(threading.enumerate()) == threads
    assert multiprocessing.active_children() == children


# Threads


@pytest.mark.needs_threads
@every_async
def test_a_thread_cell_runs_in_a_thread_that_sees_context_variables(name: str) -> None:
    """Context variables travel to threads; what a thread sets stays there."""

    @cell(run_in="thread")
    def seen() -> tuple[str, bool]:
        value = variable.get()
        variable.set("the thread's")
        return value, threading.current_thread() is threading.main_thread()

    def compute() -> None:
        variable.set("the caller's")
        results = COMPUTERS[name](Graph.from_cells(seen))
        assert results[seen] == ("the caller's", False)
        assert variable.get() == "the caller's"

    contextvars.copy_context().run(compute)


@pytest.mark.needs_threads
async def test_a_thread_cell_does_not_block_the_loop() -> None:
    """Async cells go on while a thread cell waits."""
    may_end = threading.Event()

    @cell(run_in="thread")
    def waiting() -> bool:
        return may_end.wait(10)

    @cell
    async def releasing() -> None:
        await asyncio.sleep(0)
        may_end.set()

    graph = Graph.from_cells(waiting, releasing)
    results = await aiocells.async_compute_concurrent(graph)
    assert results[waiting] is True


class Lingering:
    """Kept by a thread, which ends only when this may be let go."""

    def __init__(self) -> None:
        """Nothing may be let go yet."""
        self.may_go = threading.Event()

    def __del__(self) -> None:
        """Wait, as the thread does."""
        LINGERED.append(self.may_go.wait(10))


LINGERED: list[bool] = []


@pytest.mark.needs_threads
@pytest.mark.parametrize("is_cancelled", [False, True])
async def test_threads_end_while_the_loop_goes_on(is_cancelled: bool) -> None:
    """However long they take to, and whether the computation is cancelled meanwhile."""
    LINGERED.clear()
    kept = threading.local()
    loop = asyncio.get_running_loop()
    running: asyncio.Future[threading.Event] = loop.create_future()

    @cell(run_in="thread")
    def keeps() -> int:
        kept.value = Lingering()
        loop.call_soon_threadsafe(running.set_result, kept.value.may_go)
        return 1

    graph = Graph.from_cells(keeps)
    task = asyncio.create_task(aiocells.async_compute_concurrent(graph))
    may_go = await running
    for _ in range(2 * offload._TURNS):
        await asyncio.sleep(0)
    assert not task.done()
    if is_cancelled:
        task.cancel()
        await asyncio.sleep(0)
    may_go.set()
    if is_cancelled:
        with pytest.raises(asyncio.CancelledError):
            await task
    else:
        assert (await task)[keeps] == 1
    assert LINGERED == [True]


@pytest.mark.needs_threads
def test_no_more_threads_are_started_than_there_are_cells() -> None:
    """Nor are any kept for the next computation."""
    names: set[str] = set()

    def make(number: int) -> Any:
        def notes() -> None:
            names.add(threading.current_thread().name)

        return cell(run_in="thread", name=f"notes_{number}")(notes)

    graph = Graph.from_cells(*(make(number) for number in range(3)))
    asyncio.run(aiocells.async_compute_concurrent(graph))
    assert 1 <= len(names) <= 3


@pytest.mark.needs_threads
@pytest.mark.parametrize("count", [0, 1, 3, 50])
def test_there_is_at_most_one_thread_a_cell(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What opens in a thread of its own, or runs elsewhere, needs none; 40 are all."""
    sizes: list[int] = []

    class Pool(ThreadPoolExecutor):
        """A pool that tells how many threads it may have."""

        def __init__(self, most: int, *more: Any) -> None:
            sizes.append(most)
            super().__init__(most, *more)

    monkeypatch.setattr("concurrent.futures.ThreadPoolExecutor", Pool)

    @aiocells.resource(run_in="thread")
    def opened() -> Iterator[int]:
        yield 1

    elsewhere = cell(name="elsewhere", run_in="mine")(lambda opened: opened)
    in_threads = [
        cell(name=f"cell_{number}", run_in="thread")(lambda: None)
        for number in range(count)
    ]
    graph = Graph.from_cells(opened, elsewhere, *in_threads)
    compute = aiocells.async_compute_concurrent
    asyncio.run(compute(graph, executors={"mine": Immediate()}))
    of_resource = [1]
    assert sizes == ([min(count, 40)] if count else []) + of_resource


@pytest.mark.needs_threads
@pytest.mark.parametrize("name", ["concurrent", "simple"])
def test_thread_cells_run_at_the_same_time(name: str) -> None:
    """Two thread cells that wait for each other both end."""
    both = threading.Barrier(2)

    def meet() -> int:
        both.wait(10)
        return 1

    one = cell(functools.partial(meet), name="one", run_in="thread")
    two = cell(functools.partial(meet), name="two", run_in="thread")
    assert list(COMPUTERS[name](Graph.from_cells(one, two)).values()) == [1, 1]


@pytest.mark.needs_threads
async def test_the_loops_default_executor_is_left_alone() -> None:
    """Threads of ours belong to one computation; the loop's own pool gets no work."""
    submitted: list[Any] = []

    class Recording(ThreadPoolExecutor):
        def submit(self, *args: Any, **options: Any) -> Any:
            submitted.append(args)
            return super().submit(*args, **options)

    asyncio.get_running_loop().set_default_executor(Recording())

    @cell(run_in="thread")
    def name_of_thread() -> str:
        return threading.current_thread().name

    graph = Graph.from_cells(name_of_thread)
    results = await aiocells.async_compute_concurrent(graph)
    assert results[name_of_thread].startswith("aiocells")
    assert submitted == []


@pytest.mark.needs_threads
@every_async
def test_a_failure_in_a_thread_is_the_cells_own(name: str) -> None:
    """The exception that a thread cell raised reaches the caller, and is noted."""
    problem = Trouble("in a thread")

    @cell(run_in="thread")
    def broken(size: int) -> None:
        raise problem

    with pytest.raises(Trouble) as caught:
        COMPUTERS[name](Graph.from_cells(broken), inputs={"size": 3})
    assert caught.value is problem
    [note] = problem.__notes__
    assert note.startswith("in cell 'broken' (")
    assert note.endswith("called with size=3")


def test_compute_sequential_runs_everything_inline() -> None:
    """Whatever `run_in` says, compute_sequential calls each plain cell itself."""
    threads: list[threading.Thread] = []

    def make(run_in: str) -> Any:
        def body() -> int:
            threads.append(threading.current_thread())
            return os.getpid()

        return cell(name=f"in_{run_in}", run_in=run_in)(body)

    graph = Graph.from_cells(*map(make, ("thread", "process", "no_such_executor")))
    results = aiocells.compute_sequential(graph)
    assert list(results.values()) == [os.getpid()] * 3
    assert threads == [threading.current_thread()] * 3


# The user's executors


class Immediate(Executor):
    """An executor that calls at once, and counts."""

    def __init__(self) -> None:
        """Count from 0."""
        self.calls = 0

    def submit(self, function: Any, /, *args: Any, **options: Any) -> Future[Any]:
        """Call `function` here and now."""
        self.calls += 1
        future: Future[Any] = Future()
        future.set_result(function(*args, **options))
        return future


@pytest.mark.needs_threads
@every_async
def test_run_in_names_an_executor_of_the_users_which_stays_open(name: str) -> None:
    """A named executor runs the cell, with its context, and is not closed."""

    @cell(run_in="mine")
    def where() -> tuple[str, str]:
        return threading.current_thread().name, variable.get()

    def compute() -> None:
        variable.set("the caller's")
        results = COMPUTERS[name](Graph.from_cells(where), executors={"mine": pool})
        assert results[where] == ("mine_0", "the caller's")

    with ThreadPoolExecutor(1, "mine") as pool:
        contextvars.copy_context().run(compute)
        assert pool.submit(int).result() == 0


@every_async
def test_any_other_executor_is_given_the_function_as_it_is(name: str) -> None:
    """An executor of unknown kind may pickle, so that it is given no context."""

    @cell(run_in="odd")
    @depends_on(parts=[lambda: 1, lambda: 2])
    def total(parts: list[int]) -> int:
        return sum(parts)

    executor = Immediate()
    results = COMPUTERS[name](Graph.from_cells(total), executors={"odd": executor})
    assert results[total] == 3
    assert executor.calls == 1


@pytest.mark.needs_threads
@every_async
def test_a_pool_of_interpreters_is_given_the_function_as_it_is(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is one of threads (Python 3.14), but sends what it runs, as processes do."""

    class InterpreterPoolExecutor(ThreadPoolExecutor):
        def submit(self, function: Any, /, *args: Any, **options: Any) -> Future[Any]:
            pickle.dumps((function, args, options))
            return super().submit(function, *args, **options)

    monkeypatch.setitem(
        sys.modules,
        "concurrent.futures.interpreter",
        types.SimpleNamespace(InterpreterPoolExecutor=InterpreterPoolExecutor),
    )
    upper = cell(name="upper", run_in="interpreters")(functools.partial(str.upper, "a"))
    with InterpreterPoolExecutor(1) as pool:
        executors = {"interpreters": pool}
        results = COMPUTERS[name](Graph.from_cells(upper), executors=executors)
    assert results[upper] == "A"


@every_async
@pytest.mark.parametrize("run_in", ["thread", "process"])
def test_a_name_of_ours_can_be_given_another_executor(name: str, run_in: str) -> None:
    """`executors={"thread": ...}` has the user's run what ours would."""

    @cell(run_in=run_in)
    def answer() -> int:
        return 42

    executor = Immediate()
    graph = Graph.from_cells(answer)
    assert COMPUTERS[name](graph, executors={run_in: executor})[answer] == 42
    assert executor.calls == 1


@pytest.mark.needs_threads
@every_async
def test_an_executor_that_is_closed_is_a_failure_of_the_cell(name: str) -> None:
    """What the executor raises is raised, and names the cell."""

    @cell(run_in="mine")
    def answer() -> int:
        return 42

    pool = ThreadPoolExecutor()
    pool.shutdown()
    with pytest.raises(RuntimeError, match="after shutdown") as caught:
        COMPUTERS[name](Graph.from_cells(answer), executors={"mine": pool})
    assert caught.value.__notes__[0].startswith("in cell 'answer' (")


# What is refused before anything runs


def refused(graph: Graph, **options: Any) -> dict[str, Exception]:
    """What each async computer raises; no cell may run."""
    errors = {}
    for name in ASYNC:
        with pytest.raises(Exception) as caught:  # noqa: PT011
            COMPUTERS[name](graph, **options)
        errors[name] = caught.value
    return errors


def with_canary(*cells: Any) -> tuple[Graph, list[int]]:
    """A graph with a cell that would run first, and what it would leave."""
    ran: list[int] = []

    @cell
    def canary() -> None:
        ran.append(1)

    return Graph.from_cells(canary, *cells), ran


@pytest.mark.parametrize(
    ("executors", "told"),
    [
        (
            {"blok_io": Immediate(), "other": Immediate()},
            "Did you mean 'blok_io'? Give it as executors={'block_io': ...}.",
        ),
        ({"other": Immediate()}, "name. Give it as executors={'block_io': ...}."),
    ],
)
def test_an_executor_that_is_not_given_is_refused(
    executors: dict[str, Executor], told: str
) -> None:
    """A cell that names an unknown executor is refused, with near names."""
    moved = cell(lambda: None, name="moved", run_in="block_io")
    other = cell(lambda: None, name="other", run_in="other")
    near = cell(lambda: None, name="near", run_in="blok_io")
    cells = [other, near, moved] if "blok_io" in executors else [other, moved]
    graph, ran = with_canary(*cells)
    for error in refused(graph, executors=executors).values():
        assert type(error) is UnsupportedCell
        assert error.cell is moved
        assert str(error).startswith("'moved' (")
        assert "has run_in='block_io', but there is no executor of that" in str(error)
        assert str(error).endswith(told)
    assert not ran


def test_an_executor_name_that_is_mistyped_is_told_ours() -> None:
    """The names of our own executors count among the near names."""
    moved = cell(lambda: None, name="moved", run_in="threads")
    graph, ran = with_canary(moved)
    for error in refused(graph).values():
        assert "Did you mean 'thread'?" in str(error)
    assert not ran


@pytest.mark.parametrize("name", ASYNC_COMPUTERS)
async def test_threads_and_processes_may_always_be_given(name: str) -> None:
    """A service has one pool for all of its graphs, also for those that use none."""
    executors = {"thread": Immediate(), "process": Immediate()}

    @cell
    def answer() -> int:
        return 42

    graph = Graph.from_cells(answer)
    results = await ASYNC_COMPUTERS[name](graph, executors=executors)
    assert results[answer] == 42
    with pytest.raises(ValueError, match="Did you mean 'thread'") as caught:
        await ASYNC_COMPUTERS[name](graph, executors={"threads": Immediate()})
    assert str(caught.value) == (
        "executors: no cell has run_in='threads'. Did you mean 'thread'?"
    )
    with pytest.raises(TypeError, match="which is no executor"):
        await ASYNC_COMPUTERS[name](graph, executors={"thread": 40})


def test_an_executor_that_no_cell_names_is_refused() -> None:
    """A superfluous executor is a mistake that is told, with near names."""
    moved = cell(lambda: None, name="moved", run_in="block_io")
    graph, ran = with_canary(moved)
    executors = {"block_io": Immediate(), "blok_io": Immediate()}
    for error in refused(graph, executors=executors).values():
        assert type(error) is ValueError
        assert str(error) == (
            "executors: no cell has run_in='blok_io'. Did you mean 'block_io'?"
        )
    assert not ran


def test_what_is_no_executor_is_refused() -> None:
    """An object without submit() is no executor."""
    moved = cell(lambda: None, name="moved", run_in="block_io")
    graph, ran = with_canary(moved)
    for error in refused(graph, executors={"block_io": 4}).values():
        assert type(error) is TypeError
        assert str(error) == (
            "executors: 'block_io' is 4, which is no executor: it has no submit()."
        )
    assert not ran


def test_an_executor_counts_as_named_by_a_cell_that_is_not_chosen() -> None:
    """One set of executors serves all targets of a graph."""
    moved = cell(lambda: 1, name="moved", run_in="mine")
    other = cell(lambda: 2, name="other")
    graph = Graph.from_cells(moved, other)
    executors = {"mine": Immediate()}
    for name in ASYNC:
        results = COMPUTERS[name](graph, targets=[other], executors=executors)
        assert dict(results) == {other: 2}


def local_function() -> Callable[[], int]:
    """A function that no process can find."""

    def local() -> int:
        return 1

    return local


def local_object() -> Any:
    """An object whose class no process can find."""

    class Local:
        @cell(run_in="process", name="local")
        def method(self) -> int:
            return 1

    return Local()


@pytest.mark.needs_processes
@pytest.mark.parametrize(
    "make",
    [
        lambda: cell(lambda: 1, name="local", run_in="process"),
        lambda: cell(local_function(), run_in="process"),
        lambda: cell(
            functools.partial(local_function()), name="local", run_in="process"
        ),
        lambda: cell(
            functools.partial(print, lambda: 1), name="local", run_in="process"
        ),
    ],
    ids=["lambda", "local function", "partial", "argument of a partial"],
)
def test_what_cannot_be_sent_to_a_process_is_refused_by_name(make: Any) -> None:
    """A process cell that cannot be pickled is refused before any cell has run."""
    function = make()
    graph, ran = with_canary(function)
    with ProcessPoolExecutor(mp_context=SPAWN) as pool:
        for executors in ({}, {"process": pool}):
            for error in refused(graph, executors=executors).values():
                assert type(error) is UnsupportedCell
                assert error.cell is function
                assert error.__cause__ is not None
                told = str(error)
                assert told.startswith("'local' ")
                assert " is to run in a process, but cannot be sent to one: " in told
                assert told.endswith(
                    'Define it at the top of a module, or use run_in="thread".'
                )
    assert not ran


@pytest.mark.needs_processes
def test_a_method_of_what_cannot_be_sent_is_refused() -> None:
    """A method goes with its object, so that the object must be sent too."""
    graph = Graph.from_object(local_object())
    for error in refused(graph).values():
        assert type(error) is UnsupportedCell
        assert str(error).startswith("'local' (")


@pytest.mark.needs_processes
@pytest.mark.parametrize("file", [None, "<stdin>"])
def test_a_function_of_a_session_is_refused(
    file: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was typed in has no module that a new process could import."""
    session = types.ModuleType("__main__")
    if file is not None:
        session.__file__ = file
    monkeypatch.setitem(sys.modules, "__main__", session)
    exec("def answer(): return 42", vars(session))
    function = cell(run_in="process")(vars(session)["answer"])
    graph, ran = with_canary(function)
    for error in refused(graph).values():
        assert type(error) is UnsupportedCell
        assert error.cell is function
        assert (
            "cannot be sent to one: it was defined in a session, which a new process "
            "cannot import. Define it at the top of a module" in str(error)
        )
    assert not ran


# Processes: few tests, since each starts some

WORK = '''
import functools, multiprocessing, os, signal

flag = "as imported"

class OddError(Exception):
    """Cannot be made from its args."""
    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")

class Unreadable:
    """Can be pickled, but not unpickled."""
    def __reduce__(self):
        return int, ("no number",)

@cell(run_in="process")
def where():
    return os.getpid(), flag, multiprocessing.parent_process() is not None

@cell
def one(): return 1

@cell
def two(): return 2

@cell(run_in="process")
@depends_on(parts=[one, two])
def taking(one, parts, *, two):
    return one, parts, two

def scaled(factor, size):
    return factor * size

unsendable = cell(lambda: 7, name="unsendable")
family = depends_on(size=unsendable)(functools.partial(scaled, 6))
family = cell(family, name="family", run_in="process")

class Shop:
    def __init__(self, name):
        self.name = name
    @cell(run_in="process")
    def sign(self, one):
        return f"{self.name} no. {one}"
'''

FAULTS = (
    WORK
    + """
import dataclasses

class Trouble(Exception):
    def __init__(self, text, code=0):
        super().__init__(text)
        self.code = code

@dataclasses.dataclass(frozen=True)
class Frozen(Exception):
    code: int

@cell(run_in="process")
def fine(): return os.getpid()

@cell(run_in="process")
def troubled():
    error = Trouble("as it was", 3)
    error.add_note("by hand")
    raise error

@cell(run_in="process")
def odd_error():
    raise OddError("this", "that")

@cell(run_in="process")
def frozen():
    raise Frozen(3)

@cell(run_in="process")
def exhausted():
    raise StopIteration(5)

@cell(run_in="process")
def returns_lambda(): return lambda: 1

@cell(run_in="process")
def returns_unreadable(): return Unreadable()

@cell
def a_lambda(): return lambda: 1

@cell
def unreadable(): return Unreadable()

@cell(run_in="process")
def takes_lambda(a_lambda): ...

@cell(run_in="process")
def takes_unreadable(unreadable): ...

@cell(run_in="process")
def dying(): os.kill(os.getpid(), signal.SIGKILL)

@cell(run_in="process")
def leaving(): os._exit(0)

@cell
def after(dying): ...
"""
)


@pytest.mark.needs_processes
@pytest.mark.parametrize("name", ["async_sequential", "concurrent"])
def test_process_cells_run_in_spawned_processes(name: str, modules: Modules) -> None:
    """Positional, list and keyword arguments, partials and their marks get there."""
    work = modules.make("work", WORK)
    work.flag = "changed after the import"
    results = COMPUTERS[name](Graph.from_module(work))
    pid, flag, is_child = results[work.where]
    assert pid != os.getpid()
    assert is_child
    assert flag == "as imported"  # a forked one would see the change
    assert results[work.taking] == (1, [1, 2], 2)
    assert results[work.family] == 42


@pytest.mark.needs_processes
def test_a_file_that_no_import_finds_runs_in_a_process(modules: Modules) -> None:
    """What has the name of another module is loaded there by its path, as here."""
    source = """
        import functools, os

        class Parcel:
            pid = os.getpid()

        @cell
        def parcel(): return Parcel()

        def move(times, parcel):
            return parcel, [os.getpid()] * times, parcel.pid

        moved = cell(functools.partial(move, 2), name="moved", run_in="process")
        again = cell(functools.partial(move, 1), name="again", run_in="process")
    """
    modules.make("away", source)
    path = modules.write("v1%2E0.away", source)
    graph = Graph.from_module(path)
    module = sys.modules[graph.topological_ordering[0].__module__]
    with ProcessPoolExecutor(1, mp_context=SPAWN) as pool:
        for executors in ({}, {"process": pool}):
            results = COMPUTERS["concurrent"](graph, executors=executors)
            parcel, pids, pid = results["moved"]
            assert type(parcel) is module.Parcel
            assert pids == [pid, pid] != [os.getpid()] * 2


@pytest.mark.needs_processes
def test_a_method_runs_in_a_process_where_its_object_can_be_sent(
    modules: Modules,
) -> None:
    """The object is copied to the process, and stays as it is here."""
    work = modules.make("work", WORK)
    shop = work.Shop("Corner shop")
    graph = Graph.from_object(shop)
    results = COMPUTERS["concurrent"](graph)
    assert results["sign"] == "Corner shop no. 1"


@pytest.mark.needs_processes
def test_a_dying_worker_names_its_cell_and_hurts_no_other(modules: Modules) -> None:
    """Each process cell fails by itself, whatever happens to it or to its values."""
    work = modules.make("faults", FAULTS)
    graph = Graph.from_module(work)
    results = COMPUTERS["concurrent"](graph, on_error="continue")
    assert results[work.fine] != os.getpid()
    assert results[work.taking] == (1, [1, 2], 2)
    found = results.failures

    troubled = found.pop(work.troubled)
    assert type(troubled) is work.Trouble
    assert (troubled.args, troubled.code) == (("as it was",), 3)
    assert troubled.__notes__[0] == "by hand"
    assert troubled.__notes__[1].startswith("in cell 'troubled' (faults.py:")
    assert "in troubled" in str(troubled.__cause__)

    odd = found.pop(work.odd_error)
    assert type(odd) is RuntimeError
    assert str(odd).startswith("OddError: this and that (it cannot be sent whole: ")
    assert "in odd_error" in str(odd.__cause__)

    frozen = found.pop(work.frozen)
    assert type(frozen) is work.Frozen
    assert frozen.code == 3
    assert frozen.__notes__[0].startswith("in cell 'frozen' (faults.py:")
    assert "in frozen" in str(frozen.__cause__)

    exhausted = found.pop(work.exhausted)
    assert type(exhausted) is RuntimeError
    assert str(exhausted) == "cell raised StopIteration"

    told = {
        work.takes_lambda: "an argument cannot be sent to the process: ",
        work.takes_unreadable: "the cell, or an argument of it, cannot be read in the "
        "process: ValueError: invalid literal for int()",
        work.returns_lambda: "the value cannot be sent back from the process: ",
        work.returns_unreadable: "the value that the process sent cannot be read: "
        "ValueError: invalid literal for int()",
    }
    for each, text in told.items():
        error = found.pop(each)
        assert isinstance(error, pickle.PickleError)
        assert str(error).startswith(text)
        assert error.__notes__[0].startswith(f"in cell '{each.__name__}' (faults.py:")

    for each in (work.dying, work.leaving):
        died = found.pop(each)
        assert type(died) is WorkerDied
        assert died.cells == (each,)
        assert str(died) == (
            "the worker process that ran the cell died before it answered: it was "
            "killed, for instance for want of memory, or the cell ended it"
        )
        assert died.__notes__[0].startswith(f"in cell '{each.__name__}' (faults.py:")
    assert found == {}
    assert results.skipped == {work.after}


@pytest.mark.needs_processes
@pytest.mark.parametrize("name", ["async_sequential", "simple"])
def test_the_users_pool_of_processes_stays_open(name: str, modules: Modules) -> None:
    """An exception that cannot be sent back does not break the user's pool either."""
    work = modules.make("faults", FAULTS)
    unreadable = work.returns_unreadable
    cells = [work.where, work.troubled, work.odd_error, unreadable, work.family]
    graph = Graph.from_cells(*cells)
    with ProcessPoolExecutor(1, mp_context=SPAWN) as pool:
        results = COMPUTERS[name](
            graph, executors={"process": pool}, on_error="continue"
        )
        assert str(results.failures[work.odd_error]).startswith("OddError: this and")
        assert isinstance(results.failures[unreadable], pickle.UnpicklingError)
        assert type(results.failures[work.troubled]) is work.Trouble
        assert results[work.family] == 42
        assert pool.submit(os.getpid).result() == results[work.where][0]


@pytest.mark.needs_processes
async def test_a_process_cell_is_ended_when_another_cell_fails(
    modules: Modules,
) -> None:
    """A worker is killed and gone before the failure reaches the caller."""
    work = modules.make(
        "hanging",
        """
        import os, signal

        @cell(run_in="process")
        def hanging(pipe):
            with open(pipe, "w") as started:
                started.write(str(os.getpid()))
            signal.pause()

        @cell(run_in="thread")
        def failing(pipe):
            with open(pipe) as started:
                raise ValueError(int(started.read()))
        """,
    )
    pipe = modules.folder / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(ValueError, match=r"\d+") as caught:
        await aiocells.async_compute_concurrent(
            Graph.from_module(work), inputs={"pipe": str(pipe)}
        )
    assert list(aiocells.failures(caught.value)) == [work.failing]
    with pytest.raises(ProcessLookupError):
        os.kill(caught.value.args[0], 0)


@pytest.mark.needs_processes
@pytest.mark.parametrize(
    "computer",
    [aiocells.async_compute_concurrent, aiocells.async_compute_sequential],
)
async def test_a_worker_that_is_just_starting_can_be_cancelled(
    modules: Modules, computer: Any
) -> None:
    """A cancellation at the start of a worker leaves no process either."""
    work = modules.make("work", WORK)
    graph = Graph.from_module(work)
    task = asyncio.create_task(computer(graph, targets=[work.where]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel("enough")
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert caught.value.args == ("enough",)


@pytest.mark.needs_processes
async def test_a_cancellation_while_workers_are_closed_loses_nothing(
    modules: Modules, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All workers are ended all the same, and the failures are in its notes."""
    work = modules.make("faults", FAULTS)
    close = processes._Worker.close

    async def cancelled_close(worker: Any) -> None:
        task.cancel("late")
        await close(worker)

    monkeypatch.setattr(processes._Worker, "close", cancelled_close)
    graph = Graph.from_cells(work.fine, work.troubled)
    task = asyncio.create_task(
        aiocells.async_compute_concurrent(graph, on_error="continue")
    )
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert caught.value.args == ("late",)
    [note] = caught.value.__notes__
    assert note.startswith("also failed: cell 'troubled' (faults.py:")
    assert list(aiocells.failures(caught.value)) == [work.troubled]


@pytest.mark.needs_processes
def test_a_script_without_a_main_guard_is_told(modules: Modules) -> None:
    """A main module that starts workers when it is imported is asked about."""
    script = modules.folder / "script.py"
    source = """
        import asyncio
        from aiocells import Graph, async_compute_concurrent, cell

        @cell(run_in="process")
        def answer():
            return 42

        asyncio.run(async_compute_concurrent(Graph.from_cells(answer)))
        """
    script.write_text(textwrap.dedent(source), encoding="utf-8")
    # The checkout, where it is that which is tested, must be found there too.
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, script], env=env, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith(
        "aiocells.errors.WorkerDied: the worker process could not start, and said why "
        "on standard error; is what the main module does behind "
        "if __name__ == '__main__'?\nin cell 'answer' (script.py:5)"
    )
