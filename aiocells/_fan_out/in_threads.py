"""Plain items in threads, each of which takes the next when it is done with one.

So an item takes no way through the event loop, which costs more than most items do.
"""

import asyncio
import contextlib
import contextvars
import math
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from time import monotonic
from typing import Any

from aiocells._fan_out.gathering import Gathering
from aiocells._fan_out.items import Items, Row
from aiocells._fan_out.places import Places
from aiocells._running.run import is_fatal

# Seconds after which a thread that others want too is let go, and asked for again.
_SLICE = 0.01


async def run_in_threads(
    items: Items,
    gathering: Gathering,
    width: int,
    pool: Executor,
    places: Places,
    is_shared: bool,
) -> Any:
    """Call each item in a thread.

    Args:
        items: what to call; none is pulled asynchronously.
        gathering: where it goes what becomes of them.
        width: how many may run at once.
        pool: the threads.
        places: what else bounds that.
        is_shared: whether others use the pool, so that each gets a turn.

    Returns:
        The value of the fan-out, when no item runs any more.

    Raises:
        BaseException: an item failed, or what is iterated did, or this was cancelled.
    """
    if items.total is not None:
        width = min(width, items.total)
    if is_shared:  # what is asked for in vain would only stand in the way of others
        width = min(width, getattr(pool, "_max_workers", width))
    threads = _Threads(items, gathering, width, pool, places, is_shared)
    await threads.run()
    return gathering.value()


class _Threads:
    """The threads that run the items of one fan-out."""

    def __init__(
        self,
        items: Items,
        gathering: Gathering,
        width: int,
        pool: Executor,
        places: Places,
        is_shared: bool,
    ) -> None:
        self._items = items
        self._gathering = gathering
        self._width = width
        self._pool = pool
        self._places = places
        self._slice = _SLICE if is_shared else math.inf
        self._loop = asyncio.get_running_loop()
        self._context = contextvars.copy_context()
        # For what threads change: which item is next, and whether they go on.
        self._lock = threading.Lock()
        self._has_all = False
        self._is_stopping = False
        self._leaving = 0
        self._raised: deque[tuple[int, BaseException, Row]] = deque()
        # Those that run here, and the places beside the cell's own.
        self._running: set[Future[None]] = set()
        self._taken = 0
        self._interruption: BaseException | None = None
        self._waiter: asyncio.Future[None] | None = None

    async def run(self) -> None:
        """Run all items.

        Raises:
            BaseException: what the iterator raised, or the cancellation of this; what
                the items raise is gathered.
        """
        self._places.watch(self._look)
        try:
            self._fill()
            while self._running:
                try:
                    await self._wait()
                except asyncio.CancelledError as error:
                    self._interrupt(error)
        finally:
            self._places.watch(None)
            self._places.give_back(self._taken)
        interruption, self._interruption = self._interruption, None
        if interruption is not None and (
            is_fatal(interruption) or not self._gathering.has_failed
        ):
            try:
                raise interruption
            finally:
                del interruption  # it holds this frame

    async def _wait(self) -> None:
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _interrupt(self, error: BaseException) -> None:
        """Record what no item raised; no further item starts."""
        if self._interruption is None:
            self._interruption = error
        self._is_stopping = True
        for future in list(self._running):
            future.cancel()  # it may not have begun

    # On the event loop

    def _look(self) -> None:
        """Take more places while nobody wants them, or have a thread leave one."""
        if not self._places.are_wanted():
            self._fill()
        elif self._taken and not self._leaving:
            self._leaving = 1

    def _fill(self) -> None:
        while not (self._has_all or self._is_stopping) and self._has_room():
            try:
                future = self._pool.submit(self._take_items)
            except BaseException as error:
                self._interrupt(error)
                return
            self._running.add(future)
            future.add_done_callback(self._from_thread(self._ended))

    def _has_room(self) -> bool:
        """Whether one more may run; if need be it takes a place for it."""
        if len(self._running) >= self._width:
            return False
        if len(self._running) <= self._taken:
            return True
        if not self._places.take():
            return False
        self._taken += 1
        return True

    def _ended(self, future: "Future[None]") -> None:
        """Record that a thread has no items any more."""
        self._running.discard(future)
        if not future.cancelled() and (error := future.exception()) is not None:
            self._interrupt(error)
        if self._taken and len(self._running) <= self._taken:
            self._leaving = 0
            self._taken -= 1
            self._places.give_back(1)
        waiter = self._waiter
        self._fill()
        if not self._running and waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _item_ended(self, index: int) -> None:
        """Tell of the end of an item."""
        try:
            if not self._is_stopping:
                self._gathering.ended(index)
        except BaseException as error:
            self._interrupt(error)

    def _gather(self) -> None:
        """Look at what items have raised."""
        while self._raised:
            try:
                if self._gathering.failed(*self._raised.popleft()):
                    self._is_stopping = True
            except BaseException as error:
                self._interrupt(error)

    # In a thread

    def _take_items(self) -> None:
        items, results, lock = self._items, self._gathering.results, self._lock
        call, rows, copied = items.call, items.rows, self._context.copy
        is_strict, follows = self._gathering.is_strict, self._gathering.follows
        until = monotonic() + self._slice
        is_over = False
        while not is_over:
            with lock:
                if self._is_stopping or self._has_all:
                    return
                if self._leaving:
                    self._leaving = 0
                    return
                try:
                    row = next(rows)
                except StopIteration:
                    self._has_all = True
                    return
                except BaseException:
                    self._is_stopping = True
                    raise
                index = len(results)
                results.append(None)
            try:
                results[index] = copied().run(call, *row)
            except BaseException as error:
                self._raised.append((index, error, row))
                if is_strict or not isinstance(error, Exception):
                    self._is_stopping = True
                self._tell(self._gather)
            if follows:
                self._tell(self._item_ended, index)
            is_over = monotonic() > until

    def _from_thread(self, function: Callable[[Any], None]) -> Callable[[Any], None]:
        return lambda argument: self._tell(function, argument)

    def _tell(self, function: Callable[..., None], *arguments: Any) -> None:
        """Have a function called on the event loop."""
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            self._loop.call_soon_threadsafe(function, *arguments)
