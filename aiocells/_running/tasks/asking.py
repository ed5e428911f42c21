"""Cells that are computed while the async cell that asks for them waits.

Here is who waits for whom, and what is wanted for it. A scheduler that can be asked
(`asking_scheduler.py`) computes what is wanted, as it does any other cell.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from aiocells._declaring.kinds import Kind
from aiocells._graphs.toposort import order_behind
from aiocells._running.asking import Asking
from aiocells._running.run import Run
from aiocells._typing import override


class Host(Protocol):
    """What computes the cells that are asked for."""

    def wish(self, numbers: Sequence[int]) -> None:
        """Compute cells, each as soon as all that it needs has ended.

        Args:
            numbers: cells that nobody has asked for, each after those that it needs.
        """

    def give_up(self, number: int) -> None:
        """Do not compute a cell any more, or cancel it."""

    def has_ended(self, number: int) -> bool:
        """Whether a cell has a value, or will never have one."""
        ...

    def pause(self, asker: int) -> None:
        """Let others run in the place of a cell that waits."""

    async def go_on(self, asker: int) -> None:
        """Give a cell its place back."""

    def open_at_once(self, number: int) -> None:
        """Open a plain resource, and record its value."""

    def computed_at_once(self, number: int, *, is_wanted: bool) -> None:
        """Record that a plain cell had another computed at its call.

        Args:
            number: that other one.
            is_wanted: whether it was wished for as well, by a cell that waits.
        """

    def stop(self) -> None:
        """Start nothing more, and cancel what runs."""


class TaskAsking(Asking):
    """What the cells of one computation on an event loop ask with.

    Args:
        run: the computation.
        host: what computes its cells.
    """

    def __init__(self, run: Run, host: Host) -> None:
        super().__init__(run.plan, run.values, run.on_error, run, host.open_at_once)
        self._host = host
        self._loop = asyncio.get_running_loop()
        self._kinds = run.plan.program.kinds
        # For each cell that is awaited its waiters, each with the cell that asks; and
        # for each cell that waits the same, with the cell that it asks for.
        self._waiters: dict[int, dict[asyncio.Future[None], int]] = {}
        self._asked: dict[int, dict[asyncio.Future[None], int]] = {}
        # For each cell that is wanted, and was not computed yet, how many want it:
        # cells that need it, and one for all its waiters.
        self._wanted: dict[int, int] = {}

    @override
    def function(self, asker: int, cell: int) -> Callable[[], Any]:
        if self._kinds[asker] in (Kind.PLAIN, Kind.GENERATOR):
            return super().function(asker, cell)

        async def ask() -> Any:
            self.check(asker)
            if not self._host.has_ended(cell):
                await self._wait_for(asker, cell)
                self.check(asker)
            return self.answer(cell)

        return ask

    async def _wait_for(self, asker: int, cell: int) -> None:
        answer: asyncio.Future[None] = self._loop.create_future()
        asked = self._asked.setdefault(asker, {})
        asked[answer] = cell
        waiters = self._waiters.setdefault(cell, {})
        waiters[answer] = asker
        if len(waiters) == 1:
            self._want(cell)
        if len(asked) == 1 and not answer.done():
            self._host.pause(asker)
        try:
            await answer
        finally:
            self._leave(answer, cell)
            asked.pop(answer, None)
            if not asked and not self._is_over and asker not in self._ended:
                self._asked.pop(asker, None)
                await self._host.go_on(asker)

    def _leave(self, answer: "asyncio.Future[None]", cell: int) -> None:
        """Wait no more for a cell; when nobody does, it is given up."""
        waiters = self._waiters.get(cell)
        if waiters and waiters.pop(answer, None) is not None and not waiters:
            del self._waiters[cell]
            self._give_up(cell)

    def is_waiting(self, asker: int) -> bool:
        """Whether a cell waits for what it asked for."""
        return bool(self._asked.get(asker))

    def is_wanted(self, cell: int) -> bool:
        """Whether a cell is awaited, or needed by one that is."""
        return cell in self._wanted

    def _want(self, cell: int) -> None:
        """Have a cell computed, and all behind it that is not wanted yet."""
        if not self.is_left(cell):
            return
        wanted = self._wanted
        behind = self._plan.behind.get(cell)
        if behind is None:
            behind = order_behind(
                lambda each: () if each in wanted else self.left_behind(each), [cell]
            )
        fresh = [
            number for number in behind if number not in wanted and self.is_left(number)
        ]
        wanted[cell] = wanted.get(cell, 0) + 1
        for number in fresh:
            for needed in self._plan.program.needs[number]:
                if self.is_left(needed):
                    wanted[needed] = wanted.get(needed, 0) + 1
        self._host.wish(fresh)

    def _give_up(self, cell: int) -> None:
        """Give up a cell, and all behind it that nobody else wants."""
        left = [cell]
        while left:
            number = left.pop()
            if not self.is_left(number):
                continue
            self._wanted[number] -= 1
            if not self._wanted[number]:
                del self._wanted[number]
                left += self._plan.program.needs[number]
                self._host.give_up(number)

    def settled(self, cell: int) -> None:
        """Answer all who wait for a cell: it has ended."""
        self._wanted.pop(cell, None)
        for answer in self._waiters.pop(cell, ()):
            _answer(answer)

    def restarts(self, asker: int) -> None:
        """Record that a cell that was given up may ask again."""
        self._ended.discard(asker)

    @override
    def ended(self, asker: int) -> None:
        self._ended.add(asker)
        for answer, cell in self._asked.pop(asker, {}).items():
            self._leave(answer, cell)
            _answer(answer)

    def stop(self) -> None:
        """Cancel all who wait: the computation is ending."""
        self.begin().stopped = True
        for asked in self._asked.values():
            for answer in asked:
                answer.cancel()

    @override
    def compute(self, number: int) -> None:
        is_wanted = number in self._wanted
        try:
            super().compute(number)
        except BaseException:
            self._host.stop()
            raise
        self._host.computed_at_once(number, is_wanted=is_wanted)

    @override
    def close(self) -> None:
        super().close()
        del self._host


def _answer(answer: "asyncio.Future[None]") -> None:
    if not answer.done():
        answer.set_result(None)
