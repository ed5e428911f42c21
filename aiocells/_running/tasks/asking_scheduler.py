"""The scheduler of computations in which cells may ask for others.

A cell that may be asked for waits for one thing more than it needs: for being asked. To
ask takes that off, so that the cell is run as any other is from then on.
"""

import asyncio
import functools
from collections.abc import Callable, Iterable, Sequence
from heapq import heapify, heappush
from typing import Any

from aiocells._declaring.kinds import Kind
from aiocells._running.run import Run
from aiocells._running.tasks.asking import TaskAsking
from aiocells._running.tasks.ending import OVER
from aiocells._running.tasks.scheduler import Scheduler
from aiocells._typing import override

# What a cell waits for that was cancelled since nobody waits for it any more.
_GIVEN_UP = -2


class AskingScheduler(Scheduler):
    """Runs the cells of one computation, any number at once.

    Args:
        run: what to compute.
        options: what the scheduler without asking takes.
    """

    def __init__(self, run: Run, **options: Any) -> None:
        super().__init__(run, **options)
        plan = run.plan
        self._asking = TaskAsking(run, self)
        self._askers = plan.program.asks
        self._dependents = plan.waiting.dependents
        # All others have nothing to do with asking.
        self._concerned = plan.concerned
        for number in plan.lazy if self._bodies else ():
            self._guard(number)
        self._given_up: set[int] = set()
        self._told_to_stop: set[int] = set()
        # Whether cells are started within the step of one that asks.
        self._is_within = False
        # Those that wait for limiters before they begin, at each of their starts.
        self._gated = frozenset(run.outside)

    def _guard(self, number: int) -> None:
        """Have a task look whether a plain cell was computed at once meanwhile."""
        body = self._bodies.get(number)
        if body is not None and self._run.kinds[number] in (Kind.PLAIN, Kind.GENERATOR):
            self._bodies[number] = functools.partial(self._body_if_left, body)

    async def _body_if_left(self, body: Callable[[int], Any], number: int) -> None:
        if self._asking.is_left(number):
            await body(number)
            return
        try:
            self._forgo(number)
            self.leave(number)
        except BaseException as error:
            self.interrupt(error, number)

    @override
    async def compute(self) -> None:
        try:
            await super().compute()
            if not self._is_stopping:
                self._tell_what_is_lost()
        finally:
            self._asking.close()
            self._given_up.clear()
            # These refer to each other.
            del self._asking

    @override
    def _tell_what_is_lost(self) -> None:
        # How many have ended tells nothing: so have some that were asked for.
        if {*map(self._waiting_for.__getitem__, self._run.plan.order)} - {OVER}:
            super()._tell_what_is_lost()

    # Called by who asks

    def has_ended(self, number: int) -> bool:
        """Whether a cell has a value, or will never have one."""
        plan = self._run.plan
        if number in plan.lazy:
            return not self._asking.is_left(number)
        return self._waiting_for[number] == OVER or number in plan.overridden

    def wish(self, numbers: Sequence[int]) -> None:
        """Compute cells, each as soon as all that it needs has ended."""
        for number in numbers:
            if number not in self._given_up:  # else when its cancellation is over
                self._asking.restarts(number)
                self._waiting_for[number] -= 1
                if not self._waiting_for[number]:
                    heappush(self._queues[number], number)
        self._admit()
        # Who never suspends gives its answer at once, without a turn of the loop. But
        # cells that ask for such as ask would pile up on the stack.
        if self._starting and not self._is_within:
            was_advancing, self._is_advancing = self._is_advancing, True
            self._is_within = True
            try:
                self._start_all(self._starting)
            finally:
                self._is_advancing, self._is_within = was_advancing, False
        if not self._is_advancing and (self._starting or self._inline):
            self._wait_a_turn()

    @override
    def _start_all(self, starting: list[int]) -> None:
        super()._start_all(starting)
        if self._is_stopping:
            # A cell that asked in its first step, and so was not among those to stop.
            for number in self._tasks.keys() - self._told_to_stop:
                self._told_to_stop.add(number)
                self._tasks[number].cancel()

    def give_up(self, number: int) -> None:
        """Do not compute a cell any more, or cancel it."""
        if self._is_stopping or number in self._given_up:
            return
        task = self._tasks.get(number)
        if task is None:
            if not self._waiting_for[number]:
                self._take_out(number)
            self._waiting_for[number] += 1
        else:
            self._given_up.add(number)
            self._waiting_for[number] = _GIVEN_UP
            task.cancel()
            # After all that others are told of its end.
            task.add_done_callback(functools.partial(self._has_given_up, number))

    def _has_given_up(self, number: int, _: object) -> None:
        """Have a cell that was cancelled start again, if somebody asked meanwhile."""
        if number not in self._given_up:
            return  # its end was the computation's
        try:
            self._given_up.remove(number)
            if number in self._tasks:  # never began, and was computed at a call
                self._forgo(number)
                self.leave(number)
            if not (self.has_ended(number) or self._is_stopping):
                self._waiting_for[number] = 1
                if number in self._gated:
                    self._stays_outside(number)
                if self._asking.is_wanted(number):
                    self.wish([number])
        except BaseException as error:
            self.interrupt(error, number)

    def _stays_outside(self, number: int) -> None:
        """Have a cell that was given up wait for its limiters anew."""
        outside: Any = self._run.outside
        outside.add(number)

    def _take_out(self, number: int) -> None:
        """Take a cell out of the queue in which it is ready."""
        for queue in self._held_back(number):
            if number in queue:
                queue.remove(number)
                heapify(queue)
                return
        for queue in (self._starting, self._inline):
            if number in queue:
                queue.remove(number)
                heapify(queue)
                self._forgo(number)

    def _held_back(self, number: int) -> Iterable[list[int]]:
        """The queues of ready cells for which there was no room yet; there are none."""
        return ()

    def _forgo(self, number: int) -> None:
        """Take the place back from a cell that has not run; it has none, here."""

    def pause(self, asker: int) -> None:
        """Let others run in the place of a cell that waits; it has none, here."""

    async def go_on(self, asker: int) -> None:
        """Give a cell its place back."""

    def _has_ended_waiting(self, asker: int) -> None:
        """Have a cell that ends have its place again, to be given to others."""

    def open_at_once(self, number: int) -> None:
        """Open a plain resource, and record its value."""
        resources: Any = self._resources
        resources.open_at_once(number)

    def computed_at_once(self, number: int, *, is_wanted: bool) -> None:
        """Record that a plain cell had another computed at its call."""
        if number in self._askers:
            self._asking.ended(number)
        if is_wanted and number not in self._tasks:  # its task looks before it begins
            self._take_out(number)
        self._go_on(number)
        self._settled(number)
        self._admit()

    # Ends

    @override
    def done(self, number: int, value: Any) -> None:
        if number not in self._concerned:
            super().done(number, value)
            return
        self._ended_asking(number)
        super().done(number, value)
        self._settled(number)

    def _settled(self, number: int) -> None:
        if number in self._run.plan.lazy:
            self._asking.computed.add(number)
        self._asking.settled(number)

    def _ended_asking(self, number: int) -> None:
        if number in self._askers:
            self._asking.ended(number)
            self._has_ended_waiting(number)

    @override
    def failed(self, number: int, error: BaseException) -> None:
        self._ended_asking(number)
        if self._lets_go(number, error):
            self._run.cancel(number, error)
            self._waiting_for[number] = OVER
            self._forgo(number)
            return
        super().failed(number, error)
        self._settled(number)

    def _lets_go(self, number: int, error: BaseException) -> bool:
        """Whether a cell raises what it was given up by."""
        return (
            number in self._given_up
            and isinstance(error, asyncio.CancelledError)
            and not self.is_cancelled()
        )

    @override
    def stop(self) -> None:
        if not self._is_stopping:
            self._told_to_stop.update(self._tasks)
            super().stop()
            self._asking.stop()
