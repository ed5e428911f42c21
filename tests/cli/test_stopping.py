"""How Ctrl-C and the signal to terminate end a command, and what is said meanwhile."""

import os
import select
import signal
import subprocess
import sys
import threading
from typing import IO, Any

import pytest

from aiocells._cli import stopping
from aiocells._cli.commands import commands
from aiocells._cli.stopping import Signals, Stopper
from aiocells._cli.watching import Watch
from tests.command_line import run, start
from tests.helpers import Modules

pytestmark = pytest.mark.needs_processes

WAITING = """\
    import asyncio, multiprocessing, signal, sys, threading

    def started():
        print("started", flush=True)

    @resource
    def file():
        yield
        print("closed")

    @resource
    async def connection():
        yield
        await asyncio.sleep(0)
        print("closed")

    @cell
    async def awaited(file, connection):
        started()
        await asyncio.Event().wait()

    @cell
    def blocked(file):
        started()
        threading.Event().wait()

    @cell
    def slow(file, connection):
        started()
        sys.stdin.readline()

    @cell
    def after(slow): print("after")

    @cell(run_in="thread")
    def threaded(file):
        started()
        sys.stdin.readline()

    @cell(run_in="process")
    def remote():
        started()
        threading.Event().wait()

    @cell
    @depends_on(remote)
    async def never(): ...

    def child():
        started()
        threading.Event().wait()

    @cell(run_in="thread")
    def parent():
        multiprocessing.get_context("spawn").Process(target=child).start()
        threading.Event().wait()

    @cell
    async def elsewhere():
        started()
        loop = asyncio.get_running_loop()
        thread = threading.Thread(target=signal_when_asleep, args=[loop])
        thread.start()
        await asyncio.Event().wait()

    def signal_when_asleep(loop):
        # The loop runs nothing else after this, so that it is asleep, or about to be.
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result()
        signal.raise_signal(signal.SIGINT)

    @cell
    async def stubborn():
        started()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.to_thread(sys.stdin.readline)

    @resource
    def slow_file():
        yield
        sys.stdin.readline()

    @cell
    async def quick(slow_file):
        started()
        await asyncio.Event().wait()
"""

MANY = """\
    import threading

    barrier = threading.Barrier(5)

    def wait():
        if not barrier.wait():
            print("started", flush=True)
        threading.Event().wait()

    c0, c1, c2, c3, c4 = (
        cell(name=f"c{n}", run_in="thread")(lambda: wait()) for n in range(5)
    )
"""

# In the background a shell has its commands ignore Ctrl-C.
INTERRUPTIBLE = """\
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from aiocells._cli import stopping
from aiocells._cli.main import main
"""

START = INTERRUPTIBLE + "main()"
AGAIN = "; Ctrl-C again to abort\n"


@pytest.fixture(autouse=True)
def waiting(modules: Modules) -> None:
    """A module whose cells wait."""
    modules.write("waiting", WAITING)


def next_line(stream: IO[str] | None) -> str:
    """The next line that a process prints, of which nothing was read before."""
    assert stream is not None
    assert select.select([stream], [], [], 60)[0], "nothing comes"
    return stream.readline()


def started(*args: str, script: str = START) -> subprocess.Popen[str]:
    """A command whose cell runs."""
    process = start("-c", script, *args, stdin=subprocess.PIPE)
    assert next_line(process.stdout) == "started\n"
    return process


def line(process: subprocess.Popen[str]) -> str:
    """The next line on standard error."""
    return next_line(process.stderr)


def end(process: subprocess.Popen[str], text: str | None = None) -> tuple[Any, ...]:
    """The exit code of a process, and what it printed until its end.

    That comes when its children are gone, too: they have its standard output.
    """
    with process:
        try:
            stdout, stderr = process.communicate(text, timeout=60)
        finally:
            process.kill()  # it is over, but where the test fails
    return process.returncode, stdout, stderr


SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
either_signal = pytest.mark.parametrize(("number", "code"), SIGNALS)


@either_signal
@pytest.mark.parametrize(
    ("args", "printed"),
    [
        (("run", "waiting:awaited"), "closed\nclosed\n"),
        (("run", "waiting:awaited", "--computer", "async-sequential"), "closed\n" * 2),
        (("run", "waiting:blocked", "--computer", "sequential"), "closed\n"),
        (("run", "waiting:never"), ""),
    ],
)
def test_a_signal_ends_quietly_what_can_be_ended(
    args: tuple[str, ...], printed: str, number: signal.Signals, code: int
) -> None:
    """Cells are cancelled, resources closed, processes ended, and nothing is said."""
    process = started(*args)
    process.send_signal(number)
    assert end(process) == (code, printed, "")


@either_signal
@pytest.mark.parametrize("computer", ["concurrent", "async-sequential", "simple"])
def test_a_plain_cell_is_waited_for(
    computer: str, number: signal.Signals, code: int
) -> None:
    """The first signal says which cell it waits for; no other one starts after it."""
    process = started("run", "waiting:after", "--computer", computer)
    process.send_signal(number)
    assert line(process) == f"waiting for 'slow'{AGAIN}"
    assert end(process, "\n") == (code, "closed\nclosed\n", "")


def test_a_thread_is_waited_for() -> None:
    """A cell in a thread cannot be stopped either."""
    process = started("run", "waiting:threaded")
    process.send_signal(signal.SIGINT)
    assert line(process) == f"waiting for 'threaded'{AGAIN}"
    assert end(process, "\n") == (130, "closed\n", "")


@either_signal
def test_the_second_signal_interrupts_a_plain_cell(
    number: signal.Signals, code: int
) -> None:
    """It is stopped where it is, and what was opened is closed."""
    process = started("run", "waiting:after")
    process.send_signal(signal.SIGINT)
    assert line(process) == f"waiting for 'slow'{AGAIN}"
    process.send_signal(number)
    assert end(process) == (code, "closed\nclosed\n", "")


@either_signal
def test_the_second_signal_ends_threads_and_processes(
    number: signal.Signals, code: int
) -> None:
    """Where there is only a thread to wait for, the process ends, and its children."""
    process = started("run", "waiting:parent")
    process.send_signal(number)
    assert line(process) == f"waiting for 'parent'{AGAIN}"
    process.send_signal(number)
    assert end(process) == (code, "", "")


def test_many_cells_that_are_waited_for_are_counted(modules: Modules) -> None:
    """Some are named, the rest are counted."""
    modules.write("many", MANY)
    process = started("run", "many")
    process.send_signal(signal.SIGINT)
    assert line(process) == f"waiting for 'c0', 'c1', 'c2' and 2 more{AGAIN}"
    process.send_signal(signal.SIGINT)
    assert end(process) == (130, "", "")


@pytest.mark.parametrize(
    ("target", "what"), [("stubborn", "'stubborn'"), ("quick", "clean-up")]
)
def test_what_takes_long_to_end_is_told_after_a_while(target: str, what: str) -> None:
    """A cell that does not end at its cancellation, and clean-up, are told of late."""
    script = f"{INTERRUPTIBLE}stopping.PATIENCE = 0.001; main()"
    process = started("run", f"waiting:{target}", script=script)
    process.send_signal(signal.SIGINT)
    assert line(process) == f"waiting for {what}{AGAIN}"
    assert end(process, "\n") == (130, "", "")


def test_terminate_ends_where_ctrl_c_is_ignored() -> None:
    """A command in the background does not answer Ctrl-C, but the signal to end."""
    ignoring = START.replace("default_int_handler", "SIG_IGN")
    process = started("run", "waiting:awaited", script=ignoring)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    assert end(process) == (143, "closed\nclosed\n", "")


