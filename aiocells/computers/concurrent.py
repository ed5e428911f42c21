"""The computers that run cells at the same time."""

from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any

from aiocells._graphs.dependency_graph import DependencyGraph
from aiocells._outcome.results import Results
from aiocells._running.options import Limit, OnError
from aiocells._running.prepare import prepare
from aiocells._running.tasks.computing import compute_as_tasks, concurrent_scheduler
from aiocells._running.tasks.watchdog import WATCHDOG

if TYPE_CHECKING:
    from aiocells._keeping.cache import Cache
    from aiocells.observers import Observer


async def async_compute_concurrent(
    graph: DependencyGraph,
    *,
    targets: Iterable[Any] | None = None,
    inputs: Mapping[str, Any] | None = None,
    overrides: Mapping[Any, Any] | None = None,
    on_error: OnError = "raise",
    observers: "Iterable[Observer]" = (),
    cache: "Cache | None" = None,
    max_concurrency: int | None = None,
    limits: Mapping[str, Limit] | None = None,
    executors: Mapping[str, Executor] | None = None,
    watchdog: float | None = WATCHDOG,
) -> Results:
    """Compute a graph, its async cells at the same time.

    A cell starts as soon as the last cell that it needs is done. Each async cell is
    a task; plain cells run on the loop, one at a time, unless `run_in` says where else.

    For what the options mean, the values that it returns and what it may raise, see
    `help(aiocells.computers)`.

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
    run, given = prepare(graph, targets, overrides, inputs, on_error, observers)
    scheduler_for = concurrent_scheduler(
        run.plan, max_concurrency, limits, watchdog, inline=True
    )
    return await compute_as_tasks(
        run, given, inputs, executors, scheduler_for, cache, watchdog
    )


async def async_compute_concurrent_simple(
    graph: DependencyGraph,
    *,
    targets: Iterable[Any] | None = None,
    inputs: Mapping[str, Any] | None = None,
    overrides: Mapping[Any, Any] | None = None,
    on_error: OnError = "raise",
    observers: "Iterable[Observer]" = (),
    cache: "Cache | None" = None,
    max_concurrency: int | None = None,
    limits: Mapping[str, Limit] | None = None,
    executors: Mapping[str, Executor] | None = None,
    watchdog: float | None = WATCHDOG,
) -> Results:
    """Compute a graph, every cell a task of its own, plain ones too.

    As `async_compute_concurrent`, which is quicker; this one is simpler to watch
    with tools that look at tasks.

    For what the options mean, the values that it returns and what it may raise, see
    `help(aiocells.computers)`.

    >>> import asyncio
    >>> from aiocells import Graph, async_compute_concurrent_simple, cell
    >>> @cell
    ... def answer() -> int:
    ...     return 42
    >>> asyncio.run(async_compute_concurrent_simple(Graph.from_cells(answer)))[answer]
    42
    """
    run, given = prepare(graph, targets, overrides, inputs, on_error, observers)
    scheduler_for = concurrent_scheduler(
        run.plan, max_concurrency, limits, watchdog, inline=False
    )
    return await compute_as_tasks(
        run, given, inputs, executors, scheduler_for, cache, watchdog
    )
