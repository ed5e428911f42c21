"""Where a computation keeps values that it lets go.

A value takes the place, the slot, of one that its cell was the last to use. So most
values are let go by being written over, and only what is left over is cleared. Such a
loop takes 1.1 times as long as one that keeps all values. To clear each of them takes
2.8 times as long as that (CPython 3.11, cells of three arguments).
"""

from typing import NamedTuple

from aiocells._graphs.structure import Attached
from aiocells._planning.plan import Plan
from aiocells._planning.program import Taking, taking


class Slots(NamedTuple):
    """The slots of a plan that lets values go.

    Attributes:
        where: for each source the index of its value, while that is there.
        gone: for each cell the indexes of what is cleared when it is done.
        found: takes the values of the targets, when all is done.
    """

    where: dict[int, int]
    gone: dict[int, tuple[int, ...]]
    found: Taking


_kept: Attached[Slots] = Attached()


def slots_of(plan: Plan) -> Slots:
    """The slots of a plan; kept with it."""
    return _kept.get(plan) or _kept.set(plan, _assigned(plan))


def _assigned(plan: Plan) -> Slots:
    given = (*plan.overridden, *(~each for each in plan.wanted_inputs))
    where = dict(zip(given, given, strict=True))
    gone: dict[int, tuple[int, ...]] = {}
    last_uses = plan.last_uses
    idle: list[int] = []
    for number in plan.order:
        last = last_uses.get(number, ())
        free = [where[each] for each in last if each != number]
        where[number] = slot = (free or idle or [number]).pop()
        if number in last:  # nobody uses it at all
            free.append(slot)
        if free:
            # Twice the same is as good as once, and goes into the loops.
            gone[number] = tuple(free) if len(free) > 1 else (free[0], free[0])
            idle += free
    return Slots(where, gone, taking(tuple(where[each] for each in plan.targets)))


def by_source(plan: Plan, values: list[object], failed: int) -> list[object]:
    """The values of a run as all but the loops of segments have them, by source.

    Args:
        plan: what is run.
        values: those in their slots.
        failed: the cell that just failed; no later one has run.
    """
    found, where = plan.program.blank.copy(), slots_of(plan).where
    for source in plan.used_from(failed):
        found[source] = values[where[source]]
    return found
