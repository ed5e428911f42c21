"""A scheduler that bounds how many cells run at once."""

import math
from collections.abc import Mapping
from heapq import heappop, heappush
from typing import Any

from aiocells._running.run import Run
from aiocells._running.tasks.scheduler import Scheduler
from aiocells._typing import override


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
