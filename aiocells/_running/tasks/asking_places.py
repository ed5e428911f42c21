"""Schedulers in which a cell that waits for what it asked for gives up its place."""

import asyncio
import itertools
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from aiocells._running.run import Run
from aiocells._running.tasks.asking_scheduler import AskingScheduler
from aiocells._running.tasks.in_order import OrderedScheduler
from aiocells._running.tasks.limits import LimitedScheduler
from aiocells._running.tasks.sharing import SharingScheduler
from aiocells._typing import override


class _PlacedScheduler(AskingScheduler):
    """Gives a cell's place to others while it waits for what it asked for."""

    def __init__(self, run: Run, **options: Any) -> None:
        super().__init__(run, **options)
        self._paused: set[int] = set()
        # For each cell that has its answers, but no place yet, its tasks that wait for
        # that; in the order in which they came.
        self._coming_back: OrderedDict[int, list[asyncio.Future[None]]] = OrderedDict()

    if TYPE_CHECKING:

        def _places_left(self) -> float:
            """How many more may run."""
            ...

        def _add_room(self, count: int) -> None:
            """Have so many more places."""

    @override
    def pause(self, asker: int) -> None:
        if asker not in self._paused:
            self._paused.add(asker)
            self._add_room(1)
            self._admit()
            if not self._is_advancing:
                self._wait_a_turn()

    @override
    async def go_on(self, asker: int) -> None:
        if asker not in self._paused or self._is_stopping:
            return
        if self._places_left() > 0 and not self._coming_back:
            self._take(asker)
            return
        place: asyncio.Future[None] = self._loop.create_future()
        self._coming_back.setdefault(asker, []).append(place)
        try:
            await place
        except BaseException:
            # It goes on all the same; the next place that there is will be missing.
            self._come_back(asker)
            raise

    def _come_back(self, asker: int) -> None:
        """Have all tasks of a cell go on.

        It has its place by then, unless one of them waits for an answer again.
        """
        if not self._asking.is_waiting(asker):
            self._take(asker)
        for place in self._coming_back.pop(asker, ()):
            if not place.done():
                place.set_result(None)

    def _take(self, asker: int) -> None:
        if asker in self._paused:
            self._paused.remove(asker)
            self._add_room(-1)

    def _let_come_back(self) -> None:
        """Give the places that there are to those who have waited for an answer."""
        while self._coming_back and self._places_left() > 0:
            self._come_back(next(iter(self._coming_back)))

    @override
    def _has_ended_waiting(self, asker: int) -> None:
        self._come_back(asker)

    @override
    def stop(self) -> None:
        super().stop()
        for places in self._coming_back.values():
            for place in places:
                place.cancel()


class LimitedAskingScheduler(_PlacedScheduler, LimitedScheduler):
    """Runs so many cells at once as its limits let it, of those that do not wait."""

    @override
    def _places_left(self) -> float:
        return self._total_room

    @override
    def _add_room(self, count: int) -> None:
        self._total_room += count

    @override
    def _admit(self) -> None:
        self._let_come_back()
        super()._admit()

    @override
    def _held_back(self, number: int) -> Iterable[list[int]]:
        return self._ready, *(self._held[name] for name in self._counted[number])

    @override
    def _forgo(self, number: int) -> None:
        self._give_back(number)
        self._admit()


class SharingAskingScheduler(LimitedAskingScheduler, SharingScheduler):
    """The same, with limiters that other computations share."""

    @override
    def _stays_outside(self, number: int) -> None:
        super()._stays_outside(number)
        self._without_place.add(number)


class OrderedAskingScheduler(_PlacedScheduler, OrderedScheduler):
    """Runs one cell at a time, of those that do not wait, in the order of the plan.

    What is asked for is run before what comes next in that order.
    """

    def __init__(self, run: Run, limiters: Mapping[str, Any] | None = None) -> None:
        self._free = 1
        self._in_progress = 0
        # Those that are due, by the order in which they were asked for; also some that
        # have another place in it by now, or none.
        self._asked_for: list[tuple[int, int]] = []
        self._place_of: dict[int, int] = {}
        self._places = itertools.count()
        super().__init__(run, limiters=limiters)
        # Those that were asked for and are ready.
        self._due: list[int] = []
        for number in run.plan.lazy:
            self._queues[number] = self._due

    @override
    def _places_left(self) -> float:
        return self._free

    @override
    def _add_room(self, count: int) -> None:
        self._free += count

    @override
    def wish(self, numbers: Sequence[int]) -> None:
        self._place_of.update(zip(numbers, self._places, strict=False))
        super().wish(numbers)

    @override
    def _take_out(self, number: int) -> None:
        self._sort_due()
        if self._place_of.pop(number, None) is None:
            super()._take_out(number)

    @override
    def _forgo(self, number: int) -> None:
        self._free += 1
        self._in_progress -= 1
        self._admit()

    @override
    def done(self, number: int, value: Any) -> None:
        self._free += 1
        self._in_progress -= 1
        super().done(number, value)

    @override
    def failed(self, number: int, error: BaseException) -> None:
        if not self._lets_go(number, error):
            self._free += 1
            self._in_progress -= 1
        super().failed(number, error)

    def _sort_due(self) -> None:
        """Put those that are ready in the order in which they were asked for."""
        for number in self._due:
            heappush(self._asked_for, (self._place_of[number], number))
        self._due.clear()

    @override
    def _admit(self) -> None:
        self._let_come_back()
        self._sort_due()
        while self._free > 0 and not self._is_stopping:
            number = self._next()
            if number < 0:
                return
            heappush(self._entered[number], number)
            self._free -= 1
            self._in_progress += 1

    def _next(self) -> int:
        """The cell whose turn it is; negative if there is none."""
        while self._asked_for:
            place, number = heappop(self._asked_for)
            if self._place_of.get(number) == place:
                del self._place_of[number]
                return number
        return -1 if self._in_progress else next(self._order, -1)
