"""Opening and closing what `@resource` declares."""

import contextvars
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from typing import TYPE_CHECKING, Any

from aiocells._planning.timeouts import within
from aiocells._running.giving_up import clean_up_within
from aiocells._running.waiting import outlast

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

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
        self._is_open = False
        self._timeout = timeout
        self._thread = _new_thread() if in_thread else None
        self._context = contextvars.copy_context() if in_thread else None

    async def open(self) -> Any:
        """Run up to the `yield`; gives the value."""
        try:
            if isinstance(self._generator, AsyncGenerator):
                if self._timeout is None:
                    return await self._open_async(self._generator)
                return await _within(self._timeout, self._open_async(self._generator))
            return await self._call(self._open_plain)
        except BaseException:
            # It may have opened all the same: a thread cannot be stopped, and what is
            # async may swallow its timeout.
            if self._is_open:
                await self.close()
            self._end_thread()
            raise

    async def close(self) -> None:
        """Run what stands after the `yield`."""
        generator = self._generator
        self._is_open = False
        try:
            if isinstance(generator, AsyncGenerator):
                seconds = self._timeout or CLOSE_TIMEOUT
                step = _close_async(generator)
                try:
                    await clean_up_within(seconds, step)
                finally:
                    step.close()  # it is not awaited where the loop was closed under it
            else:
                await self._call(_close_plain, _do_not_cancel)
        finally:
            self._end_thread()

    # Each step is one function, so that it ends in its thread whatever happens
    # meanwhile. An async generator is not asked for a default in place of its end: at
    # the limit of recursion that is a segmentation fault.

    def _open_plain(self, generator: Any) -> Any:
        value = next(generator, _END)
        if value is _END:
            raise RuntimeError(_NEVER_YIELDED)
        self._is_open = True
        return value

    async def _open_async(self, generator: AsyncGenerator[Any, None]) -> Any:
        try:
            value = await anext(generator)
        except StopAsyncIteration:
            raise RuntimeError(_NEVER_YIELDED) from None
        self._is_open = True
        return value

    async def _call(
        self,
        step: Callable[[Any], Any],
        on_cancel: Callable[[Any], object] | None = None,
    ) -> Any:
        """Take a step of a plain generator, in its thread if it has one."""
        if self._thread is None or self._context is None:
            return step(self._generator)
        # Not by a name: the frame of this would hold the future, and so itself.
        return await outlast(
            self._thread.submit(self._context.run, step, self._generator), on_cancel
        )

    def _end_thread(self) -> None:
        if self._thread is not None:
            self._thread.shutdown()


def at_once(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine gives that never suspends, as those of plain resources."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value


def _new_thread() -> "ThreadPoolExecutor":
    # What few programs use, they should load.
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(1, "aiocells")


async def _within(seconds: float, step: Coroutine[Any, Any, Any]) -> Any:
    try:
        return await within(seconds, "the resource", step)
    finally:
        step.close()  # it is not awaited where the loop was closed under it


def _close_plain(generator: Any) -> None:
    if next(generator, _END) is not _END:
        generator.close()
        raise RuntimeError(_YIELDED_AGAIN)


async def _close_async(generator: AsyncGenerator[Any, None]) -> None:
    try:
        await anext(generator)
    except StopAsyncIteration:
        return
    await generator.aclose()
    raise RuntimeError(_YIELDED_AGAIN)


def _do_not_cancel(_: object) -> None:
    """Let what was submitted run, though it has not begun."""


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
