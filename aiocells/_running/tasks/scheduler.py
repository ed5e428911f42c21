"""The scheduler of the concurrent computers.

Each async cell is a task with a context of its own, which starts as soon as the last
cell that it needs is done. Plain cells run inline, in the step that made them ready.

Why it looks as it does: a cell costs one task and nothing else. The task's coroutine
tells the scheduler that the cell is done, so that no done-callback goes through the
event loop, and no task waits for another.
"""

import asyncio
import contextvars
import inspect
import math
import sys
from collections.abc import Callable
from heapq import heappop, heappush
from time import monotonic
from typing import Any

from aiocells._declaring.kinds import Kind
from aiocells._running.run import Run
from aiocells._running.tasks.cancellation import Cancellation
from aiocells._running.tasks.resource_tasks import ResourceTasks
from aiocells._running.tasks.watchdog import report_blocking
from aiocells._running.uses import Uses

# Seconds for which plain cells run before they let tasks go on.
_SLICE = 0.01
# With eager_start, which is new in Python 3.12, the first step of a task needs no turn
# of the event loop.
_Task: Any = asyncio.Task
_CAN_BE_EAGER = sys.version_info >= (3, 12)


class Scheduler:
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
        self._has_factory = self._loop.get_task_factory() is not None
        self._is_eager = _CAN_BE_EAGER and not self._has_factory
        # The cells that are ready, lowest number first.
        self._starting: list[int] = []
        self._inline: list[int] = []
        # For each cell the queue that it enters when it is ready.
        self._queues = [
            self._inline if inline and kind is Kind.PLAIN else self._starting
            for kind in run.kinds
        ]
        self._resources = ResourceTasks(run, self)
        self._bodies = self._special_bodies(inline)
        self._tasks: list[asyncio.Task[None] | None] = [None] * len(program.nodes)
        self._running = 0
        self._is_stopping = False
        self._is_advancing = False
        # Tasks that may not have had their first step yet.
        self._created = 0
        self._turn_after = -1
        self._waiter: asyncio.Future[None] | None = None
        self._watchdog = math.inf if watchdog is None else watchdog
        self._clock = 0.0

    def _special_bodies(self, inline: bool) -> dict[int, Callable[[int], Any]]:
        """The bodies of those tasks that do not just await a cell."""
        plan, kinds = self._run.plan, self._run.kinds
        bodies: dict[int, Callable[[int], Any]] = {}
        if not inline:
            for number in plan.order:
                if kinds[number] is Kind.PLAIN:
                    bodies[number] = self._plain_body
        for number in plan.resources:
            bodies[number] = self._resources.body
        return bodies

    async def compute(self) -> None:
        """Run all cells; returns when none runs any more, and none is to start."""
        for number in self._run.plan.order:
            if not self._waiting_for[number]:
                heappush(self._queues[number], number)
        self._admit()
        self._advance()
        while self._is_busy():
            await self._wait()
        self._resources.close_next()
        while self._resources.open:
            await self._wait()
        if self._run.cancelled is None and self._cancellation.is_new():
            self._run.cancelled = await self._cancellation.delivered()
        # These refer to this, or to the task that will hold what is raised, whose
        # traceback refers to this; and so to all values.
        self._bodies.clear()
        del self._resources, self._cancellation

    def _is_busy(self) -> bool:
        return bool(self._running or self._starting or self._inline)

    async def _wait(self) -> None:
        """Wait to be woken; a cancellation from outside stops the cells."""
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        except asyncio.CancelledError as error:
            self._run.cancelled = self._run.cancelled or error
            self.stop()
        finally:
            self._waiter = None

    def wake(self) -> None:
        """Have compute() look whether it is over."""
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    # From ready to running

    def _admit(self) -> None:
        """Let ready cells that were held back into the queues; none are, here."""

    def _advance(self) -> None:
        """Start what is ready: each async cell, then plain ones one by one."""
        starting, inline = self._starting, self._inline
        self._is_advancing = True
        try:
            while True:
                while starting:
                    self._start(heappop(starting))
                if not inline:
                    break
                if self._created:
                    # Some task has not had its first step. I/O should start before
                    # plain cells hold up the loop.
                    self._wait_a_turn()
                    return
                self._clock = monotonic()
                until = self._clock + _SLICE
                while inline and not starting:
                    self._run_inline(heappop(inline))
                    if self._clock > until and self._running:
                        self._wait_a_turn()
                        return
        finally:
            self._is_advancing = False
        if not self._is_busy():
            self.wake()

    def _wait_a_turn(self) -> None:
        """Go on when each task that there is now has been on its turn."""
        if self._turn_after < 0:
            self._turn_after = self._created
            self._loop.call_soon(self._turn, context=self._context)

    def _turn(self) -> None:
        if self._created == self._turn_after:
            self._created = 0
        self._turn_after = -1
        self._advance()

    def _start(self, number: int) -> None:
        if self._bodies and number in self._bodies:
            coroutine = self._bodies[number](number)
        else:
            coroutine = self._body(number)
        loop, name = self._loop, self._names[number]
        context = self._context.copy()
        # Written out: a partial would merge its keywords with these at every call.
        if self._is_eager:
            task = _Task(
                coroutine, loop=loop, name=name, context=context, eager_start=True
            )
        elif self._has_factory:
            task = loop.create_task(coroutine, name=name, context=context)
        else:
            task = _Task(coroutine, loop=loop, name=name, context=context)
        # An eager one may be done, or an open resource that waits to be closed.
        if not task.done() and number not in self._resources.open:
            self._tasks[number] = task
            self._running += 1
            if not self._is_eager:
                self._created += 1

    async def _body(self, number: int) -> None:
        try:
            value = await self._functions[number](
                *self._arguments[number](self._values)
            )
        except BaseException as error:
            self.failed(number, error)
        else:
            self.done(number, value)
        if self._tasks[number] is not None:  # it is, in the first step of an eager one
            self._leave(number)

    async def _plain_body(self, number: int) -> None:
        self._clock = monotonic()
        self._run_inline(number)
        self.leave(number)

    def leave(self, number: int) -> None:
        """Record that a cell does not run any more, where it had been running."""
        if self._tasks[number] is not None:
            self._leave(number)

    def _leave(self, number: int) -> None:
        self._running -= 1
        self._tasks[number] = None
        has_more = self._starting or self._inline or not self._running
        if has_more and not self._is_advancing:
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
        if self._is_stopping:
            return
        waiting_for, queues = self._waiting_for, self._queues
        for dependent in self._dependents[number]:
            left = waiting_for[dependent] - 1
            waiting_for[dependent] = left
            if not left:
                heappush(queues[dependent], dependent)
        if self._uses is not None:
            self._uses.over(number)

    def failed(self, number: int, error: BaseException) -> None:
        """Record what a cell raised, be it its failure or its cancellation."""
        if isinstance(error, GeneratorExit) and not self._loop.is_running():
            raise error  # the loop was closed under us: nothing can be run any more
        if isinstance(error, asyncio.CancelledError) and self.is_cancelled():
            self._run.tell("cancel", number)
            must_stop = True
        else:
            try:
                self._run.fail(number, error)
            except BaseException as interrupted:  # else compute() would wait for ever
                self._run.interrupted = interrupted
                self._run.stopped = True
            must_stop = self._run.stopped
        if must_stop and not self._is_stopping:
            self.stop()

    def is_cancelled(self) -> bool:
        """Whether a cell's CancelledError is the computation's own doing."""
        return self._is_stopping or self._cancellation.is_new()

    def stop(self) -> None:
        """Start nothing more, and cancel what runs."""
        self._is_stopping = True
        self._starting.clear()
        self._inline.clear()
        current = asyncio.current_task()
        for number, task in enumerate(self._tasks):
            if task is not None and task is not current:
                self._cancel(number, task)

    def _cancel(self, number: int, task: asyncio.Task[None]) -> None:
        # A task that is cancelled before its first step never enters its body, so
        # that this cannot tell of its end.
        state = inspect.getcoroutinestate(task.get_coro())  # type: ignore[arg-type]
        if state == inspect.CORO_CREATED:
            task.add_done_callback(lambda _: self.leave(number))
        elif task.done():
            self.leave(number)
        task.cancel()
