"""Cells that are computed when another cell asks for them: at the call.

That is how plain cells ask. What cells ask with is put among the values of the run,
where the wrapped function of a cell that asks finds it (`_planning/asking.py`).
"""

import asyncio
from collections.abc import Callable, Collection
from typing import Any

from aiocells._graphs.toposort import order_behind
from aiocells._outcome.exceptions import raise_as_it_is, set_traceback, traceback_of
from aiocells._running.recovering import Lost
from aiocells._running.run import Run

_ENDED = (
    "{} asks for another cell, but has ended. It can ask only while it runs: wait for "
    "all that it has started."
)


class Asking:
    """What the cells of one computation ask with.

    Args:
        run: the computation.
        open_resource: opens a resource, and records its value.

    Attributes:
        computed: the cells that were asked for, or computed for one, and have ended.
    """

    def __init__(self, run: Run, open_resource: Callable[[int], None]) -> None:
        program = run.plan.program
        self.computed: set[int] = set()
        self._run = run
        self._lazy = run.plan.lazy
        self._needs = program.needs
        self._described = program.described
        self._open_resource = open_resource
        self._ended: set[int] = set()
        self._is_over = False
        self._raised: dict[int, Any] = {}
        run.asking = self
        run.values[program.asking] = self

    def function(self, asker: int, cell: int) -> Callable[[], Any]:
        """What a plain cell calls to ask for another."""

        def ask() -> Any:
            self.check(asker)
            self._compute_behind(cell)
            return self.answer(cell)

        return ask

    def ended(self, asker: int) -> None:
        """Record that a cell cannot ask any more.

        Raises:
            BaseException: the exit that ends the computation, where what it asked for
                raised one: the cell may have caught it.
        """
        self._ended.add(asker)
        if not self._is_over and self._run.stopped:
            raise next(self._run.exits())

    def close(self) -> None:
        """Let go of the computation, of which somebody may have kept a function."""
        self._is_over = True
        self._raised.clear()
        del self._run, self._open_resource

    def check(self, asker: int) -> None:
        """Refuse to answer a cell that has ended, or in a computation that is ending.

        Raises:
            RuntimeError: the cell has ended.
            CancelledError: the computation is ending.
        """
        if self._is_over or asker in self._ended:
            msg = _ENDED.format(self._described(asker))
            raise RuntimeError(msg)
        if self._run.stopped:
            raise asyncio.CancelledError

    def answer(self, cell: int) -> Any:
        """The value of a cell that has ended; or its failure, which is raised."""
        error = self.failure_of(cell)
        if error is None:
            return self._run.values[cell]
        try:
            # However many ask, its traceback does not grow.
            if cell not in self._raised:
                self._raised[cell] = traceback_of(error)
            set_traceback(error, self._raised[cell])
            raise_as_it_is(error)
        finally:
            del error

    def failure_of(self, cell: int) -> BaseException | None:
        """The failure that a cell that has ended has in place of a value, if any."""
        recovery = self._run.recovery
        return None if recovery is None else recovery.failure_of(cell)

    def is_left(self, cell: int) -> bool:
        """Whether a cell is computed only if one asks for it, and has not ended."""
        return cell in self._lazy and cell not in self.computed

    def left_behind(self, cell: int) -> Collection[int]:
        """The cells that a cell needs, if it is still to be computed."""
        return self._needs[cell] if self.is_left(cell) else ()

    def _compute_behind(self, cell: int) -> None:
        """Compute a cell, and what it needs, unless that is there."""
        if self.is_left(cell):
            for number in order_behind(self.left_behind, [cell]):
                if self.is_left(number):  # else what was computed before asked for it
                    self.compute(number)

    def compute(self, number: int) -> None:
        """Compute a cell, all of whose needs have ended.

        Raises:
            BaseException: what must end the computation.
        """
        run, program = self._run, self._run.plan.program
        try:
            if program.is_resource(number):
                self._open_resource(number)
            else:
                values = program.arguments[number](run.values)
                run.values[number] = run.functions[number](*values)
        except BaseException as error:
            run.fail(number, error)
            if run.stopped and type(error) is Lost:  # an observer asked to exit
                raise asyncio.CancelledError from None
            if run.stopped:
                raise
        self.computed.add(number)
