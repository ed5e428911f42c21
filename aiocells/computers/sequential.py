"""The computers that run one cell after the other."""

import asyncio
import itertools
import operator
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any

from aiocells._graph import DependencyGraph
from aiocells._plan import Plan
from aiocells._results import Results
from aiocells.computers._cancellation import NEVER, Cancellation
from aiocells.computers._generated import generated_for, run_generated
from aiocells.computers._observing import observe
from aiocells.computers._offload import Offload
from aiocells.computers._prepare import choose, lay_out
from aiocells.computers._resources import OpenResource, scope_failure
from aiocells.computers._run import OnError, Run, check_on_error
from aiocells.computers._segments import Segment, segments_of
from aiocells.errors import UnsupportedCell

if TYPE_CHECKING:
    from aiocells.observers import Observer


def compute_sequential(
    graph: DependencyGraph,
    *,
    targets: Iterable[Any] | None = None,
    inputs: Mapping[str, Any] | None = None,
    overrides: Mapping[Any, Any] | None = None,
    on_error: OnError = "raise",
    observers: "Iterable[Observer]" = (),
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
    check_on_error(on_error)
    plan, given = choose(graph, targets, overrides)
    _refuse_async(plan)
    run = Run(plan, lay_out(plan, inputs, given), on_error, observers)
    observe(run)
    # None of the cells is async, so that the coroutine ends at its first step.
    next(run_in_order(run, NEVER).__await__(), None)
    return run.conclude()


async def async_compute_sequential(
    graph: DependencyGraph,
    *,
    targets: Iterable[Any] | None = None,
    inputs: Mapping[str, Any] | None = None,
    overrides: Mapping[Any, Any] | None = None,
    on_error: OnError = "raise",
    observers: "Iterable[Observer]" = (),
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
    check_on_error(on_error)
    plan, given = choose(graph, targets, overrides)
    run = Run(plan, [], on_error, observers)
    offload = Offload(run, executors)
    observe(run)
    run.values = lay_out(plan, inputs, given)
    try:
        await run_in_order(run, Cancellation(asyncio.current_task()))
    finally:
        await offload.close()
    return run.conclude()


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


async def run_in_order(run: Run, cancellation: Cancellation) -> None:
    """Run the cells of a plan in order; suspends only where a cell is async.

    Args:
        run: what to compute.
        cancellation: of the task that this runs in.
    """
    opened: list[tuple[int, OpenResource]] = []
    try:
        await _run_cells(run, opened, cancellation)
    finally:
        if run.cancelled is None and cancellation.is_new():
            # Requested by the last cell: it must not strike the closing instead.
            run.cancelled = await cancellation.delivered()
        if opened:
            await _close_all(run, opened, cancellation)


async def _run_cells(
    run: Run, opened: list[tuple[int, OpenResource]], cancellation: Cancellation
) -> None:
    generated = generated_for(run)
    if generated is not None:
        run_generated(run, generated)
        return
    for loop, numbers, steps in _segments(run):
        while steps:
            if run.skipped:
                kept = [n not in run.skipped for n in numbers]
                numbers = list(itertools.compress(numbers, kept))
                steps = list(itertools.compress(steps, kept))
            running = iter(steps)
            try:
                if loop is not None:
                    loop(running, run.values)
                else:
                    for number in running:
                        await _run_awaited(run, number, opened)
                        if cancellation.is_new():
                            run.cancelled = await cancellation.delivered()
                            return
                break
            except BaseException as error:
                done = len(steps) - operator.length_hint(running)
                await _take_down(run, numbers[done - 1], error, cancellation)
                if run.stopped or run.cancelled is not None:
                    return
                numbers, steps = numbers[done:], steps[done:]


def _segments(run: Run) -> list[Segment]:
    """The segments of a run; kept with the plan, unless its cells are wrapped."""
    plan, program = run.plan, run.plan.program
    keeps_values = run.on_error == "continue"
    if run.functions is not program.functions or run.kinds is not program.kinds:
        return segments_of(plan, run.functions, run.kinds, keeps_values=keeps_values)
    key = "segments" if keeps_values else "segments up to a failure"
    segments: list[Segment] | None = plan.prepared.get(key)
    if segments is None:
        segments = plan.prepared[key] = segments_of(
            plan, run.functions, run.kinds, keeps_values=keeps_values
        )
    return segments


async def _take_down(
    run: Run, number: int, error: BaseException, cancellation: Cancellation
) -> None:
    """Take down that a cell failed, or was cancelled, or both."""
    is_cancelled = cancellation.is_new()
    if is_cancelled:
        run.cancelled = await cancellation.delivered(error)
    if is_cancelled and isinstance(error, asyncio.CancelledError):
        run.tell("cancel", number)
    else:
        run.fail(number, error)


async def _run_awaited(
    run: Run, number: int, opened: list[tuple[int, OpenResource]]
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


async def _close_all(
    run: Run, opened: list[tuple[int, OpenResource]], cancellation: Cancellation
) -> None:
    """Close resources in the reverse order of their opening, all of them."""
    while opened:
        number, resource = opened.pop()
        before = cancellation.count()
        here = Cancellation(cancellation.task)
        failure: BaseException | None = None
        try:
            await resource.close()
        except BaseException as error:
            failure = error
        if here.is_new():
            delivered = await here.delivered(failure)
            run.cancelled = run.cancelled or delivered
            if isinstance(failure, asyncio.CancelledError):
                failure = None
        if failure is not None:
            run.fail_closing(number, failure)
        if cancellation.count() < before and not cancellation.is_new():
            _blame(run, number)


def _blame(run: Run, number: int) -> None:
    """Take down that it was a resource's own scope that cancelled the computation."""
    if number not in run.failures:
        run.fail_closing(number, scope_failure(run.cancelled))
    run.cancelled = None
    run.stopped = True
