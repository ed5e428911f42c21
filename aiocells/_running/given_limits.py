"""What the caller gave as limits=: numbers, and limiters that others share."""

import contextlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from aiocells._declaring import names as _names
from aiocells._planning.plan import Plan
from aiocells._running.options import Limit, checked_mapping
from aiocells.errors import UnsupportedCell

_EXAMPLE = "asyncio.Semaphore(10)"


class GivenLimits(NamedTuple):
    """Limits that were looked at.

    Attributes:
        counts: how many cells of each named limit may run at once.
        limiters: by name those that a cell enters, and that others share.
    """

    counts: Mapping[str, int]
    limiters: Mapping[str, Any]


def check_count(what: str, count: object) -> None:
    """Refuse what is no number of things.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        msg = f"{what}={count!r}: expected a whole number of at least 1."
        raise ValueError(msg)


def given_limits(plan: Plan, limits: Mapping[str, Limit] | None) -> GivenLimits:
    """Look at limits, and refuse those that are none, or that do not fit the cells.

    Raises:
        TypeError: limits that are no mapping.
        UnsupportedCell: a cell names a limit that is not given.
        ValueError: what is no limit, or one that no cell names.
    """
    limits = checked_mapping("limits", '"name": number', limits)
    named = plan.program.limits
    counts: dict[str, int] = {}
    limiters: dict[str, Any] = {}
    each: Any
    for name, each in limits.items():
        if _is_limiter(name, each):
            limiters[name] = each
        else:
            check_count(f"limits: {name!r}", each)
            counts[name] = each
        if name not in named:
            near = _names.suggestions(name, named)
            msg = f"limits: no cell has limit={name!r}.{_names.did_you_mean(near)}"
            raise ValueError(msg)
    if named - limits.keys():
        _check_given(plan, limits)
    if len({*map(id, limiters.values())}) < len(limiters):
        _check_aliases(plan, limiters)
    return GivenLimits(counts, limiters)


def _is_limiter(name: str, limit: object) -> bool:
    """Whether it is an async context manager that many can enter, and no number.

    Raises:
        ValueError: it is nothing of the kind.
    """
    if limit is None or isinstance(limit, int | float | str):
        return False
    kind = type(limit)
    if isinstance(limit, contextlib._AsyncGeneratorContextManager):
        reason = "which can be entered once only"
    elif hasattr(kind, "__aenter__") and hasattr(kind, "__aexit__"):
        return True
    elif hasattr(limit, "__aenter__"):
        reason = "a class, of which it takes an instance"
    elif hasattr(kind, "__enter__"):
        reason = "which would hold up the event loop"
    else:
        reason = "which nobody can enter"
    msg = (
        f"limits: {name!r} is {limit!r}, {reason}. Expected a whole number of at least "
        f"1, or an async context manager that many can enter, such as {_EXAMPLE}."
    )
    raise ValueError(msg)


def _check_given(plan: Plan, limits: Mapping[str, Limit]) -> None:
    program = plan.program
    for number in plan.cells:
        options = program.options[number]
        for name in options.limits:
            if name in limits:
                continue
            near = _names.suggestions(name, limits)
            which = "that" if options.limit == name else repr(name)
            msg = (
                f"{program.described(number)} has limit={options.limit!r}, but how "
                f"many {which} is was not said.{_names.did_you_mean(near)} Give it as "
                f"limits={{{name!r}: ...}}."
            )
            raise UnsupportedCell(msg, cell=program.nodes[number])


def _check_aliases(plan: Plan, limiters: Mapping[str, Any]) -> None:
    """Refuse one limiter under several names, where cells would wait for each other.

    Raises:
        ValueError: they would.
    """
    # Few need it.
    from aiocells._collecting.limit_order import ring_of

    options = plan.program.options
    entered = [
        (each, tuple(id(limiters[n]) for n in options[each].limits if n in limiters))
        for each in plan.cells
        if options[each].limit is not None
    ]
    ring = ring_of(entered)
    if not ring:
        return
    several: dict[int, list[str]] = {}
    for name, limiter in limiters.items():
        several.setdefault(id(limiter), []).append(name)
    same = next(names for names in several.values() if len(names) > 1)
    cells = " and ".join(map(plan.program.described, ring))
    msg = (
        f"limits: {' and '.join(map(repr, same))} are one limiter, so that "
        f"{cells} would wait for {'itself' if len(ring) == 1 else 'each other'}. Give "
        "a limiter for each name."
    )
    raise ValueError(msg)
