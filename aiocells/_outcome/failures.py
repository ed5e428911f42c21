"""What is told about a cell that failed: the notes on its exception."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from aiocells._collecting.binding import Keys, OwnDefault
from aiocells._declaring.parameters import collecting, parameters_of
from aiocells._declaring.showing import shortened, shown
from aiocells._outcome.exceptions import (
    MOST_LETTERS,
    add_notes,
    attributes_of,
    is_noted,
    text_of,
)
from aiocells._planning.plan import Plan

# The attribute of an exception that tells what else failed.
TOLD = "__aiocells_failures__"
_SHOWN_ON_PATH = 4


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
        where = f"in cell {plan.program.described(number)}"
        if is_noted(error, where):
            return
        text = where + _needed_by(plan, number)
        if values is not None:
            text += _called_with(plan, number, values)
        if isinstance(error, TypeError | LookupError):
            text += _called_without(plan.program.nodes[number])
        add_notes(error, [text])


def without_stop_iteration(function: Callable[..., Any], values: Iterable[Any]) -> Any:
    """Call a plain cell; a StopIteration out of it becomes a RuntimeError.

    Python itself makes it one when a coroutine raises it.
    """
    try:
        return function(*values)
    except StopIteration as error:
        msg = "cell raised StopIteration"
        raise RuntimeError(msg) from error


def _needed_by(plan: Plan, number: int) -> str:
    """The way from a cell to a target that it was computed for."""
    names: list[str] = []
    target_set = plan.target_set if plan.frees else frozenset()
    while number not in target_set and plan.dependents[number]:
        if len(names) == _SHOWN_ON_PATH:
            names.append("...")
            break
        number = plan.dependents[number][0]
        names.append(f"needed by {plan.program.names[number]!r}")
    return "".join(f", {name}" for name in names)


def _called_with(plan: Plan, number: int, values: list[Any]) -> str:
    program = plan.program
    args = program.args[number]
    if not args and number not in program.optional:
        return ""
    parameters = parameters_of(program.nodes[number])
    groups, keywords = program.shapes.get(number) or ((None,) * len(args), ())
    names = (*parameters.positional[: len(groups) - len(keywords)], *keywords)
    left = (values[source] for source in args)
    given = {
        name: _argument(group, left)
        for name, group in zip(names, groups, strict=False)
        if not isinstance(group, OwnDefault)
    }
    arguments = {**parameters.defaults, **given}
    told = ""
    for name in parameters.names or keywords:
        if name in arguments:
            told += f", {name}={shown(arguments[name])}"
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


def _argument(group: int | Keys | None, left: Iterator[Any]) -> Any:
    """The next argument; a list or a dict takes several values."""
    if group is None:
        return next(left)
    if isinstance(group, Keys):
        return {key: next(left) for key in group.keys}
    return list(islice(left, group))


def attach_failures(
    error: BaseException, plan: Plan, found: dict[int, BaseException]
) -> None:
    """Have `failures(error)` tell `found`."""
    nodes = plan.program.nodes
    # It must not hold itself: what its traceback holds would live until the next
    # garbage collection.
    told = {
        nodes[number]: None if each is error else each for number, each in found.items()
    }
    attributes_of(error)[TOLD] = told


def note_others(
    primary: BaseException, plan: Plan, found: dict[int, BaseException]
) -> None:
    """Name the failures beside `primary` in its notes."""
    described = plan.program.described
    with contextlib.suppress(Exception):
        texts = [
            f"also failed: cell {described(number)}: {text_of(error)}"
            for number, error in found.items()
            if error is not primary
        ]
        if texts:
            add_notes(primary, texts)


def failures(error: BaseException) -> dict[Any, BaseException]:
    """All failures of the computation that raised `error`, by cell.

    Args:
        error: an exception that came out of a computer.

    Returns:
        For each cell that failed its exception, with its traceback, in the order in
        which they happened; empty for an exception that no computer raised.

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
    found: dict[Any, BaseException | None] = attributes_of(error).get(TOLD, {})
    return {node: error if each is None else each for node, each in found.items()}
