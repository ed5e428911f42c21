"""What is told about a cell that failed: the notes on its exception."""

import contextlib
import os
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from aiocells._collecting.bound import Keys, OwnDefault
from aiocells._declaring.parameters import collecting, parameters_of
from aiocells._declaring.showing import HIDDEN, shortened, shown
from aiocells._graphs.structure import Attached
from aiocells._outcome.exceptions import (
    MOST_LETTERS,
    add_notes,
    attributes_of,
    has_start,
    notes_of,
    set_notes,
    text_of,
)
from aiocells._outcome.secrets import showable, showable_defaults
from aiocells._planning.plan import Plan
from aiocells._planning.program import Program

# The attribute of an exception that tells what else failed.
TOLD = "__aiocells_failures__"
_NO_ITEMS: Mapping[str, Any] = types.MappingProxyType({})
_SHOWN_ON_PATH = 4
_MOST_PLACES = 1000


def note_cell(
    error: BaseException, plan: Plan, number: int, values: list[Any] | None
) -> None:
    """Add the note that says which cell raised `error`, who needed it, and with what.

    Args:
        error: what the cell raised; noted once for a cell, however often it is raised.
        plan: what was run.
        number: the cell.
        values: the values by source, or None where they are not known.
    """
    # As at the limit of recursion: what the cell raised counts, with a note or without.
    with contextlib.suppress(Exception):
        where, text = _place(plan, number)
        notes = notes_of(error)
        if has_start(notes, where) or _tells_item(plan, number, notes, where):
            return
        if values is not None:
            text += _called_with(plan, number, values)
        if isinstance(error, TypeError | LookupError):
            text += _called_without(plan.program.written(number))
        set_notes(error, [*notes, text])


def note_item(
    error: BaseException,
    plan: Plan,
    number: int,
    values: list[Any],
    key: Any,
    items: Mapping[str, Any],
) -> None:
    """Add the note that says which item of a fan-out raised `error`, and with what.

    Args:
        error: what the item raised.
        plan: what is run.
        number: the fan-out.
        values: the values by source.
        key: the item's key, or its number.
        items: what it got of what is iterated, by parameter.
    """
    with contextlib.suppress(Exception):
        where, text = _place(plan, number)
        notes = notes_of(error)
        if not _tells_item(plan, number, notes, where):
            text = f"in item {shown(key)} of {text.removeprefix('in ')}"
            text += _called_with(plan, number, values, items)
            set_notes(error, [*notes, text])


def _tells_item(plan: Plan, number: int, notes: list[Any], where: str) -> bool:
    """Whether a note says which item of a fan-out it was."""
    if plan.program.options[number].fan_out is None:
        return False
    cell = f" of {where.removeprefix('in ')}"
    texts = [each for each in notes if issubclass(type(each), str)]
    return any(str.startswith(t, "in item ") and cell in t for t in texts)


def without_stop_iteration(function: Callable[..., Any], values: Iterable[Any]) -> Any:
    """Call a plain cell; a StopIteration out of it becomes a RuntimeError.

    Python itself makes it one when a coroutine raises it.
    """
    try:
        return function(*values)
    except StopIteration as error:
        msg = "cell raised StopIteration"
        raise RuntimeError(msg) from error


_places: Attached[dict[int, tuple[str, str]]] = Attached()


def _place(plan: Plan, number: int) -> tuple[str, str]:
    """A cell as notes name it; and the same with the way to a target.

    A fallback may make good a failure in every run: what is always the same is kept.
    That is a fifth of what such a failure costs.
    """
    places = _places.get(plan)
    if places is None:
        places = _places.set(plan, {})
    if number not in places:
        if len(places) >= _MOST_PLACES:
            places.clear()
        where = f"in cell {plan.program.described(number)}"
        places[number] = where, where + _needed_by(plan, number)
    return places[number]


def start_of_note(plan: Plan, number: int) -> str:
    """How a note on a failure of a cell begins: what it is, and who needed it."""
    return _place(plan, number)[1]


def _needed_by(plan: Plan, number: int) -> str:
    """The way from a cell to a target that it was computed for."""
    names: list[str] = []
    target_set = plan.target_set if plan.frees else frozenset()
    dependents = plan.askers_and_dependents
    while number not in target_set and dependents[number]:
        if len(names) == _SHOWN_ON_PATH:
            names.append("...")
            break
        number = dependents[number][0]
        names.append(f"needed by {plan.program.names[number]!r}")
    return "".join(f", {name}" for name in names)


