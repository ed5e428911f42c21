"""Making tasks where those of asyncio that start eagerly cannot be used."""

import asyncio
import contextlib
import functools
import inspect
import weakref
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, Protocol

from aiocells._typing import override

# What asyncio.eager_task_factory does is done without it, for any loop.
_USUAL = (getattr(asyncio, "eager_task_factory", None),)

Factory = Callable[..., "asyncio.Future[Any]"]
CellCoroutine = Coroutine[Any, Any, None]


class Host(Protocol):
    """What runs the tasks."""

    def interrupt(self, error: BaseException) -> None:
        """Record what was raised by nobody's cell: it ends the computation."""

    def task_ended(self, number: int, error: BaseException | None) -> None:
        """Record how a task ended, whose cell may not have told of its end."""


def must_be_asked(factory: Factory | None) -> bool:
    """Whether the task factory that somebody has set for a loop must make the tasks."""
    return factory is not None and factory not in _USUAL


class CellTask(asyncio.Task[None]):
    """A task whose first step is not taken at once.

    One that is cancelled before that never enters its coroutine, which so cannot tell
    anybody of its end.
    """

    __slots__ = ("host", "number")
    host: "weakref.ref[Any]"  # whoever holds the task must not hold all values
    number: int

    @override
    def cancel(self, msg: Any = None) -> bool:
        coroutine: Any = self.get_coro()
        if inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED:
            self.add_done_callback(CellTask._ended)
        return super().cancel(msg)

    @staticmethod
    def _ended(task: Any) -> None:
        try:
            task.result()
        except asyncio.CancelledError as error:
            host = task.host()
            if host is not None:
                host.task_ended(task.number, error)


def later_task(
    host: "weakref.ref[Any]",
    number: int,
    coroutine: CellCoroutine,
    name: str,
    context: Context,
) -> CellTask:
    """Make a task that takes its first step in the next turn of the event loop."""
    task = CellTask(coroutine, name=name, context=context)
    task.host, task.number = host, number
    return task


class FactoryTasks:
    """The tasks of one computation that the loop's task factory makes.

    It may put anything around the coroutine, which runs before it or after, or in its
    place. So only the end of the task tells that nothing of it is left.

    Args:
        factory: what makes them. It is called with the loop and the coroutine, which
            is all that it must take.
        host: what runs the tasks.
    """

    def __init__(self, factory: Factory, host: Host) -> None:
        self._factory = factory
        self._host = host
        self._loop = asyncio.get_running_loop()
        self._left: dict[int, asyncio.Future[Any]] = {}
        self._are_cancelled = False

    def make(
        self, number: int, coroutine: CellCoroutine, name: str, context: Context
    ) -> "asyncio.Future[Any]":
        """Have a task made in a context, of which it gets a copy."""
        try:
            task = context.run(self._factory, self._loop, coroutine)
            task.add_done_callback(functools.partial(self._ended, number, coroutine))
        except BaseException as error:
            task = self._made_by_now(coroutine)
            task.add_done_callback(functools.partial(self._ended, number, coroutine))
            self._host.interrupt(error)
            task.cancel()
        self._left[number] = task
        with contextlib.suppress(AttributeError):  # any future will do
            task.set_name(name)  # type: ignore[attr-defined]
        return task

    def _made_by_now(self, coroutine: CellCoroutine) -> "asyncio.Future[Any]":
        """The task that a factory made before it raised, or a future in its place.

        One that has something around the coroutine cannot be told from others. It must
        not run what nobody waits for.
        """
        for task in asyncio.all_tasks(self._loop):
            if task.get_coro() is coroutine:
                return task
        coroutine.close()
        return self._loop.create_future()

    def _ended(
        self, number: int, coroutine: CellCoroutine, task: "asyncio.Future[Any]"
    ) -> None:
        del self._left[number]
        raised: BaseException | None = None
        try:
            task.result()
        except BaseException as error:
            raised = error
        try:
            self._host.task_ended(number, raised)
            coroutine.close()
        finally:
            del raised  # it holds this frame

    def have_left(self, *, must_stop: bool) -> bool:
        """Whether tasks are left after all cells; they may have to stop as well."""
        if must_stop and not self._are_cancelled:
            self._are_cancelled = True
            for task in self._left.values():
                task.cancel()
        return bool(self._left)
