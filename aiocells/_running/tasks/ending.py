"""How a computation on the event loop comes to its end, by itself or by force."""

import asyncio
from typing import TYPE_CHECKING, Any

from aiocells._running.run import Run
from aiocells._running.tasks.resource_tasks import ResourceTasks

# What a cell that is done, has failed or was cancelled waits for.
OVER = -1


class Ending:
    """The part of a scheduler that waits for cells, stops them, and tells of failures.

    What is raised by nobody's cell, be it by a task factory, by logging, or at the
    limit of recursion, must leave the computer, and not be lost in a task that nobody
    awaits. It is caught where the event loop enters, and comes to `interrupt`.

    Args:
        run: what to compute.
    """

    __slots__ = (
        "_caller",
        "_cancelling",
        "_inline",
        "_is_advancing",
        "_is_stopping",
        "_loop",
        "_run",
        "_starting",
        "_tasks",
        "_waiter",
        "_waiting_for",
    )

    def __init__(self, run: Run) -> None:
        loop = asyncio.get_running_loop()
        self._run = run
        self._loop = loop
        # Who computes, and how often its task had been cancelled by then.
        self._caller = caller = asyncio.current_task(loop)
        self._cancelling = 0 if caller is None else caller.cancelling()
        # For each cell how many it waits for, or OVER; no other number below 0 is of a
        # cell that can be stopped.
        self._waiting_for = run.plan.counts.copy()
        # The cells that are ready, lowest number first: those that only begin here, and
        # those that hold up the event loop until they are done.
        self._starting: list[int] = []
        self._inline: list[int] = []
        # The tasks of the cells that run, but for resources that are open.
        self._tasks: dict[int, asyncio.Future[Any]] = {}
        self._waiter: asyncio.Future[None] | None = None
        self._is_stopping = False
        self._is_advancing = False

    if TYPE_CHECKING:

        def leave(self, number: int) -> None:
            """Record that a cell does not run any more."""

        def _go_on(self, number: int) -> None:
            """Let those that need a cell take their turn, though it failed."""

    def _is_busy(self) -> bool:
        return bool(self._tasks or self._starting or self._inline)

    async def _wait(self) -> None:
        """Wait to be woken; a cancellation from outside stops the cells."""
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        except asyncio.CancelledError as error:
            if self._run.cancelled is None:
                self._run.cancelled = error
            self.stop()
        finally:
            self._waiter = None

    async def _close_resources(self, resources: ResourceTasks) -> None:
        """Close what was opened, when no cell runs any more."""
        resources.close_soon()
        while resources.open:
            await self._wait()

    def wake(self) -> None:
        """Have compute() look whether it is over."""
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def failed(self, number: int, error: BaseException) -> None:
        """Record what a cell raised, be it its failure or its cancellation."""
        if self._waiting_for[number] == OVER or (
            isinstance(error, GeneratorExit) and not self._loop.is_running()
        ):
            raise error  # it is thrown away: nothing can be run any more
        run = self._run
        try:
            is_ending = self.is_cancelled()
            if is_ending and isinstance(error, asyncio.CancelledError):
                run.cancel(number, error)
                must_stop = True
            else:
                run.fail(number, error, is_ending=is_ending)
                must_stop = run.stopped
        except BaseException as raised:
            run.interrupt(raised)
            must_stop = True
        self._waiting_for[number] = OVER
        if must_stop:
            self.stop()
        else:
            self._go_on(number)

    def _never_began(self, number: int, error: asyncio.CancelledError) -> None:
        """Record that the task of a cell was cancelled before the cell began."""
        try:
            if not self.is_cancelled():
                self.failed(number, error)
            self._waiting_for[number] = OVER
            self.leave(number)
        except BaseException as raised:
            self.interrupt(raised, number)

    def task_ended(self, number: int, error: BaseException | None) -> None:
        """Record how a task ended, whose cell may not have told of its end."""
        if isinstance(error, asyncio.CancelledError):
            if self._waiting_for[number] != OVER:
                self._never_began(number, error)
        elif error is not None:
            self.interrupt(error, number)
        elif self._waiting_for[number] != OVER:
            self.interrupt(self._lost(number), number)
        self.wake()

    def is_cancelled(self) -> bool:
        """Whether a cell's CancelledError is the computation's own doing."""
        return self._is_stopping or self._is_newly_cancelled()

    def _is_newly_cancelled(self) -> bool:
        """Whether the caller has been cancelled since, and that was not taken back."""
        caller = self._caller
        return caller is not None and caller.cancelling() > self._cancelling

    def stop(self) -> None:
        """Start nothing more, and cancel what runs; once, as a TaskGroup does."""
        if self._is_stopping:
            return
        self._is_stopping = True
        self._starting.clear()
        self._inline.clear()
        for number, task in sorted(self._tasks.items()):
            if self._waiting_for[number] >= 0:
                task.cancel()

    def interrupt(self, error: BaseException, number: int | None = None) -> None:
        """Record what was raised by nobody's cell: it ends the computation.

        Args:
            error: what leaves the computer, when all has been stopped.
            number: the cell whose task comes to its end by it, if any.
        """
        if isinstance(error, GeneratorExit):
            raise error  # the loop was closed under us
        self._run.interrupt(error)
        if number is not None:
            self._waiting_for[number] = OVER
            self._tasks.pop(number, None)
        self.stop()
        # Who is starting cells will do so, with more room on the stack. A future that
        # fails to call its callbacks for want of it has lost them.
        if not (self._is_advancing or self._is_busy()):
            self.wake()

    def _tell_what_is_lost(self) -> None:
        """Name a cell that has not run, although nobody stopped the computation."""
        run = self._run
        lost = next(
            number for number in run.plan.order if self._waiting_for[number] != OVER
        )
        self.interrupt(self._lost(lost))

    def _lost(self, number: int) -> RuntimeError:
        msg = (
            f"{self._run.plan.program.described(number)} has neither run nor failed, "
            "but its turn is over. Either the task factory of the event loop does not "
            "run what it is given, or this is a fault of aiocells: please report it."
        )
        return RuntimeError(msg)