@pytest.mark.parametrize("handler", ["default_int_handler", "SIG_IGN"])
def test_terminate_ends_what_computes_nothing(modules: Modules, handler: str) -> None:
    """A module that is being imported, too, ends without a traceback."""
    modules.write("slow", "import sys; print('started', flush=True); sys.stdin.read()")
    script = START.replace("default_int_handler", handler)
    process = started("draw", "slow", script=script)
    process.send_signal(signal.SIGTERM)
    assert end(process) == (143, "", "")


def test_ctrl_c_in_this_process_is_an_exit_code(modules: Modules) -> None:
    """A KeyboardInterrupt out of a cell is code 130, and nothing is printed."""
    modules.write("raising", "@cell\ndef raising(): raise KeyboardInterrupt")
    result = run("run", "raising")
    assert (result.exit_code, result.output) == (130, "")


def test_a_cancellation_that_no_signal_asked_for_is_told(modules: Modules) -> None:
    """A cell that cancels the whole computation has its exception shown."""
    modules.write(
        "cancelling",
        """
        import asyncio

        @cell
        async def cancelling():
            for task in asyncio.all_tasks():
                task.cancel()
            await asyncio.Event().wait()
        """,
    )
    result = run("run", "cancelling")
    assert result.exit_code == 1
    assert "CancelledError" in result.stderr


# In a program


def test_the_handlers_of_a_program_stay(modules: Modules) -> None:
    """A program that handles these signals itself goes on to do so, then and later."""
    modules.write("trip", "@cell\ndef trip(): ...")

    def handler(*_: object) -> None: ...

    numbers = (signal.SIGINT, signal.SIGTERM)
    for before in (handler, signal.default_int_handler):
        kept = [signal.signal(number, before) for number in numbers]
        assert run("run", "trip").exit_code == 0
        assert [signal.getsignal(number) for number in numbers] == [before] * 2
        for number, old in zip(numbers, kept, strict=True):
            signal.signal(number, old)


def test_a_command_can_run_in_a_thread(modules: Modules) -> None:
    """Where no signal can be handled, none is."""
    modules.write("trip", "@cell\ndef trip(): ...")
    codes: list[Any] = []

    def compute() -> None:
        try:
            commands(["run", "trip:trip"])
        except SystemExit as error:
            codes.append(error.code)

    thread = threading.Thread(target=compute)
    thread.start()
    thread.join()
    assert codes == [0]


def test_a_signal_after_the_end_is_one_before_the_next_thing() -> None:
    """What comes when nothing is computed any more interrupts at once."""

    async def answer() -> int:
        return 42

    stopper = Stopper(Signals(), Watch(None), lambda: None)
    assert stopper.run(answer()) == 42
    with pytest.raises(KeyboardInterrupt):
        stopper._stop()


def test_a_signal_that_does_not_wake_the_loop_ends_it_all_the_same() -> None:
    """A signal may come just before the loop falls asleep, or to another thread."""
    process = started("run", "waiting:elsewhere")
    assert end(process) == (130, "", "")


def test_nothing_is_said_where_there_are_no_threads(
    modules: Modules, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A platform without threads computes all the same."""
    monkeypatch.setattr(stopping, "offers", lambda _place: False)
    modules.write("trip", "@cell\nasync def trip(): return threading.active_count()")
    before = threading.active_count()
    path = modules.folder / "trip.py"
    path.write_text(f"import threading\n{path.read_text()}")
    assert run("run", "trip:trip").output == f"{before}\n"


@pytest.mark.parametrize("leads", [True, False])
def test_a_child_is_ended_with_the_group_that_it_leads(
    monkeypatch: pytest.MonkeyPatch, leads: bool
) -> None:
    """A worker with a group of its own takes its own children along."""
    if not leads:
        monkeypatch.delattr(os, "getpgid", raising=False)
    script = "import sys; print('started', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", script]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, start_new_session=leads
    ) as child:
        stopping._kill(child.pid)
    assert child.returncode == -signal.SIGKILL
