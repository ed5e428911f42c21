"""Waiting for what cannot be stopped."""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from aiocells._outcome.exceptions import context_of, set_context


async def outlast(
    future: "Future[Any]",
    on_cancel: Callable[[asyncio.CancelledError], object] | None = None,
) -> Any:
    """Wait for a future to its end, through every cancellation.

    What has begun in a thread cannot be stopped, and must not be left running: a
    cancellation goes on only when it has ended. What has not begun is cancelled.

    Args:
        future: what to wait for.
        on_cancel: called at a cancellation, to hasten the end; by default it cancels
            the future, if that has not begun.

    Returns:
        The future's result.

    Raises:
        CancelledError: the wait was cancelled, and the future did not fail.
        BaseException: the future's failure.
    """
    end = _End(future)
    cancelled: asyncio.CancelledError | None = None
    failure: BaseException | None = None
    try:
        while not end.has_come:
            try:
                await end.woken
            except asyncio.CancelledError as error:
                end.wait_anew()
                cancelled = error
                if on_cancel is not None:
                    on_cancel(error)
                elif future.cancel():
                    raise
        # The future itself would raise no exception that counts as false.
        failure = future.exception()
        if failure is not None:
            if context_of(failure) is None:
                set_context(failure, cancelled)
            raise failure
        if cancelled is not None:
            raise cancelled
        return future.result()
    finally:
        # An exception holds this frame: that must not hold the exception.
        del cancelled, failure, future


class _End:
    """The end of a future of a thread, as an event loop waits for it.

    A plain wait for a future, which a cancellation cancels, takes a third of what
    asyncio.wait() does, which leaves it alone.

    Attributes:
        has_come: whether it has ended.
        woken: what to await; a new one after each cancellation.
    """

    def __init__(self, future: "Future[Any]") -> None:
        self._loop = asyncio.get_running_loop()
        self.has_come = False
        self.wait_anew()
        future.add_done_callback(self._tell)

    def wait_anew(self) -> None:
        self.woken: asyncio.Future[None] = self._loop.create_future()

    def _tell(self, _: object) -> None:
        """Tell the event loop; called in the thread."""
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        self.has_come = True
        if not self.woken.done():
            self.woken.set_result(None)
