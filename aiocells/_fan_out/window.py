"""So many items at once, each in a task of its own.

A fixed set of tasks that go from item to item would be some three times as quick, but
would let context variables and cancellations leak from one item to the next.
"""

import asyncio
import contextvars
import sys
import weakref
from collections.abc import Awaitable, Callable, Iterator
from time import monotonic
from typing import Any

from aiocells._fan_out.items import Row
from aiocells._fan_out.places import Places
from aiocells._running.making import FactoryTasks, later_task, must_be_asked
from aiocells._running.run import is_fatal

# Seconds for which items hold up the event loop before it gets a turn.
_SLICE = 0.01
# With eager_start a task takes its first step at once, without a turn of the loop.
_Task: Any = asyncio.Task
_CAN_BE_EAGER = sys.version_info >= (3, 12)


class Window:
    """The items that run; each that ends lets in the next.

    Args:
        call: what is awaited for each.
        gathering: where it goes what becomes of them, a `Gathering` or what does as
            much.
        width: how many may run at once.
        places: what else bounds that.
        name: that of the tasks.
    """

    __slots__ = (
        "__weakref__",
        "_call",
        "_context",
        "_count",
        "_factory",
        "_gathering",
        "_has_all",
        "_interruption",
        "_is_eager",
        "_is_filling",
        "_is_stopping",
        "_loop",
        "_name",
        "_places",
        "_results",
        "_rows",
        "_taken",
        "_tasks",
        "_waiter",
        "_weakly",
        "_width",
    )

    def __init__(
        self,
        call: Callable[..., Awaitable[Any]],
        gathering: Any,
        width: int,
        places: Places,
        name: str,
    ) -> None:
        self._call = call
        self._gathering = gathering
        self._results = gathering.results
        self._width = width
        self._places = places
        self._name = name
        self._loop = asyncio.get_running_loop()
        self._context = contextvars.copy_context()
        factory: Any = self._loop.get_task_factory()
        self._factory: FactoryTasks | None = None
        if must_be_asked(factory):
            self._factory = FactoryTasks(factory, self)
        self._is_eager = _CAN_BE_EAGER and self._factory is None
        self._weakly = weakref.ref(self)
        self._rows: Any = iter(())
        self._tasks: dict[int, asyncio.Future[Any] | None] = {}
        # How many have begun and not ended, of which some may have no task yet.
        self._count = 0
        # The places beside the cell's own.
        self._taken = 0
        self._has_all = False
        self._is_filling = False
        self._is_stopping = False
        self._interruption: BaseException | None = None
        self._waiter: asyncio.Future[None] | None = None

    async def run(self, rows: Iterator[Any]) -> None:
        """Run the items of an iterator.

        Raises:
            BaseException: what the iterator raised, or the cancellation of this; what
                the items raise is gathered.
        """
        self._rows = rows
        self._places.watch(self.fill)
        try:
            self.fill()
            await self._finish()
        finally:
            self._close()

    async def _finish(self) -> None:
        """Wait until all have ended, through every cancellation, which stops them."""
        while not self._is_over():
            try:
                await self._wait()
            except asyncio.CancelledError as error:
                self._interrupt(error)
        interruption, self._interruption = self._interruption, None
        if interruption is not None and (
            is_fatal(interruption) or not self._gathering.has_failed
        ):
            try:
                raise interruption
            finally:
                del interruption  # it holds this frame

    def _is_over(self) -> bool:
        if self._count or not (self._has_all or self._is_stopping):
            return False
        return self._factory is None or not self._factory.have_left(
            must_stop=self._is_stopping
        )

    async def _wait(self) -> None:
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _close(self) -> None:
        self._places.watch(None)
        self._places.give_back(self._taken)
        self._taken = 0
        self._factory = None  # it refers to this

    # Starting

    def _has_room(self) -> bool:
        """Whether one more may run; if need be it takes a place for it."""
        if self._count >= self._width:
            return False
        if self._count <= self._taken:
            return True
        if not self._places.take():
            return False
        self._taken += 1
        return True

    def fill(self) -> None:
        """Start as many as there is room for."""
        if self._is_filling or self._is_stopping or self._has_all:
            return
        self._is_filling = True
        until = monotonic() + _SLICE
        try:
            while self._has_room() and not self._is_stopping:
                try:
                    row = next(self._rows)
                except StopIteration:
                    self._has_all = True
                    break
                self._start(row)
                if self._is_eager and monotonic() > until:
                    self._loop.call_soon(self.fill, context=self._context)
                    break
        except BaseException as error:
            self._interrupt(error)
        finally:
            self._is_filling = False
        if not self._count and (self._has_all or self._is_stopping):
            self._wake()

    def _start(self, row: Row) -> None:
        results = self._results
        index = len(results)
        results.append(None)
        coroutine = self._item(index, row)
        self._count += 1
        # Some tasks take their first step, and more, before they are known.
        self._tasks[index] = None
        try:
            task = self._make(index, coroutine)
        except BaseException:
            coroutine.close()
            self._tasks.pop(index, None)
            self._count -= 1
            raise
        if index in self._tasks:
            self._tasks[index] = task

    def _make(self, index: int, coroutine: Any) -> Any:
        context = self._context.copy()
        if self._is_eager:
            return _Task(
                coroutine,
                loop=self._loop,
                name=self._name,
                context=context,
                eager_start=True,
            )
        if self._factory is not None:
            return self._factory.make(index, coroutine, self._name, context)
        return later_task(self._weakly, index, coroutine, self._name, context)

    async def _item(self, index: int, row: Row) -> None:
        try:
            try:
                self._results[index] = await self._call(*row)
            except BaseException as error:
                self._failed(index, error, row)
        except BaseException as error:
            self._interrupt(error)
        self._leave(index)

    # Ending

    def _failed(self, index: int, error: BaseException, row: Row) -> None:
        if isinstance(error, GeneratorExit) and not self._loop.is_running():
            raise error  # it is thrown away: nothing can be run any more
        if self._is_stopping and isinstance(error, asyncio.CancelledError):
            return
        if self._gathering.failed(index, error, row):
            self._stop()

    def _leave(self, index: int) -> None:
        """Record that an item does not run any more."""
        self._tasks.pop(index, None)
        self._count -= 1
        if self._gathering.follows and not self._is_stopping:
            try:
                self._gathering.ended(index)
            except BaseException as error:
                self._interrupt(error)
        if self._count <= self._taken and self._taken and self._places.are_wanted():
            self._taken -= 1
            self._places.give_back(1)
        if self._has_all or self._is_stopping:
            if not self._count:
                self._wake()
        else:
            self.fill()

    def _stop(self) -> None:
        """Start nothing more, and cancel what runs."""
        if self._is_stopping:
            return
        self._is_stopping = True
        current = asyncio.current_task(self._loop)
        for task in list(self._tasks.values()):
            if task is not None and task is not current:
                task.cancel()
        self._wake()

    def _interrupt(self, error: BaseException) -> None:
        """Record what no item raised; it is raised when all have been stopped."""
        if isinstance(error, GeneratorExit):
            raise error  # the loop was closed under us
        if self._interruption is None:
            self._interruption = error
        self._stop()

    # As the host of the tasks

    def interrupt(self, error: BaseException) -> None:
        """Record what the task factory raised."""
        self._interrupt(error)

    def task_ended(self, number: int, error: BaseException | None) -> None:
        """Record how a task ended, whose item may not have told of its end."""
        if number in self._tasks:
            if error is None:
                error = RuntimeError(_LOST)
            if not (self._is_stopping and isinstance(error, asyncio.CancelledError)):
                self._interrupt(error)
            self._leave(number)
        self._wake()


_LOST = (
    "an item has neither run nor failed, but its task is over: the task factory of the "
    "event loop does not run what it is given"
)
