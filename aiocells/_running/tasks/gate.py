"""Limiters that computations share: cells enter them before they begin.

To the rest of the library such a cell is an async cell, whose body waits first.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from aiocells._declaring.kinds import Kind
from aiocells._outcome.exceptions import add_notes, text_of
from aiocells._running.run import Run, is_fatal
from aiocells._running.tasks.cancellation import delivered
from aiocells._running.tasks.watchdog import on_the_loop


class Gate:
    """Has the cells of a run wait for their limiters before they begin.

    Args:
        run: the computation; the functions of these cells are replaced.
        limiters: by name those that cells enter.
        watchdog: seconds that a plain cell may hold up the loop without a word.

    Attributes:
        limiters: for each cell that enters some, these by name, in their order.
        admitted: what such a cell waits for when it is inside of them, if anything.
    """

    def __init__(
        self, run: Run, limiters: Mapping[str, Any], watchdog: float | None = None
    ) -> None:
        self._run = run
        self._watchdog = watchdog
        self.admitted: Callable[[int], Awaitable[None]] | None = None
        self.limiters: dict[int, list[tuple[str, Any]]] = {}
        self._around_items: dict[int, list[tuple[str, Any]]] = {}
        program = run.plan.program
        for number in run.plan.cells:
            if program.options[number].limit is not None:
                names = program.options[number].limits
                entered = [(name, limiters[name]) for name in names if name in limiters]
                if not entered:
                    continue
                if program.options[number].fan_out is None:
                    self.limiters[number] = entered
                else:
                    self._around_items[number] = entered
        run.outside = self._outside = set(self.limiters)
        run.functions, run.kinds = run.functions.copy(), run.kinds.copy()
        for number in self.limiters:
            if not program.is_resource(number):
                run.functions[number] = self._waiting(number, run.functions[number])
                run.kinds[number] = Kind.ASYNC

    def _waiting(
        self, number: int, function: Callable[..., Any]
    ) -> Callable[..., Awaitable[Any]]:
        """A cell that waits before it begins."""
        if self._run.kinds[number] is Kind.PLAIN:
            program = self._run.plan.program
            function = on_the_loop(program, self._watchdog, number, function)

        async def wait_and_call(*values: Any) -> Any:
            return await self.inside(number, function, *values)

        return wait_and_call

    async def inside(
        self, number: int, function: Callable[..., Awaitable[Any]], *values: Any
    ) -> Any:
        """Await a cell inside of its limiters."""
        return await self._within(self.limiters[number], number, function, values)

    def around(
        self, number: int, function: Callable[..., Awaitable[Any]]
    ) -> Callable[..., Awaitable[Any]] | None:
        """What awaits an item of a fan-out inside of its limiters; None without any."""
        limiters = self._around_items.get(number)
        if limiters is None:
            return None

        async def enter_and_call(*row: Any) -> Any:
            return await self._within(limiters, None, function, row)

        return enter_and_call

    async def _within(
        self,
        limiters: Iterable[tuple[str, Any]],
        number: int | None,
        function: Callable[..., Awaitable[Any]],
        values: Iterable[Any],
    ) -> Any:
        """Await a cell inside of limiters, or an item of one, if no cell is given.

        They are left untold how it ended, so that none can hide a failure.
        """
        entered: list[tuple[str, Any]] = []
        failure: BaseException | None = None
        value = None
        try:
            try:
                await _enter(limiters, entered)
                if number is not None:
                    if self.admitted is not None:
                        await self.admitted(number)
                    self._outside.discard(number)
                value = await function(*values)
            except BaseException as error:
                failure = error
            while entered:
                name, limiter = entered.pop()
                try:
                    await type(limiter).__aexit__(limiter, None, None, None)
                except BaseException as error:
                    failure = _both(failure, error, f"leaving its limit {name!r}")
            if failure is not None:
                raise failure
            return value
        finally:
            del failure, value  # the first holds this frame


async def _enter(
    limiters: Iterable[tuple[str, Any]], entered: list[tuple[str, Any]]
) -> None:
    """Enter limiters; those that were are added to a list."""
    task = asyncio.current_task()
    cancelled_before = 0 if task is None else task.cancelling()
    for name, limiter in limiters:
        try:
            await type(limiter).__aenter__(limiter)
        except Exception as error:
            _note(error, f"while entering its limit {name!r}")
            raise
        entered.append((name, limiter))
        if task is not None and task.cancelling() > cancelled_before:
            raise await delivered()


def _both(
    first: BaseException | None, second: BaseException, when: str
) -> BaseException:
    """The one of two exceptions that is the cell's failure; it tells of the other.

    What the cell raised comes first. But its cancellation is no failure, and an exit is
    never put last.
    """
    if first is None:
        _note(second, f"while {when}")
        return second
    is_first = is_fatal(first) or not (
        isinstance(first, asyncio.CancelledError) or is_fatal(second)
    )
    if is_first:
        _note(first, f"also failed, {when}: {text_of(second)}")
        return first
    return second


def _note(error: BaseException, text: str) -> None:
    if isinstance(error, Exception):
        add_notes(error, [text])
