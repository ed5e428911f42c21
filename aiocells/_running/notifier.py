"""Telling events to observers."""

import inspect
import logging
from collections.abc import Iterable
from time import perf_counter
from typing import Any

import attrs

from aiocells._declaring.kinds import Kind, kind_of
from aiocells._running.options import is_iterable
from aiocells.observers import Event, EventKind, Observer

_logger = logging.getLogger("aiocells")

# What a frozen class does to set its own attributes takes three times as long.
_new = object.__new__
(
    _set_kind,
    _set_cell,
    _set_name,
    _set_time,
    _set_error,
    _set_done,
    _set_total,
    _set_item,
) = (vars(Event)[field.name].__set__ for field in attrs.fields(Event))


def checked_observers(observers: Any) -> list[Observer]:
    """The observers that were given as an option.

    Raises:
        TypeError: they are no observers.
    """
    if not is_iterable(observers):
        hint = f": observers=[{observers!r}]" if callable(observers) else ""
        msg = f"observers= takes a list of callables, not {observers!r}{hint}."
        raise TypeError(msg)
    checked = list(observers)
    for observer in checked:
        if not callable(observer):
            msg = (
                f"observers: {observer!r} is no observer: it cannot be called with an "
                "event."
            )
            raise TypeError(msg)
        if isinstance(observer, type):
            msg = (
                f"observers: {observer!r} is a class, which would be made anew for "
                "each event. Give an instance of it."
            )
            raise TypeError(msg)
        kind = kind_of(observer)
        if kind is not Kind.PLAIN:
            msg = (
                f"observers: {observer!r} is {kind.value}, which nobody would await or "
                "go through. An observer is a plain callable that takes an event."
            )
            raise TypeError(msg)
    return checked


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
        done: int | None = None,
        total: int | None = None,
        item: Any = None,
    ) -> None:
        event = _new(Event)
        _set_kind(event, kind)
        _set_cell(event, cell)
        _set_name(event, name)
        _set_time(event, perf_counter())
        _set_error(event, error)
        _set_done(event, done)
        _set_total(event, total)
        _set_item(event, item)
        for observer in self._observers:
            try:
                answer: Any = observer(event)
                if answer is not None:
                    _refuse_coroutine(answer)
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


def _refuse_coroutine(answer: Any) -> None:
    """Refuse what a plain wrapper around an async observer returns."""
    if inspect.iscoroutine(answer):
        answer.close()
        msg = "the observer returned a coroutine, which nobody awaits"
        raise TypeError(msg)
