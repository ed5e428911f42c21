"""A computation without an event loop, from its preparation to its results."""

import contextlib
import functools
import operator
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from aiocells._graphs.structure import Attached
from aiocells._outcome.results import Results
from aiocells._planning.plan import Plan
from aiocells._running.loops import generated
from aiocells._running.loops.segments import Segment, is_quiet, segments_of
from aiocells._running.loops.slots import by_source, slots_of
from aiocells._running.observing import observe
from aiocells._running.options import OnError
from aiocells._running.prepare import lay_out
from aiocells._running.resources import OpenResource, at_once
from aiocells._running.run import Run
from aiocells.errors import UnsupportedCell

if TYPE_CHECKING:
    from aiocells._keeping.cache import Cache
    from aiocells._running.asking import Asking
    from aiocells.observers import Observer


def compute_plain(
    plan: Plan,
    given: dict[int, Any],
    inputs: Mapping[str, Any] | None,
    on_error: OnError,
    observers: "Iterable[Observer]",
    cache: "Cache | None",
) -> Results:
    """Run the cells of a plan in order, none of which may be async.

    Args:
        plan: what is run.
        given: the overriding values.
        inputs: values by the name of an input.
        on_error: what a failure means.
        observers: what is told of each cell.
        cache: where values are found and kept.

    Raises:
        UnsupportedCell: one is async.
    """
    straight = _straight.get(plan) or _straight.set(plan, _Straight(plan))
    nobody_watches = type(observers) is tuple and not observers and cache is None
    if straight.is_possible and nobody_watches and on_error != "continue":
        values = lay_out(plan, inputs, given, straight.blank)
        return _compute_straight(plan, straight, values, on_error)
    if straight.asking is not None and nobody_watches and on_error != "continue":
        straight.runs += 1
        made = generated.generated_for(plan, straight.runs)
        if made is not None:
            values = lay_out(plan, inputs, given)
            asking = straight.asking(plan, values, on_error)
            return _compute_asking(plan, asking, made)
    run = Run(plan, [], on_error, observers)
    if plan.first_async is not None:
        _refuse_async(plan, plan.first_async)
    run.values = lay_out(plan, inputs, given)
    if plan.fan_outs:
        spread(run)
    if run.notify is not None:
        observe(run)
    if cache is None:
        _run_in_order(run)
    else:
        with caching(run, cache):
            _run_in_order(run)
    return run.conclude()


def spread(run: Run) -> None:
    """Have the fan-outs of a run call their functions once for each item."""
    # What few programs use, they should load.
    from aiocells._fan_out.in_run import spread_in_order

    spread_in_order(run)


@contextlib.contextmanager
def caching(run: Run, cache: "Cache") -> Iterator[None]:
    """Find and keep the values of cells that run in order in this block."""
    # What few programs use, they should load.
    from aiocells._running.keeping.keeper import Keeper

    keeper = Keeper(run, cache)
    keeper.wrap()
    try:
        yield
    finally:
        keeper.close()


def _refuse_async(plan: Plan, number: int) -> NoReturn:
    program = plan.program
    msg = (
        f"{program.described(number)} is {program.kinds[number].value}, which "
        "compute_sequential cannot await. Use async_compute_sequential or "
        "async_compute_concurrent; or give its value with overrides=."
    )
    raise UnsupportedCell(msg, cell=program.nodes[number])


class _Straight:
    """What is made once of a plan that is run straight through.

    Attributes:
        is_possible: whether all are cells that are just called, and none asks.
        asking: what cells ask with, where some ask, and all else is so.
        blank: the values that it starts with, before any is known.
        segments: its cells.
        found: takes the values of the targets, where the others were let go.
        runs: how often it was run.
    """

    __slots__ = ("asking", "blank", "found", "is_possible", "runs", "segments")

    def __init__(self, plan: Plan) -> None:
        are_called = not (plan.resources or plan.fan_outs) and plan.first_async is None
        self.is_possible = are_called and not plan.asks
        self.asking = _what_asks() if are_called and plan.asks else None
        self.runs = 0
        if not self.is_possible:
            return
        program = plan.program
        self.segments = segments_of(
            plan, program.functions, program.kinds, by_slots=True
        )
        self.blank = [] if not plan.frees and is_quiet(plan) else program.blank
        self.found = slots_of(plan).found if plan.frees else None


_straight: Attached[_Straight] = Attached()


def _what_asks() -> "type[Asking]":
    # What few programs use, they should load.
    from aiocells._running.asking import Asking

    return Asking


