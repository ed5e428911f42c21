"""Other functions in the place of a graph's cells.

Only the cells that are replaced are bound anew, and what they bring along. All else
refers to a cell by its number, which stays: so every edge follows.
"""

import copy
import keyword
from collections.abc import Callable, Mapping
from typing import Any

from aiocells._collecting.binding import Binder
from aiocells._collecting.bound import Bound, Replaced
from aiocells._collecting.finding import Finder
from aiocells._declaring.kinds import Kind, kind_of
from aiocells._declaring.marking import DependsOn, refuse_decorator
from aiocells._declaring.names import shown
from aiocells._graphs.roster import Roster, numbers_of
from aiocells._graphs.structure import Structure
from aiocells.errors import DeclarationError

Function = Callable[..., Any]


def replace(
    structure: Structure, bound: Bound | None, cells: Mapping[Any, Function]
) -> Bound:
    """Have other functions stand for cells.

    Args:
        structure: of the new graph, so far as the old one; it is changed.
        bound: what binding gave of the old one, if anything.
        cells: for each cell, or name, the function that is to stand for it.

    Returns:
        What binding gives of the new graph.

    Raises:
        GraphException: a function cannot stand for its cell.
    """
    new = _copied(bound or Bound(), structure)
    chosen = _chosen(structure, new, cells)
    known = new.replaced
    if known is None:
        needed = {number for needs in structure.needs for number in needs}
        ends = tuple(n for n in range(len(new.nodes)) if n not in needed)
        known = Replaced(ends, len(new.nodes), ())
    retired = [new.specs[number] for number in chosen]
    told = [spec.options for spec in retired if spec is not None and spec.options]
    ends = known.ends_of(len(new.args))

    for number in chosen:
        structure.names[number] = structure.name(number)
    structure.stand_ins = {**structure.stand_ins, **chosen}
    structure.index.update({each: number for number, each in chosen.items()})
    structure.version += 1
    _bind(structure, new, chosen)
    new.replaced = Replaced(ends, len(new.nodes), (*known.retired, *told))
    return new


def _copied(bound: Bound, structure: Structure) -> Bound:
    """The same for a structure of its own; what came by hand is bound to nothing."""
    new = copy.copy(bound)
    new.nodes, new.index = structure.nodes, structure.index
    new.needs, new.names = structure.needs, structure.names
    new.shapes, new.optional = bound.shapes.copy(), bound.optional.copy()
    new.asking, new.lazy = bound.asking.copy(), structure.lazy
    new.inputs, new.secret = bound.inputs.copy(), bound.secret.copy()
    by_hand = structure.nodes[len(bound.args) :]
    new.args = [*bound.args, *([()] * len(by_hand))]
    new.specs = [*bound.specs, *([None] * len(by_hand))]
    new.several_limits = bound.several_limits.copy()
    # What is no callable will be refused when it is to be computed.
    kinds = [kind_of(each) if callable(each) else Kind.PLAIN for each in by_hand]
    new.kinds = [*bound.kinds, *kinds]
    return new


def _bind(structure: Structure, new: Bound, chosen: Mapping[int, Function]) -> None:
    finder = Finder()
    nodes = new.nodes
    finder.names = {nodes[number]: name for number, name in new.names.items()}
    finder.stand_ins = {
        nodes[number]: function for number, function in structure.stand_ins.items()
    }
    for cell in nodes[: new.given]:
        finder.add_given(cell, None, new.owner)
    binder = Binder(new, finder)
    first = len(nodes)
    for number in chosen:
        new.shapes.pop(number, None)
        new.optional.pop(number, None)
        new.asking.pop(number, None)
        new.lazy.pop(number, None)
        before = new.needs[number]
        binder.bind_one(number, nodes[number])
        # It was bound as one more cell.
        new.args[number] = new.args.pop()
        new.specs[number] = new.specs.pop()
        new.kinds[number] = new.kinds.pop()
        new.needs[number] = new.needs.pop()
        if isinstance(before, dict):
            by_hand = {each: True for each, is_by_hand in before.items() if is_by_hand}
            new.needs[number] = dict.fromkeys(new.needs[number], False) | by_hand
            if number in new.lazy:
                new.lazy[number] -= by_hand.keys()
    binder.bind_from(first)


# What is refused


def _chosen(
    structure: Structure, bound: Bound, cells: Mapping[Any, Function]
) -> dict[int, Function]:
    """The functions that are to stand for cells, by the number of the cell."""
    if not isinstance(cells, Mapping):
        msg = f"replace takes a mapping, replace({{cell: function}}), not {cells!r}."
        raise TypeError(msg)
    roster = bound.roster(structure)
    numbers = numbers_of(roster, cells, "replace")
    chosen: dict[int, Function] = {}
    standing: dict[Function, int] = {}
    for number, function in zip(numbers, cells.values(), strict=True):
        _check_function(roster, number, function)
        other = standing.setdefault(function, number)
        if other != number:
            msg = (
                f"replace: {shown(function)} is to stand for two cells, "
                f"{roster.described(other)} and {roster.described(number)}. Give each "
                "a function of its own."
            )
            raise DeclarationError(msg, cell=function)
        chosen[number] = function
    return chosen


def _check_function(roster: Roster, number: int, function: Any) -> None:
    """Refuse what cannot stand for a cell."""
    cell = roster.described(number)
    if isinstance(function, DependsOn):
        refuse_decorator(function)
    if not callable(function):
        msg = (
            f"replace: {function!r} cannot stand for {cell}: it is no function. Give "
            "a value to a computer, with overrides=."
        )
        raise DeclarationError(msg, cell=function)
    try:
        known = roster.index.get(function)
    except TypeError as error:
        msg = (
            f"replace: {shown(function)} cannot stand for {cell}: it is not hashable. "
            "Call it from a function of your own."
        )
        raise DeclarationError(msg, cell=function) from error
    # What has stood for this cell before may do so again.
    if known is None or (known == number and roster.nodes[number] != function):
        return
    name = roster.names[known]
    if known == number:  # which would take an input of its own name
        advice = "Leave it out; the graph before has it as it was."
    elif name.isidentifier() and not keyword.iskeyword(name):
        advice = f"Give a function that passes its value on: lambda {name}: {name}."
    else:
        advice = (
            "Give a function that passes its value on: "
            "depends_on(value=...)(lambda value: value)."
        )
    msg = (
        f"replace: {roster.described(known)} cannot stand for {cell}: it is a cell of "
        f"the graph itself. {advice}"
    )
    raise DeclarationError(msg, cell=function)
