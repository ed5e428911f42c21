"""Going on after a failure that does not end the computation.

Nothing is prepared for it. When a cell has failed, and again when one is skipped, the
functions of those that need it are exchanged for one that only raises `Lost`. So each
of them comes in its turn, in every computer, and there falls back or is skipped; and a
computation in which nothing fails asks nothing at any cell.
"""

import types
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from aiocells._outcome.exceptions import (
    context_of,
    set_context,
    set_traceback,
    traceback_of,
)
from aiocells._outcome.failures import failures_of, note_others
from aiocells._planning.plan import Plan

_COROUTINE = (
    "the fallback returned a coroutine, which nobody awaits: a fallback is a plain "
    "function, whose value takes the place of the cell's"
)


class Lost(Exception):
    """Says that a cell cannot be called, because what it needs failed."""


def lost(*_: object) -> NoReturn:
    """Stands for a cell that cannot be called."""
    raise Lost


class Recovery:
    """The failures of a computation that did not end it.

    Args:
        plan: what is run.

    Attributes:
        fallbacks: for each cell that fell back what it fell back from.
    """

    __slots__ = ("_errors", "_first", "_origins", "_plan", "_told", "fallbacks")

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.fallbacks: dict[int, BaseException] = {}
        self._errors: dict[int, BaseException] = {}
        # For each cell that has no value where that comes from: itself, if it failed,
        # or several come together in it; else what it needs gives the same. So that
        # nobody goes through a long chain again and again.
        self._origins: dict[int, int] = {}
        # For each origin the failed cell behind it that was declared first.
        self._first: dict[int, int] = {}
        # For each failure that was passed on the origins that its notes tell of.
        self._told: dict[int, set[int]] = {}

    def add_failed(self, number: int, error: BaseException) -> None:
        """Record that a cell failed, and will have no value."""
        self._errors[number] = error
        self._origins[number] = self._first[number] = number

    def add_skipped(self, number: int) -> None:
        """Record that a cell is skipped because what it needs has no value."""
        origins = self._origins_before(number)
        if len(origins) == 1:
            (self._origins[number],) = origins
        else:
            self._origins[number] = number
            self._first[number] = min(map(self._first.__getitem__, origins))

    def failure_of(self, number: int) -> BaseException | None:
        """The failure for which a cell has no value, if that is why."""
        origin = self._origins.get(number)
        return None if origin is None else self._errors[self._first[origin]]

    def failure_before(self, number: int) -> BaseException:
        """The failure for which a cell cannot be called; its notes name the others."""
        origins = self._origins_before(number)
        first = min(map(self._first.__getitem__, origins))
        error = self._errors[first]
        told = self._told.setdefault(first, {first})
        failed = {n: self._errors[n] for n in self._failed_behind(origins, told)}
        note_others(error, failures_of(self._plan, failed))
        return error

    def _origins_before(self, number: int) -> set[int]:
        known = self._origins
        return {known[n] for n in self._plan.program.needs[number] if n in known}

    def _failed_behind(self, origins: Iterable[int], told: set[int]) -> list[int]:
        """The failed cells that are not told of yet; they are, from now on."""
        failed = []
        waiting = list(origins)
        while waiting:
            origin = waiting.pop()
            if origin in told:
                continue
            told.add(origin)
            if origin in self._errors:
                failed.append(origin)
            else:
                waiting += self._origins_before(origin)
        return sorted(failed)


def answer_of(
    fallback: Callable[[Any], Any], error: BaseException
) -> tuple[Any, BaseException | None]:
    """What a fallback gives for a failure, or what it raises in its place.

    It is called as in an `except` clause: a bare `raise` declines, and what else it
    raises has the failure as its context.
    """
    traceback, context = traceback_of(error), context_of(error)
    try:
        try:
            raise error
        except BaseException:
            set_traceback(error, traceback)
            set_context(error, context)
            return _called(fallback, error), None
    except BaseException as raised:
        # Frames that hold the failure must not be held by it, or all values would live
        # until the next garbage collection.
        if raised is error:
            set_traceback(error, traceback)
        return None, raised


def _called(fallback: Callable[[Any], Any], error: BaseException) -> Any:
    value = fallback(error)
    if type(value) is types.CoroutineType:
        value.close()
        raise TypeError(_COROUTINE)
    return value
