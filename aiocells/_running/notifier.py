"""Telling events to observers."""

import logging
import time
from collections.abc import Iterable
from typing import Any

from aiocells.observers import Event, EventKind, Observer

_logger = logging.getLogger("aiocells")


class Notifier:
    """Tells events to the observers of one computation."""

    def __init__(self, observers: Iterable[Observer]) -> None:
        self._observers = list(observers)

    def __call__(
        self,
        kind: EventKind,
        cell: Any,
        name: str,
        error: BaseException | None = None,
    ) -> None:
        event = Event(kind, cell, name, time.perf_counter(), error)
        for observer in self._observers:
            try:
                observer(event)
            except Exception:
                # By identity: other observers may be equal to it.
                self._observers = [o for o in self._observers if o is not observer]
                _logger.exception(
                    "The observer %r raised at the %s of cell %r. It is dropped; the "
                    "computation goes on.",
                    observer,
                    kind,
                    name,
                )
