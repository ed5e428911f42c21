"""Telling a cancellation from outside from what a cell raises."""

import asyncio
from typing import Any


class Cancellation:
    """The cancellations of a task since this was made.

    Args:
        task: the task, or None for what cannot be cancelled.
    """

    def __init__(self, task: "asyncio.Task[Any] | None") -> None:
        self.task = task
        self._before = self.count()

    def count(self) -> int:
        """How many cancellations of the task are pending."""
        return self.task.cancelling() if self.task is not None else 0

    def is_new(self) -> bool:
        """Whether the task has been cancelled, and that was not taken back."""
        return self.count() > self._before

    async def delivered(
        self, error: BaseException | None = None
    ) -> asyncio.CancelledError:
        """The exception of a cancellation that is new.

        Args:
            error: what came up, which may be it, or have hidden it.
        """
        try:
            # It may be requested, and not thrown yet: nobody must get it later.
            await asyncio.sleep(0)
        except asyncio.CancelledError as thrown:
            return thrown
        while error is not None:
            if isinstance(error, asyncio.CancelledError):
                return error
            error = error.__context__
        return asyncio.CancelledError()
