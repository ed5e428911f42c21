"""A stopwatch, to time a computation or a part of it."""

import functools
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self, TypeAlias, overload

if TYPE_CHECKING:
    import datetime

Elapsed: TypeAlias = "datetime.timedelta | None"


@functools.cache
def _epoch() -> "datetime.datetime":
    """When the clock that is never set back showed zero."""
    # Who measures nothing should not wait for the import.
    import datetime

    since = datetime.timedelta(seconds=time.perf_counter())
    return datetime.datetime.now(datetime.UTC) - since


def _steady_now() -> "datetime.datetime":
    """Return the time in UTC, by a clock that is never set back."""
    import datetime

    return _epoch() + datetime.timedelta(seconds=time.perf_counter())


class Stopwatch:
    """Measures the time between a start and a stop.

    `start` and `stop` take no arguments, so they can be nodes of a graph.
    As a context manager it times the block.

    Args:
        stop_message: what to write at the end of a `with` block that did
            not fail; `{elapsed_time}` in it is replaced by the time.
        writer: called with that message.
        now_function: the clock; by default UTC, and never set back.

    >>> from aiocells import Stopwatch
    >>> with Stopwatch() as stopwatch:
    ...     total = sum(range(1000))
    >>> type(stopwatch.elapsed_time())
    <class 'datetime.timedelta'>
    """

    def __init__(
        self,
        stop_message: str | None = None,
        writer: Callable[[str], object] = print,
        now_function: "Callable[[], datetime.datetime]" = _steady_now,
    ) -> None:
        self._stop_message = stop_message
        self._writer = writer
        self._now_function = now_function
        self._started: datetime.datetime | None = None
        self._lap_started: datetime.datetime | None = None
        self._stopped: datetime.datetime | None = None

    @property
    def is_running(self) -> bool:
        """Whether it was started and not yet stopped."""
        return self._started is not None and self._stopped is None

    def now(self) -> "datetime.datetime":
        """Return what the clock shows."""
        return self._now_function()

    def start(self) -> None:
        """Start from zero.

        Raises:
            RuntimeError: it is running already.
        """
        if self.is_running:
            msg = (
                "This stopwatch is running already. Call stop() before start(), "
                "or restart() to do both."
            )
            raise RuntimeError(msg)
        self._started = self._lap_started = self.now()
        self._stopped = None

    def stop(self) -> None:
        """Stop, and keep the time for `elapsed_time`.

        Raises:
            RuntimeError: it is not running.
        """
        if not self.is_running:
            msg = "This stopwatch is not running. Call start() before stop()."
            raise RuntimeError(msg)
        self._stopped = self.now()

    def restart(self) -> None:
        """Stop, then start from zero.

        Raises:
            RuntimeError: it is not running.
        """
        self.stop()
        self.start()

    @overload
    def elapsed_time(self, return_lap_time: Literal[False] = False) -> Elapsed: ...

    @overload
    def elapsed_time(
        self, return_lap_time: Literal[True]
    ) -> tuple[Elapsed, Elapsed]: ...

    @overload
    def elapsed_time(
        self, return_lap_time: bool
    ) -> "Elapsed | tuple[Elapsed, Elapsed]": ...

    def elapsed_time(
        self, return_lap_time: bool = False
    ) -> "Elapsed | tuple[Elapsed, Elapsed]":
        """Return the time from the start to the stop, or to now if it runs.

        Args:
            return_lap_time: return a pair: the time since the start, and the
                time since the start of the lap. Where the stopwatch runs, this
                ends the lap and starts the next.

        Returns:
            A `timedelta`, or a pair of them; `None` in their place if the
            stopwatch was never started.
        """
        if self._started is None or self._lap_started is None:
            return (None, None) if return_lap_time else None
        until = self.now() if self._stopped is None else self._stopped
        elapsed = until - self._started
        if not return_lap_time:
            return elapsed
        lap = until - self._lap_started
        if self.is_running:
            self._lap_started = until
        return elapsed, lap

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # The block may have stopped it by hand.
        if self.is_running:
            self.stop()
        if self._stop_message and error is None:
            self._writer(self._stop_message.format(elapsed_time=self.elapsed_time()))
