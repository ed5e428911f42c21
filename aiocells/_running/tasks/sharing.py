"""A scheduler whose cells enter limiters that other computations share."""

import asyncio
from heapq import heapify, heappush
from typing import TYPE_CHECKING

from aiocells._running.given_limits import GivenLimits
from aiocells._running.run import Run
from aiocells._running.tasks.gate import Gate
from aiocells._running.tasks.limits import LimitedScheduler
from aiocells._typing import override

if TYPE_CHECKING:
    from aiocells._fan_out.spreading import Spreading


class SharingScheduler(LimitedScheduler):
    """Has cells enter limiters first, and then counts them as any others.

    Args:
        run: what to compute.
        inline: whether plain cells run without a task of their own.
        watchdog: seconds that a plain cell may hold up the loop without a word.
        max_concurrency: how many cells may run at once; None for any number.
        given: what the caller gave as limits=.
    """

    def __init__(
        self,
        run: Run,
        *,
        inline: bool,
        watchdog: float | None,
        max_concurrency: int | None,
        given: GivenLimits,
    ) -> None:
        gate = Gate(run, given.limiters, watchdog)
        super().__init__(
            run,
            inline=inline,
            watchdog=watchdog,
            max_concurrency=max_concurrency,
            counts=given.counts,
        )
        self._gate = gate
        if self._resources is not None:
            self._resources.gate = gate
        # Those that have no place yet, and of these the ones that wait for it.
        self._without_place = set(gate.limiters)
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._let_in: list[int] = []
        for number in gate.limiters:
            # It starts at once, to wait; what lets it in is asked for inside.
            self._queues[number] = self._admitted[number]
            self._admitted[number] = self._let_in
        gate.admitted = self._until_admitted

    @override
    def serve(self, spreading: "Spreading") -> None:
        super().serve(spreading)
        spreading.inside = self._gate.around

    @override
    async def compute(self) -> None:
        try:
            await super().compute()
        finally:
            self._gate.admitted = None  # it refers to this, which refers to the gate

    async def _until_admitted(self, number: int) -> None:
        """Wait for room in all counts, and for a place, which come together."""
        waiter = self._waiting[number] = self._loop.create_future()
        heappush(self._ready, number)
        self._admit()
        try:
            await waiter
        finally:
            del self._waiting[number]
            # Where all are stopped nobody gets a place, and to take each out of line
            # would take the square of their number.
            if number in self._without_place and not self._is_stopping:
                self._withdraw(number)

    def _withdraw(self, number: int) -> None:
        """Have a cell that was cancelled wait for a place no more."""
        for waiting in (self._ready, *self._held.values()):
            if number in waiting:
                waiting.remove(number)
                heapify(waiting)

    @override
    def _admit(self) -> None:
        super()._admit()
        for number in self._let_in:
            self._without_place.discard(number)
            if not self._waiting[number].done():
                self._waiting[number].set_result(None)
        self._let_in.clear()

    @override
    def _give_back(self, number: int) -> None:
        if number not in self._without_place:
            super()._give_back(number)
