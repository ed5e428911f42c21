"""Opening and closing what `@resource` declares."""

import asyncio
import contextvars
import inspect
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiocells._planning.timeouts import within
from aiocells._running.waiting import outlast

# Seconds that the clean-up of an async resource may take, unless it says otherwise.
CLOSE_TIMEOUT = 30.0

_END: Any = object()
_NEVER_YIELDED = "the resource ended without a yield; it must yield its value once"
_YIELDED_AGAIN = "the resource yielded again; it must yield its value once"


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
        generator = self._generator
        is_open = False
        try:
            if isinstance(generator, AsyncGenerator):
                step = _open_async(generator)
                value = await _bounded(self._timeout, "the resource", step)
            else:
                value = await self._call(_open_plain, generator)
            is_open = True
        except asyncio.CancelledError:
            # A thread cannot be stopped, so that it may have opened all the same.
            if self._thread is not None and _is_suspended(generator):
                await self.close()
            raise
        finally:
            if not is_open:
                self._end_thread()
        return value

    async def close(self) -> None:
        """Run what stands after the `yield`."""
        generator = self._generator
        try:
            if isinstance(generator, AsyncGenerator):
                seconds = self._timeout or CLOSE_TIMEOUT
                step = _close_async(generator)
                await _bounded(seconds, "the clean-up of the resource", step)
            else:
                await self._call(_close_plain, generator, _do_not_cancel)
        finally:
            self._end_thread()

    async def _call(
        self,
        step: Callable[[Any], Any],
        generator: Any,
        on_cancel: Callable[[Any], object] | None = None,
    ) -> Any:
        """Take a step of a plain generator, in its thread if it has one."""
        if self._thread is None or self._context is None:
            return step(generator)
        # Not by a name: the frame of this would hold the future, and so itself.
        return await outlast(
            self._thread.submit(self._context.run, step, generator), on_cancel
        )

    def _end_thread(self) -> None:
        if self._thread is not None:
            self._thread.shutdown()


async def _bounded(
    seconds: float | None, what: str, step: Coroutine[Any, Any, Any]
) -> Any:
    try:
        return await (step if seconds is None else within(seconds, what, step))
    finally:
        step.close()  # it is not awaited where the loop was closed under it


# Each step is one function, so that it ends in its thread whatever happens meanwhile.


def _open_plain(generator: Generator[Any, None, Any]) -> Any:
    value = next(generator, _END)
    if value is _END:
        raise RuntimeError(_NEVER_YIELDED)
    return value


def _close_plain(generator: Generator[Any, None, Any]) -> None:
    if next(generator, _END) is not _END:
        generator.close()
        raise RuntimeError(_YIELDED_AGAIN)


async def _open_async(generator: AsyncGenerator[Any, None]) -> Any:
    value = await anext(generator, _END)
    if value is _END:
        raise RuntimeError(_NEVER_YIELDED)
    return value


async def _close_async(generator: AsyncGenerator[Any, None]) -> None:
    if await anext(generator, _END) is not _END:
        await generator.aclose()
        raise RuntimeError(_YIELDED_AGAIN)


def _do_not_cancel(_: object) -> None:
    """Let what was submitted run, though it has not begun."""


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