def _compute_straight(
    plan: Plan, straight: _Straight, values: list[Any], on_error: OnError
) -> Results:
    """Do what nearly all computations are: nobody watches, and a failure is the end.

    There is no `Run` until a cell fails: to make one, and to conclude it, took half of
    the 4.3 microseconds that a computation cost beside its cells.
    """
    straight.runs += 1
    if straight.runs >= generated.WORTH_COMPILING:
        made = generated.generated_for(plan, straight.runs)
        if made is not None:
            return _compute_generated(plan, values, on_error, made)
    for loop, numbers, steps in straight.segments:
        running = iter(steps)
        try:
            loop(running, values)  # type: ignore[misc]
        except BaseException as error:
            done = len(steps) - operator.length_hint(running)
            if not done:  # no cell's
                raise
            failed = numbers[done - 1]
            if plan.frees:
                values = by_source(plan, values, failed)
            run = Run(plan, values or plan.program.blank.copy(), on_error)
            run.fail(failed, error)
            break
    else:
        if straight.found is not None:
            return Results(plan.outline, straight.found(values))
        if plan.program.inputs:
            del values[len(plan.program.nodes) :]
        return Results(plan.outline, values or plan.program.blank)
    return _concluded(run, failed)


def _compute_generated(
    plan: Plan, values: list[Any], on_error: OnError, made: generated.Generated
) -> Results:
    try:
        return Results(plan.outline, made.function(*made.arguments(values)))
    except BaseException as error:
        failed = generated.failed_cell(plan, values, made, error)
        if failed is None:
            raise
        run = Run(plan, values, on_error)
        run.fail(failed, error)
    return _concluded(run, failed)


def _compute_asking(plan: Plan, asking: "Asking", made: generated.Generated) -> Results:
    """The same, where cells ask; there is a `Run` once one that was asked for fails."""
    values = asking.values
    try:
        found = made.function(*made.arguments(values))
    except BaseException as error:
        failed = generated.failed_cell(plan, values, made, error)
        if failed is None:
            raise
        run = asking.begin()
        run.fail(failed, error)
        if not run.stopped:
            _run_on(run, failed, [])
    else:
        if asking.run is None:
            return Results(plan.outline, found, absent=asking.unasked())
        run = asking.run
        for number in plan.targets:
            values[number] = found[plan.outline.places[number]]
    finally:
        asking.close()
    return run.conclude()


def _concluded(run: Run, failed: int) -> Results:
    """The results of a run straight through that a failure has left."""
    if not run.stopped:
        _run_on(run, failed, [])
    return run.conclude()


# The open resources, with their cells, in the order in which they were opened.
Opened: TypeAlias = list[tuple[int, OpenResource]]


def _run_in_order(run: Run) -> None:
    """Run the plain cells of a plan in order."""
    opened: Opened = []
    try:
        run_cells(run, opened)
    finally:
        close_in_order(run, opened)


def close_in_order(run: Run, opened: Opened) -> None:
    """Close resources, the last one that was opened first."""
    while opened:
        number, resource = opened.pop()
        try:
            at_once(resource.close())
        except BaseException as error:
            run.fail_closing(number, error)


def run_cells(run: Run, opened: Opened) -> None:
    """Run plain cells, and leave the resources open."""
    if not run.plan.asks:
        _run_segments(run, opened)
        return
    opening = functools.partial(_open, run, opened)
    asking = _what_asks()(run.plan, run.values, run.on_error, run, opening)
    try:
        _run_segments(run, opened)
    finally:
        asking.close()


def _run_segments(run: Run, opened: Opened) -> None:
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


def _run_on(run: Run, failed: int, opened: Opened) -> None:
    """Run what comes after the first failure, cell by cell."""
    plan, values = run.plan, run.values
    arguments, resources = plan.program.arguments, set(plan.resources)
    last_uses = plan.last_uses if plan.frees else {}
    for source in last_uses.get(failed, ()):
        values[source] = None
    for number in plan.order[plan.order.index(failed) + 1 :]:
        try:
            if number in resources:
                _open(run, opened, number)
            else:
                function = run.functions[number]
                values[number] = function(*arguments[number](values))
        except BaseException as error:
            run.fail(number, error)
            if run.stopped:
                return
        for source in last_uses.get(number, ()):
            values[source] = None


_kept: Attached[list[Segment]] = Attached()


def _segments(run: Run) -> list[Segment]:
    """The segments of a run; kept with the plan, unless its cells are wrapped."""
    plan, program = run.plan, run.plan.program
    if run.functions is not program.functions or run.kinds is not program.kinds:
        return segments_of(plan, run.functions, run.kinds)
    return _kept.get(plan) or _kept.set(
        plan, segments_of(plan, run.functions, run.kinds)
    )


def _open_in_order(run: Run, numbers: Iterator[int], opened: Opened) -> None:
    last_uses = run.plan.last_uses if run.plan.frees else {}
    for number in numbers:
        _open(run, opened, number)
        for source in last_uses.get(number, ()):
            run.values[source] = None


def _open(run: Run, opened: Opened, number: int) -> None:
    program, values = run.plan.program, run.values
    made = run.functions[number](*program.arguments[number](values))
    run.announce("start", number)
    resource = OpenResource(made)
    try:
        values[number] = at_once(resource.open())
        opened.append((number, resource))
    finally:
        if run.asking is not None:
            run.asking.ended(number)
    run.announce("end", number)
