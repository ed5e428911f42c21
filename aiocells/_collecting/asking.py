"""What must not be asked for while a graph is computed, and by whom."""

from collections.abc import Collection
from typing import NoReturn

from aiocells._collecting.bound import Bound
from aiocells._declaring.kinds import Kind, kind_of
from aiocells._declaring.spec import Options
from aiocells._graphs.structure import Structure
from aiocells._graphs.toposort import order_behind
from aiocells.errors import DeclarationError

_ASYNC = (Kind.ASYNC, Kind.ASYNC_GENERATOR)


def check_asking(structure: Structure, bound: Bound) -> None:
    """Refuse cells that cannot ask, and what those cannot ask for that cannot wait.

    Raises:
        DeclarationError: there are some; the message names both cells.
    """
    for asker, places in bound.asking.items():
        cells = list(dict.fromkeys(bound.args[asker][place] for place in places))
        why = _cannot_ask(bound.options_of(asker))
        if why:
            _refuse(structure, asker, cells[0], why)
        if bound.kinds[asker] not in _ASYNC:
            _check_computed_at_once(structure, bound, asker, cells)


def _cannot_ask(options: Options) -> str:
    if options.run_in is not None:
        return (
            f"has run_in={options.run_in!r}: who is elsewhere cannot ask. Leave run_in "
            "out, or have what is slow in a cell of its own"
        )
    if options.limit is not None:
        return (
            f"has limit={options.limit!r}, of which it would hold a place while it "
            "waits. Leave the limit to what it asks for"
        )
    return ""


def _check_computed_at_once(
    structure: Structure, bound: Bound, asker: int, cells: Collection[int]
) -> None:
    """Refuse a plain cell that asks for what takes more than a call."""
    needs = structure.needs
    # What it needs is there before it starts, whatever that is.
    there = set(needs[asker]) - structure.lazy[asker]

    def needs_of(number: int) -> Collection[int]:
        return () if number in there else needs[number]

    for number in order_behind(needs_of, cells):
        why = "" if number in there else _takes_longer(structure, bound, number)
        if why:
            asked = next(
                each for each in cells if number in order_behind(needs_of, [each])
            )
            behind = structure.described(number)
            if asked != number:
                behind += ", which is computed for it,"
            _refuse(
                structure,
                asker,
                asked,
                f"is {bound.kinds[asker].value}, which cannot wait, and {behind} "
                f"{why}. Make {structure.name(asker)!r} async",
            )


def _takes_longer(structure: Structure, bound: Bound, number: int) -> str:
    """Why a cell cannot be computed at a call, if so."""
    options = bound.options_of(number)
    by_hand = number >= len(bound.kinds)
    kind = kind_of(structure.nodes[number]) if by_hand else bound.kinds[number]
    if kind in _ASYNC:
        return f"is {kind.value}"
    if options.run_in is not None:
        return f"has run_in={options.run_in!r}"
    if options.limit is not None:
        return f"has limit={options.limit!r}"
    return ""


def _refuse(structure: Structure, asker: int, cell: int, why: str) -> NoReturn:
    msg = (
        f"{structure.described(asker)} may ask for {structure.described(cell)} (Lazy), "
        f"but {why}; or let it need {structure.name(cell)!r} without Lazy."
    )
    raise DeclarationError(msg, cell=structure.nodes[asker])
