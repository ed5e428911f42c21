"""The fan-outs of a computation on an event loop: where their items run."""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aiocells._declaring.kinds import Kind
from aiocells._fan_out.as_tasks import run_as_tasks
from aiocells._fan_out.in_run import fan_out_of, gathering_of
from aiocells._fan_out.items import items_of
from aiocells._fan_out.places import NoLimit, Places
from aiocells._fan_out.ways import AsTasks, Call, OnTheLoop, Way
from aiocells._planning.calls import calling
from aiocells._running.run import Run

if TYPE_CHECKING:
    from aiocells._running.elsewhere.offload import Offload


class Spreading:
    """Has the fan-outs of a run call their functions once for each item.

    Args:
        run: the computation; its functions are replaced.
        offload: what runs cells elsewhere, where some say `run_in`.
        report: is told for how many seconds a cell held up the loop at once.
        one_by_one: whether only one item is to run at a time, in order.

    Attributes:
        places_of: gives the places of a fan-out, where something bounds these.
        inside: puts limiters that others share around the call of an item; None for a
            cell that enters none.
    """

    def __init__(
        self,
        run: Run,
        offload: "Offload | None",
        report: Callable[[int, float], None],
        *,
        one_by_one: bool,
    ) -> None:
        self.places_of: Callable[[int], Places] | None = None
        self.inside: Callable[[int, Call], Call | None] | None = None
        program = run.plan.program
        run.functions, run.kinds = run.functions.copy(), run.kinds.copy()
        for number in run.plan.fan_outs:
            way = _way_of(run, number, offload, report)
            width = 1 if one_by_one else way.width
            spread = functools.partial(self._spread, run, number, way, width)
            run.functions[number] = calling(program, number, spread)
            run.kinds[number] = Kind.ASYNC

    def close(self) -> None:
        """Let go of what runs the computation."""
        self.places_of = self.inside = None

    async def _spread(
        self,
        run: Run,
        number: int,
        way: "Way",
        width: int,
        /,
        *args: Any,
        **named: Any,
    ) -> Any:
        items = items_of(fan_out_of(run, number), args, named)
        gathering = gathering_of(run, number, items)
        places = NoLimit() if self.places_of is None else self.places_of(number)
        call = way.call(items)
        entering = None if self.inside is None else self.inside(number, call)
        if entering is None and items.source is None:
            return await way.run(items, gathering, width, places)
        # What waits for each item by itself has each item wait by itself.
        name = run.plan.program.names[number]
        return await run_as_tasks(
            items, gathering, entering or call, width, places, name
        )


def _way_of(
    run: Run,
    number: int,
    offload: "Offload | None",
    report: Callable[[int, float], None],
) -> "Way":
    """How the items of a cell run.

    Raises:
        UnsupportedCell: there is no such place, or they cannot be sent there.
    """
    fan_out = fan_out_of(run, number)
    program = run.plan.program
    if fan_out.kind is Kind.ASYNC:
        return AsTasks(fan_out, program.names[number])
    if program.options[number].run_in is None:
        return OnTheLoop(functools.partial(report, number))
    # What few programs use, they should load.
    from aiocells._fan_out.elsewhere import way_elsewhere

    assert offload is not None
    return way_elsewhere(run, number, offload)
