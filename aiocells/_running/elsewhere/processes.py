"""Worker processes that each run one cell at a time.

A pool of several would break as a whole when one of them dies, and nobody would know
which cell was to blame. So each worker has a connection of its own, over which it says
when it begins a cell, and a session of its own, so that whatever its cells start can be
ended with it.
"""

import asyncio
import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any

from aiocells._running.elsewhere.calls import (
    Answer,
    answer_to,
    packed_call,
    value_of,
)
from aiocells._running.waiting import outlast
from aiocells.errors import WorkerDied

# Seconds that a worker may take to end by itself, where a cell has left a thread; that
# it may take when it was told to terminate; and that what it had started may take to
# vanish when it was killed.
CLOSE_TIMEOUT = 3.0
TERMINATE_TIMEOUT = 1.0
VANISH_TIMEOUT = 1.0

_STARTED = (
    "the worker process that ran the cell died before it answered: it was killed, for "
    "instance for want of memory, or the cell ended it"
)
_NOT_STARTED = (
    "the worker process could not start, and said why on standard error; is what the "
    "main module does behind if __name__ == '__main__'?"
)
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
_STOP = b""
_SPAWN = multiprocessing.get_context("spawn")


class Workers:
    """At most as many worker processes as there are processors, made when needed."""

    def __init__(self) -> None:
        self._made: list[_Worker] = []
        self._idle: list[_Worker] = []
        self._free = asyncio.Semaphore(os.cpu_count() or 1)

    async def call(self, cell: Any, function: Callable[..., Any], *values: Any) -> Any:
        """Call `function` in a worker.

        Raises:
            WorkerDied: the worker ended before it had answered.
            PicklingError: an argument, or the value, cannot be sent.
            UnpicklingError: it cannot be read where it arrived.
            BaseException: what the function raised.
        """
        call = packed_call(function, values)
        async with self._free:
            answer = None
            while answer is None:
                worker = self._idle.pop() if self._idle else self._make()
                try:
                    answer = await worker.call(cell, call)
                finally:
                    if worker.is_usable:
                        self._idle.append(worker)
        return value_of(answer)

    def _make(self) -> "_Worker":
        worker = _Worker()
        self._made.append(worker)
        return worker

    async def close(self) -> None:
        """End the workers, and wait until they are gone, through every cancellation.

        Raises:
            CancelledError: the wait was cancelled; the workers are gone all the same.
        """
        cancelled: asyncio.CancelledError | None = None
        for worker in self._made:
            worker.stop()
        while self._made:
            try:
                await self._made.pop().close()
            except asyncio.CancelledError as error:
                cancelled = error
                for worker in self._made:
                    worker.kill()
        if cancelled is not None:
            try:
                raise cancelled
            finally:
                del cancelled  # it holds this frame


