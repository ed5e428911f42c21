"""Telling observers of the starts and ends of cells.

The functions of an observed computation are wrapped, so that one without observers
asks nothing at each cell.
"""

from collections.abc import Callable
from typing import Any

from aiocells._declaring.kinds import Kind
from aiocells._running.run import Run


def observe(run: Run) -> None:
    """Have the functions of a run that has observers tell of their starts and ends."""
    run.functions = run.functions.copy()
    for number in run.plan.cells:
        if not run.plan.program.is_resource(number):
            wrap = _async_told if run.kinds[number] is Kind.ASYNC else _told
            run.functions[number] = wrap(run, number, run.functions[number])


def _told(run: Run, number: int, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*values: Any) -> Any:
        run.announce("start", number)
        value = function(*values)
        run.announce("end", number)
        return value

    return call


def _async_told(
    run: Run, number: int, function: Callable[..., Any]
) -> Callable[..., Any]:
    async def call(*values: Any) -> Any:
        run.announce("start", number)
        value = await function(*values)
        run.announce("end", number)
        return value

    return call
