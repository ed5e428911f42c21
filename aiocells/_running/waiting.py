"""Waiting for what cannot be stopped."""

import asyncio
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
    loop = asyncio.get_running_loop()
    # A plain wait for a future, which a cancellation cancels, takes a third of what
    # asyncio.wait() does, which leaves it alone.
    woken = loop.create_future()
    has_ended = False

    def wake() -> None:
        nonlocal has_ended
        has_ended = True
        if not woken.done():
            woken.set_result(None)

    def wake_from_thread(_: object) -> None:
        try:
            loop.call_soon_threadsafe(wake)
        except RuntimeError:  # the loop was closed meanwhile
            return

    future.add_done_callback(wake_from_thread)
    cancelled: asyncio.CancelledError | None = None
    failure: BaseException | None = None
    try:
        while not has_ended:
            try:
                await woken
            except asyncio.CancelledError as error:
                woken = loop.create_future()
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
