"""What every computer checks before a cell runs."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from aiocells._declaring.spec import normal
from aiocells._graphs.dependency_graph import DependencyGraph
from aiocells._graphs.roster import number_of, numbers_of
from aiocells._graphs.structure import Attached
from aiocells._planning.calls import without_inputs
from aiocells._planning.compiling import plan_of
from aiocells._planning.plan import Plan
from aiocells._planning.program import Program
from aiocells._planning.selecting import select
from aiocells._running.options import (
    OnError,
    check_on_error,
    checked_mapping,
    is_iterable,
)
from aiocells._running.refusing import refuse_missing, refuse_unknown
from aiocells._running.run import Run
from aiocells.errors import UnsupportedCell

if TYPE_CHECKING:
    from aiocells.observers import Observer

_KEPT_SELECTIONS = 64
# By the targets and overridden cells that were asked for: what is run, and the numbers
# of the overridden.
_selections: Attached[dict[Any, tuple[Plan, tuple[int, ...]]]] = Attached()
# By the inputs that were not given.
_without: Attached[dict[tuple[int, ...], Plan]] = Attached()

_ABSENT: Any = object()


def prepare(
    graph: DependencyGraph,
    targets: Iterable[Any] | None,
    overrides: Mapping[Any, Any] | None,
    inputs: Mapping[str, Any] | None,
    on_error: OnError,
    observers: "Iterable[Observer]",
) -> tuple[Run, dict[int, Any]]:
    """Prepare a computation, with the options that every computer takes.

    What they mean is told by `aiocells.computers`. Of `inputs=` only counts which are
    given; it is looked at when all else has been found to be right.

    Returns:
        The run, without values yet; and the overriding values by the number of the
        cell.
    """
    plan, given = plan_for(graph, targets, overrides, inputs, on_error)
    return Run(plan, [], on_error, observers), given


def plan_for(
    graph: DependencyGraph,
    targets: Iterable[Any] | None,
    overrides: Mapping[Any, Any] | None,
    inputs: Mapping[str, Any] | None,
    on_error: OnError,
) -> tuple[Plan, dict[int, Any]]:
    """What `prepare` prepares, without a run, which takes longer to make.

    Returns:
        The plan, and the overriding values by the number of the cell.
    """
    if on_error != "raise":
        check_on_error(on_error)
    plan, given = choose(graph, targets, overrides)
    if plan.optional_inputs:
        plan = without_absent(plan, inputs)
    return plan, given


def choose(
    graph: DependencyGraph,
    targets: Iterable[Any] | None,
    overrides: Mapping[Any, Any] | None,
) -> tuple[Plan, dict[int, Any]]:
    """Choose what to run.

    Args:
        graph: what to compute.
        targets: cells or names, or None for all.
        overrides: values by cell or name.

    Returns:
        The plan, and the overriding values by the number of the cell.

    Raises:
        GraphException: something is unknown, ambiguous or no target.
    """
    plan = plan_of(graph)
    if targets is None and overrides is None:
        return plan, {}
    overrides = checked_mapping("overrides", "cell: value", overrides)
    if targets is None and not overrides:
        return plan, {}
    plan, overridden = _selected(plan, targets, overrides)
    if not overrides:
        return plan, {}
    return plan, dict(zip(overridden, overrides.values(), strict=True))


def plan_to_hold(
    graph: DependencyGraph,
    cells: Iterable[Any],
    overrides: Mapping[Any, Any] | None,
    inputs: Mapping[str, Any] | None,
) -> tuple[Plan, dict[int, Any]]:
    """What `plan_for` gives, of cells among which there may be resources.

    It is not kept: this is done once in a program.
    """
    plan = plan_of(graph)
    roster = plan.program.roster
    overrides = checked_mapping("overrides", "cell: value", overrides)
    if not is_iterable(cells):
        msg = f"hold() takes a list of cells or names: hold(graph, [{cells!r}])."
        raise TypeError(msg)
    asked = dict.fromkeys(number_of(roster, key, "hold") for key in cells)
    overridden = numbers_of(roster, overrides, "overrides")
    plan = select(plan, tuple(asked), frozenset(overridden))
    if plan.optional_inputs:
        plan = without_absent(plan, inputs)
    return plan, dict(zip(overridden, overrides.values(), strict=True))


def without_absent(plan: Plan, inputs: Mapping[str, Any] | None) -> Plan:
    """The plan that leaves the inputs with defaults out which were not given.

    Args:
        plan: what is run.
        inputs: values by the name of an input; only which are given counts.
    """
    inputs = checked_mapping("inputs", '"name": value', inputs)
    names = plan.program.inputs
    absent = [each for each in plan.optional_inputs if names[each] not in inputs]
    if absent and _unknown(plan.program, inputs):
        inputs = _as_read(inputs)
        absent = [each for each in absent if names[each] not in inputs]
    if not absent:
        return plan
    known = _without.get(plan)
    if known is None:
        known = _without.set(plan, {})
    asked = tuple(absent)
    made = known.get(asked)
    if made is None:
        made = without_inputs(plan, frozenset(asked))
        if len(known) >= _KEPT_SELECTIONS:
            known.clear()
        known[asked] = made
    return made


def _selected(
    plan: Plan, targets: Iterable[Any] | None, overrides: Mapping[Any, Any]
) -> tuple[Plan, tuple[int, ...]]:
    """The part of a plan that is asked for, and the numbers of the overridden.

    What was asked for before is found by the very words that asked for it.
    """
    program = plan.program
    if targets is not None and not is_iterable(targets):
        msg = f"targets= takes a list of cells or names: targets=[{targets!r}]."
        raise TypeError(msg)
    chosen = None if targets is None else tuple(targets)
    asked = (chosen, tuple(overrides))
    selections = _selections.get(plan)
    if selections is None:
        selections = _selections.set(plan, {})
    try:
        known = selections.get(asked)
    except TypeError:  # something in it is not hashable, and so no cell
        known = None
    if known is None:
        overridden = numbers_of(program.roster, overrides, "overrides")
        numbers = None if chosen is None else _target_numbers(program, chosen)
        known = select(plan, numbers, frozenset(overridden)), overridden
        if len(selections) >= _KEPT_SELECTIONS:
            selections.clear()
        selections[asked] = known
    return known


def _target_numbers(program: Program, targets: Iterable[Any]) -> tuple[int, ...]:
    numbers = dict.fromkeys(
        number_of(program.roster, key, "targets") for key in targets
    )
    for number in numbers:
        if program.is_resource(number):
            msg = (
                f"{program.described(number)} is a resource, which is no target: its "
                "value is closed when the computation ends. Ask for a cell that "
                "uses it."
            )
            raise UnsupportedCell(msg, cell=program.nodes[number])
    return tuple(numbers)


def lay_out(
    plan: Plan,
    inputs: Mapping[str, Any] | None,
    given: dict[int, Any],
    blank: list[Any] | None = None,
) -> list[Any]:
    """The list of values that a run starts with.

    Args:
        plan: what is run.
        inputs: values by the name of an input.
        given: the overriding values.
        blank: what it is a copy of, before; the program's, unless it says otherwise.

    Raises:
        GraphException: an input is missing, or nobody in the graph knows it.
    """
    values = (plan.program.blank if blank is None else blank).copy()
    sources = plan.input_sources
    if sources or inputs is not None:
        inputs = checked_mapping("inputs", '"name": value', inputs)
        is_missing = False
        for name, source in sources.items():
            value = values[source] = inputs.get(name, _ABSENT)
            if value is _ABSENT:
                is_missing = True
        # As many as are wanted, none of which is missing, are none but these.
        if is_missing or len(inputs) != len(sources):
            _check_inputs(plan, inputs, values)
    for number, value in given.items():
        values[number] = value
    return values


def _check_inputs(plan: Plan, inputs: Mapping[str, Any], values: list[Any]) -> None:
    """Refuse inputs that are unknown or missing.

    Args:
        plan: what is run.
        inputs: values by the name of an input, which may be written in letters that
            look alike.
        values: those of a run, to which such inputs are added.
    """
    program = plan.program
    if _unknown(program, inputs):
        inputs = _as_read(inputs)
        unknown = _unknown(program, inputs)
        if unknown:
            refuse_unknown(program, unknown)
    missing: dict[str, list[int]] = {}
    for wanted, cells in plan.wanted_inputs.items():
        name = program.inputs[wanted]
        value = values[~wanted] = inputs.get(name, _ABSENT)
        if value is _ABSENT:
            missing[name] = cells
    if missing:
        refuse_missing(program, missing, inputs)


def _unknown(program: Program, inputs: Mapping[str, Any]) -> list[str]:
    """The inputs that no cell wants."""
    known = program.input_names
    return [name for name in inputs if name not in known]


def _as_read(inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """The inputs with their names as Python reads names in source."""
    read: dict[str, Any] = {}
    for name, value in inputs.items():
        if normal(name) in read:
            msg = f"inputs: {name!r} is given twice, in letters that look alike."
            raise ValueError(msg)
        read[normal(name)] = value
    return read
