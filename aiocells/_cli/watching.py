"""Which cells run at the moment, and which one holds up others."""

import logging
import math
from typing import Any

from aiocells._declaring.kinds import Kind, kind_of
from aiocells._declaring.marks import spec_of
from aiocells._declaring.names import described
from aiocells._declaring.spec import PLAIN
from aiocells.observers import Event

_logger = logging.getLogger("aiocells")


class Watch:
    """An observer that knows which cells run.

    Args:
        patience: seconds for which a plain cell may hold up others without a word.
            That no other runs beside it only the command can know: its event loop is
            its own, as a program's is not.

    Attributes:
        is_over: whether no further cell is to start.
    """

    def __init__(self, patience: float | None) -> None:
        self._patience = math.inf if patience is None else patience
        self._running: dict[Any, Event] = {}
        self.is_over = False

    def __call__(self, event: Event) -> None:
        """Take down what happened.

        Raises:
            KeyboardInterrupt: a cell was about to start after the end.
        """
        if event.kind == "start":
            if self.is_over:
                raise KeyboardInterrupt
            self._running[event.cell] = event
            return
        started = self._running.pop(event.cell, None)
        if started is not None and event.time - started.time > self._patience:
            self._report(event, event.time - started.time)

    def _report(self, event: Event, seconds: float) -> None:
        if self._running and _is_inline(event.cell):
            _logger.warning(
                "The plain cell %s held up the event loop for %.0f ms; nothing else "
                'ran meanwhile. Move it off the loop with @cell(run_in="thread"), or '
                "give --watchdog more seconds, or none.",
                described(event.name, event.cell),
                seconds * 1000,
            )

    @property
    def running(self) -> list[str]:
        """The names of the cells that run; asked for in another thread too."""
        return [event.name for event in list(self._running.values())]

    @property
    def held(self) -> list[str]:
        """The names of those that cannot be cancelled."""
        return [
            event.name
            for event in list(self._running.values())
            if _is_plain(event.cell) and _run_in(event.cell) != "process"
        ]

    @property
    def is_inline(self) -> bool:
        """Whether the main thread is in a plain cell."""
        return any(map(_is_inline, self._running))


def _is_inline(cell: Any) -> bool:
    return _is_plain(cell) and _run_in(cell) is None


def _is_plain(cell: Any) -> bool:
    return kind_of(cell) in (Kind.PLAIN, Kind.GENERATOR)


def _run_in(cell: Any) -> str | None:
    spec = spec_of(cell)
    return ((spec and spec.options) or PLAIN).run_in
