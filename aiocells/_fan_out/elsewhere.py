"""How the items of a fan-out run off the event loop."""

from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from aiocells._fan_out.gathering import Gathering
from aiocells._fan_out.in_chunks import call_one, run_in_chunks
from aiocells._fan_out.in_run import fan_out_of
from aiocells._fan_out.in_threads import run_in_threads
from aiocells._fan_out.items import Items
from aiocells._fan_out.places import Places
from aiocells._fan_out.ways import Call, Way
from aiocells._running.elsewhere.offload import (
    Offload,
    checked_for_process,
    in_thread,
)
from aiocells._running.run import Run


def way_elsewhere(run: Run, number: int, offload: Offload) -> Way:
    """How the items of a plain cell run that says `run_in`.

    Raises:
        UnsupportedCell: there is no such place, or they cannot be sent there.
    """
    fan_out = fan_out_of(run, number)
    where, executor = offload.place_of(number)
    if where == "thread":
        return _InThreads(fan_out.width("thread"), offload, executor)
    function: Any = fan_out.function
    if where == "process":
        function = checked_for_process(run.plan, number, function)
    return _InProcesses(fan_out.width(where), offload.sender_of(number), function)


class _InThreads:
    """Items in threads of the user's, or of the fan-out's own."""

    def __init__(self, width: int, offload: Offload, executor: Executor | None) -> None:
        self.width = width
        self._offload = offload
        self._executor = executor

    def call(self, items: Items) -> Call:
        pool, call = self._pool(self.width), items.call

        async def call_in_thread(*row: Any) -> Any:
            return await in_thread(pool, call, *row)

        return call_in_thread

    async def run(
        self, items: Items, gathering: Gathering, width: int, places: Places
    ) -> Any:
        pool = self._pool(width)
        is_shared = pool is self._executor
        return await run_in_threads(items, gathering, width, pool, places, is_shared)

    def _pool(self, width: int) -> Executor:
        if self._executor is not None:
            return self._executor
        return self._offload.pool_of(width)


class _InProcesses:
    """Items in processes, several at a time."""

    def __init__(self, width: int, send: Callable[..., Any], function: Any) -> None:
        self.width = width
        self._send = send
        self._function = function

    def call(self, items: Items) -> Call:
        return call_one(items, self._send, self._function)

    async def run(
        self, items: Items, gathering: Gathering, width: int, places: Places
    ) -> Any:
        return await run_in_chunks(
            items, gathering, width, self._send, self._function, places
        )
