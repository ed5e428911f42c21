"""Worker processes: how they end, with all that they started, and how they die."""

import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

import pytest

import aiocells
from aiocells import Graph, WorkerDied, cell
from aiocells._running.elsewhere import processes
from tests.fault_runs import children
from tests.helpers import COMPUTERS, Modules

pytestmark = pytest.mark.needs_processes
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux can do that")


@pytest.fixture(autouse=True)
def nothing_left_running() -> Iterator[None]:
    """Every test leaves the threads and processes that were there before it."""
    threads, before = set(threading.enumerate()), children()
    yield
    assert set(threading.enumerate()) == threads
    assert children() == before


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers are given no time to end by themselves."""
    monkeypatch.setattr(processes, "CLOSE_TIMEOUT", 0)
    monkeypatch.setattr(processes, "TERMINATE_TIMEOUT", 0)


@pytest.fixture
def pipe(modules: Modules) -> str:
    """A pipe with a name, that ends when all who write to it are gone."""
    path = modules.folder / "pipe"
    os.mkfifo(path)
    return os.fspath(path)


def is_gone(pid: int) -> bool:
    """Whether there is no such process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def rest_of(reading: int) -> bytes:
    """What is left in a pipe that nobody may write to any more."""
    os.set_blocking(reading, False)  # so that a writer who is left shows
    found = b""
    while part := os.read(reading, 1000):
        found += part
    os.close(reading)
    return found


# What cells leave

LEAVING = """
import os, signal, subprocess, sys, threading

@cell(run_in="process")
def thread():
    threading.Thread(target=threading.Event().wait).start()
    return os.getpid()

@cell(run_in="process")
def stubborn():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return thread()

def child(pipe):
    writing = os.open(pipe, os.O_WRONLY)
    script = "import signal; print('here', flush=True); signal.pause()"
    command = [sys.executable, "-c", script]
    subprocess.Popen(command, stdout=writing)
    return writing

def fork(pipe):
    writing = os.open(pipe, os.O_WRONLY)
    if not os.fork():
        os.write(writing, b"here\\n")
        signal.pause()
    return writing

@cell(run_in="process")
def leaves_child(pipe):
    os.close(child(pipe))
    return os.getpid()

@cell(run_in="process")
def hangs_with_child(pipe):
    child(pipe)
    signal.pause()

@cell(run_in="process")
def hangs_with_fork(pipe):
    fork(pipe)
    signal.pause()

@cell(run_in="process")
def dies_with_fork(pipe):
    fork(pipe)
    os._exit(3)

@cell(run_in="process")
def is_leader():
    return os.getsid(0) == os.getpgrp() == os.getpid()
"""


class Trouble(Exception):
    """Raised by the cells of this module."""


def reader(wanted: bytes = b"here\n", *, fails: bool = True) -> Any:
    """A cell that fails once it has read what is wanted from the pipe."""

    @cell(run_in="thread")
    def reading(pipe: str) -> int:
        file = os.open(pipe, os.O_RDONLY)
        found = b""
        while found != wanted:
            found += os.read(file, 1)
        if fails:
            raise Trouble(file)
        return file

    return reading


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("name", ["thread", "stubborn"])
def test_a_thread_that_a_cell_leaves_is_not_waited_for(
    name: str, modules: Modules
) -> None:
    """The worker is told to terminate, and then killed, each after a bounded time."""
    leaving = modules.make("leaving", LEAVING)
    graph = Graph.from_module(leaving)
    pid = COMPUTERS["concurrent"](graph, targets=[name])[name]
    assert is_gone(pid)


