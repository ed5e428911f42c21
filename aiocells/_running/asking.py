"""Cells that are computed when another cell asks for them: at the call.

That is how plain cells ask. What cells ask with is put among the values of the run,
where the wrapped function of a cell that asks finds it (`_planning/asking.py`).
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Any

from aiocells._graphs.toposort import order_behind
from aiocells._outcome.exceptions import raise_as_it_is, set_traceback, traceback_of
from aiocells._outcome.results import NOTHING
from aiocells._planning.plan import Plan
from aiocells._running.options import OnError
from aiocells._running.recovering import Lost
from aiocells._running.run import Run

_ENDED = (
    "{} asks for another cell, but has ended. It can ask only while it runs: wait for "
    "all that it has started."
)


class Asking:
    """What the cells of one computation ask with.

    Args:
        plan: what is run.
        values: those of the computation.
        on_error: what a failure means.
        run: the computation; if there is none yet, it is made when a cell fails.
        open_resource: opens a resource, and records its value; None where there is
            none.

    Attributes:
        computed: the cells that were asked for, or computed for one, and have ended.
        run: the computation, if there is one.
        values: its values.
    """

    # What is not needed by a computation in which nothing fails is made by others.
    __slots__ = (
        "_ended",
        "_is_over",
        "_on_error",
        "_open_resource",
        "_plan",
        "_raised",
        "computed",
        "run",
        "values",
    )

    def __init__(
        self,
        plan: Plan,
        values: list[Any],
        on_error: OnError,
        run: Run | None = None,
        open_resource: Callable[[int], None] | None = None,
    ) -> None:
        self.computed: set[int] = set()
        self.run = run
        self.values = values
        self._plan = plan
        self._on_error: OnError = on_error
        self._open_resource = open_resource
        self._ended: set[int] = set()
        self._is_over = False
        self._raised: dict[int, Any] | None = None
        values[plan.program.asking] = self
        if run is not None:
            run.asking = self

    def begin(self) -> Run:
        """The computation, which is made if there is none yet."""
        if self.run is None:
            self.run = Run(self._plan, self.values, self._on_error)
            self.run.asking = self
        return self.run

    def function(self, asker: int, cell: int) -> Callable[[], Any]:
        """What a plain cell calls to ask for another."""

        def ask() -> Any:
            self.check(asker)
            if self.is_left(cell):
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
        if self.run is not None and self.run.stopped:
            raise next(self.run.exits())

    def close(self) -> None:
        """Let go of the computation, of which somebody may have kept a function."""
        self._is_over = True
        self.run = self._raised = self._open_resource = None
        self.values = []

    def check(self, asker: int) -> None:
        """Refuse to answer a cell that has ended, or in a computation that is ending.

        Raises:
            RuntimeError: the cell has ended.
            CancelledError: the computation is ending.
        """
        if self._is_over or asker in self._ended:
            msg = _ENDED.format(self._plan.program.described(asker))
            raise RuntimeError(msg)
        if self.run is not None and self.run.stopped:
            raise asyncio.CancelledError

    def answer(self, cell: int) -> Any:
        """The value of a cell that has ended; or its failure, which is raised."""
        error = None if self.run is None else self.failure_of(cell)
        if error is None:
            return self.values[cell]
        try:
            # However many ask, its traceback does not grow.
            if self._raised is None:
                self._raised = {}
            if cell not in self._raised:
                self._raised[cell] = traceback_of(error)
            set_traceback(error, self._raised[cell])
            raise_as_it_is(error)
        finally:
            del error

    def failure_of(self, cell: int) -> BaseException | None:
        """The failure that a cell that has ended has in place of a value, if any."""
        run = self.run
        if run is None or run.recovery is None:
            return None
        return run.recovery.failure_of(cell)

    def is_left(self, cell: int) -> bool:
        """Whether a cell is computed only if one asks for it, and has not ended."""
        return cell in self._plan.lazy and cell not in self.computed

    def left_behind(self, cell: int) -> Collection[int]:
        """The cells that a cell needs, if it is still to be computed."""
        return self._plan.program.needs[cell] if self.is_left(cell) else ()

    def _compute_behind(self, cell: int) -> None:
        """Compute a cell, and what it needs, unless that is there."""
        behind = self._plan.behind.get(cell)
        if behind is None:
            behind = order_behind(self.left_behind, [cell])
        for number in behind:
            # What is computed before may ask for it.
            if number in self._plan.lazy and number not in self.computed:
                self.compute(number)

    def compute(self, number: int) -> None:
        """Compute a cell, all of whose needs have ended.

        Raises:
            BaseException: what must end the computation.
        """
        program, values = self._plan.program, self.values
        functions = (self.run or program).functions
        try:
            if self._open_resource is not None and program.is_resource(number):
                self._open_resource(number)
            else:
                arguments = program.arguments[number](values)
                values[number] = functions[number](*arguments)
        except BaseException as error:
            run = self.begin()
            run.fail(number, error)
            if run.stopped and type(error) is Lost:  # an observer asked to exit
                raise asyncio.CancelledError from None
            if run.stopped:
                raise
        self.computed.add(number)

    def unasked(self) -> Mapping[int, None]:
        """The cells without a value since nobody asked for them."""
        lazy, computed = self._plan.lazy, self.computed
        if len(computed) == len(lazy):
            return NOTHING
        return dict.fromkeys(lazy.difference(computed))
