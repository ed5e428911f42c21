"""Opening and closing what `@resource` declares."""

import asyncio
import contextvars
import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiocells._timeouts import within
from aiocells.computers._waiting import outlast

# Seconds that the clean-up of an async resource may take, unless it says otherwise.
CLOSE_TIMEOUT = 30.0

_END: Any = object()


class OpenResource:
    """A resource, from its opening to its closing.

    The methods are coroutines, which never suspend where a plain generator is not in
    a thread, so that a computer without an event loop can run them as well.

    Args:
        generator: what the resource's function returned.
        timeout: seconds that an async one may take to open, and to close.
        in_thread: whether a plain one lives in a thread of its own.
    """

    def __init__(
        self,
        generator: Generator[Any, None, Any] | AsyncGenerator[Any, None],
        *,
        timeout: float | None = None,
        in_thread: bool = False,
    ) -> None:
        self._generator = generator
        self._timeout = timeout
        self._thread = ThreadPoolExecutor(1, "aiocells") if in_thread else None
        self._context = contextvars.copy_context() if in_thread else None

    async def open(self) -> Any:
        """Run up to the `yield`; gives the value."""
        value = _END
        try:
            value = await self._advance("the resource", self._timeout)
        except asyncio.CancelledError:
            # A thread cannot be stopped, so that it may have opened all the same.
            if self._thread is not None and _is_suspended(self._generator):
                await self.close()
            raise
        finally:
            if value is _END:
                self._end_thread()
        if value is _END:
            msg = "the resource ended without a yield; it must yield its value once"
            raise RuntimeError(msg)
        return value

    async def close(self) -> None:
        """Run what stands after the `yield`."""
        try:
            what = "the clean-up of the resource"
            seconds = self._timeout or CLOSE_TIMEOUT
            value = await self._advance(what, seconds)
            if value is not _END:
                await self._abandon(what, seconds)
                msg = "the resource yielded again; it must yield its value once"
                raise RuntimeError(msg)
        finally:
            self._end_thread()

    async def _advance(self, what: str, seconds: float | None) -> Any:
        """Run to the next `yield`; gives what is yielded, or _END."""
        generator = self._generator
        if isinstance(generator, AsyncGenerator):
            step = anext(generator, _END)
            return await (step if seconds is None else within(seconds, what, step))
        return await self._call(functools.partial(next, generator, _END))

    async def _call(self, step: Callable[[], Any]) -> Any:
        """Take a step of a plain generator, in its thread if it has one."""
        if self._thread is None or self._context is None:
            return step()
        return await outlast(self._thread.submit(self._context.run, step))

    async def _abandon(self, what: str, seconds: float) -> None:
        if isinstance(self._generator, AsyncGenerator):
            await within(seconds, what, self._generator.aclose())
        else:
            await self._call(self._generator.close)

    def _end_thread(self) -> None:
        if self._thread is not None:
            self._thread.shutdown()


def _is_suspended(generator: Any) -> bool:
    """Whether a plain generator stands at its `yield`."""
    return inspect.getgeneratorstate(generator) == inspect.GEN_SUSPENDED


def scope_failure(cancelled: BaseException | None) -> RuntimeError:
    """The failure of a resource that was cancelled while it was open.

    Args:
        cancelled: the cancellation.
    """
    msg = (
        "the resource was cancelled, while it was in use, by a scope that it holds "
        "open, such as a timeout or a task group"
    )
    error = RuntimeError(msg)
    error.__cause__ = cancelled
    return error
