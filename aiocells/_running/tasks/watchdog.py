"""Telling of plain cells that hold up the event loop."""

import logging
import math
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

from aiocells._graphs.structure import Attached
from aiocells._outcome.failures import without_stop_iteration
from aiocells._planning.program import Program

# Seconds that a plain cell may hold up the event loop before that is logged.
WATCHDOG = 0.05

_logger = logging.getLogger("aiocells")
_reported: Attached[set[int]] = Attached()


def check_watchdog(seconds: object) -> None:
    """Refuse what is no number of seconds.

    Raises:
        ValueError: it is none.
    """
    if seconds is not None and not (
        isinstance(seconds, int | float)
        and not isinstance(seconds, bool)
        and seconds >= 0
    ):
        msg = f"watchdog={seconds!r}: expected a number of seconds, or None for never."
        raise ValueError(msg)


def on_the_loop(
    program: Program,
    watchdog: float | None,
    number: int,
    function: Callable[..., Any],
) -> Callable[..., Awaitable[Any]]:
    """A plain cell as an async one, which runs on the event loop all the same.

    Args:
        program: the graph's cells.
        watchdog: seconds that it may hold up the loop without a word; None for any.
        number: the cell.
        function: what to call for it.
    """
    report = reporter(program, watchdog)

    async def call(*values: Any) -> Any:
        began = monotonic()
        try:
            return without_stop_iteration(function, values)
        finally:
            report(number, monotonic() - began)

    return call


def reporter(program: Program, watchdog: float | None) -> Callable[[int, float], None]:
    """What is told for how many seconds a cell has held up the loop at once.

    Args:
        program: the graph's cells.
        watchdog: seconds of which nothing is said; None for any.
    """
    most = math.inf if watchdog is None else watchdog

    def report(number: int, seconds: float) -> None:
        if seconds > most:
            report_blocking(program, number, seconds)

    return report


def report_blocking(program: Program, number: int, seconds: float) -> None:
    """Log that a cell held up the event loop; once for a cell of a graph.

    Args:
        program: the graph's cells.
        number: the cell.
        seconds: for how long.
    """
    reported = _reported.get(program)
    if reported is None:
        reported = _reported.set(program, set())
    if number in reported:
        return
    reported.add(number)
    _logger.warning(
        "The plain cell %s held up the event loop for %.0f ms; nothing else ran "
        'meanwhile. Move it off the loop with @cell(run_in="thread"), or set the '
        "computer's watchdog= to more seconds, or to None.",
        program.described(number),
        seconds * 1000,
    )
