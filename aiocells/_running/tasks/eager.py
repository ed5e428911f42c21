"""Tasks that start eagerly on Python 3.11, which knows none.

A new task of asyncio asks its event loop to call its first step soon. While a task is
made here, that request is caught, and the step is taken at once, as `eager_start` does
since Python 3.12. It saves a turn of the event loop, which takes longer than the task.

Python 3.11 gets no more than security fixes, so that what this relies on will not move.
This file goes when 3.11 goes.
"""

import asyncio
from asyncio import tasks as _tasks
from collections.abc import Coroutine
from contextvars import Context
from typing import Any

_Task = asyncio.Task
# Stands in for the attributes of a loop that has no place for another.
_TAKEN = ("call_soon",)


def eager_tasks(loop: asyncio.AbstractEventLoop) -> "EagerTasks | None":
    """What makes such tasks on an event loop, if that may be touched.

    It may not where it is in debug mode, where somebody else has replaced `call_soon`,
    or where it has no place for another.
    """
    if loop.get_debug() or "call_soon" in getattr(loop, "__dict__", _TAKEN):
        return None
    return EagerTasks(loop)


class EagerTasks:
    """Makes tasks on the running event loop that have taken their first step.

    Args:
        loop: the event loop, whose `call_soon` is replaced while a task is made.

    Attributes:
        lost: tasks that will never run.
    """

    __slots__ = ("_call_soon", "_expected", "_loop", "_step", "lost")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop: Any = loop
        self._call_soon: Any = loop.call_soon
        self._expected: Context | None = None
        self._step: Any = None
        self.lost: list[Any] = []

    def _catch(
        self, callback: Any, *args: Any, context: Context | None = None
    ) -> object:
        if context is self._expected:
            self._step = callback
            return None
        # Of a signal handler, say, or a finalizer, which may run at any time.
        return self._call_soon(callback, *args, context=context)

    def make(
        self,
        coroutine: Coroutine[Any, Any, None],
        name: str,
        context: Context,
        current: "asyncio.Task[Any] | None",
    ) -> "asyncio.Task[None]":
        """Make a task, and take its first step.

        Args:
            coroutine: what the task runs.
            name: the task's name.
            context: the task's context, a copy that nobody else has: by it the request
                of the task is known.
            current: the task that runs now.
        """
        loop = self._loop
        self._expected = context
        # A method that was kept in here would keep this from being let go.
        loop.call_soon = self._catch
        try:
            task = _Task(coroutine, loop=loop, name=name, context=context)
        finally:
            del loop.call_soon
            step, self._step, self._expected = self._step, None, None
        try:
            if current is not None:
                _tasks._leave_task(loop, current)
            context.run(step)
        except BaseException:
            # Such as at the limit of recursion. Nobody else would take the step.
            self.lost.append(task)
            raise
        finally:
            if current is not None:
                _tasks._enter_task(loop, current)
        return task

    def forget(self) -> None:
        """Have asyncio know nothing of the lost tasks."""
        for task in self.lost:
            task._log_destroy_pending = False
            _tasks._unregister_task(task)
        self.lost.clear()
