"""What the fallbacks of a plan cover: an optional branch is optional as a whole."""

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

from aiocells._graphs.structure import Attached
from aiocells._planning.plan import Plan


class Covering(NamedTuple):
    """The fallbacks of a plan, and what they make up for.

    Attributes:
        fallbacks: by the cells that have one.
        covered: the cells whose failure ends no computation: each is no target, is
            needed, and all that need it have a fallback or are covered. So is what is
            computed only if a cell asks: it fails for those who ask.
    """

    fallbacks: dict[int, Callable[[Any], Any]]
    covered: frozenset[int]


_NONE = Covering({}, frozenset())
_kept: Attached[Covering] = Attached()


def covering_of(plan: Plan) -> Covering:
    """The fallbacks of a plan; kept with it, and made when a cell fails."""
    return _kept.get(plan) or _kept.set(plan, _covering(plan))


def answering(plan: Plan, fallbacks: dict[int, Callable[[Any], Any]]) -> Plan:
    """The same plan with other fallbacks, such as tell what was answered elsewhere."""
    other = copy.copy(plan)
    other.attached = {}
    _kept.set(other, Covering(fallbacks, covering_of(plan).covered))
    return other


def _covering(plan: Plan) -> Covering:
    options = plan.program.options
    fallbacks: dict[int, Callable[[Any], Any]] = {}
    for number in plan.cells:
        fallback = options[number].fallback
        if fallback is not None:
            fallbacks[number] = fallback
    if not (fallbacks or plan.lazy):
        return _NONE
    covered: set[int] = set()
    dependents = plan.dependents
    for number in reversed(plan.cells):
        if number in plan.lazy or (
            dependents[number]
            and number not in plan.target_set
            and all(each in fallbacks or each in covered for each in dependents[number])
        ):
            covered.add(number)
    return Covering(fallbacks, frozenset(covered))
