"""Telling a cancellation from outside from what a cell raises."""

import asyncio
from typing import Any


class Cancellation:
    """The cancellations of a task since this was made.

    Args:
        task: the task, or None for what cannot be cancelled.
    """

    __slots__ = ("_before", "_task")

    def __init__(self, task: "asyncio.Task[Any] | None") -> None:
        self._task = task
        self._before = task.cancelling() if task is not None else 0

    def is_new(self) -> bool:
        """Whether the task has been cancelled, and that was not taken back."""
        return self._task is not None and self._task.cancelling() > self._before

    async def delivered(self) -> asyncio.CancelledError:
        """The exception of a cancellation that is new, and has not come up."""
        thrown = asyncio.CancelledError()
        try:
            # It may be requested, and not thrown yet: nobody must get it later.
            await asyncio.sleep(0)
        except asyncio.CancelledError as error:
            thrown = error
        try:
            return thrown
        finally:
            del thrown  # it holds this frame
