"""The computers that run one cell after the other."""

import asyncio
import operator
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from typing import Any

from aiocells._graph import DependencyGraph
from aiocells._plan import Plan
from aiocells._results import Results
from aiocells.computers._generated import generated_for, run_generated
from aiocells.computers._observing import observe
from aiocells.computers._offload import Offload
from aiocells.computers._prepare import prepare
from aiocells.computers._resources import OpenResource
from aiocells.computers._run import OnError, Run, checked_on_error
from aiocells.computers._segments import Segment, segments_of
from aiocells.errors import UnsupportedCell
from aiocells.observers import Observer


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
    number = plan.first_async
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
    generated = generated_for(run)
    if generated is not None:
        run_generated(run, generated)
        return
    cancellation = _Cancellation()
    for loop, steps in _segments(run):
        left = steps
        while left:
            if run.skipped:
                left = [step for step in left if step[0] not in run.skipped]
            running = iter(left)
            try:
                if loop is not None:
                    loop(running, run.values)
                else:
                    for (number,) in running:
                        await _run_awaited(run, number, opened, cancellation)
                break
            except BaseException as error:
                done = len(left) - operator.length_hint(running)
                _take_down(run, left[done - 1][0], error, cancellation)
                if run.stopped or run.cancelled is not None:
                    return
                left = left[done:]


def _segments(run: Run) -> list[Segment]:
    """The segments of a run; kept with the plan, unless its cells are wrapped."""
    plan, program = run.plan, run.plan.program
    if run.functions is not program.functions or run.kinds is not program.kinds:
        return segments_of(plan, run.functions, run.kinds)
    segments: list[Segment] | None = plan.prepared.get("segments")
    if segments is None:
        segments = segments_of(plan, run.functions, run.kinds)
        plan.prepared["segments"] = segments
    return segments


def _take_down(
    run: Run, number: int, error: BaseException, cancellation: "_Cancellation"
) -> None:
    if isinstance(error, asyncio.CancelledError) and cancellation.is_new():
        run.tell("cancel", number)
        run.cancelled = error
    else:
        run.fail(number, error)


async def _run_awaited(
    run: Run,
    number: int,
    opened: list[tuple[int, OpenResource]],
    cancellation: "_Cancellation",
) -> None:
    """Run a cell that is not just called: an async one, or a resource."""
    program, values = run.plan.program, run.values
    made = run.functions[number](*program.arguments[number](values))
    if program.is_resource(number):
        options = program.options[number]
        in_thread = run.offloads and options.run_in is not None
        resource = OpenResource(made, timeout=options.timeout, in_thread=in_thread)
        run.tell("start", number)
        values[number] = await resource.open()
        opened.append((number, resource))
        run.tell("end", number)
    else:
        values[number] = await made
    if run.plan.frees:
        for source in run.plan.last_uses.get(number, ()):
            values[source] = None
    if cancellation.is_new():  # the cell has swallowed it
        raise asyncio.CancelledError


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
