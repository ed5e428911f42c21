"""The computers that run one cell after the other."""

from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any

from aiocells._graphs.dependency_graph import DependencyGraph
from aiocells._outcome.results import Results
from aiocells._running.loops.computing import compute_plain
from aiocells._running.options import Limit, OnError
from aiocells._running.prepare import plan_for, prepare
from aiocells._running.tasks.computing import compute_as_tasks, ordered_scheduler

if TYPE_CHECKING:
    from aiocells._keeping.cache import Cache
    from aiocells.observers import Observer


def compute_sequential(
    graph: DependencyGraph,
    *,
    targets: Iterable[Any] | None = None,
    inputs: Mapping[str, Any] | None = None,
    overrides: Mapping[Any, Any] | None = None,
    on_error: OnError = "raise",
    observers: "Iterable[Observer]" = (),
    cache: "Cache | None" = None,
) -> Results:
    """Compute a graph of plain functions, one after the other.

    The cells are walked in the order of their declaration, each one's dependencies
    first. It needs no event loop, and works inside a running one. An async cell among
    those chosen is refused.

    For what the options mean, the values that it returns and what it may raise, see
    `help(aiocells.computers)`.

    >>> from aiocells import Graph, cell, compute_sequential
    >>> @cell
    ... def total(price: float, count: int = 1) -> float:
    ...     return price * count
    >>> compute_sequential(Graph.from_cells(total), inputs={"price": 2.5})[total]
    2.5
    """
    plan, given = plan_for(graph, targets, overrides, inputs, on_error)
    return compute_plain(plan, given, inputs, on_error, observers, cache)


async def async_compute_sequential(
    graph: DependencyGraph,
    *,
    targets: Iterable[Any] | None = None,
    inputs: Mapping[str, Any] | None = None,
    overrides: Mapping[Any, Any] | None = None,
    on_error: OnError = "raise",
    observers: "Iterable[Observer]" = (),
    cache: "Cache | None" = None,
    limits: Mapping[str, Limit] | None = None,
    executors: Mapping[str, Executor] | None = None,
) -> Results:
    """Compute a graph of plain and async functions, one after the other.

    As `compute_sequential`, but each async cell is awaited before the next cell
    starts.

    For what the options mean, the values that it returns and what it may raise, see
    `help(aiocells.computers)`.

    >>> import asyncio
    >>> from aiocells import Graph, async_compute_sequential, cell
    >>> @cell
    ... async def answer() -> int:
    ...     return 42
    >>> asyncio.run(async_compute_sequential(Graph.from_cells(answer)))[answer]
    42
    """
    run, given = prepare(graph, targets, overrides, inputs, on_error, observers)
    scheduler_for = ordered_scheduler(run.plan, limits)
    return await compute_as_tasks(
        run, given, inputs, executors, scheduler_for, cache, one_by_one=True
    )
