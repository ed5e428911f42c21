"""Resources in the concurrent computers: each opens and closes in a task of its own."""

import asyncio
from typing import Any, Protocol

from aiocells._running.resources import OpenResource, scope_failure
from aiocells._running.run import Run


class Host(Protocol):
    """What runs the tasks."""

    def done(self, number: int, value: Any) -> None:
        """Record the value of a cell."""

    def failed(self, number: int, error: BaseException) -> None:
        """Record what a cell raised."""

    def leave(self, number: int) -> None:
        """Record that a cell does not run any more."""

    def is_cancelled(self) -> bool:
        """Whether a CancelledError is the computation's own doing."""
        ...

    def stop(self) -> None:
        """Start nothing more, and cancel what runs."""

    def wake(self) -> None:
        """Have the computation look whether it is over."""


class ResourceTasks:
    """The resources of one computation.

    Args:
        run: the computation.
        host: what runs the tasks.

    Attributes:
        open: for each open resource the future that tells it to close, in the order
            of their opening.
        one_by_one: whether each is closed before the one that was opened before it,
            be that needed or not.
    """

    def __init__(self, run: Run, host: Host) -> None:
        self._run = run
        self._host = host
        self.open: dict[int, asyncio.Future[None]] = {}
        self.one_by_one = False
        self._opened: dict[int, int] = {}  # the how manieth each was
        self._users: dict[int, int] = {}

    async def body(self, number: int) -> None:
        """Open a resource, wait for its turn, close it."""
        run, host = self._run, self._host
        program = run.plan.program
        options = program.options[number]
        run.tell("start", number)
        failed = False
        try:
            made = run.functions[number](*program.arguments[number](run.values))
            in_thread = options.run_in is not None
            resource = OpenResource(made, timeout=options.timeout, in_thread=in_thread)
            value = await resource.open()
        except BaseException as error:
            failed = True
            host.failed(number, error)
        if failed:
            # Not while the failure is handled: it would be the context of what others
            # raise, which run next.
            host.leave(number)
            return
        run.tell("end", number)
        self._opened[number] = len(self._opened)
        may_close = self.open[number] = asyncio.get_running_loop().create_future()
        host.done(number, value)
        host.leave(number)
        cancelled = await self._idle(may_close)
        try:
            await resource.close()
            if cancelled is not None:
                raise scope_failure(cancelled)
        except BaseException as error:
            run.fail_closing(number, error)
        del self.open[number]
        if self.one_by_one:
            self.close_next()
        else:
            self._close_unused(self._unused_without(number))
        host.wake()

    async def _idle(self, may_close: asyncio.Future[None]) -> BaseException | None:
        """Wait for the turn to close, which always comes, cancelled or not.

        A cancellation that is not the computation's own, such as that of a task group
        that the resource holds open, ends the computation, so that it closes soon.

        Returns:
            That cancellation, if there was one.
        """
        cancelled: BaseException | None = None
        while not may_close.done():
            try:
                await asyncio.wait([may_close])
            except asyncio.CancelledError as error:
                if not self._host.is_cancelled():
                    cancelled = error
                    self._run.stopped = True
                    self._host.stop()
                    self._host.wake()
        try:
            return cancelled
        finally:
            del cancelled  # it holds this frame

    def close_next(self) -> None:
        """Have every resource close that no other open one needs."""
        if not self.open:
            return
        if self.one_by_one:
            self.open[next(reversed(self.open))].set_result(None)
        else:
            needs = self._run.plan.between_resources
            users = self._users = dict.fromkeys(needs, 0)
            for needed in needs.values():
                for each in needed:
                    users[each] += 1
            self._close_unused([each for each, count in users.items() if not count])

    def _close_unused(self, unused: list[int]) -> None:
        """Have those close that nobody uses, or that only unused cells use.

        Args:
            unused: resources, and cells in between, that nobody uses.
        """
        to_close = []
        while unused:
            number = unused.pop()
            if number in self.open:
                to_close.append(number)
            else:
                unused += self._unused_without(number)
        for number in sorted(to_close, key=self._opened.__getitem__):
            self.open[number].set_result(None)

    def _unused_without(self, number: int) -> list[int]:
        """What nobody uses any more, now that nobody uses this."""
        users = self._users
        unused = []
        for needed in self._run.plan.between_resources[number]:
            users[needed] -= 1
            if not users[needed]:
                unused.append(needed)
        return unused
