"""A scheduler that bounds how many cells run at once."""

import math
from collections.abc import Mapping
from heapq import heappop, heappush
from typing import Any

from aiocells._declaring import names as _names
from aiocells._planning.plan import Plan
from aiocells._running.run import Run
from aiocells._running.tasks.scheduler import Scheduler
from aiocells._typing import override
from aiocells.errors import UnsupportedCell


class LimitedScheduler(Scheduler):
    """Holds ready cells back until their limits have room for them.

    Args:
        run: what to compute.
        inline: whether plain cells run without a task of their own.
        watchdog: seconds that a plain cell may hold up the loop without a word.
        max_concurrency: how many cells may run at once; None for any number.
        limits: how many cells of each named limit may run at once.

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
        limits: Mapping[str, int],
    ) -> None:
        super().__init__(run, inline=inline, watchdog=watchdog)
        self._limit_of = [options.limit for options in run.plan.program.options]
        self._admitted = self._queues
        # The cells that are ready, lowest number first: those that nothing is known to
        # hold back, and by limit those for which that had no room.
        self._ready: list[int] = []
        self._held: dict[str | None, list[int]] = {name: [] for name in (None, *limits)}
        self._queues = [self._ready] * len(self._limit_of)
        self._room: dict[str | None, float] = {None: math.inf}
        self._room.update(limits)
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
        limit = self._limit_of[number]
        self._room[limit] += 1
        self._total_room += 1
        if self._held[limit]:
            heappush(self._ready, heappop(self._held[limit]))

    @override
    def _admit(self) -> None:
        """Let go of those that there is room for, the first declared first."""
        while self._total_room and self._ready and not self._is_stopping:
            number = heappop(self._ready)
            limit = self._limit_of[number]
            if not self._room[limit]:
                heappush(self._held[limit], number)
                continue
            self._room[limit] -= 1
            self._total_room -= 1
            heappush(self._admitted[number], number)


def check_limits(
    plan: Plan, max_concurrency: int | None, limits: Mapping[str, int]
) -> None:
    """Refuse limits that are no numbers, or that do not fit the cells.

    Raises:
        UnsupportedCell: a cell names a limit that is not given.
        ValueError: a limit below 1, or one that no cell names.
    """
    if max_concurrency is not None:
        _check_count("max_concurrency", max_concurrency)
    named = plan.program.limits
    for name, count in limits.items():
        _check_count(f"limits: {name!r}", count)
        if name not in named:
            near = _names.suggestions(name, named)
            msg = f"limits: no cell has limit={name!r}.{_names.did_you_mean(near)}"
            raise ValueError(msg)
    if named - limits.keys():
        _check_given(plan, limits)


def _check_given(plan: Plan, limits: Mapping[str, int]) -> None:
    program = plan.program
    for number in plan.order:
        name = program.options[number].limit
        if name is not None and name not in limits:
            near = _names.suggestions(name, limits)
            msg = (
                f"{program.described(number)} has limit={name!r}, but how many that "
                f"is was not said.{_names.did_you_mean(near)} Give it as "
                f"limits={{{name!r}: ...}}."
            )
            raise UnsupportedCell(msg, cell=program.nodes[number])


def _check_count(what: str, count: object) -> None:
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        msg = f"{what}={count!r}: expected a whole number of at least 1."
        raise ValueError(msg)
