"""How Ctrl-C ends a command, and the signal to terminate, which counts as Ctrl-C."""

import asyncio
import contextlib
import os
import queue
import signal
import socket
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

import click

from aiocells._cli.watching import Watch
from aiocells._running.elsewhere.platform import offers

T = TypeVar("T")

# Seconds after which cells that can be cancelled, and clean-up, are told of too.
PATIENCE = 2.0
_MAX_NAMES = 3
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)


class Signals:
    """What the signals that end a command do.

    Attributes:
        code: the exit code of the last one that came.
    """

    def __init__(self) -> None:
        self.code = 128 + signal.SIGINT
        self._answer: Callable[[], None] | None = None

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Take the signal to terminate for Ctrl-C in the block."""
        with _handling(signal.SIGTERM, signal.SIG_DFL, self._take):
            yield

    @contextlib.contextmanager
    def answered(self, answer: Callable[[], None]) -> Iterator[None]:
        """Have both signals answered in the block."""
        self._answer = answer
        try:
            # In the background a shell has it ignored, and so it stays.
            with _handling(signal.SIGINT, signal.default_int_handler, self._take):
                yield
        finally:
            self._answer = None

    def _take(self, number: int, frame: Any) -> None:
        self.code = 128 + number
        if self._answer is not None:
            self._answer()
            return
        # asyncio, which demos use, answers Ctrl-C in its own way.
        interrupt = signal.getsignal(signal.SIGINT)
        if not callable(interrupt):
            interrupt = signal.default_int_handler
        interrupt(number, frame)


@contextlib.contextmanager
def _handling(
    number: signal.Signals, before: Any, handler: Callable[[int, Any], None]
) -> Iterator[None]:
    """Handle a signal in the block, if nobody else does."""
    is_free = signal.getsignal(number) == before
    if not is_free or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)


@contextlib.contextmanager
def _woken_by_signals(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Have an event loop answer a signal that comes just before it falls asleep.

    The handler is called when Python's code goes on, which a sleeping loop does only
    when something is there to be read.
    """
    is_main = threading.current_thread() is threading.main_thread()
    # Without threads there are no sockets either. The loop of Windows is another one,
    # and sees to it itself.
    can_read = offers("thread") and isinstance(loop, asyncio.SelectorEventLoop)
    if not (is_main and can_read):
        yield
        return
    reader, writer = socket.socketpair()
    with reader, writer:
        reader.setblocking(False)
        writer.setblocking(False)
        loop.add_reader(reader, reader.recv, 4096)
        before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(before)
            loop.remove_reader(reader)


class Stopper:
    """Runs a computation so that signals stop it.

    The first cancels it; what cannot be cancelled is waited for, and that is said. The
    next one interrupts the plain cell that the main thread is in. Where there is none,
    as in threads, it ends the process.

    Args:
        signals: tells when one comes.
        watch: knows which cells run.
        last: called before the process is ended.
    """

    def __init__(
        self, signals: Signals, watch: Watch, last: Callable[[], object]
    ) -> None:
        self._signals = signals
        self._watch = watch
        self._last = last
        self._count = 0
        self._task: asyncio.Task[Any] | None = None
        # For each word that is due, the seconds until then; None is the end.
        self._due: queue.SimpleQueue[float | None] = queue.SimpleQueue()

    def run(self, computation: Coroutine[Any, Any, T]) -> T:
        """Run a computation to its end.

        Raises:
            KeyboardInterrupt: a signal stopped it.
            BaseException: what it raised.
        """
        # A thread of its own can speak while a cell holds up the loop. What a signal
        # interrupts may be writing already, so that the handler itself must not.
        speaker = threading.Thread(target=self._speak, daemon=True)
        if offers("thread"):
            speaker.start()
        try:
            with self._signals.answered(self._stop):
                return asyncio.run(self._held(computation))
        except asyncio.CancelledError:
            if not self._count:
                raise
            raise KeyboardInterrupt from None
        finally:
            self._due.put(None)
            if speaker.ident is not None:
                speaker.join()

    async def _held(self, computation: Coroutine[Any, Any, T]) -> T:
        self._task = asyncio.current_task()
        with _woken_by_signals(asyncio.get_running_loop()):
            return await computation

    def _stop(self) -> None:
        task, watch = self._task, self._watch
        if task is None or task.done():
            raise KeyboardInterrupt
        self._count += 1
        if self._count == 1:
            watch.is_over = True
            task.cancel()
            task.get_loop().call_soon_threadsafe(lambda: None)  # it may be asleep
            self._due.put(0.0 if watch.held else PATIENCE)
        elif self._count == 2 and watch.is_inline:
            raise KeyboardInterrupt
        else:
            self._abort()

    def _speak(self) -> None:
        seconds = self._due.get()
        if seconds is None:
            return
        with contextlib.suppress(queue.Empty):
            if seconds:
                self._due.get(timeout=seconds)
                return
        names = [repr(name) for name in self._watch.held or self._watch.running]
        what = ", ".join(names[:_MAX_NAMES]) or "clean-up"
        if len(names) > _MAX_NAMES:
            what += f" and {len(names) - _MAX_NAMES} more"
        with contextlib.suppress(OSError):
            click.echo(f"waiting for {what}; Ctrl-C again to abort", file=sys.stderr)

    def _abort(self) -> None:
        """End the process, and those that it started, at once."""
        # Who has no processes need not load it.
        multiprocessing: Any = sys.modules.get("multiprocessing")
        for child in multiprocessing.active_children() if multiprocessing else ():
            with contextlib.suppress(OSError):  # it has just ended by itself
                _kill(child.pid)
        for last in (self._last, sys.stdout.flush, sys.stderr.flush):
            with contextlib.suppress(Exception):
                last()
        os._exit(self._signals.code)


def _kill(pid: int) -> None:
    """End a process, and its group, where it leads one."""
    if hasattr(os, "getpgid") and os.getpgid(pid) == pid:
        os.killpg(pid, _KILL)
    else:
        os.kill(pid, _KILL)
