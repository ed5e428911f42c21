"""Task factories as users write them, and the usual ways of being wrong."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any

Loop = asyncio.AbstractEventLoop
Body = Coroutine[Any, Any, Any]
Made = asyncio.Future[Any]
Factory = Callable[..., Made]


def of_two_arguments(loop: Loop, body: Body) -> Made:
    """Make a task as factories of Python 3.10 did."""
    return asyncio.Task(body, loop=loop)


def of_keywords(loop: Loop, body: Body, **options: Any) -> Made:
    """Make a task, with whatever it is told."""
    return asyncio.Task(body, loop=loop, **options)


def waiting_before(loop: Loop, body: Body) -> Made:
    """Make a task that does something else first."""

    async def wrapper() -> Any:
        try:
            await asyncio.sleep(0)
        except BaseException:
            body.close()
            raise
        return await body

    return asyncio.Task(wrapper(), loop=loop)


def waiting_after(loop: Loop, body: Body) -> Made:
    """Make a task that goes on when its coroutine has ended."""

    async def wrapper() -> Any:
        result = await body
        await asyncio.sleep(0)
        return result

    return asyncio.Task(wrapper(), loop=loop)


class Proxy(asyncio.Future[Any]):
    """A future that is no task, of one that does the work."""

    def __init__(self, body: Body, loop: Loop) -> None:
        """Start the work."""
        super().__init__(loop=loop)
        self.task = asyncio.Task(body, loop=loop)
        self.task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[Any]) -> None:
        if task.cancelled():
            super().cancel()
        elif task.exception() is None:
            self.set_result(task.result())
        else:
            self.set_exception(task.exception())  # type: ignore[arg-type]

    def cancel(self, msg: Any = None) -> bool:
        """Cancel the work."""
        return self.task.cancel(msg)


def of_no_task(loop: Loop, body: Body) -> Made:
    """Make a future that is no task."""
    return Proxy(body, loop)


FACTORIES: dict[str, Factory] = {
    each.__name__: each
    for each in (
        of_two_arguments,
        of_keywords,
        waiting_before,
        waiting_after,
        of_no_task,
    )
}
if sys.version_info >= (3, 12):
    FACTORIES["eager"] = asyncio.eager_task_factory
    FACTORIES["other_eager"] = asyncio.create_eager_task_factory(asyncio.Task)


class FactoryError(Exception):
    """Raised by a factory."""


def failing_at(call: int, inner: Factory, *, makes: bool) -> tuple[Factory, list[Any]]:
    """A factory that raises at one of its calls, and what it has raised.

    Args:
        call: which of them.
        inner: what makes the tasks.
        makes: whether it makes the task all the same.
    """
    raised: list[Any] = []
    calls = 0

    def factory(loop: Loop, body: Body) -> Made:
        nonlocal calls
        calls += 1
        if calls == call:
            if makes:
                inner(loop, body)
            raised.append(FactoryError())
            raise raised[0]
        return inner(loop, body)

    return factory, raised
