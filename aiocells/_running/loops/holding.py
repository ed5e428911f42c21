"""Holding values until a block ends: what both forms share, and the plain one."""

import contextlib
import types
from collections.abc import Mapping
from concurrent.futures import Executor
from typing import TYPE_CHECKING

from aiocells._outcome.exceptions import set_traceback, traceback_of
from aiocells._outcome.held import Held
from aiocells._outcome.results import NOTHING
from aiocells._planning.plan import Plan
from aiocells._running.elsewhere.offload import Threads, check_executors
from aiocells._running.given_limits import GivenLimits
from aiocells._running.loops.computing import (
    Opened,
    caching,
    close_in_order,
    run_cells,
    spread,
)
from aiocells._running.observing import observe
from aiocells._running.options import checked_mapping
from aiocells._running.run import Run, is_fatal
from aiocells.errors import UnsupportedCell

if TYPE_CHECKING:
    from aiocells._keeping.cache import Cache


class Holding:
    """Values, resources and threads that are held.

    Args:
        run: what computes them; its values are laid out.
        executors: those of the user by name.
        threads: how many threads there may be to be held; None for no pool of them.
        cache: where values are found and kept.

    Attributes:
        run: the same.
        executors: with the threads.
        held: what is given, when all is there.
    """

    def __init__(
        self,
        run: Run,
        executors: Mapping[str, Executor] | None,
        threads: int | None,
        cache: "Cache | None",
    ) -> None:
        self.run = run
        self._cache = cache
        executors = {} if executors is None else executors
        self._threads: Threads | None = None
        if threads is not None:
            self._threads = Threads(threads)
            executors = {**executors, "thread": self._threads.pool}
        self.executors: Mapping[str, Executor] = types.MappingProxyType({**executors})
        self.held: Held | None = None

    def give(self) -> Held:
        """What was computed; for who asked."""
        run, plan = self.run, self.run.plan
        targets = [run.values[number] for number in plan.targets]
        fallbacks = NOTHING if run.recovery is None else run.recovery.fallbacks.copy()
        self.held = Held(plan.outline, targets, self.executors, fallbacks)
        return self.held

    def take_back(self) -> None:
        """Have nobody use the values any more, which are about to go."""
        if self.held is not None:
            self.held.end()
            self.held = None  # what it fell back from may refer to this

    def conclude(self, error: BaseException | None = None) -> None:
        """Raise what failed, unless the block itself did; and let the values go.

        Args:
            error: what the block raised. It is told of all else, and left to be raised
                by others; only an exit comes before it.
        """
        run = self.run
        before = None if error is None else traceback_of(error)
        if error is not None and (
            run.interrupted is None or is_fatal(error) or not is_fatal(run.interrupted)
        ):
            run.interrupted = error
        try:
            run.conclude()
        except BaseException as raised:
            if raised is not error:
                raise
            set_traceback(raised, before)
        finally:
            run.values = []  # somebody may keep what hold() has returned
            del error  # it may hold this frame


class PlainHolding(Holding):
    """Holds what needs no event loop: cells run in order, and inline."""

    def __init__(
        self,
        run: Run,
        executors: Mapping[str, Executor] | None,
        threads: int | None,
        cache: "Cache | None",
    ) -> None:
        super().__init__(run, executors, threads, cache)
        self._opened: Opened = []

    def enter(self) -> Held:
        """Compute the cells, and open the resources."""
        run = self.run
        if run.plan.fan_outs:
            spread(run)
        if run.notify is not None:
            observe(run)
        is_open = False
        try:
            with self._caching():
                run_cells(run, self._opened)
            is_open = not run.stopped
        finally:
            if not is_open:
                self._close()
        if not is_open:
            self.conclude()
        return self.give()

    def leave(self, error: BaseException | None) -> None:
        """End the threads, close the resources, and tell what failed."""
        if self.held is None:
            return
        self.take_back()
        self._close()
        self.conclude(error)

    def _caching(self) -> contextlib.AbstractContextManager[None]:
        if self._cache is None:
            return contextlib.nullcontext()
        return caching(self.run, self._cache)

    def _close(self) -> None:
        try:
            if self._threads is not None:
                self._threads.end_now()
        except BaseException as error:
            self.run.interrupt(error)
        close_in_order(self.run, self._opened)


def check_pools(
    plan: Plan, executors: Mapping[str, Executor] | None, threads: int | None
) -> None:
    """Refuse executors that are none, or that leave no place for the threads.

    Raises:
        TypeError: something that is no executor, or no mapping of them.
        ValueError: one that no cell names; or a pool of threads beside another.
    """
    executors = checked_mapping("executors", '"name": executor', executors)
    check_executors(plan, executors)
    if threads is not None and "thread" in executors:
        msg = f"threads={threads}: executors= has a 'thread' already. Give one of them."
        raise ValueError(msg)


def check_is_plain(run: Run, limits: GivenLimits | None) -> None:
    """Refuse what cannot be held without an event loop.

    Raises:
        UnsupportedCell: a cell is async, or enters a limiter.
    """
    plan, program = run.plan, run.plan.program
    limiters = {} if limits is None else limits.limiters
    for number in plan.cells:
        waits = [each for each in program.options[number].limits if each in limiters]
        if number == plan.first_async:
            reason = f"is {program.kinds[number].value}"
        elif waits:
            reason = f"waits for its limit {waits[0]!r}"
        else:
            continue
        msg = (
            f"{program.described(number)} {reason}, which a plain `with` cannot await. "
            "Use `async with hold(...)`; or give its value with overrides=."
        )
        raise UnsupportedCell(msg, cell=program.nodes[number])
