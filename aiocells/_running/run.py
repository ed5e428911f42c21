"""One computation, and what it means that a cell fails."""

import asyncio
import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aiocells._outcome import failures as _failures
from aiocells._outcome.caching import NO_CACHING
from aiocells._outcome.exceptions import (
    raise_as_it_is,
    set_traceback,
    traceback_of,
)
from aiocells._outcome.failures import Failure
from aiocells._outcome.results import NOTHING, Results
from aiocells._outcome.within import failures_within, held_by, unlike
from aiocells._planning.covering import covering_of
from aiocells._planning.plan import Plan
from aiocells._running.options import OnError
from aiocells._running.recovering import Lost, Recovery, answer_of, lost

if TYPE_CHECKING:
    from aiocells._planning.asking import Answering
    from aiocells._running.notifier import Notifier
    from aiocells.observers import EventKind, Observer

_NOBODY: tuple[()] = ()


def _notifier(observers: "Iterable[Observer]") -> "Notifier | None":
    # Who observes nothing should not wait for the import.
    from aiocells._running.notifier import Notifier, checked_observers

    checked = checked_observers(observers)
    return Notifier(checked) if checked else None


class Run:
    """One computation of a plan.

    Attributes:
        plan: what is run.
        asking: what its cells ask with for others; None where none may ask.
        values: what is known so far: cells, then inputs from the end.
        functions: what to call for each cell.
        kinds: what calling it gives.
        notify: tells the observers what happens; None without observers.
        failures: for each failed cell its exception, as they happened.
        recovery: the failures that did not end it; None before there is one.
        within: what failed in computations within cells that were cancelled.
        skipped: the cells that are not run because one that they need failed.
        outside: the cells that have not begun, though their tasks have: they wait for
            limits.
        interrupted: what ends it and was raised by no cell, such as an exit that an
            observer asked for.
        stopped: whether no further cell may start.
        cancelled: the cancellation that came from outside, if any.
        caching: what a cache has done for it.
    """

    __slots__ = (
        "asking",
        "caching",
        "cancelled",
        "failures",
        "functions",
        "interrupted",
        "kinds",
        "notify",
        "on_error",
        "outside",
        "plan",
        "recovery",
        "skipped",
        "stopped",
        "values",
        "within",
    )

    def __init__(
        self,
        plan: Plan,
        values: list[Any],
        on_error: OnError = "raise",
        observers: "Iterable[Observer]" = (),
    ) -> None:
        self.plan = plan
        self.asking: Answering | None = None
        self.values = values
        self.functions = plan.program.functions
        self.kinds = plan.program.kinds
        self.on_error: OnError = on_error
        self.notify = None if observers is _NOBODY else _notifier(observers)
        self.failures: dict[int, BaseException] = {}
        self.recovery: Recovery | None = None
        self.within: list[Failure] = []
        self.skipped: set[int] = set()
        self.outside: Collection[int] = ()
        self.interrupted: BaseException | None = None
        self.stopped = False
        self.cancelled: BaseException | None = None
        self.caching = NO_CACHING

    def tell(
        self, kind: "EventKind", number: int, error: BaseException | None = None
    ) -> None:
        """Tell the observers, if any, what happened to a cell.

        What an observer raises is dropped with it, all but an exit: that ends the
        computation.
        """
        if self.notify is not None:
            with contextlib.suppress(BaseException):
                self.announce(kind, number, error)

    def announce(
        self,
        kind: "EventKind",
        number: int,
        error: BaseException | None = None,
        **more: Any,
    ) -> None:
        """Tell the observers, if any, what happens, as a part of that cell.

        Raises:
            BaseException: the exit that an observer asked for.
        """
        if self.notify is not None:
            program = self.plan.program
            told = program.nodes[number], program.names[number], error
            try:
                self.notify(kind, *told, **more)
            except BaseException as interrupted:
                self.interrupt(interrupted)
                raise

    def cancel(self, number: int, error: BaseException) -> None:
        """Record that a cell was cancelled with the computation.

        What it raised is dropped, but not what failed in a computation within it.
        """
        self.within = self.within + failures_within([error])
        if number not in self.outside:
            self.tell("cancel", number)

    def interrupt(self, error: BaseException) -> None:
        """Record what is to be raised when all has been stopped; the first counts."""
        if self.interrupted is None:
            self.interrupted = error
        self.stopped = True

    def fail(
        self, number: int, error: BaseException, *, is_ending: bool = False
    ) -> None:
        """Record that a cell raised `error`, and what follows from it.

        Unless that stops the computation, those that need the cell come in their turn
        all the same. It has its value then, if its fallback gave one.

        Args:
            number: the cell.
            error: what it raised, or `Lost`.
            is_ending: whether the computation was cancelled, so that nothing is made
                good any more.
        """
        if self.asking is not None and self._has_ended_by(error):
            return
        recovery = self.recovery = self.recovery or Recovery(self.plan)
        fallbacks, covered = covering_of(self.plan)
        if is_ending or self.stopped:
            fallbacks, covered = {}, frozenset()
        is_lost = type(error) is Lost
        if is_lost and number not in fallbacks:
            self._skip(number, recovery)
            return
        values = None if is_lost else self.values  # it was not called with them
        try:
            if is_lost:
                error = recovery.failure_before(number)
            else:
                error = self._noted(number, error, values)
            if number in fallbacks and not is_fatal(error):
                value, raised = answer_of(fallbacks[number], error)
                if raised is None:
                    self.values[number] = value
                    recovery.fallbacks[number] = error
                    self.tell("fallback", number, error)
                    return
                error = self._noted(number, raised, values)
            must_leave = is_fatal(error)
            if must_leave or number not in covered:
                self.failures[number] = error
            self.tell("failure", number, error)
            if must_leave or not (number in covered or self.on_error == "continue"):
                self.stopped = True
            if not self.stopped:
                recovery.add_failed(number, error)
                self._lose_dependents(number)
        finally:
            raised = None
            del error, recovery  # what a fallback raises holds this frame

    def _has_ended_by(self, error: BaseException) -> bool:
        """Whether it is an exit that another cell raised, and one that asked let out.

        It is the failure of that other cell.
        """
        return is_fatal(error) and any(each is error for each in self.exits())

    def exits(self) -> Iterator[BaseException]:
        """What ends the computation, whoever catches it."""
        if self.interrupted is not None:
            yield self.interrupted
        yield from filter(is_fatal, self.failures.values())

    def fail_closing(self, number: int, error: BaseException) -> None:
        """Record that the clean-up of a resource raised `error`."""
        # Its arguments may have been let go.
        values = None if self.plan.frees else self.values
        error = self.failures[number] = self._noted(number, error, values)
        self.tell("failure", number, error)
        if self.on_error != "continue" or is_fatal(error):
            self.stopped = True

    def _noted(
        self, number: int, error: BaseException, values: list[Any] | None
    ) -> BaseException:
        """What a cell raised, as it is told."""
        if isinstance(error, StopIteration):
            # Out of a coroutine Python itself makes it one; so do plain cells.
            converted = RuntimeError("cell raised StopIteration")
            converted.__cause__ = error
            set_traceback(converted, traceback_of(error))
            error = converted
        _failures.note_cell(error, self.plan, number, values)
        return error

    def _skip(self, number: int, recovery: Recovery) -> None:
        recovery.add_skipped(number)
        if number not in covering_of(self.plan).covered:
            self.skipped.add(number)
        self.tell("skip", number)
        self._lose_dependents(number)

    def _lose_dependents(self, number: int) -> None:
        """Have those that need a cell not be called when it is their turn."""
        dependents = self.plan.dependents[number]
        if dependents and self.functions is self.plan.program.functions:
            self.functions = self.functions.copy()
        for each in dependents:
            self.functions[each] = lost

    def conclude(self) -> Results:
        """The results, or whatever must be raised in their place."""
        interruption, failures = self.interrupted, self.failures
        if (
            not (failures or self.recovery or self.asking)
            and interruption is self.cancelled is None
        ):
            # As most do: .1 microseconds less.
            self.functions = []
            values = self._target_values()
            return Results(self.plan.outline, values, caching=self.caching)
        fallbacks = NOTHING if self.recovery is None else self.recovery.fallbacks
        if interruption is None:
            interruption = self.cancelled
        # A traceback holds the run: if that held the exception, both would live, with
        # all values, until the next garbage collection.
        self.interrupted = self.cancelled = None
        absent = NOTHING if self.asking is None else self._absent(self.asking)
        self.failures, self.recovery = {}, None
        # Those that tell the observers refer to this.
        self.functions = []
        must_raise = interruption is not None or (failures and self.stopped)
        values = () if must_raise else self._target_values()
        if fallbacks:
            # What one gave may hold what it was given, whose traceback holds this.
            values = list(values)
            self.values.clear()
        if not must_raise:
            return Results(
                self.plan.outline,
                values,
                failures,
                frozenset(self.skipped),
                fallbacks,
                absent,
                self.caching,
            )
        absent = NOTHING  # a traceback holds this frame
        try:
            raise_as_it_is(self._verdict(interruption, failures))
        finally:
            del interruption, failures, fallbacks

    def _absent(self, asking: "Answering") -> Mapping[int, BaseException | None]:
        """The cells without a value since nobody asked for it, or it failed for him."""
        self.asking = None
        if self.recovery is None:
            return asking.unasked()
        absent: dict[int, BaseException | None] = {}
        for number in sorted(self.plan.lazy):
            error = self.recovery.failure_of(number)
            if error is not None or number not in asking.computed:
                absent[number] = error
        return absent

    def _target_values(self) -> Sequence[Any]:
        """The values of the targets in their places; no other is to be kept alive."""
        plan, values = self.plan, self.values
        if plan.frees:
            return [values[number] for number in plan.targets]
        for number in plan.resources:
            values[number] = None
        del values[len(plan.program.nodes) :]
        return values

    def _verdict(
        self, interruption: BaseException | None, failures: dict[int, BaseException]
    ) -> BaseException:
        """What to raise; it tells of all failures, its cells' and those within them."""
        errors = list(failures.values())
        own = _failures.failures_of(self.plan, failures)
        within = unlike(errors, self.within + failures_within(errors))
        self.within = []
        held = held_by(errors)
        beside = [failure for failure in within if id(failure.error) not in held]
        # An exit that a cell asked for leaves even a computation that is cancelled.
        fatal = [error for error in errors if is_fatal(error)]
        if self.on_error == "group" and interruption is None and not fatal:
            errors += [failure.error for failure in beside]
            count = f"{len(errors)} cell{'s' if len(errors) > 1 else ''} failed"
            primary: BaseException = BaseExceptionGroup(count, errors)
        else:
            if interruption is None or (fatal and not is_fatal(interruption)):
                interruption = fatal[0] if fatal else errors[0]
            primary = interruption
            _failures.note_others(primary, own + beside)
        if own or within:
            _failures.attach_failures(primary, own, within)
        return primary


def is_fatal(error: BaseException) -> bool:
    """Whether an exception must leave the computation, whatever `on_error` says.

    A cell that raises CancelledError although nobody cancelled it has just failed.
    """
    return not isinstance(error, Exception | asyncio.CancelledError)
