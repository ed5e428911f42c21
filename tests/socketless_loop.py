"""An event loop for a platform without sockets, such as Python in a browser.

The loop that a browser brings along runs when Python does not. So `asyncio.run` can't
wait for it, unless WebAssembly can be suspended, which not every Node.js can do. The
loop of asyncio waits by itself. A pair of sockets it wants only so that other threads
can wake it, and here are none.
"""

import asyncio
import selectors
import warnings
from collections.abc import Callable
from time import sleep  # some tests replace that of the module
from typing import Any


class _Selector(selectors.SelectSelector):
    """Waits for the next timer; there is nothing else to wait for."""

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            msg = "the event loop waits, and nothing will ever wake it"
            raise RuntimeError(msg)
        sleep(max(timeout, 0))
        return []


class SocketlessLoop(asyncio.SelectorEventLoop):
    """asyncio's event loop, less what another thread would wake it by."""

    def __init__(self, selector: selectors.BaseSelector | None = None) -> None:
        """Wait with `selector`, by default for nothing but timers."""
        super().__init__(selector or _Selector())

    def _make_self_pipe(self) -> None:
        pass

    def _close_self_pipe(self) -> None:
        pass

    def _write_to_self(self) -> None:
        pass


def use_by_default(loop_factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """Have `asyncio.run`, and all else that makes a loop, make one of these."""
    with warnings.catch_warnings():
        # Policies go with Python 3.16. Nothing has taken their place for code that
        # calls asyncio.run() without a loop_factory.
        warnings.simplefilter("ignore", DeprecationWarning)

        class Policy(asyncio.DefaultEventLoopPolicy):
            _loop_factory = staticmethod(loop_factory)

        asyncio.set_event_loop_policy(Policy())
    # A browser's own loop counts as running from the start.
    asyncio._set_running_loop(None)
