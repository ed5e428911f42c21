"""The scheduler of the concurrent computers.

Each async cell is a task with a context of its own, which starts as soon as the last
cell that it needs is done. Plain cells run inline, in the step that made them ready.

Why it looks as it does: a cell costs one task and nothing else. The task's coroutine
tells the scheduler that the cell is done, so that no done-callback goes through the
event loop, and no task waits for another.
"""

import asyncio
import contextvars
import math
import sys
import weakref
from collections.abc import Callable
from heapq import heappop, heappush
from time import monotonic
from typing import Any

from aiocells._declaring.kinds import Kind
from aiocells._running.run import Run
from aiocells._running.tasks.cancellation import Cancellation
from aiocells._running.tasks.ending import OVER, Ending
from aiocells._running.tasks.making import CellTask, FactoryTasks, must_be_asked
from aiocells._running.tasks.nesting import nesting
from aiocells._running.tasks.resource_tasks import ResourceTasks
from aiocells._running.tasks.watchdog import report_blocking
from aiocells._running.uses import Uses
from aiocells._typing import override

# Seconds for which cells hold up the event loop before it gets a turn.
_SLICE = 0.01
# Async cells seldom do so: the clock is read at one in so many.
_SELDOM = 4
# With eager_start, which is new in Python 3.12, the first step of a task needs no turn
# of the event loop.
_Task: Any = asyncio.Task
_CAN_BE_EAGER = sys.version_info >= (3, 12)


