"""A computation without an event loop, from its preparation to its results."""

import itertools
import operator
from collections.abc import Coroutine, Mapping
from typing import Any, NoReturn

from aiocells._graphs.structure import Attached
from aiocells._outcome.results import Results
from aiocells._planning.plan import Plan
from aiocells._running.loops.generated import generated_for, run_generated
from aiocells._running.loops.segments import Segment, segments_of
from aiocells._running.observing import observe
from aiocells._running.prepare import lay_out
from aiocells._running.resources import OpenResource
from aiocells._running.run import Run
from aiocells.errors import UnsupportedCell


def compute_plain(
    run: Run, given: dict[int, Any], inputs: Mapping[str, Any] | None
) -> Results:
    """Run the cells of a computation in order, none of which may be async.

    Args:
        run: the computation.
        given: the overriding values.
        inputs: values by the name of an input.

    Raises:
        UnsupportedCell: one is async.
    """
    plan = run.plan
    if plan.first_async is not None:
        _refuse_async(plan, plan.first_async)
    run.values = lay_out(plan, inputs, given)
    if run.notify is not None:
        observe(run)
    _run_in_order(run)
    return run.conclude()


def _refuse_async(plan: Plan, number: int) -> NoReturn:
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
