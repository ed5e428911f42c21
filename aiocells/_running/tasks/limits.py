"""A scheduler that bounds how many cells run at once."""

import functools
import math
from collections.abc import Callable, Mapping
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from aiocells._running.run import Run
from aiocells._running.tasks.scheduler import Scheduler
from aiocells._typing import override

if TYPE_CHECKING:
    from aiocells._fan_out.spreading import Spreading


class LimitedScheduler(Scheduler):
    """Holds ready cells back until their limits have room for them.

    Args:
        run: what to compute.
        inline: whether plain cells run without a task of their own.
        watchdog: seconds that a plain cell may hold up the loop without a word.
        max_concurrency: how many cells may run at once; None for any number.
        counts: how many cells of each named limit may run at once. Names of cells that
            are not among them hold nothing back.

    A resource counts while it opens. Among cells that have room, declaration order
    decides.
    """

    def __init__(
        self,
        run: Run,
        *,
        inline: bool,
        watchdog: float | None,
        max_concurrency: int | None,
        counts: Mapping[str, int],
    ) -> None:
        super().__init__(run, inline=inline, watchdog=watchdog)
        self._counted: list[tuple[str, ...]] = [
            ()
            if options.limit is None
            else tuple(name for name in options.limits if name in counts)
            for options in run.plan.program.options
        ]
        self._admitted = self._queues
        # The cells that are ready, lowest number first: those that nothing is known to
        # hold back, and by limit those for which that had no room.
        self._ready: list[int] = []
        self._held: dict[str, list[int]] = {name: [] for name in counts}
        self._queues = [self._ready] * len(self._counted)
        self._room = dict(counts)
        self._total_room = math.inf if max_concurrency is None else max_concurrency
        # What the fan-outs that run do when there may be more room, or less.
        self._looking: dict[int, Callable[[], None]] = {}

    @override
    def serve(self, spreading: "Spreading") -> None:
        spreading.places_of = functools.partial(CellPlaces, self)

    @override
    def done(self, number: int, value: Any) -> None:
        self._give_back(number)
        super().done(number, value)
        self._admit()

    @override
    def failed(self, number: int, error: BaseException) -> None:
        self._give_back(number)
        super().failed(number, error)
        self._admit()

    def _give_back(self, number: int) -> None:
        self._total_room += 1
        for name in self._counted[number]:
            self._room[name] += 1
            self._look_again(name)

    def _look_again(self, name: str) -> None:
        """Have one of those be ready for which a limit had no room."""
        if self._held[name]:
            heappush(self._ready, heappop(self._held[name]))

    @override
    def _admit(self) -> None:
        """Let go of those that there is room for, the first declared first."""
        room = self._room
        while self._total_room > 0 and self._ready and not self._is_stopping:
            number = heappop(self._ready)
            names = self._counted[number]
            full = next((name for name in names if not room[name]), None)
            if full is None:
                for name in names:
                    room[name] -= 1
                self._total_room -= 1
                heappush(self._admitted[number], number)
                continue
            heappush(self._held[full], number)
            # There may be room in another of its limits, which it does not take.
            for name in names:
                if room[name]:
                    self._look_again(name)
        if self._looking:
            self._have_look()

    # Places of fan-outs

    def _have_look(self) -> None:
        for look in list(self._looking.values()):
            look()

    def take_more(self, number: int) -> bool:
        """Take one more place for a cell, unless there is none, or it is waited for."""
        names = self._counted[number]
        if (
            self._is_stopping
            or self._total_room <= 0
            or not all(self._room[name] for name in names)
            or self.is_waited_for(number)
        ):
            return False
        self._total_room -= 1
        for name in names:
            self._room[name] -= 1
        return True

    def is_waited_for(self, number: int) -> bool:
        """Whether a cell is held back that could use a place of this one."""
        return bool(self._ready) or any(
            self._held[name] for name in self._counted[number]
        )

    def give_more_back(self, number: int, count: int) -> None:
        """Give so many of the further places of a cell to those who wait."""
        for _ in range(count):
            self._give_back(number)
        self._admit()
        self._wait_a_turn()

    def look_for(self, number: int, look: Callable[[], None] | None) -> None:
        """Have a function called whenever a cell may take more places, or should not.

        Args:
            number: the cell.
            look: the function; None when it needs no more.
        """
        if look is None:
            self._looking.pop(number, None)
        else:
            self._looking[number] = look


class CellPlaces:
    """The places of a cell whose items run.

    Args:
        scheduler: where it runs.
        number: the cell.
    """

    def __init__(self, scheduler: LimitedScheduler, number: int) -> None:
        self._scheduler = scheduler
        self._number = number

    def take(self) -> bool:
        return self._scheduler.take_more(self._number)

    def are_wanted(self) -> bool:
        return self._scheduler.is_waited_for(self._number)

    def give_back(self, count: int) -> None:
        if count:
            self._scheduler.give_more_back(self._number, count)

    def watch(self, look: Callable[[], None] | None) -> None:
        self._scheduler.look_for(self._number, look)
