"""Resources in the concurrent computers: each opens and closes in a task of its own."""

import asyncio
import contextvars
import functools
from collections import deque
from collections.abc import Callable, Container
from typing import TYPE_CHECKING, Any, Protocol

from aiocells._running.resources import OpenResource, at_once, scope_failure
from aiocells._running.run import Run

if TYPE_CHECKING:
    from aiocells._running.tasks.gate import Gate


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

    def interrupt(self, error: BaseException, number: int | None = None) -> None:
        """Record what was raised by nobody's cell: it ends the computation."""

    def task_ended(self, number: int, error: BaseException | None) -> None:
        """Record how a task ended, whose cell may not have told of its end."""


class ResourceTasks:
    """The resources of one computation.

    Args:
        run: the computation.
        host: what runs the tasks.
        holding_up: the resources that hold up the event loop when they open and close.

    Attributes:
        open: for each open resource the future that tells it to close, in the order
            of their opening.
        gate: what some wait for before they open.
        one_by_one: whether each is closed before the one that was opened before it,
            be that needed or not.
    """

    def __init__(self, run: Run, host: Host, holding_up: Container[int]) -> None:
        self._run = run
        self._host = host
        self.open: dict[int, asyncio.Future[None]] = {}
        self.gate: Gate | None = None
        self.one_by_one = False
        self._opened: dict[int, int] = {}  # the how manieth each was
        # Those whose turn to close has come.
        self._told: set[int] = set()
        self._users: dict[int, int] = {}
        # Those whose closers hold up the event loop, that wait, and that has its turn.
        self._holding_up = holding_up
        self._waiting: deque[int] = deque()
        self._closing: int | None = None

    async def body(self, number: int) -> None:
        """Open a resource, wait for its turn, close it."""
        run, host = self._run, self._host
        program = run.plan.program
        options = program.options[number]
        task: Any = asyncio.current_task()
        task.add_done_callback(functools.partial(self._ended, number))
        resource: OpenResource | None = None
        value = None
        failed = False
        try:
            # It begins when it is opened; one that is lost never does.
            made = run.functions[number](*program.arguments[number](run.values))
            in_thread = options.run_in is not None
            resource = OpenResource(made, timeout=options.timeout, in_thread=in_thread)
            if self.gate is None or number not in self.gate.limiters:
                value = await self._open(number, resource)
            else:
                value = await self._open_inside(self.gate, number, resource)
        except BaseException as error:
            failed = True
            self._tell(host.failed, number, error)
        if failed or resource is None:
            # Not while the failure is handled: it would be the context of what others
            # raise, which run next.
            self._tell(host.leave, number)
            return
        self._opened[number] = len(self._opened)
        self.open[number] = task.get_loop().create_future()
        try:
            run.announce("end", number)
        except BaseException as error:
            self._tell(host.failed, number, error)
        else:
            self._tell(host.done, number, value)
        self._tell(host.leave, number)
        await self._close_in_turn(number, resource)

    def open_at_once(self, number: int) -> None:
        """Open a plain resource in the task that runs, and have another close it.

        Both have one context.

        Raises:
            BaseException: what the resource raises, or an observer that asks to exit.
        """
        run = self._run
        loop = asyncio.get_running_loop()
        context = contextvars.copy_context()
        run.announce("start", number)
        values = run.plan.program.arguments[number](run.values)
        resource = OpenResource(run.functions[number](*values))
        run.values[number] = context.run(at_once, resource.open())
        self._opened[number] = len(self._opened)
        self.open[number] = loop.create_future()
        task: asyncio.Task[None] = asyncio.Task(
            self._close_in_turn(number, resource),
            loop=loop,
            name=run.plan.program.names[number],
            context=context,
        )
        task.add_done_callback(functools.partial(self._ended, number))
        run.announce("end", number)

    async def _close_in_turn(self, number: int, resource: OpenResource) -> None:
        run, host = self._run, self._host
        cancelled = await self._idle(number)
        try:
            await resource.close()
            if cancelled is not None:
                raise scope_failure(cancelled)
        except BaseException as error:
            run.fail_closing(number, error)
        del self.open[number]
        if number == self._closing:
            self._closing = None
        if self.one_by_one:
            self.close_next()
        else:
            self._close_unused(self._unused_without(number))
        host.wake()

    async def _open(self, number: int, resource: OpenResource) -> Any:
        self._run.announce("start", number)
        return await resource.open()

    async def _open_inside(
        self, gate: "Gate", number: int, resource: OpenResource
    ) -> Any:
        """Open a resource that waits for limits; one that cannot leave them closes."""
        is_open = False

        async def opened() -> Any:
            nonlocal is_open
            value = await self._open(number, resource)
            is_open = True
            return value

        try:
            return await gate.inside(number, opened)
        except BaseException:
            if is_open:
                await resource.close()
            raise

    def _tell(self, method: Callable[..., None], number: int, *what: Any) -> None:
        """Tell the host what happened; what it raises itself ends the computation."""
        try:
            method(number, *what)
        except BaseException as error:
            self._host.interrupt(error, number)

    def _ended(self, number: int, task: "asyncio.Future[Any]") -> None:
        """Let nobody wait for a resource whose task could not tell of its end."""
        error = None if task.cancelled() else task.exception()
        if self.open.pop(number, None) is not None or error is not None:
            self._host.task_ended(number, error)
            self._waiting.clear()
            self._closing = None
            self.close_next()

    async def _idle(self, number: int) -> BaseException | None:
        """Wait for the turn to close, which always comes, cancelled or not.

        A cancellation that is not the computation's own, such as that of a task group
        that the resource holds open, ends the computation, so that it closes soon.

        Returns:
            That cancellation, if there was one.
        """
        cancelled: BaseException | None = None
        # Not until the future is done: a scope may cancel that in every turn of the
        # event loop, even in the one in which it would have been told.
        while number not in self._told:
            try:
                await self.open[number]
            except asyncio.CancelledError as error:
                self.open[number] = asyncio.get_running_loop().create_future()
                if not self._host.is_cancelled():
                    cancelled = error
                    self._run.stopped = True
                    self._host.stop()
                    self._host.wake()
            except Exception as error:
                self._run.interrupt(error)
                break
        try:
            return cancelled
        finally:
            del cancelled  # it holds this frame

    def close_soon(self) -> None:
        """Begin to close, from the event loop: the caller may be deep on the stack."""
        if self.open:
            asyncio.get_running_loop().call_soon(self.close_next)

    def close_next(self) -> None:
        """Have every resource close that no other open one needs."""
        if not self.open:
            return
        if self.one_by_one:
            self._close(next(reversed(self.open)))
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
            if number in self._holding_up:
                self._waiting.append(number)
            else:
                self._close(number)
        self._close_one_waiting()

    def _close_one_waiting(self) -> None:
        """Have one close of those that hold up the event loop, which so gets turns."""
        if self._waiting and self._closing is None:
            self._closing = self._waiting.popleft()
            self._close(self._closing)

    def _close(self, number: int) -> None:
        self._told.add(number)
        may_close = self.open[number]
        if not may_close.done():
            may_close.set_result(None)

    def _unused_without(self, number: int) -> list[int]:
        """What nobody uses any more, now that nobody uses this."""
        users = self._users
        unused = []
        for needed in self._run.plan.between_resources[number]:
            users[needed] -= 1
            if not users[needed]:
                unused.append(needed)
        return unused
