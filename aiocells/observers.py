"""Watching a computation: the events, and observers that come with the library.

An observer is a callable that takes one `Event`. It is called on the thread of the
computation. One that raises is reported by logging and dropped; it never fails the
computation.
"""

import logging
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import attrs

EventKind = Literal[
    "start", "end", "hit", "fallback", "failure", "skip", "cancel", "progress"
]

_logger = logging.getLogger("aiocells")


@attrs.frozen
class Event:
    """Something that happened to a cell.

    Attributes:
        kind: "start" when it is called; "end" when its value is there, which for a
            resource is when it is open; "hit" in place of both when a cache has its
            value; "fallback" in place of "end" when its fallback
            gave the value, without a "start" where what it needs failed; "failure"
            when it, or its clean-up, raised; "skip" when it will not run because what
            it needs failed; "cancel" when it was cancelled with the computation;
            "progress" when items of a fan-out are done: after each of up to 1,000, of
            more after each thousandth part, and after the last.
        cell: the cell.
        name: its name.
        time: when, in seconds of `time.perf_counter`.
        error: what was raised, of a failure or a fallback.
        done: how many items of a fan-out are done, of its progress.
        total: how many there are; None where that is not known.
        item: the key or the number of the item whose failure was kept, if it is one.
    """

    kind: EventKind
    cell: Any
    name: str
    time: float
    error: BaseException | None = None
    done: int | None = None
    total: int | None = None
    item: Any = None


Observer: TypeAlias = Callable[[Event], None]


@attrs.frozen
class LoggingObserver:
    """Logs each event of a computation.

    Args:
        logger: where to; by default the logger "aiocells".
        level: of starts, ends, hits, skips and cancellations; failures are errors, and
            fallbacks are warnings.

    >>> import aiocells
    >>> from aiocells.observers import LoggingObserver
    >>> @aiocells.cell
    ... def answer() -> int:
    ...     return 42
    >>> graph = aiocells.Graph.from_cells(answer)
    >>> aiocells.compute_sequential(graph, observers=[LoggingObserver()])[answer]
    42
    """

    logger: logging.Logger = _logger
    level: int = logging.INFO

    def __call__(self, event: Event) -> None:
        """Log one event."""
        if event.item is not None:
            self.logger.error(
                "failure of item %r of cell %r: %r", event.item, event.name, event.error
            )
        elif event.kind == "failure":
            self.logger.error("failure of cell %r: %r", event.name, event.error)
        elif event.kind == "progress":
            total = "?" if event.total is None else event.total
            text = "progress of cell %r: %s of %s"
            self.logger.log(self.level, text, event.name, event.done, total)
        elif event.kind == "fallback":
            self.logger.warning("fallback of cell %r: %r", event.name, event.error)
        else:
            self.logger.log(self.level, "%s of cell %r", event.kind, event.name)


@attrs.define
class Recorder:
    """Keeps the events of a computation, for tests.

    Attributes:
        events: what happened, in order.

    >>> import aiocells
    >>> from aiocells.observers import Recorder
    >>> @aiocells.cell
    ... def one() -> int:
    ...     return 1
    >>> @aiocells.cell
    ... def two(one: int) -> int:
    ...     return one + 1
    >>> graph = aiocells.Graph.from_cells(two)
    >>> recorder = Recorder()
    >>> results = aiocells.compute_sequential(graph, observers=[recorder])
    >>> recorder.names("end")
    ['one', 'two']
    >>> recorder.check_order(graph)
    """

    events: list[Event] = attrs.Factory(list)

    def __call__(self, event: Event) -> None:
        """Keep one event."""
        self.events.append(event)

    def names(self, kind: EventKind) -> list[str]:
        """The names of the cells with an event of this kind, in order."""
        return [event.name for event in self.events if event.kind == kind]

    def check_order(self, graph: Any) -> None:
        """Check that each cell started after all that it needs had ended.

        What it may ask for while it runs, as `Lazy`, may end later.

        Args:
            graph: what was computed.

        Raises:
            AssertionError: one started too early, or twice; the message names it.
        """
        from aiocells._graphs.dependency_graph import needs_of

        ended: set[Any] = set()
        started: set[Any] = set()
        expected = ("start", "skip", "hit")
        names_of = {
            event.cell: event.name for event in self.events if event.kind in expected
        }
        for event in self.events:
            if event.kind in ("end", "hit", "fallback"):
                ended.add(event.cell)
            elif event.kind == "start":
                if event.cell in started:
                    msg = f"cell {event.name!r} started twice"
                    raise AssertionError(msg)
                started.add(event.cell)
                needs = needs_of(graph, event.cell)
                early = (needs & names_of.keys()) - ended
                if early:
                    names = ", ".join(sorted(names_of[each] for each in early))
                    msg = f"cell {event.name!r} started before the end of {names}"
                    raise AssertionError(msg)
