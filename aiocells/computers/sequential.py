"""The computers that run one cell after the other."""

import itertools
import operator
from collections.abc import Coroutine, Iterable, Mapping
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any

from aiocells._graphs.dependency_graph import DependencyGraph
from aiocells._graphs.structure import Attached
from aiocells._outcome.results import Results
from aiocells._planning.plan import Plan
from aiocells._running.elsewhere.offload import Offload
from aiocells._running.loops.generated import generated_for, run_generated
from aiocells._running.loops.segments import Segment, segments_of
from aiocells._running.observing import observe
from aiocells._running.prepare import choose, lay_out
from aiocells._running.resources import OpenResource
from aiocells._running.run import OnError, Run, check_on_error
from aiocells._running.tasks.in_order import OrderedScheduler
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
    _run_in_order(run)
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
        await OrderedScheduler(run).compute()
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


def _run_in_order(run: Run) -> None:
    """Run the plain cells of a plan in order."""
    opened: list[tuple[int, OpenResource]] = []
    try:
        _run_cells(run, opened)
    finally:
        while opened:
            number, resource = opened.pop()
            try:
                _at_once(resource.close())
            except BaseException as error:
                run.fail_closing(number, error)


def _run_cells(run: Run, opened: list[tuple[int, OpenResource]]) -> None:
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
                        _open(run, number, opened)
                break
            except BaseException as error:
                done = len(steps) - operator.length_hint(running)
                run.fail(numbers[done - 1], error)
                if run.stopped:
                    return
                numbers, steps = numbers[done:], steps[done:]


# Those for runs that go on after a failure come second.
_kept: tuple[Attached[list[Segment]], Attached[list[Segment]]] = (
    Attached(),
    Attached(),
)


def _segments(run: Run) -> list[Segment]:
    """The segments of a run; kept with the plan, unless its cells are wrapped."""
    plan, program = run.plan, run.plan.program
    keeps_values = run.on_error == "continue"
    if run.functions is not program.functions or run.kinds is not program.kinds:
        return segments_of(plan, run.functions, run.kinds, keeps_values=keeps_values)
    kept = _kept[keeps_values]
    return kept.get(plan) or kept.set(
        plan,
        segments_of(plan, run.functions, run.kinds, keeps_values=keeps_values),
    )


def _open(run: Run, number: int, opened: list[tuple[int, OpenResource]]) -> None:
    program, values = run.plan.program, run.values
    run.tell("start", number)
    resource = OpenResource(run.functions[number](*program.arguments[number](values)))
    values[number] = _at_once(resource.open())
    opened.append((number, resource))
    run.tell("end", number)
    if run.plan.frees:
        for source in run.plan.last_uses.get(number, ()):
            values[source] = None


def _at_once(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine gives that never suspends, as those of plain resources."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
