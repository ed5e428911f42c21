"""A computation on an event loop, from its preparation to its results."""

import asyncio
import functools
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any

from aiocells._outcome.results import Results
from aiocells._planning.plan import Plan
from aiocells._running.observing import observe
from aiocells._running.options import Limit
from aiocells._running.prepare import lay_out
from aiocells._running.run import Run
from aiocells._running.tasks.in_order import OrderedScheduler
from aiocells._running.tasks.nesting import MOST_NESTED, nesting
from aiocells._running.tasks.scheduler import Scheduler
from aiocells._running.tasks.watchdog import (
    WATCHDOG,
    check_watchdog,
    on_the_loop,
    reporter,
)

if TYPE_CHECKING:
    from aiocells._fan_out.spreading import Spreading
    from aiocells._keeping.cache import Cache
    from aiocells._running.elsewhere.offload import Offload
    from aiocells._running.given_limits import GivenLimits
    from aiocells._running.keeping.keeper import Keeper


async def compute_as_tasks(
    run: Run,
    given: dict[int, Any],
    inputs: Mapping[str, Any] | None,
    executors: Mapping[str, Executor] | None,
    scheduler_for: Callable[[Run], Scheduler],
    cache: "Cache | None" = None,
    watchdog: float | None = None,
    *,
    one_by_one: bool = False,
) -> Results:
    """Run the cells of a computation with a scheduler.

    Args:
        run: the computation.
        given: the overriding values.
        inputs: values by the name of an input.
        executors: the executors that `run_in` names.
        scheduler_for: makes the scheduler, when the run is ready to start.
        cache: where values are found and kept.
        watchdog: seconds that a plain cell may hold up the loop without a word.
        one_by_one: whether one item of a fan-out runs at a time.
    """
    offload = spreading = None
    if executors is not None or run.plan.elsewhere:
        # What few programs use, they should load.
        from aiocells._running.elsewhere.offload import Offload

        offload = Offload(run, executors)
    if run.plan.fan_outs:
        spreading = spreading_of(run, offload, watchdog, one_by_one=one_by_one)
    if run.notify is not None:
        observe(run)
    keeper = None if cache is None else keeper_of(run, cache, watchdog)
    run.values = lay_out(run.plan, inputs, given)
    try:
        if nesting.depth >= MOST_NESTED:
            # It goes on from the event loop, with a stack of its own.
            await asyncio.sleep(0)
        scheduler = scheduler_for(run)
        if spreading is not None:
            scheduler.serve(spreading)
        await scheduler.compute()
    finally:
        if spreading is not None:
            spreading.close()
        if offload is not None and offload.has_pools:
            await offload.close()
        if keeper is not None:
            keeper.close()
    return run.conclude()


def spreading_of(
    run: Run,
    offload: "Offload | None",
    watchdog: float | None,
    *,
    one_by_one: bool = False,
) -> "Spreading":
    """What has the fan-outs of a computation call their functions for each item.

    Args:
        run: the computation.
        offload: what runs cells elsewhere, where some say `run_in`.
        watchdog: seconds that a plain item may hold up the loop without a word.
        one_by_one: whether one item runs at a time.

    Raises:
        UnsupportedCell: items cannot run where they are to.
    """
    # What few programs use, they should load.
    from aiocells._fan_out.spreading import Spreading

    report = reporter(run.plan.program, watchdog)
    return Spreading(run, offload, report, one_by_one=one_by_one)


def keeper_of(run: Run, cache: "Cache", watchdog: float | None) -> "Keeper":
    """What finds and keeps the values of a computation on an event loop.

    Args:
        run: the computation, when its functions are otherwise what is to be called.
        cache: where values are found and kept.
        watchdog: seconds that a plain cell may hold up the loop without a word.

    Raises:
        TypeError: it is no cache.
        ValueError: no cell is to be kept.
        PermissionError: others can write to its folder.
    """
    # What few programs use, they should load.
    from aiocells._running.keeping.keeper import Keeper

    keeper = Keeper(run, cache)
    program = run.plan.program
    keeper.wrap_for_tasks(functools.partial(on_the_loop, program, watchdog))
    return keeper


def concurrent_scheduler(
    plan: Plan,
    max_concurrency: int | None,
    limits: Mapping[str, Limit] | None,
    watchdog: float | None,
    *,
    inline: bool,
) -> Callable[[Run], Scheduler]:
    """What makes the scheduler of a concurrent computer.

    Args:
        plan: what is run.
        max_concurrency: how many cells may run at once; None for any number.
        limits: how many cells of each named limit may run at once, or a limiter.
        watchdog: seconds that a plain cell may hold up the loop without a word.
        inline: whether plain cells run without a task of their own.

    Raises:
        TypeError: limits that are no mapping.
        UnsupportedCell: a cell names a limit that is not given.
        ValueError: a number that is none, or a limit that no cell names.
    """
    if watchdog is not WATCHDOG:
        check_watchdog(watchdog)
    if max_concurrency is None and limits is None and not plan.program.limits:
        if inline and watchdog is WATCHDOG and not plan.asks:
            return Scheduler
        return functools.partial(
            _free_scheduler(plan), inline=inline, watchdog=watchdog
        )
    # What is not asked for should not be waited for at every import.
    from aiocells._running.given_limits import check_count, given_limits

    if max_concurrency is not None:
        check_count("max_concurrency", max_concurrency)
    given = given_limits(plan, limits)
    if max_concurrency is None and not (given.counts or given.limiters):
        return functools.partial(
            _free_scheduler(plan), inline=inline, watchdog=watchdog
        )
    return functools.partial(
        _limited_scheduler(plan, given),
        inline=inline,
        watchdog=watchdog,
        max_concurrency=max_concurrency,
    )


def _limited_scheduler(plan: Plan, given: "GivenLimits") -> Callable[..., Scheduler]:
    if given.limiters:
        from aiocells._running.tasks.sharing import SharingScheduler

        sharing: type[SharingScheduler] = SharingScheduler
        if plan.asks:
            from aiocells._running.tasks.asking_places import SharingAskingScheduler

            sharing = SharingAskingScheduler
        return functools.partial(sharing, given=given)
    from aiocells._running.tasks.limits import LimitedScheduler

    limited: type[LimitedScheduler] = LimitedScheduler
    if plan.asks:
        from aiocells._running.tasks.asking_places import LimitedAskingScheduler

        limited = LimitedAskingScheduler
    return functools.partial(limited, counts=given.counts)


def _free_scheduler(plan: Plan) -> type[Scheduler]:
    if not plan.asks:
        return Scheduler
    # What few programs use, they should load.
    from aiocells._running.tasks.asking_scheduler import AskingScheduler

    return AskingScheduler


def ordered_scheduler(
    plan: Plan, limits: Mapping[str, Limit] | None
) -> Callable[[Run], Scheduler]:
    """What makes the scheduler of the computer that awaits one cell after the other.

    One at a time keeps to every number. So limits may be left out; those that are given
    must be complete.

    Args:
        plan: what is run.
        limits: as for the concurrent computers.
    """
    ordered: type[OrderedScheduler] = OrderedScheduler
    if plan.asks:
        # What few programs use, they should load.
        from aiocells._running.tasks.asking_places import OrderedAskingScheduler

        ordered = OrderedAskingScheduler
    if limits is None:
        return ordered
    from aiocells._running.given_limits import given_limits

    given = given_limits(plan, limits)
    return functools.partial(ordered, limiters=given.limiters)
