"""The computers that run one cell after the other."""

import asyncio
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from typing import Any

from aiocells._graph import DependencyGraph
from aiocells._kinds import Kind
from aiocells._plan import Plan
from aiocells._results import Results
from aiocells.computers._observing import observe
from aiocells.computers._offload import Offload
from aiocells.computers._prepare import prepare
from aiocells.computers._resources import OpenResource
from aiocells.computers._run import OnError, Run, checked_on_error
from aiocells.errors import UnsupportedCell
from aiocells.observers import Observer

_ASYNC_KINDS = (Kind.ASYNC, Kind.ASYNC_GENERATOR)


def compute_sequential(
    graph: DependencyGraph,
    *,
    targets: Iterable[Any] | None = None,
    inputs: Mapping[str, Any] | None = None,
    overrides: Mapping[Any, Any] | None = None,
    on_error: OnError = "raise",
    observers: Iterable[Observer] = (),
) -> Results:
    """Compute a graph of plain functions, one after the other.

    The cells are walked in the order of their declaration, each one's dependencies
    first. It needs no event loop, and works inside a running one.

    Args:
        graph: what to compute.
        targets: cells or names: compute these and what they need; by default all.
        inputs: values of the inputs, by name.
        overrides: values in place of cells, by cell or name.
        on_error: "raise" the first failure; raise a "group" of all; or "continue"
            with all that does not depend on a failed cell.
        observers: called with an `Event` for what happens to each cell.

    Returns:
        The values of the targets, in order.

    Raises:
        GraphException: something is wrong with the graph or the arguments; no cell
            has run. An async cell among those chosen is such a thing.
        BaseException: what a cell raised, unchanged but for a note that names it.

    >>> from aiocells import Graph, cell, compute_sequential
    >>> @cell
    ... def total(price: float, count: int = 1) -> float:
    ...     return price * count
    >>> compute_sequential(Graph.from_cells(total), inputs={"price": 2.5})[total]
    2.5
    """
    on_error = checked_on_error(on_error)
    plan, values = prepare(graph, targets, inputs, overrides)
    _refuse_async(plan)
    run = Run(plan, values, on_error, observers)
    observe(run)
    computation = compute_in_order(run)
    # None of the cells is async, so the coroutine ends at its first step.
    try:
        computation.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    msg = "a computation without async cells suspended"  # pragma: no cover
    raise AssertionError(msg)  # pragma: no cover


async def async_compute_sequential(
    graph: DependencyGraph,
    *,
    targets: Iterable[Any] | None = None,
    inputs: Mapping[str, Any] | None = None,
    overrides: Mapping[Any, Any] | None = None,
    on_error: OnError = "raise",
    observers: Iterable[Observer] = (),
    executors: Mapping[str, Executor] | None = None,
) -> Results:
    """Compute a graph of plain and async functions, one after the other.

    As `compute_sequential`, but each async cell is awaited before the next cell
    starts.

    Args:
        graph: what to compute.
        targets: cells or names: compute these and what they need; by default all.
        inputs: values of the inputs, by name.
        overrides: values in place of cells, by cell or name.
        on_error: "raise" the first failure; raise a "group" of all; or "continue"
            with all that does not depend on a failed cell.
        observers: called with an `Event` for what happens to each cell.
        executors: the executors that `run_in` names.

    Returns:
        The values of the targets, in order.

    Raises:
        GraphException: something is wrong with the graph or the arguments; no cell
            has run.
        BaseException: what a cell raised, unchanged but for a note that names it.

    >>> import asyncio
    >>> from aiocells import Graph, async_compute_sequential, cell
    >>> @cell
    ... async def answer() -> int:
    ...     return 42
    >>> asyncio.run(async_compute_sequential(Graph.from_cells(answer)))[answer]
    42
    """
    on_error = checked_on_error(on_error)
    plan, values = prepare(graph, targets, inputs, overrides)
    run = Run(plan, values, on_error, observers)
    offload = Offload(run, executors)
    observe(run)
    try:
        return await compute_in_order(run)
    finally:
        await offload.close()


def _refuse_async(plan: Plan) -> None:
    number = plan.first(_ASYNC_KINDS)
    if number is not None:
        program = plan.program
        msg = (
            f"{program.described(number)} is {program.kinds[number].value}, which "
            "compute_sequential cannot await. Use async_compute_sequential or "
            "async_compute_concurrent; or give its value with overrides=."
        )
        raise UnsupportedCell(msg, cell=program.nodes[number])


async def compute_in_order(run: Run) -> Results:
    """Run the cells of a plan in order; suspends only where a cell is async."""
    opened: list[tuple[int, OpenResource]] = []
    try:
        await _run_cells(run, opened)
    finally:
        await _close_all(run, opened)
    return run.conclude()


async def _run_cells(run: Run, opened: list[tuple[int, OpenResource]]) -> None:
    functions, all_args, kinds = run.functions, run.plan.program.args, run.kinds
    values = run.values
    free = _Freeing(run) if run.plan.frees else None
    cancellation = _Cancellation()
    for number in run.plan.order:
        if number in run.skipped:
            continue
        try:
            value = functions[number](*[values[source] for source in all_args[number]])
            if kinds[number] is not Kind.PLAIN:
                value = await _awaited(run, number, value, opened)
                if cancellation.is_new():  # the cell has swallowed it
                    run.cancelled = asyncio.CancelledError()
                    return
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError) and cancellation.is_new():
                run.tell("cancel", number)
                run.cancelled = error
                return
            run.fail(number, error)
            if run.stopped:
                return
        else:
            values[number] = value
            if free is not None:
                free.after(number)


async def _awaited(
    run: Run, number: int, made: Any, opened: list[tuple[int, OpenResource]]
) -> Any:
    """The value of a cell that is not plain, from what calling it gave."""
    options = run.plan.program.options[number]
    if not options.is_resource:
        return await made if run.kinds[number] is Kind.ASYNC else made
    resource = OpenResource(
        made,
        timeout=options.timeout,
        in_thread=run.offloads and options.run_in is not None,
    )
    run.tell("start", number)
    value = await resource.open()
    opened.append((number, resource))
    run.tell("end", number)
    return value


async def _close_all(run: Run, opened: list[tuple[int, OpenResource]]) -> None:
    """Close resources in the reverse order of their opening, all of them."""
    cancellation = _Cancellation()
    while opened:
        number, resource = opened.pop()
        try:
            await resource.close()
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError) and cancellation.is_new():
                cancellation = _Cancellation()
                run.cancelled = run.cancelled or error
            else:
                run.fail_closing(number, error)


class _Cancellation:
    """Whether the current task has been cancelled since this was made."""

    def __init__(self) -> None:
        try:
            self._task = asyncio.current_task()
        except RuntimeError:  # no event loop runs
            self._task = None
        self._before = self._task.cancelling() if self._task is not None else 0

    def is_new(self) -> bool:
        return self._task is not None and self._task.cancelling() > self._before


class _Freeing:
    """Lets values go after their last use."""

    def __init__(self, run: Run) -> None:
        self._left = run.plan.uses.copy()
        self._args = run.plan.program.args
        self._values = run.values

    def after(self, number: int) -> None:
        """Take down that a cell has used its arguments."""
        left = self._left
        if not left[number]:
            self._values[number] = None
        for source in self._args[number]:
            if source >= 0:
                left[source] -= 1
                if not left[source]:
                    self._values[source] = None
