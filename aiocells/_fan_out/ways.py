"""How the items of a fan-out run on an event loop."""

from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any, Protocol, TypeAlias

from aiocells._declaring.fan_out import FanOut
from aiocells._fan_out.as_tasks import run_as_tasks
from aiocells._fan_out.gathering import Gathering
from aiocells._fan_out.items import Items
from aiocells._fan_out.on_the_loop import run_on_the_loop
from aiocells._fan_out.places import Places
from aiocells._outcome.failures import without_stop_iteration
from aiocells._planning.timeouts import within

Call: TypeAlias = Callable[..., Awaitable[Any]]


class Way(Protocol):
    """How the items of a fan-out run.

    Attributes:
        width: how many may run at once.
    """

    width: int

    def call(self, items: Items) -> Call:
        """What is awaited for one item, where each is waited for by itself."""
        ...

    async def run(
        self, items: Items, gathering: Gathering, width: int, places: Places
    ) -> Any:
        """Run all items, and give the value of the fan-out."""


class AsTasks:
    """Async items, each a task.

    Args:
        fan_out: what was declared.
        name: that of the tasks.
    """

    def __init__(self, fan_out: FanOut, name: str) -> None:
        self.width = fan_out.width(None)
        self._timeout = fan_out.timeout
        self._name = name

    def call(self, items: Items) -> Call:
        call, seconds = items.call, self._timeout
        if seconds is None:
            return call

        async def call_in_time(*row: Any) -> Any:
            return await within(seconds, "the item", call(*row))

        return call_in_time

    async def run(
        self, items: Items, gathering: Gathering, width: int, places: Places
    ) -> Any:
        call = self.call(items)
        return await run_as_tasks(items, gathering, call, width, places, self._name)


class OnTheLoop:
    """Plain items, one at a time.

    Args:
        report: is told for how many seconds one held up the loop.
    """

    width = 1

    def __init__(self, report: Callable[[float], None]) -> None:
        self._report = report

    def call(self, items: Items) -> Call:
        call = items.call

        async def call_at_once(*row: Any) -> Any:
            began = monotonic()
            try:
                return without_stop_iteration(call, row)
            finally:
                self._report(monotonic() - began)

        return call_at_once

    async def run(
        self, items: Items, gathering: Gathering, width: int, places: Places
    ) -> Any:
        return await run_on_the_loop(items, gathering, self._report)
