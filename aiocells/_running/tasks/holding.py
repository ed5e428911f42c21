"""Holding values on an event loop, until a block ends or the loop does.

A task of its own, the keeper, runs the computation whose resources stay open. So any
task may enter and leave. Who ends the loop cancels all tasks: where nobody has left by
then, the keeper learns of it so, and closes.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import TYPE_CHECKING

from aiocells._outcome.held import Held
from aiocells._running.elsewhere.offload import Offload
from aiocells._running.given_limits import GivenLimits
from aiocells._running.loops.holding import Holding
from aiocells._running.observing import observe
from aiocells._running.run import Run
from aiocells._running.tasks.computing import keeper_of, spreading_of
from aiocells._running.tasks.resource_tasks import ResourceTasks
from aiocells._running.tasks.sharing import SharingScheduler
from aiocells._typing import override

if TYPE_CHECKING:
    from aiocells._fan_out.spreading import Spreading
    from aiocells._keeping.cache import Cache

# The event loops themselves would not keep them alive.
_keepers: "dict[asyncio.AbstractEventLoop, set[asyncio.Task[None]]]" = {}


def _keep_alive(keeper: "asyncio.Task[None]") -> None:
    """Keep a keeper until it is done, or its event loop was closed under it."""
    # What happens in other threads meanwhile must not disturb this.
    for loop in list(_keepers):
        if loop.is_closed():
            _keepers.pop(loop, None)
    _keepers.setdefault(keeper.get_loop(), set()).add(keeper)
    keeper.add_done_callback(_let_go)


def _let_go(keeper: "asyncio.Task[None]") -> None:
    kept = _keepers[keeper.get_loop()]
    kept.remove(keeper)
    if not kept:
        del _keepers[keeper.get_loop()]


class TaskHolding(Holding):
    """Holds what a computation on the running event loop gives.

    Args:
        run: what computes it; its values are laid out.
        executors: those of the user by name.
        threads: how many threads there may be to be held; None for no pool of them.
        cache: where values are found and kept.
        limits: what the caller gave as limits=.
        watchdog: seconds that a plain cell may hold up the loop without a word.

    Attributes:
        entering: the task that enters, whose cancellation counts while all opens, and
            how often it had been cancelled before.
        must_close: whether somebody leaves.
    """

    def __init__(
        self,
        run: Run,
        executors: Mapping[str, Executor] | None,
        threads: int | None,
        cache: "Cache | None",
        limits: GivenLimits,
        watchdog: float | None,
    ) -> None:
        super().__init__(run, executors, threads, cache)
        self._limits = limits
        self._watchdog = watchdog
        self._loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        self.entering = task, 0 if task is None else task.cancelling()
        self._scheduler: _HoldingScheduler | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._waiters: list[asyncio.Future[None]] = []
        self._is_open = False
        self.must_close = False
        # Whether somebody, who enters or leaves, will be told how it ended.
        self._is_told = True
        self._spreading: Spreading | None = None

    async def enter(self) -> Held:
        """Compute the cells, and open the resources."""
        run = self.run
        offload = None
        if self.executors or run.plan.elsewhere:
            offload = Offload(run, self.executors)
        if run.plan.fan_outs:
            self._spreading = spreading_of(run, offload, self._watchdog)
        if run.notify is not None:
            observe(run)
        finder = None
        if self._cache is not None:
            finder = keeper_of(run, self._cache, self._watchdog)
        keeper = self._keeper = asyncio.Task(self._keep(), name="aiocells.hold")
        _keep_alive(keeper)
        keeper.add_done_callback(self._wake)
        cancelled: BaseException | None = await self._until(
            self._is_there, on_cancel=keeper.cancel
        )
        try:
            if offload is not None and offload.has_pools:
                await offload.close()
            cancelled = cancelled or run.cancelled
            if self._is_open and cancelled is None:
                self._is_told = False
                return self.give()
            self._close()
            await self._until(keeper.done)
            run.cancelled = cancelled or run.cancelled
        finally:
            if finder is not None:
                finder.close()
            del cancelled  # it holds this frame
        self.conclude()
        raise asyncio.CancelledError  # the keeper was cancelled before it began

    def _is_there(self) -> bool:
        return self._is_open or (self._keeper is not None and self._keeper.done())

    async def leave(self, error: BaseException | None) -> None:
        """End the threads, close the resources, and tell what failed."""
        keeper = self._keeper
        if keeper is None or self._is_told:
            return
        if asyncio.get_running_loop() is not self._loop:
            msg = "hold() was entered in another event loop, and must be left in that."
            raise RuntimeError(msg)
        self._is_told = True
        self._close()
        cancelled = await self._until(keeper.done)
        self.run.cancelled = cancelled
        del cancelled  # it holds this frame
        self.conclude(error)

    def _close(self) -> None:
        """Have the keeper close."""
        self.take_back()
        self.must_close = True
        if self._scheduler is not None:
            self._scheduler.wake()

    async def _until(
        self, is_over: Callable[[], bool], on_cancel: Callable[[], object] | None = None
    ) -> asyncio.CancelledError | None:
        """Wait through every cancellation.

        Args:
            is_over: asked whenever something happens.
            on_cancel: called at the first cancellation.

        Returns:
            That cancellation, if there was one.
        """
        cancelled: asyncio.CancelledError | None = None
        while not is_over():
            waiter = self._loop.create_future()
            self._waiters.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError as error:
                if cancelled is None:
                    cancelled = error
                    if on_cancel is not None:
                        on_cancel()
            finally:
                self._waiters.remove(waiter)
        try:
            return cancelled
        finally:
            del cancelled  # it holds this frame

    def _wake(self, _: object = None) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    # In the keeper

    async def _keep(self) -> None:
        run = self.run
        try:
            made = _scheduler_for(run)
            self._scheduler = made(run, self, self._limits, self._watchdog)
            if self._spreading is not None:
                self._scheduler.serve(self._spreading)
            await self._scheduler.compute()
        except GeneratorExit:
            raise  # the loop was closed under it
        except BaseException as error:
            run.interrupt(error)
        finally:
            self._scheduler = None  # it refers to this
            if self._spreading is not None:
                self._spreading.close()
        if self._is_open and not self._is_told:
            # The loop ends, and nobody has left: it reports what this raises.
            self._is_told = True
            run.cancelled = None
            self.conclude()

    def opened(self) -> None:
        """Tell who enters that all is there."""
        self._is_open = True
        self._wake()

    async def end(self) -> None:
        """End what is held beside the resources."""
        self.take_back()
        if self._threads is not None:
            await self._threads.end(self._note_cancelled)

    def _note_cancelled(self, error: asyncio.CancelledError) -> None:
        self.run.cancelled = self.run.cancelled or error


class _HoldingScheduler(SharingScheduler):
    """Leaves the resources open until somebody leaves, or the loop ends.

    Args:
        run: what to compute.
        holding: what is told when all is there, and knows when somebody leaves.
        limits: what the caller gave as limits=.
        watchdog: seconds that a plain cell may hold up the loop without a word.
    """

    def __init__(
        self,
        run: Run,
        holding: TaskHolding,
        limits: GivenLimits,
        watchdog: float | None,
    ) -> None:
        super().__init__(
            run, inline=True, watchdog=watchdog, max_concurrency=None, given=limits
        )
        self._holding = holding
        # Until it is open, who enters decides whether it is cancelled; then the keeper.
        self._keeper = self._caller
        self._caller, self._cancelling = holding.entering
        if self._resources is None:
            self._resources = ResourceTasks(run, self, ())

    @override
    async def _close_resources(self, resources: ResourceTasks) -> None:
        holding = self._holding
        if not (self._is_stopping or self._is_newly_cancelled()):
            self._caller, self._cancelling = self._keeper, 0
            holding.opened()
            # A resource that is cancelled by its own scope wakes this as well.
            while not (holding.must_close or self._run.cancelled is not None):
                await self._wait()
        await holding.end()
        await super()._close_resources(resources)


def _scheduler_for(run: Run) -> type[_HoldingScheduler]:
    if not run.plan.asks:
        return _HoldingScheduler
    # What few programs use, they should load.
    from aiocells._running.tasks.asking_places import SharingAskingScheduler

    class AskingHoldingScheduler(_HoldingScheduler, SharingAskingScheduler):
        """The same, where cells may ask for others."""

    return AskingHoldingScheduler
