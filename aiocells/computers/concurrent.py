"""The computers that run cells at the same time."""

from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any, NamedTuple

from aiocells._graphs.dependency_graph import DependencyGraph
from aiocells._outcome.results import Results
from aiocells._running.elsewhere.offload import Offload
from aiocells._running.observing import observe
from aiocells._running.prepare import choose, lay_out
from aiocells._running.run import OnError, Run, check_on_error
from aiocells._running.tasks.limits import LimitedScheduler, check_limits
from aiocells._running.tasks.scheduler import Scheduler
from aiocells._running.tasks.watchdog import check_watchdog

if TYPE_CHECKING:
    from aiocells.observers import Observer

# Seconds that a plain cell may hold up the event loop before that is logged.
WATCHDOG = 0.05


async def async_compute_concurrent(
    graph: DependencyGraph,
    *,
    targets: Iterable[Any] | None = None,
    inputs: Mapping[str, Any] | None = None,
    overrides: Mapping[Any, Any] | None = None,
    on_error: OnError = "raise",
    observers: "Iterable[Observer]" = (),
    max_concurrency: int | None = None,
    limits: Mapping[str, int] | None = None,
    executors: Mapping[str, Executor] | None = None,
    watchdog: float | None = WATCHDOG,
) -> Results:
    """Compute a graph, its async cells at the same time.

    A cell starts as soon as the last cell that it needs is done. Each async cell is
    a task; plain cells run on the loop, one at a time, unless `run_in` says where else.

    Args:
        graph: what to compute.
        targets: cells or names: compute these and what they need; by default all.
        inputs: values of the inputs, by name.
        overrides: values in place of cells, by cell or name.
        on_error: "raise" the first failure; raise a "group" of all; or "continue"
            with all that does not depend on a failed cell.
        observers: called with an `Event` for what happens to each cell.
        max_concurrency: how many cells may run at once; by default any number.
        limits: how many cells of each named limit may run at once.
        executors: the executors that `run_in` names; they are not closed.
        watchdog: seconds of a blocked event loop that are logged; None for never.

    Returns:
        The values of the targets, in order.

    Raises:
        GraphException: something is wrong with the graph or the arguments; no cell
            has run.
        CancelledError: it was cancelled; what ran was cancelled and awaited.
        BaseException: what a cell raised, unchanged but for a note that names it.

    >>> import asyncio
    >>> from aiocells import Graph, async_compute_concurrent, cell
    >>> @cell
    ... async def price() -> float:
    ...     await asyncio.sleep(0.001)
    ...     return 2.5
    >>> @cell
    ... def total(price: float, count: int) -> float:
    ...     return price * count
    >>> graph = Graph.from_cells(price, total)
    >>> asyncio.run(async_compute_concurrent(graph, inputs={"count": 2}))[total]
    5.0
    """
    check_on_error(on_error)
    plan, given = choose(graph, targets, overrides)
    run = Run(plan, [], on_error, observers)
    options = _Options(True, max_concurrency, limits or {}, watchdog)
    return await _compute(run, given, inputs, options, executors)


async def async_compute_concurrent_simple(
    graph: DependencyGraph,
    *,
    targets: Iterable[Any] | None = None,
    inputs: Mapping[str, Any] | None = None,
    overrides: Mapping[Any, Any] | None = None,
    on_error: OnError = "raise",
    observers: "Iterable[Observer]" = (),
    max_concurrency: int | None = None,
    limits: Mapping[str, int] | None = None,
    executors: Mapping[str, Executor] | None = None,
    watchdog: float | None = WATCHDOG,
) -> Results:
    """Compute a graph, every cell a task of its own, plain ones too.

    As `async_compute_concurrent`, which is quicker; this one is simpler to watch
    with tools that look at tasks.

    Args:
        graph: what to compute.
        targets: as for `async_compute_concurrent`, and so are all of the following.
        inputs: values of the inputs, by name.
        overrides: values in place of cells, by cell or name.
        on_error: "raise", "group" or "continue".
        observers: called with an `Event` for what happens to each cell.
        max_concurrency: how many cells may run at once; by default any number.
        limits: how many cells of each named limit may run at once.
        executors: the executors that `run_in` names; they are not closed.
        watchdog: seconds that a plain cell may hold up the event loop.

    Returns:
        The values of the targets, in order.

    Raises:
        GraphException: something is wrong with the graph or the arguments; no cell
            has run.
        CancelledError: it was cancelled; what ran was cancelled and awaited.
        BaseException: what a cell raised, unchanged but for a note that names it.

    >>> import asyncio
    >>> from aiocells import Graph, async_compute_concurrent_simple, cell
    >>> @cell
    ... def answer() -> int:
    ...     return 42
    >>> asyncio.run(async_compute_concurrent_simple(Graph.from_cells(answer)))[answer]
    42
    """
    check_on_error(on_error)
    plan, given = choose(graph, targets, overrides)
    run = Run(plan, [], on_error, observers)
    options = _Options(False, max_concurrency, limits or {}, watchdog)
    return await _compute(run, given, inputs, options, executors)


class _Options(NamedTuple):
    """What the caller said about how to run cells."""

    inline: bool
    max_concurrency: int | None
    limits: Mapping[str, int]
    watchdog: float | None


async def _compute(
    run: Run,
    given: dict[int, Any],
    inputs: Mapping[str, Any] | None,
    options: _Options,
    executors: Mapping[str, Executor] | None,
) -> Results:
    inline, max_concurrency, limits, watchdog = options
    check_limits(run.plan, max_concurrency, limits)
    check_watchdog(watchdog)
    offload = Offload(run, executors)
    observe(run)
    run.values = lay_out(run.plan, inputs, given)
    if max_concurrency is None and not limits:
        scheduler = Scheduler(run, inline=inline, watchdog=watchdog)
    else:
        scheduler = LimitedScheduler(
            run,
            inline=inline,
            watchdog=watchdog,
            max_concurrency=max_concurrency,
            limits=limits,
        )
    try:
        await scheduler.compute()
    finally:
        await offload.close()
    return run.conclude()