async def test_a_cancellation_hastens_the_closing(
    modules: Modules, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits no longer for a worker to end by itself, but kills it, and goes on."""
    monkeypatch.setattr(processes, "CLOSE_TIMEOUT", 3600)
    leaving = modules.make("leaving", LEAVING)
    close = processes._Worker.close

    async def cancelled_close(worker: Any) -> None:
        task.cancel("late")
        await close(worker)

    monkeypatch.setattr(processes._Worker, "close", cancelled_close)
    graph = Graph.from_cells(leaving.thread, leaving.stubborn)
    task = asyncio.create_task(aiocells.async_compute_concurrent(graph))
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert caught.value.args == ("late",)


@pytest.mark.parametrize("name", ["hangs_with_child", "hangs_with_fork"])
def test_what_a_killed_worker_has_started_ends_with_it(
    name: str, modules: Modules, pipe: str
) -> None:
    """Its subprocesses, and what it forked, are gone before the failure is raised."""
    leaving = modules.make("leaving", LEAVING)
    graph = Graph.from_cells(getattr(leaving, name), reader())
    with pytest.raises(Trouble) as caught:
        COMPUTERS["concurrent"](graph, inputs={"pipe": pipe})
    assert rest_of(caught.value.args[0]) == b""


def test_what_a_cell_leaves_ends_with_its_worker(modules: Modules, pipe: str) -> None:
    """A subprocess does not outlast the computation that it was started in."""
    leaving = modules.make("leaving", LEAVING)
    reading = reader(fails=False)
    graph = Graph.from_cells(leaving.leaves_child, reading)
    results = COMPUTERS["concurrent"](graph, inputs={"pipe": pipe})
    assert rest_of(results[reading]) == b""
    assert is_gone(results[leaving.leaves_child])


@pytest.mark.usefixtures("hasty")
def test_what_does_not_vanish_is_not_waited_for_without_bound(
    modules: Modules, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a group seems to be left, as of dead ones that nobody reaps."""
    monkeypatch.setattr(processes, "VANISH_TIMEOUT", 0)
    leaving = modules.make("leaving", LEAVING)
    graph = Graph.from_cells(leaving.is_leader)
    assert COMPUTERS["concurrent"](graph)["is_leader"]


def test_without_process_groups_the_worker_itself_ends(
    modules: Modules, pipe: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows, where its connection tells of its end in another way as well."""

    def poll(_: Connection, timeout: float) -> bool:
        raise BrokenPipeError

    monkeypatch.delattr(os, "killpg")
    monkeypatch.setattr(Connection, "poll", poll)
    work = modules.make(
        "work",
        """
        import signal

        @cell(run_in="process")
        def hanging(pipe):
            with open(pipe, "w") as file:
                print("here", file=file, flush=True)
                signal.pause()
        """,
    )
    graph = Graph.from_cells(work.hanging, reader())
    with pytest.raises(Trouble) as caught:
        COMPUTERS["concurrent"](graph, inputs={"pipe": pipe})
    assert rest_of(caught.value.args[0]) == b""


# Workers that die


def test_a_worker_that_dies_leaves_nothing_and_is_missed_at_once(
    modules: Modules, pipe: str
) -> None:
    """What it had forked does not hide its death, and dies too."""
    leaving = modules.make("leaving", LEAVING)
    reading = reader(fails=False)
    graph = Graph.from_cells(leaving.dies_with_fork, reading)
    results = COMPUTERS["concurrent"](graph, inputs={"pipe": pipe}, on_error="continue")
    assert type(results.failures[leaving.dies_with_fork]) is WorkerDied
    assert rest_of(results[reading]) == b""


PIDS = """
import os

@cell(run_in="process")
def first():
    return os.getpid()

@cell(run_in="process")
def second(between):
    return os.getpid()
"""


def kill_and_wait(pid: int) -> None:
    """Kill a process; when this returns, it is dead."""
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


@pytest.mark.parametrize("name", ["async_sequential", "concurrent"])
def test_a_worker_that_dies_while_it_is_idle_fails_no_cell(
    name: str, modules: Modules
) -> None:
    """The next cell gets a fresh one."""
    work = modules.make("work", PIDS)

    @cell
    def between(first: int) -> None:
        kill_and_wait(first)

    graph = Graph.from_cells(work.first, between, work.second)
    results = COMPUTERS[name](graph)
    assert results["second"] not in (results["first"], os.getpid())


class Interrupted:
    """Kills a worker when a call has been sent to it, and before that is read.

    Args:
        monkeypatch: undoes it.

    Attributes:
        fresh: processes that are to be stopped when they are ready.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Know of no process yet."""
        self.fresh: list[int] = []
        self._stopped: list[int] = []
        send, receive = Connection.send_bytes, Connection.recv_bytes

        def send_and_kill(connection: Connection, data: bytes) -> None:
            send(connection, data)
            if self._stopped:
                kill_and_wait(self._stopped.pop())

        def receive_and_stop(connection: Connection) -> bytes:
            data = receive(connection)
            if self.fresh:
                self.stop(self.fresh.pop())
            return data

        monkeypatch.setattr(Connection, "send_bytes", send_and_kill)
        monkeypatch.setattr(Connection, "recv_bytes", receive_and_stop)

    def stop(self, pid: int) -> None:
        """Have this process read nothing any more."""
        os.kill(pid, signal.SIGSTOP)
        self._stopped.append(pid)


def test_a_worker_that_dies_before_it_begins_fails_no_cell(
    modules: Modules, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the call was on its way, the cell has not run, and runs elsewhere."""
    work = modules.make("work", PIDS)
    interrupted = Interrupted(monkeypatch)

    @cell
    def between(first: int) -> None:
        interrupted.stop(first)

    graph = Graph.from_cells(work.first, between, work.second)
    results = COMPUTERS["async_sequential"](graph)
    assert results["second"] not in (results["first"], os.getpid())


async def test_a_fresh_worker_that_dies_fails_its_cell(
    modules: Modules, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that nobody starts workers for ever where they cannot live."""
    work = modules.make("work", PIDS)
    interrupted = Interrupted(monkeypatch)
    made = processes._Worker.__init__

    def make(worker: Any) -> None:
        made(worker)
        interrupted.fresh.append(worker._process.pid)

    monkeypatch.setattr(processes._Worker, "__init__", make)
    with pytest.raises(WorkerDied) as caught:
        await aiocells.async_compute_concurrent(Graph.from_cells(work.first))
    assert caught.value.cells == (work.first,)


def test_a_dead_worker_is_not_ended_by_its_number(
    modules: Modules, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once it was awaited, by whomever, that may be the number of another group."""
    work = modules.make("work", PIDS)
    killed: list[int] = []
    killpg = os.killpg

    @cell
    def between(first: int) -> None:
        kill_and_wait(first)
        assert multiprocessing.active_children() == []  # this awaits what is dead

    def recorded(pid: int, number: int) -> None:
        if number:
            killed.append(pid)
        killpg(pid, number)

    monkeypatch.setattr(os, "killpg", recorded)
    graph = Graph.from_cells(work.first, between, work.second)
    results = COMPUTERS["async_sequential"](graph)
    assert killed == [results["second"]]


# Parents that die

NESTED = """
import asyncio, os, signal
import aiocells

@cell(run_in="process")
def hanging(pipe):
    with open(pipe, "w") as file:
        print("here", file=file, flush=True)
        signal.pause()

@cell(run_in="process")
def computing(pipe):
    graph = aiocells.Graph.from_cells(hanging)
    asyncio.run(aiocells.async_compute_concurrent(graph, inputs={"pipe": pipe}))

if __name__ == "__main__":
    computing(os.environ["PIPE"])
"""


@on_linux
def test_workers_of_workers_end_with_them(modules: Modules, pipe: str) -> None:
    """A cell in a process may compute a graph with such cells itself."""
    nested = modules.make("nested", NESTED)
    graph = Graph.from_cells(nested.computing, reader())
    with pytest.raises(Trouble) as caught:
        COMPUTERS["concurrent"](graph, inputs={"pipe": pipe})
    with open(caught.value.args[0], "rb") as file:
        assert file.read() == b""  # when all who write are gone


@on_linux
def test_workers_end_with_a_program_that_is_killed(modules: Modules, pipe: str) -> None:
    """The system ends them, since nobody else is left to."""
    script = modules.write("nested", NESTED)
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "PIPE": pipe}
    program = subprocess.Popen([sys.executable, script], env=env)
    with program, open(pipe, "rb") as file:
        assert file.readline() == b"here\n"
        program.kill()
        assert file.read() == b""  # when all who write are gone