class Scheduler(Ending):
    """Runs the cells of one computation on the running event loop.

    Args:
        run: what to compute.
        inline: whether plain cells run without a task of their own.
        watchdog: seconds that a plain cell may hold up the loop without a word.
    """

    def __init__(
        self, run: Run, *, inline: bool = True, watchdog: float | None = None
    ) -> None:
        plan, program = run.plan, run.plan.program
        self._run = run
        self._values = run.values
        self._functions = run.functions
        self._arguments = program.arguments
        self._names = program.names
        self._dependents = plan.dependents
        self._waiting_for = plan.counts.copy()
        if plan.frees:
            run.uses = Uses(plan, run.values)
        self._uses = run.uses
        self._loop = asyncio.get_running_loop()
        self._cancellation = Cancellation(asyncio.current_task())
        self._context = contextvars.copy_context()
        factory: Any = self._loop.get_task_factory()
        self._factory: FactoryTasks | None = None
        if factory is not None and must_be_asked(factory):
            self._factory = FactoryTasks(factory, self)
        self._is_eager = _CAN_BE_EAGER and self._factory is None
        self._weakly = None if self._is_eager else weakref.ref(self)
        self._starting = []
        self._inline = []
        # For each cell the queue that it enters when it is ready.
        self._queues = [
            self._inline if kind is Kind.PLAIN else self._starting for kind in run.kinds
        ]
        self._bodies = self._special_bodies(inline)
        self._tasks = {}
        self._is_advancing = False
        # Tasks that may not have had their first step yet.
        self._created = 0
        self._turn: asyncio.Handle | None = None
        self._turn_after = 0
        self._watchdog = math.inf if watchdog is None else watchdog
        self._clock = 0.0
        self._until = 0.0

    def _special_bodies(self, inline: bool) -> dict[int, Callable[[int], Any]]:
        """The bodies of those tasks that do not just await a cell."""
        run = self._run
        plan, kinds = run.plan, run.kinds
        bodies: dict[int, Callable[[int], Any]] = {}
        if not inline:
            for number in plan.order:
                if kinds[number] is Kind.PLAIN:
                    bodies[number] = self._plain_body
        holding_up = {
            number
            for number in plan.resources
            if kinds[number] is Kind.GENERATOR
            and plan.program.options[number].run_in is None
        }
        self._resources = ResourceTasks(run, self, holding_up)
        for number in plan.resources:
            bodies[number] = self._resources.body
            if number in holding_up:
                self._queues[number] = self._inline
        return bodies

    async def compute(self) -> None:
        """Run all cells; returns when none runs any more, and none is to start."""
        nesting.depth += 1
        try:
            self._until = monotonic() + _SLICE
            for number in self._run.plan.order:
                if not self._waiting_for[number]:
                    heappush(self._queues[number], number)
            self._admit()
            self._advance()
        except BaseException as error:
            self.interrupt(error)
        finally:
            nesting.depth -= 1
        while self._is_busy():
            await self._wait()
        if not self._is_stopping:
            ran = self._waiting_for.count(OVER)
            if ran != len(self._run.plan.order) - len(self._run.skipped):
                self._tell_what_is_lost()
        self._resources.close_next()
        while self._resources.open:
            await self._wait()
        if self._factory is not None:
            while self._factory.have_left(must_stop=self._is_stopping):
                await self._wait()
        if self._turn is not None:
            self._turn.cancel()
        if self._run.cancelled is None and self._cancellation.is_new():
            self._run.cancelled = await self._cancellation.delivered()
        # These refer to this, or to the task that will hold what is raised, whose
        # traceback refers to this; and so to all values.
        self._bodies.clear()
        del self._resources, self._factory, self._cancellation

    # From ready to running

    def _admit(self) -> None:
        """Let ready cells that were held back into the queues; none are, here."""

    def _advance(self) -> None:
        """Start what is ready: each async cell, then plain ones one by one."""
        starting, inline, bodies = self._starting, self._inline, self._bodies
        self._is_advancing = True
        try:
            while True:
                while starting:
                    number = heappop(starting)
                    self._start(number)
                    if number % _SELDOM == 1 and monotonic() > self._until:
                        self._wait_a_turn()
                        break
                if not inline or self._turn is not None:
                    break
                self._clock = monotonic()
                while inline and not starting:
                    if self._created:
                        # Some task has not had its first step. I/O should start before
                        # plain cells hold up the loop.
                        self._wait_a_turn()
                        break
                    number = heappop(inline)
                    if bodies and number in bodies:
                        self._start(number)
                        self._clock = monotonic()
                    else:
                        self._run_inline(number)
                    if self._clock > self._until:
                        self._wait_a_turn()
                        break
        finally:
            self._is_advancing = False
        if not self._is_busy():
            self.wake()

    def _wait_a_turn(self) -> None:
        """Go on when the event loop has done what it has to do."""
        if self._turn is None:
            self._turn_after = self._created
            self._turn = self._loop.call_soon(self._take_turn, context=self._context)

    def _take_turn(self) -> None:
        try:
            # Each task that there was then has been on its turn.
            if self._created == self._turn_after:
                self._created = 0
            self._turn = None
            self._until = monotonic() + _SLICE
            self._advance()
        except BaseException as error:
            self.interrupt(error)

    def _start(self, number: int) -> None:
        if self._bodies and number in self._bodies:
            coroutine = self._bodies[number](number)
        else:
            coroutine = self._body(number)
        loop, name = self._loop, self._names[number]
        context = self._context.copy()
        task: Any
        try:
            # Written out: a partial would merge its keywords with these at every call.
            if self._is_eager:
                task = _Task(
                    coroutine, loop=loop, name=name, context=context, eager_start=True
                )
            elif self._factory is not None:
                task = self._factory.make(number, coroutine, name, context)
            else:
                task = CellTask(coroutine, loop=loop, name=name, context=context)
                task.host, task.number = self._weakly, number
        except BaseException as error:
            self.interrupt(error, number)
            coroutine.close()
            return
        if self._waiting_for[number] == OVER:  # in the first step of an eager task
            return
        if task.done():
            task.result()  # what it raised before it could tell
        self._tasks[number] = task
        if not self._is_eager:
            self._created += 1

    async def _body(self, number: int) -> None:
        try:
            try:
                value = await self._functions[number](
                    *self._arguments[number](self._values)
                )
            except BaseException as error:
                self.failed(number, error)
            else:
                self.done(number, value)
            if number in self._tasks:  # it is not, in the first step of an eager one
                self.leave(number)
        except BaseException as error:
            self.interrupt(error, number)

    async def _plain_body(self, number: int) -> None:
        try:
            self._clock = monotonic()
            self._run_inline(number)
            self.leave(number)
        except BaseException as error:
            self.interrupt(error, number)

    @override
    def leave(self, number: int) -> None:
        if self._tasks.pop(number, None) is None or self._is_advancing:
            return
        if self._starting or self._inline or not self._tasks:
            self._advance()

    def _run_inline(self, number: int) -> None:
        try:
            value = self._functions[number](*self._arguments[number](self._values))
        except BaseException as error:
            self.failed(number, error)
        else:
            self.done(number, value)
        # One look at the clock a cell: the end of one is the start of the next.
        now = monotonic()
        if now - self._clock > self._watchdog:
            report_blocking(self._run.plan.program, number, now - self._clock)
        self._clock = now

    # From running to done

    def done(self, number: int, value: Any) -> None:
        """Record the value of a cell, and see which are ready now."""
        self._values[number] = value
        waiting_for, queues = self._waiting_for, self._queues
        waiting_for[number] = OVER
        if self._is_stopping:
            return
        for dependent in self._dependents[number]:
            left = waiting_for[dependent] - 1
            waiting_for[dependent] = left
            if not left:
                heappush(queues[dependent], dependent)
        if self._uses is not None:
            self._uses.over(number)
