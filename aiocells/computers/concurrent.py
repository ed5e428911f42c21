"""The computers that run cells at the same time."""

from collections.abc import Iterable, Mapping
from typing import Any

from aiocells._graph import DependencyGraph
from aiocells._results import Results
from aiocells.computers._prepare import prepare
from aiocells.computers._run import OnError, Run, checked_on_error
from aiocells.computers._scheduler import Scheduler


async def async_compute_concurrent(
    graph: DependencyGraph,
    *,
    targets: Iterable[Any] | None = None,
    inputs: Mapping[str, Any] | None = None,
    overrides: Mapping[Any, Any] | None = None,
    on_error: OnError = "raise",
) -> Results:
    """Compute a graph, its async cells at the same time.

    A cell starts as soon as the last cell that it needs is done. Each async cell is
    a task of its own; plain cells run on the event loop, one at a time.

    Args:
        graph: what to compute.
        targets: cells or names: compute these and what they need; by default all.
        inputs: values of the inputs, by name.
        overrides: values in place of cells, by cell or name.
        on_error: "raise" the first failure; raise a "group" of all; or "continue"
            with all that does not depend on a failed cell.

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
    on_error = checked_on_error(on_error)
    plan, values = prepare(graph, targets, inputs, overrides)
    run = Run(plan, values, on_error)
    await Scheduler(run).compute()
    return run.conclude()


async def async_compute_concurrent_simple(
    graph: DependencyGraph,
    *,
    targets: Iterable[Any] | None = None,
    inputs: Mapping[str, Any] | None = None,
    overrides: Mapping[Any, Any] | None = None,
    on_error: OnError = "raise",
) -> Results:
    """Compute a graph, every cell a task of its own, plain ones too.

    As `async_compute_concurrent`, which is quicker; this one is simpler to watch
    with tools that look at tasks.

    Args:
        graph: what to compute.
        targets: cells or names: compute these and what they need; by default all.
        inputs: values of the inputs, by name.
        overrides: values in place of cells, by cell or name.
        on_error: as for `async_compute_concurrent`.

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
    on_error = checked_on_error(on_error)
    plan, values = prepare(graph, targets, inputs, overrides)
    run = Run(plan, values, on_error)
    await Scheduler(run, inline=False).compute()
    return run.conclude()
