"""Computing what outlives a computation: `hold`."""

import types
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any, NoReturn

from aiocells._graphs.dependency_graph import DependencyGraph
from aiocells._outcome.held import Held
from aiocells._running.given_limits import check_count, given_limits
from aiocells._running.options import Limit
from aiocells._running.prepare import lay_out, plan_to_hold
from aiocells._running.run import Run
from aiocells._running.tasks.watchdog import WATCHDOG, check_watchdog

if TYPE_CHECKING:
    from aiocells._keeping.cache import Cache
    from aiocells._running.loops.holding import PlainHolding
    from aiocells._running.tasks.holding import TaskHolding
    from aiocells.observers import Observer


def hold(
    graph: DependencyGraph,
    cells: Iterable[Any],
    *,
    inputs: Mapping[str, Any] | None = None,
    overrides: Mapping[Any, Any] | None = None,
    limits: Mapping[str, Limit] | None = None,
    executors: Mapping[str, Executor] | None = None,
    threads: int | None = None,
    observers: "Iterable[Observer]" = (),
    cache: "Cache | None" = None,
    watchdog: float | None = WATCHDOG,
) -> "Hold":
    """Compute cells once, resources too, and keep them until a block ends.

    >>> import asyncio
    >>> from aiocells import Graph, async_compute_concurrent, cell, hold, resource
    >>> @resource
    ... async def pool(size: int):
    ...     yield ["connection"] * size
    >>> @cell
    ... async def page(pool: list, customer: str) -> str:
    ...     return f"{customer} by {pool[0]}"
    >>> graph = Graph.from_cells(page, pool)
    >>> async def serve(customer: str) -> str:
    ...     async with hold(graph, [pool], inputs={"size": 5}) as held:  # at start-up
    ...         compute = async_compute_concurrent
    ...         results = await compute(
    ...             graph, targets=[page], inputs={"customer": customer}, overrides=held
    ...         )
    ...         return results[page]
    >>> asyncio.run(serve("Ada"))
    'Ada by connection'

    Args:
        graph: what they are cells of.
        cells: cells or names; what they need is computed with them.
        threads: how many threads to keep in `held.executors`, for computations that are
            given `executors=held.executors`; they end before the resources close.

    The other options mean what `help(aiocells.computers)` says, and so does what it may
    raise. For the block, see `help(aiocells.computers.holding.Hold)`.
    """
    plan, given = plan_to_hold(graph, cells, overrides, inputs)
    if watchdog is not WATCHDOG:
        check_watchdog(watchdog)
    if threads is not None:
        check_count("threads", threads)
    if executors is not None:
        from aiocells._running.loops.holding import check_pools

        check_pools(plan, executors, threads)
    run = Run(plan, [], "raise", observers)
    run.values = lay_out(plan, inputs, given)
    return Hold(run, limits, executors, threads, cache, watchdog)


class Hold:
    """What `hold` returns: a block that is entered once.

    Enter it with `async with`; or with `with`, where all cells are plain: they run in
    order then, and inline, as in `compute_sequential`. The block gets a mapping, read
    only, of the cells that were asked for. `{**held, other: value}` adds to it. When
    the block has ended, it raises `MissingValue` for each of them.

    Any task of the event loop may enter or leave. All is closed, however the block
    ends, and even if the loop ends before it. An exception out of the block stays the
    primary one. A resource that is cancelled by a scope of its own, such as a task
    group that it holds open, fails when the block ends.
    """

    def __init__(
        self,
        run: Run,
        limits: Mapping[str, Limit] | None,
        executors: Mapping[str, Executor] | None,
        threads: int | None,
        cache: "Cache | None",
        watchdog: float | None,
    ) -> None:
        self._run: Run | None = run
        # Without an event loop none are needed.
        self._limits = None if limits is None else given_limits(run.plan, limits)
        self._given = executors, threads, cache
        self._watchdog = watchdog
        self._plain: PlainHolding | None = None
        self._tasks: TaskHolding | None = None

    def _take(self) -> Run:
        run, self._run = self._run, None
        if run is None:
            msg = "hold() was entered already. It holds once: call it again."
            raise RuntimeError(msg)
        return run

    async def __aenter__(self) -> Held:
        from aiocells._running.tasks.holding import TaskHolding

        run = self._take()
        limits = self._limits or given_limits(run.plan, None)
        self._tasks = TaskHolding(run, *self._given, limits, self._watchdog)
        return await self._tasks.enter()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> None:
        if self._tasks is None:
            _refuse_leaving()
        await self._tasks.leave(error)

    def __enter__(self) -> Held:
        from aiocells._running.loops.holding import PlainHolding, check_is_plain

        if self._run is not None:
            check_is_plain(self._run, self._limits)
        self._plain = PlainHolding(self._take(), *self._given)
        return self._plain.enter()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> None:
        if self._plain is None:
            _refuse_leaving()
        self._plain.leave(error)


def _refuse_leaving() -> NoReturn:
    msg = "hold() was not entered in this way: use it as `async with` or `with`."
    raise RuntimeError(msg)
