"""Worker processes that each run one cell at a time.

Every worker is a pool of its own, so that one that dies takes no other cell with it,
and so that the error can name the cell that it was running.
"""

import asyncio
import contextlib
import multiprocessing
import os
import pickle
import signal
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from aiocells import _failures
from aiocells.computers._waiting import outlast
from aiocells.errors import WorkerDied

_STARTED = (
    "the worker process that ran the cell died before it answered: it was killed, for "
    "instance for want of memory, or the cell ended it, or it could not unpickle what "
    "was sent to it, and said so on standard error"
)
_UNREADABLE = "what the cell returned cannot be unpickled; the cause above says why"
_NOT_STARTED = (
    "the worker process could not start, and said why on standard error; is what the "
    "main module does behind if __name__ == '__main__'?"
)
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)


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
            BaseException: what the function raised.
        """
        async with self._free:
            worker = self._idle.pop() if self._idle else self._make()
            try:
                return await worker.call(cell, function, values)
            finally:
                if worker.is_usable:
                    self._idle.append(worker)

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
        while self._made:
            try:
                await self._made.pop().close()
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled


class _Worker:
    def __init__(self) -> None:
        self._pool = ProcessPoolExecutor(
            1,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_ignore_interrupts,
        )
        self._pid: int | None = None
        self._ended_by: asyncio.CancelledError | None = None
        self.is_usable = True

    async def call(
        self, cell: Any, function: Callable[..., Any], values: tuple[Any, ...]
    ) -> Any:
        try:
            if self._pid is None:
                self._pid = await outlast(self._pool.submit(os.getpid))
            future = self._pool.submit(call_in_process, function, *values)
            return await outlast(future, self._kill)
        except BrokenProcessPool as error:
            if self._ended_by is not None:
                raise self._ended_by from None
            self.is_usable = False
            msg = _STARTED if self._pid is not None else _NOT_STARTED
            if error.__cause__ is not None:
                msg = _UNREADABLE
            raise WorkerDied(msg, cells=[cell]) from error

    def _kill(self, cancelled: asyncio.CancelledError) -> None:
        self.is_usable = False
        self._ended_by = cancelled
        if self._pid is not None:
            with contextlib.suppress(ProcessLookupError):  # it has just died by itself
                os.kill(self._pid, _KILL)

    async def close(self) -> None:
        """Wait for the process to end, without holding up the event loop."""
        with ThreadPoolExecutor(1) as thread:
            await outlast(thread.submit(self._pool.shutdown), lambda _: None)


def _ignore_interrupts() -> None:
    # Ctrl-C goes to every process of the terminal; the parent ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def call_in_process(function: Callable[..., Any], *values: Any) -> Any:
    """Call a cell; runs in the worker.

    An exception that could not be sent back would end the worker, or worse its pool.
    """
    try:
        return _failures.without_stop_iteration(function, values)
    except BaseException as error:
        problem = _cannot_be_sent(error)
        if problem is None:
            raise
        msg = (
            f"{type(error).__qualname__}: {error} (it cannot be sent whole: {problem})"
        )
        raise RuntimeError(msg).with_traceback(error.__traceback__) from None


def _cannot_be_sent(error: BaseException) -> str | None:
    try:
        pickle.loads(pickle.dumps(error))
    except Exception as problem:
        return str(problem)
    return None
