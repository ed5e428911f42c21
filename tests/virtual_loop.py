"""An event loop that never waits for a clock, and that knows when nothing can happen.

When nothing is ready, its clock jumps to the next timer. When there is no timer
either, it asks `on_idle` for something to do; where that has nothing, the test is
deadlocked, and fails at once instead of hanging.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any

from tests.helpers import IN_BROWSER
from tests.socketless_loop import SocketlessLoop

# Turns in a row in which something was ready, after which its clock goes on all the
# same: what runs in every turn, as cancelled scopes of anyio do, would stop it.
BUSY_TURNS = 100
# Real seconds without a word from any thread or process after which there is no hope.
GIVE_UP = 30.0


class Deadlock(Exception):
    """Nothing is left that could ever happen."""


class _Selector(selectors.DefaultSelector):
    loop: "VirtualLoop"

    def select(self, timeout: float | None = None) -> Any:
        events = super().select(0)
        loop = self.loop
        loop.busy_turns += 1
        if events or (timeout is not None and timeout <= 0):
            if loop.busy_turns > BUSY_TURNS:
                loop.busy_turns = 0
                loop.skip()
            return events
        loop.busy_turns = 0
        events = super().select(loop.patience)
        if events:
            return events
        if timeout is not None:
            loop.now += timeout
            return []
        if loop.on_idle():
            return []
        events = super().select(GIVE_UP if loop.patience else 0)
        if not events:
            msg = f"nothing can happen any more; waiting: {asyncio.all_tasks(loop)}"
            raise Deadlock(msg)
        return events


class VirtualLoop(SocketlessLoop if IN_BROWSER else asyncio.SelectorEventLoop):
    """An event loop with a clock of its own.

    Args:
        on_idle: called when nothing is ready and no timer set; tells whether it did
            something.
        patience: real seconds that other threads or processes may take to answer before
            the loop counts as idle; 0 where there are none.
    """

    def __init__(
        self, on_idle: Callable[[], bool] = lambda: False, patience: float = 0
    ) -> None:
        """Start at time 0."""
        self.now = 0.0
        self.busy_turns = 0
        self.on_idle = on_idle
        self.patience = patience
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        """The time of the virtual clock."""
        return self.now

    def skip(self) -> None:
        """Go to the time of the next timer, if there is one."""
        timers: Any = self._scheduled  # type: ignore[attr-defined]
        if timers:
            self.now = max(self.now, timers[0].when())


def run_virtually(computing: Coroutine[Any, Any, Any]) -> Any:
    """Run on a loop that knows when nothing can happen; checks that nothing is left."""
    loop = VirtualLoop()

    async def checked() -> Any:
        try:
            return await computing
        finally:
            assert asyncio.all_tasks() == {asyncio.current_task()}

    try:
        return loop.run_until_complete(checked())
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
