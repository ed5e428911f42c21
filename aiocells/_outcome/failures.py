"""What is told about a cell that failed: the notes on its exception."""

import reprlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, NoReturn

from aiocells._collecting.binding import Keys, OwnDefault
from aiocells._declaring.parameters import collecting, parameters_of
from aiocells._planning.plan import Plan

_FAILURES = "__aiocells_failures__"
_SHOWN_ON_PATH = 4

_short = reprlib.Repr()
_short.maxstring = _short.maxother = _short.maxlong = 60
_MAX_ARGUMENTS = 300


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
    where = f"in cell {plan.program.described(number)}"
    if any(str(note).startswith(where) for note in _notes_of(error)):
        return
    text = where + _needed_by(plan, number)
    if values is not None:
        text += _called_with(plan, number, values)
    if isinstance(error, TypeError | LookupError):
        text += _called_without(plan.program.nodes[number])
    add_note(error, text)


def without_stop_iteration(function: Callable[..., Any], values: Iterable[Any]) -> Any:
    """Call a plain cell; a StopIteration out of it becomes a RuntimeError.

    Python itself makes it one when a coroutine raises it.
    """
    try:
        return function(*values)
    except StopIteration as error:
        msg = "cell raised StopIteration"
        raise RuntimeError(msg) from error


def _notes_of(error: BaseException) -> list[Any]:
    """The notes of an exception; its owner may have put anything there."""
    try:
        return list(error.__notes__)
    except Exception:
        return []


def add_note(error: BaseException, text: str) -> None:
    """Add a note once."""
    notes = _notes_of(error)
    if text not in notes:
        _set(error, "__notes__", [*notes, text])


def _set(error: BaseException, name: str, value: Any) -> None:
    """Set an attribute of an exception, whose class may be frozen."""
    BaseException.__setattr__(error, name, value)


def raise_as_it_is(error: BaseException) -> NoReturn:
    """Raise an exception that was raised before, and leave its context as it is.

    Python would put what the caller is handling in its place.
    """
    context = error.__context__
    try:
        raise error
    finally:
        _set(error, "__context__", context)
        del error, context


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
    left = iter([_short_repr(values[source]) for source in args])
    texts = {
        name: _argument_text(group, left)
        for name, group in zip(names, groups, strict=False)
        if not isinstance(group, OwnDefault)
    }
    defaults = parameters.defaults.items()
    texts |= {name: _short_repr(value) for name, value in defaults if name not in texts}
    told = ", ".join(
        f"{n}={texts[n]}" for n in parameters.names or keywords if n in texts
    )
    if len(told) > _MAX_ARGUMENTS:
        told = told[: _MAX_ARGUMENTS - 3] + "..."
    return f"\n  called with {told}"


def _called_without(function: Callable[..., Any]) -> str:
    """What is told where a decorator may have hidden the parameters of a cell."""
    collected = collecting(function)
    if not collected:
        return ""
    return (
        f"\n  called without arguments: it takes {collected}, which cannot be bound. A "
        "decorator without functools.wraps hides the parameters of what it decorates."
    )


def _argument_text(group: int | Keys | None, left: Iterator[str]) -> str:
    if group is None:
        return next(left)
    if isinstance(group, Keys):
        return f"{{{', '.join(f'{_short_repr(k)}: {next(left)}' for k in group.keys)}}}"
    return f"[{', '.join(islice(left, group))}]"


def _short_repr(value: Any) -> str:
    """A bounded repr; one that raises does no harm."""
    try:
        return _short.repr(value)
    except Exception as error:
        return f"<{type(value).__name__} whose repr raised {type(error).__name__}>"


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
    _set(error, _FAILURES, told)


def note_others(
    primary: BaseException, plan: Plan, found: dict[int, BaseException]
) -> None:
    """Name the failures beside `primary` in its notes."""
    for number, error in found.items():
        if error is not primary:
            text = _short_text(error)
            add_note(
                primary, f"also failed: cell {plan.program.described(number)}: {text}"
            )


def _short_text(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:
        text = "(its text cannot be made)"
    if len(text) > _MAX_ARGUMENTS:
        text = text[: _MAX_ARGUMENTS - 3] + "..."
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


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
    found: dict[Any, BaseException | None] = getattr(error, _FAILURES, {})
    return {node: error if each is None else each for node, each in found.items()}
