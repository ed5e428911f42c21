"""Worker processes that each run one cell at a time.

Every worker is a pool of its own, so that one that dies takes no other cell with it,
and so that the error can name the cell that it was running.
"""

import asyncio
import contextlib
import functools
import multiprocessing
import os
import pickle
import signal
import traceback
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.reduction import ForkingPickler
from typing import Any

from aiocells._outcome import failures as _failures
from aiocells._outcome.exceptions import set_cause
from aiocells._outcome.sending import packed
from aiocells._running.waiting import outlast
from aiocells.errors import WorkerDied

_STARTED = (
    "the worker process that ran the cell died before it answered: it was killed, for "
    "instance for want of memory, or the cell ended it"
)
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
            pid = self._pid
            if pid is None:
                pid = self._pid = await outlast(self._pool.submit(os.getpid))
            end = functools.partial(self._kill, pid)
            return await call_in_process(self._pool, function, values, end)
        except BrokenProcessPool as error:
            if self._ended_by is not None:
                raise self._ended_by from None
            self.is_usable = False
            msg = _STARTED if self._pid is not None else _NOT_STARTED
            raise WorkerDied(msg, cells=[cell]) from error

    def _kill(self, pid: int, cancelled: asyncio.CancelledError) -> None:
        self.is_usable = False
        self._ended_by = cancelled
        with contextlib.suppress(ProcessLookupError):  # it has just died by itself
            os.kill(pid, _KILL)

    async def close(self) -> None:
        """Wait for the process to end, without holding up the event loop."""
        with ThreadPoolExecutor(1) as thread:
            await outlast(thread.submit(self._pool.shutdown), lambda _: None)


def _ignore_interrupts() -> None:
    # Ctrl-C goes to every process of the terminal; the parent ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


async def call_in_process(
    pool: Executor,
    function: Callable[..., Any],
    values: tuple[Any, ...],
    on_cancel: Callable[[asyncio.CancelledError], object] | None = None,
) -> Any:
    """Call a cell in a process of a pool.

    Both ways go as bytes: a pool says little of what it cannot pickle, and breaks at
    what it cannot unpickle.

    Args:
        pool: where to call it.
        function: the cell.
        values: its arguments.
        on_cancel: called at a cancellation, to hasten the end.

    Returns:
        What the cell returned.

    Raises:
        PicklingError: an argument, or the value, cannot be sent.
        UnpicklingError: it cannot be read where it arrived.
        BaseException: what the cell raised.
    """
    call = _packed((function, values), "an argument cannot be sent to the process")
    answer = await outlast(pool.submit(_answer, call), on_cancel)
    return _value_of(answer)


def _value_of(answer: tuple[bytes, str | None]) -> Any:
    """What a worker answered; what its cell raised is raised."""
    data, told = answer
    what = "value" if told is None else "exception"
    value = _unpacked(data, f"the {what} that the process sent cannot be read")
    if told is None:
        return value
    set_cause(value, _RemoteTraceback(told))
    try:
        raise value
    finally:
        del value  # it holds this frame


class _RemoteTraceback(Exception):
    """Where, in another process, an exception was raised."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


def _answer(call: bytes) -> tuple[bytes, str | None]:
    """Call a cell; runs in the worker.

    Returns:
        The value and None; or what the cell raised, and its traceback. A pool that is
        left to send an exception sets attributes of it, which may be refused.
    """
    what = "the cell, or an argument of it, cannot be read in the process"
    try:
        function, values = _unpacked(call, what)
        value = _failures.without_stop_iteration(function, values)
        return _packed(value, "the value cannot be sent back from the process"), None
    except BaseException as error:
        told = "".join(traceback.format_exception(error))
        return packed(error), told


def _packed(value: Any, what: str) -> bytes:
    try:
        return bytes(ForkingPickler.dumps(value))
    except Exception as error:
        msg = f"{what}: {error}"
        raise pickle.PicklingError(msg) from error


def _unpacked(data: bytes, what: str) -> Any:
    try:
        return pickle.loads(data)
    except Exception as error:
        msg = f"{what}: {type(error).__name__}: {error}"
        raise pickle.UnpicklingError(msg) from error
