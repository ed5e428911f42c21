"""The fan-outs of one computation: on what terms their items run, and in order."""

import functools
from typing import Any

from aiocells._declaring.fan_out import FanOut
from aiocells._fan_out.gathering import Gathering
from aiocells._fan_out.in_order import run_in_order
from aiocells._fan_out.items import Items, items_of
from aiocells._outcome.failures import note_item
from aiocells._planning.calls import calling
from aiocells._running.run import Run


def fan_out_of(run: Run, number: int) -> FanOut:
    """What a cell is declared to do for each item."""
    fan_out = run.plan.program.options[number].fan_out
    assert fan_out is not None
    return fan_out


def spread_in_order(run: Run) -> None:
    """Have the fan-outs of a run call one item after the other, without a loop."""
    program = run.plan.program
    run.functions = run.functions.copy()
    for number in run.plan.fan_outs:
        spread = functools.partial(_spread_in_order, run, number)
        run.functions[number] = calling(program, number, spread)


def _spread_in_order(run: Run, number: int, /, *args: Any, **named: Any) -> Any:
    items = items_of(fan_out_of(run, number), args, named)
    return run_in_order(items, gathering_of(run, number, items))


def gathering_of(run: Run, number: int, items: Items) -> Gathering:
    """Where it goes what becomes of the items of a cell, when they are about to run.

    Those that a cache has are left out of the rows.
    """
    keeper_of = run.caching.items
    keeper = None if keeper_of is None else keeper_of(number)
    if keeper is None:
        return Gathering(items, InRun(run, number))
    # What few programs use, they should load.
    from aiocells._fan_out.kept import KeptItems

    kept = KeptItems(keeper, items.recipe.places)
    items.leave_out(kept.missing)
    return Gathering(items, InRun(run, number), kept)


class InRun:
    """The terms of a fan-out that is a cell of a computation.

    Args:
        run: the computation.
        number: the cell.
    """

    __slots__ = ("_number", "_run", "goes_on", "is_watched")

    def __init__(self, run: Run, number: int) -> None:
        self._run = run
        self._number = number
        self.goes_on = run.on_error == "continue"
        self.is_watched = run.notify is not None

    def note(self, error: BaseException, key: Any, values: dict[str, Any]) -> None:
        run = self._run
        note_item(error, run.plan, self._number, run.values, key, values)

    def tell_failure(self, error: BaseException, key: Any) -> None:
        self._run.announce("failure", self._number, error, item=key)

    def tell_progress(self, done: int, total: int | None) -> None:
        self._run.announce("progress", self._number, done=done, total=total)