class _Worker:
    """A process, and a thread here that talks to it."""

    def __init__(self) -> None:
        self._connection, theirs = _SPAWN.Pipe()
        # Nothing is ever sent here: it ends with this process, whatever ends that.
        alive, self._lifeline = _SPAWN.Pipe(duplex=False)
        self._process = _SPAWN.Process(target=_serve, args=(theirs, alive))
        self._process.start()
        theirs.close()
        alive.close()
        self._cutting = threading.Lock()
        self._thread = ThreadPoolExecutor(1, "aiocells")
        self._ending: Future[None] | None = None
        self._ended_by: asyncio.CancelledError | None = None
        self._is_ready = self._has_begun = self._has_answered = False
        self.is_usable = True

    async def call(self, cell: Any, call: bytes) -> Answer | None:
        """Have the process call a cell.

        Returns:
            The answer; or None where the process, which had been idle, was dead before
            it began.

        Raises:
            WorkerDied: it died later, or never came to life.
        """
        self._has_begun = False
        try:
            return await outlast(self._thread.submit(self._ask, call), self._kill_for)  # type: ignore[no-any-return]
        except (EOFError, OSError) as error:
            self.is_usable = False
            if self._ended_by is not None:
                raise self._ended_by from None
            if self._has_answered and not self._has_begun:
                return None
            msg = _STARTED if self._is_ready else _NOT_STARTED
            raise WorkerDied(msg, cells=[cell]) from error
        finally:
            self._ended_by = None  # it holds the frame of this, and so itself

    def _ask(self, call: bytes) -> Answer:
        """Have the process call a cell; runs in the thread."""
        connection = self._connection
        if not self._is_ready:
            connection.recv_bytes()
            self._is_ready = True
        connection.send_bytes(call)
        connection.recv_bytes()
        self._has_begun = True
        is_failure: bool = connection.recv()
        data = connection.recv_bytes()
        self._has_answered = True
        return data, is_failure

    def _kill_for(self, cancelled: asyncio.CancelledError) -> None:
        self.is_usable = False
        self._ended_by = cancelled
        self.kill()

    def kill(self) -> None:
        """End the process at once, and what it started."""
        with self._cutting:
            self._lifeline.close()
        # The system kills by that, if it can and the process still lives. Else its
        # group is killed by number, which is its own until it was awaited; whoever
        # starts a process may have done so.
        popen: Any = self._process._popen  # type: ignore[attr-defined]
        with contextlib.suppress(AttributeError, OSError):  # there is no such group
            if popen.returncode is None:
                os.killpg(popen.pid, _KILL)
        self._process.kill()  # it may lead no group yet

    def stop(self) -> None:
        """Tell the process to end, which may take a while."""
        self._ending = self._thread.submit(self._end)

    async def close(self) -> None:
        """Wait until the process is gone; a cancellation hastens that."""
        assert self._ending is not None
        try:
            await outlast(self._ending, lambda _: self.kill())
        finally:
            self._thread.shutdown()

    def _end(self) -> None:
        """End the process, in a bounded time; runs in the thread."""
        with contextlib.suppress(OSError):  # it is gone
            self._connection.send_bytes(_STOP)
        if not self._is_gone_within(CLOSE_TIMEOUT):
            self._process.terminate()
            self._is_gone_within(TERMINATE_TIMEOUT)
        self.kill()  # for what it has started, its end is none
        self._process.join()
        self._connection.close()
        self._await_group()

    def _is_gone_within(self, seconds: float) -> bool:
        """Whether the process ends in time; its end closes the connection."""
        try:
            return self._connection.poll(seconds)
        except OSError:
            return True

    def _await_group(self) -> None:
        """Wait until what the process started is gone too; no child of ours is."""
        until = time.monotonic() + VANISH_TIMEOUT
        with contextlib.suppress(AttributeError, OSError):  # there is nobody any more
            while time.monotonic() < until:
                os.killpg(self._process.pid or 0, 0)
                time.sleep(0.001)


# In the worker

_kept: list[Connection] = []  # open until the process has ended


def _serve(connection: Connection, alive: Connection) -> None:
    """Call cells until told to stop."""
    _kept.extend((connection, alive))
    # Ctrl-C goes to every process of the terminal; the parent ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(AttributeError, ImportError, OSError):  # not on Windows
        os.setsid()
        # What a cell forks must not keep the connection open.
        os.register_at_fork(after_in_child=connection.close)
        _end_with(alive)
    with contextlib.suppress(EOFError, OSError):  # the parent is gone
        connection.send_bytes(b"ready")
        while (call := connection.recv_bytes()) != _STOP:
            connection.send_bytes(b"begun")
            data, is_failure = answer_to(call)
            connection.send(is_failure)
            connection.send_bytes(data)


def _end_with(alive: Connection) -> None:
    """Have the system kill this process and its group when the other side ends.

    Linux can. Elsewhere a worker whose parent is killed ends after its cell.
    """
    import fcntl

    fcntl.fcntl(alive.fileno(), fcntl.F_SETOWN, -os.getpgrp())
    fcntl.fcntl(alive.fileno(), fcntl.F_SETSIG, _KILL)
    fcntl.fcntl(alive.fileno(), fcntl.F_SETFL, os.O_ASYNC)
