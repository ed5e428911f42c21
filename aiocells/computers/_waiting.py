"""Waiting for what cannot be stopped."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any


async def outlast(
    future: "Future[Any]", on_cancel: Callable[[], None] | None = None
) -> Any:
    """Wait for a future to its end, through every cancellation.

    What has begun in a thread cannot be stopped, and must not be left running: a
    cancellation goes on only when it has ended. What has not begun is cancelled.

    Args:
        future: what to wait for.
        on_cancel: called at a cancellation, to hasten the end.

    Returns:
        The future's result.

    Raises:
        CancelledError: the wait was cancelled, and the future did not fail.
        BaseException: the future's failure.
    """
    loop = asyncio.get_running_loop()
    ended = loop.create_future()

    def wake() -> None:
        if not ended.done():
            ended.set_result(None)

    future.add_done_callback(lambda _: loop.call_soon_threadsafe(wake))
    cancelled: asyncio.CancelledError | None = None
    while not ended.done():
        try:
            await asyncio.wait([ended])
        except asyncio.CancelledError as error:
            cancelled = error
            if future.cancel():
                raise
            if on_cancel is not None:
                on_cancel()
    if cancelled is None:
        return future.result()
    if future.exception() is None:
        raise cancelled
    return future.result()
