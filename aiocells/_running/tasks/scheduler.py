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
from aiocells._running.making import FactoryTasks, later_task, must_be_asked
from aiocells._running.run import Run
from aiocells._running.tasks.cancellation import delivered
from aiocells._running.tasks.eager import EagerTasks, eager_tasks
from aiocells._running.tasks.ending import OVER, Ending
from aiocells._running.tasks.nesting import nesting
from aiocells._running.tasks.resource_tasks import ResourceTasks
from aiocells._running.tasks.watchdog import WATCHDOG, report_blocking
from aiocells._running.uses import Uses
from aiocells._typing import override

# Seconds for which cells hold up the event loop before it gets a turn.
_SLICE = 0.01
# Async cells seldom do so: the clock is read at one in so many.
_SELDOM = 4
# With eager_start a task takes its first step at once, without a turn of the loop.
_Task: Any = asyncio.Task
_CAN_BE_EAGER = sys.version_info >= (3, 12)


class Scheduler(Ending):
    """Runs the cells of one computation on the running event loop.

    Args:
        run: what to compute.
        inline: whether plain cells run without a task of their own.
        watchdog: seconds that a plain cell may hold up the loop without a word.
    """

    # More attributes than a class can have the keys of in common would have each made
    # into a dictionary of its own.
    __slots__ = (
        "__weakref__",
        "_arguments",
        "_bodies",
        "_by_hand",
        "_clock",
        "_context",
        "_created",
        "_dependents",
        "_factory",
        "_functions",
        "_is_eager",
        "_names",
        "_queues",
        "_resources",
        "_turn",
        "_turn_after",
        "_until",
        "_uses",
        "_values",
        "_watchdog",
        "_weakly",
    )

    def __init__(
        self, run: Run, *, inline: bool = True, watchdog: float | None = WATCHDOG
    ) -> None:
        super().__init__(run)
        plan, program = run.plan, run.plan.program
        self._values = run.values
        self._functions = run.functions
        self._arguments = program.arguments
        self._names = program.names
        self._dependents = plan.dependents
        self._uses = Uses(plan, run.values) if plan.frees else None
        self._context = contextvars.copy_context()
        factory: Any = self._loop.get_task_factory()
        self._factory: FactoryTasks | None = None
        if factory is not None and must_be_asked(factory):
            self._factory = FactoryTasks(factory, self)
        self._by_hand: EagerTasks | None = None
        self._is_eager = self._factory is None
        if self._is_eager and not _CAN_BE_EAGER:
            self._by_hand = eager_tasks(self._loop)
            self._is_eager = self._by_hand is not None
        self._weakly: Any = None if self._is_eager else weakref.ref(self)
        are_plain = program.are_plain
        if run.kinds is not program.kinds:  # some are moved elsewhere
            are_plain = bytes(kind is Kind.PLAIN for kind in run.kinds)
        # For each cell the queue that it enters when it is ready.
        self._queues = [self._starting] * len(are_plain)
        if 1 in are_plain:
            by_kind = self._starting, self._inline
            self._queues = list(map(by_kind.__getitem__, are_plain))
        self._resources: ResourceTasks | None = None
        self._bodies = (
            {} if inline and not plan.resources else self._special_bodies(inline)
        )
        # Tasks that may not have had their first step yet.
        self._created = 0
        self._turn: asyncio.Handle | None = None
        self._turn_after = 0
        self._watchdog = math.inf if watchdog is None else watchdog
        self._clock = self._until = 0.0

    def serve(self, spreading: Any) -> None:
        """Tell the fan-outs of the run what bounds their items; nothing does, here."""

    def _special_bodies(self, inline: bool) -> dict[int, Callable[[int], Any]]:
        """The bodies of those tasks that do not just await a cell."""
        plan, kinds = self._run.plan, self._run.kinds
        bodies: dict[int, Callable[[int], Any]] = {}
        if not inline:
            for number in plan.cells:
                if kinds[number] is Kind.PLAIN:
                    bodies[number] = self._plain_body
        if plan.resources:
            holding_up = plan.inline_resources
            resources = self._resources = ResourceTasks(self._run, self, holding_up)
            for number in plan.resources:
                bodies[number] = resources.body
                if number in holding_up:
                    self._queues[number] = self._inline
        return bodies

    async def compute(self) -> None:
        """Run all cells; returns when none runs any more, and none is to start."""
        depth = nesting.depth
        nesting.depth = depth + 1
        try:
            self._until = monotonic() + _SLICE
            for number in self._run.plan.sources:
                heappush(self._queues[number], number)
            self._admit()
            self._advance()
        except BaseException as error:
            self.interrupt(error)
        finally:
            nesting.depth = depth
        while self._is_busy():
            await self._wait()
        over = self._waiting_for.count(OVER)
        if not self._is_stopping and over != len(self._run.plan.order):
            self._tell_what_is_lost()
        if self._resources is not None:
            await self._close_resources(self._resources)
        if self._factory is not None:
            while self._factory.have_left(must_stop=self._is_stopping):
                await self._wait()
        if self._by_hand is not None and self._by_hand.lost:
            self._by_hand.forget()
        if self._turn is not None:
            self._turn.cancel()
        if self._run.cancelled is None and self._is_newly_cancelled():
            self._run.cancelled = await delivered()
        # These refer to this, or to the task that will hold what is raised, whose
        # traceback refers to this; and so to all values.
        self._bodies.clear()
        del self._resources, self._factory, self._caller

    # From ready to running

    def _admit(self) -> None:
        """Let ready cells that were held back into the queues; none are, here."""

    def _advance(self) -> None:
        """Start what is ready: each async cell, then plain ones one by one."""
        starting, inline, bodies = self._starting, self._inline, self._bodies
        self._is_advancing = True
        try:
            while True:
                if starting:
                    self._start_all(starting)
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
                        self._start_all([number])
                        self._clock = monotonic()
                    else:
                        self._run_inline(number)
                    if self._clock > self._until:
                        self._wait_a_turn()
                        break
        finally:
            self._is_advancing = False
        if self._waiter is not None and not self._is_busy():
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
            if self._is_newly_cancelled() and not self._is_stopping:
                self._wait_a_turn()  # it is on its way, and will come first
                return
            self._until = monotonic() + _SLICE
            self._advance()
        except BaseException as error:
            self.interrupt(error)

    def _start_all(self, starting: list[int]) -> None:
        """Make a task for each of these cells, the lowest number first.

        Args:
            starting: a heap, which this empties, or which the computation's end does.
        """
        # One loop with names of its own takes a tenth less than a call for each.
        loop, names, context = self._loop, self._names, self._context
        bodies, waiting_for, tasks = self._bodies, self._waiting_for, self._tasks
        is_eager, by_hand, body = self._is_eager, self._by_hand, self._body
        current = None if by_hand is None else asyncio.current_task(loop)
        while starting:
            number = heappop(starting)
            if bodies and number in bodies:
                coroutine = bodies[number](number)
            else:
                coroutine = body(number)
            task: Any
            try:
                if by_hand is not None:
                    task = by_hand.make(
                        coroutine, names[number], context.copy(), current
                    )
                elif is_eager:
                    # Written out: a partial would merge its keywords at every call.
                    task = _Task(
                        coroutine,
                        loop=loop,
                        name=names[number],
                        context=context.copy(),
                        eager_start=True,
                    )
                else:
                    task = self._later(number, coroutine)
            except BaseException as error:
                self.interrupt(error, number)
                coroutine.close()
                continue
            if waiting_for[number] != OVER:  # it is, by the first step of an eager task
                if task.done():
                    task.result()  # what it raised before it could tell
                tasks[number] = task
                if not is_eager:
                    self._created += 1
            if number % _SELDOM == 1 and monotonic() > self._until:
                self._wait_a_turn()
                return

    def _later(self, number: int, coroutine: Any) -> "asyncio.Future[Any]":
        """Make a task that may take its first step later."""
        name, context = self._names[number], self._context.copy()
        if self._factory is not None:
            return self._factory.make(number, coroutine, name, context)
        return later_task(self._weakly, number, coroutine, name, context)

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
        if self._starting or self._inline:
            self._advance()
        elif not self._tasks:
            self.wake()

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

    @override
    def _go_on(self, number: int) -> None:
        self._functions = self._run.functions
        Scheduler.done(self, number, self._values[number])
