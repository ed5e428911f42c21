"""Refusing limits that are entered in opposite orders: cells would wait for each other.

Each would hold what the next one waits for, in one computation or in two at once.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from aiocells._collecting.bound import Bound
from aiocells._graphs.structure import Structure
from aiocells._graphs.toposort import CycleFound, topological_order
from aiocells.errors import DeclarationError


def check_limit_order(structure: Structure, bound: Bound) -> None:
    """Refuse cells that name limits in opposite orders, be it round a ring.

    Raises:
        DeclarationError: they do.
    """
    several = {each: bound.options_of(each).limits for each in bound.several_limits}
    ring = ring_of(several.items())
    if not ring:
        return
    parts = [
        f"{structure.described(number)} has limit={several[number]!r}"
        for number in ring
    ]
    msg = (
        f"{', '.join(parts[:-1])} and {parts[-1]}: each could hold what "
        f"{'the other' if len(parts) == 2 else 'the next'} waits for. Limits are "
        "entered in the order in which they are named: name them in the same order "
        "everywhere."
    )
    raise DeclarationError(msg, cell=bound.nodes[ring[-1]])


def ring_of(entered: Iterable[tuple[int, tuple[Any, ...]]]) -> list[int]:
    """Find cells of which each may hold what the next one waits for.

    Args:
        entered: the numbers of cells, each with what it enters, in order.

    Returns:
        The numbers of the cells; empty where there are none.
    """
    places: dict[Any, int] = {}
    after: list[dict[int, int]] = []
    for number, limits in entered:
        for limit in limits:
            if limit not in places:
                places[limit] = len(after)
                after.append({})
        for first, second in pairwise(limits):
            after[places[first]].setdefault(places[second], number)
    try:
        topological_order(after)
    except CycleFound as found:
        steps = pairwise(found.path)
        return list(dict.fromkeys(after[first][second] for first, second in steps))
    return []
