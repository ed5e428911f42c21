"""A computation without an event loop, from its preparation to its results."""

import operator
from collections.abc import Coroutine, Iterator, Mapping
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
from aiocells._running.uses import Uses
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
        running = iter(steps)
        try:
            if loop is not None:
                loop(running, run.values)
            else:
                _open_in_order(run, running, opened)
        except BaseException as error:
            done = len(steps) - operator.length_hint(running)
            if not done:
                run.interrupt(error)  # no cell's: none was called
                return
            failed = numbers[done - 1]
            run.fail(failed, error)
        else:
            continue
        if not run.stopped:
            _run_on(run, failed, opened)
        return


def _run_on(run: Run, failed: int, opened: list[tuple[int, OpenResource]]) -> None:
    """Run what can be run after the first failure, cell by cell."""
    plan, values, functions = run.plan, run.values, run.functions
    arguments = plan.program.arguments
    position = plan.order.index(failed)
    uses = _uses_after(run, plan.order[:position])
    for number in plan.order[position + 1 :]:
        if number in run.skipped:
            continue
        try:
            if plan.program.is_resource(number):
                _open(run, number, opened)
            else:
                values[number] = functions[number](*arguments[number](values))
        except BaseException as error:
            run.fail(number, error)
            if run.stopped:
                return
        else:
            if uses is not None:
                uses.over(number)


def _uses_after(run: Run, done: list[int]) -> Uses | None:
    """Count from now on which values are still to be used.

    The segments go by the order alone, in which the last use may be skipped now.
    """
    if run.plan.frees:
        run.uses = Uses(run.plan, run.values)
        for number in (*done, *run.failures, *run.skipped):
            run.uses.over(number)
    return run.uses


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


def _open_in_order(
    run: Run, numbers: Iterator[int], opened: list[tuple[int, OpenResource]]
) -> None:
    last_uses = run.plan.last_uses if run.plan.frees else {}
    for number in numbers:
        _open(run, number, opened)
        for source in last_uses.get(number, ()):
            run.values[source] = None


def _open(run: Run, number: int, opened: list[tuple[int, OpenResource]]) -> None:
    program, values = run.plan.program, run.values
    run.announce("start", number)
    resource = OpenResource(run.functions[number](*program.arguments[number](values)))
    values[number] = _at_once(resource.open())
    opened.append((number, resource))
    run.announce("end", number)


def _at_once(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine gives that never suspends, as those of plain resources."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