def _called_with(
    plan: Plan, number: int, values: list[Any], items: Mapping[str, Any] = _NO_ITEMS
) -> str:
    program = plan.program
    args = program.args[number]
    if not args and number not in program.optional:
        return ""
    parameters = parameters_of(program.written(number))
    groups, keywords = program.shapes.get(number) or ((None,) * len(args), ())
    names = (*parameters.positional[: len(groups) - len(keywords)], *keywords)
    left = iter(args)
    arguments = showable_defaults(program, number, parameters.defaults)
    for name, group in zip(names, groups, strict=False):
        if not isinstance(group, OwnDefault):
            argument = _argument(program, name, group, left, values)
            if name in items and not _is_hidden(argument):
                argument = items[name]
            arguments[name] = argument
    only_names = os.environ.get("AIOCELLS_NOTES") == "names"
    told = ""
    for name in [each for each in parameters.names or keywords if each in arguments]:
        told += f", {name}" if only_names else f", {name}={shown(arguments[name])}"
        if len(told) > MOST_LETTERS + 2:  # none of the rest would be seen
            break
    return f"\n  called with {shortened(told[2:], MOST_LETTERS)}"


def _called_without(function: Callable[..., Any]) -> str:
    """What is told where a decorator may have hidden the parameters of a cell."""
    collected = collecting(function)
    if not collected:
        return ""
    return (
        f"\n  called without arguments: it takes {collected}, which cannot be bound. A "
        "decorator without functools.wraps hides the parameters of what it decorates."
    )


def _argument(
    program: Program,
    name: str,
    group: int | Keys | None,
    left: Iterator[int],
    values: list[Any],
) -> Any:
    """The next argument as it may be shown; a list or a dict takes several values."""
    if group is None:
        return showable(program, name, next(left), values)
    keys = group.keys if isinstance(group, Keys) else range(group)
    parts = [showable(program, name, next(left), values) for _ in keys]
    return dict(zip(keys, parts, strict=True)) if isinstance(group, Keys) else parts


def _is_hidden(argument: Any) -> bool:
    """Whether an argument as it may be shown, or a part of it, is not."""
    if type(argument) is dict:
        argument = [*argument.values()]
    parts = argument if type(argument) is list else [argument]
    return any(part is HIDDEN for part in parts)


class Failure(NamedTuple):
    """A cell that failed, in a computation or in one within it."""

    cell: Any
    described: str | None
    error: BaseException


class _Told(NamedTuple):
    """What is attached to an exception.

    It must not hold itself: what its traceback holds would live until the next garbage
    collection. So None stands for it.
    """

    by_cell: dict[Any, BaseException | None]
    failures: list[tuple[Any, str | None, BaseException | None]]


def failures_of(plan: Plan, found: dict[int, BaseException]) -> list[Failure]:
    """The failures of a computation's own cells."""
    nodes = plan.program.nodes
    return [Failure(nodes[n], _described(plan, n), each) for n, each in found.items()]


def _described(plan: Plan, number: int) -> str | None:
    # As at the limit of recursion: then there is no note of it.
    with contextlib.suppress(Exception):
        return plan.program.described(number)
    return None


def attach_failures(
    error: BaseException, own: list[Failure], within: list[Failure]
) -> None:
    """Have `failures(error)` tell what failed.

    Args:
        error: what leaves a computation.
        own: the failures of its cells.
        within: those of computations that its cells made, and that are not among them.
    """
    by_cell = {failure.cell: failure.error for failure in own}
    several: dict[Any, list[BaseException]] = {}
    for failure in within:
        several.setdefault(failure.cell, []).append(failure.error)
    for node, errors in several.items():
        if node not in by_cell:
            by_cell[node] = errors[0]
            if len(errors) > 1:  # of a graph that several cells computed
                count = f"the cell failed {len(errors)} times"
                by_cell[node] = BaseExceptionGroup(count, errors)
    told = _Told(
        {node: None if each is error else each for node, each in by_cell.items()},
        [
            (node, described, None if each is error else each)
            for node, described, each in own + within
        ],
    )
    attributes_of(error)[TOLD] = told


def failures_told(error: BaseException) -> list[Failure]:
    """What is attached to an exception; nothing, if no computer raised it."""
    told: _Told | None = attributes_of(error).get(TOLD)
    if told is None:
        return []
    return [
        Failure(node, described, error if each is None else each)
        for node, described, each in told.failures
    ]


def note_others(primary: BaseException, failures: list[Failure]) -> None:
    """Name the failures beside `primary` in its notes."""
    texts = [
        f"also failed: cell {failure.described}: {text_of(failure.error)}"
        for failure in failures
        if failure.error is not primary and failure.described is not None
    ]
    if texts:
        with contextlib.suppress(Exception):
            add_notes(primary, texts)


def failures(error: BaseException) -> dict[Any, BaseException]:
    """All failures of the computation that raised `error`, by cell.

    Args:
        error: an exception that came out of a computer.

    Returns:
        For each cell that failed its exception, with its traceback, in the order in
        which they happened; then those of computations that a cell made, unless that
        cell raised them itself. Empty for an exception that no computer raised.

    >>> import aiocells
    >>> @aiocells.cell
    ... def broken():
    ...     raise ValueError("no")
    >>> try:
    ...     aiocells.compute_sequential(aiocells.Graph.from_cells(broken))
    ... except ValueError as error:
    ...     aiocells.failures(error) == {broken: error}
    True
    """
    told: _Told | None = attributes_of(error).get(TOLD)
    if told is None:
        return {}
    by_cell = told.by_cell
    return {node: error if each is None else each for node, each in by_cell.items()}
