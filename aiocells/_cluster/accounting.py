"""What came back from a cluster, as the failures and values of a computation.

The workers know what failed, and what fallbacks gave; what that means for the others is
told here, by the rules that every computer goes by.
"""

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from distributed import KilledWorker

from aiocells._cluster.failed import Answered, CellFailed, Failed, Raised, raised
from aiocells._cluster.packed import Packed
from aiocells._declaring.showing import Shown
from aiocells._outcome.results import Results
from aiocells._planning.covering import answering, covering_of
from aiocells._planning.plan import Plan
from aiocells._running.recovering import Lost
from aiocells._running.run import Run
from aiocells.errors import WorkerDied

_DIED = (
    "the workers that ran the cell died, one after the other: they were killed, for "
    "instance for want of memory, or the cell ended them"
)


class Accounts:
    """What has become of the cells of one computation.

    Args:
        run: the computation; it has the values that were given.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._values: dict[int, Packed] = {}
        # What cells raised; of those with a fallback, what they raised before it was
        # called, and what it raised in its turn.
        self._raised: dict[int, Raised] = {}
        self._before: dict[int, Raised] = {}
        self._called: set[int] = set()
        self._died: dict[int, WorkerDied] = {}
        self._closing: list[Raised] = []
        self.is_over = False

    def add_value(self, number: int, value: Any) -> None:
        """Take in what a target gave."""
        if isinstance(value, Packed):
            self._values[number] = value
        if isinstance(value, Failed):
            self._raised.update(value.failures)
        if isinstance(value, Failed | Answered):
            self.add_told(number, value.behind)

    def add_told(self, number: int, behind: Mapping[int, Raised]) -> None:
        """Take in for which failures the fallback of a cell was called."""
        if behind:
            self._called.add(number)
        for failed, found in behind.items():
            (self._before if failed == number else self._raised)[failed] = found

    def add_failure(self, error: BaseException) -> None:
        """Take in what ended a task.

        Raises:
            BaseException: that is no failure of a cell.
        """
        if isinstance(error, CellFailed):
            self.is_over = True
            self.add_told(error.raised.number, error.behind)
            self._raised[error.raised.number] = error.raised
            return
        number = _number_of(error)
        if number is None:
            raise error
        died = WorkerDied(_DIED, cells=[self._run.plan.program.nodes[number]])
        died.__cause__ = error
        self._died[number] = died
        is_covered = number in covering_of(self._run.plan).covered
        self.is_over |= self._run.on_error == "raise" and not is_covered

    def add_closing(self, failure: Raised) -> None:
        """Take in what closing a resource raised."""
        self._closing.append(failure)

    def results(self) -> Results:
        """The results, or whatever must be raised in their place."""
        run, values = self._run, {}
        for number, packed in self._values.items():
            try:
                values[number] = packed.get()
            except Exception as error:
                self._raised[number] = raised(number, error)
                self.is_over |= run.on_error == "raise"
        if self._raised or self._called or self._died:
            self._tell_all()
        for failure in self._closing:
            self._with_told(failure, run.fail_closing, failure.error())
        for number, value in values.items():
            run.values[number] = value
        return run.conclude()

    def _tell_all(self) -> None:
        """Tell what failed, what was skipped for it, and what fell back."""
        run, plan = self._run, self._run.plan
        fallbacks, covered = covering_of(plan)
        run.plan = answering(plan, dict(self._answers(plan)))
        lost: set[int] = set()
        for number in plan.order:
            failure = self._failure(number)
            if failure is None:
                if lost.isdisjoint(plan.program.needs[number]):
                    continue
                # Of what has ended early it is not known what each fallback would give.
                is_known = number in self._called or number not in fallbacks
                if not run.stopped and (is_known or not self.is_over):
                    run.fail(number, Lost())
            elif not (run.stopped and number in covered):
                error = self._died.get(number) or failure.error()
                self._with_told(failure, run.fail, error)
            if run.recovery is None or number not in run.recovery.fallbacks:
                lost.add(number)

    def _failure(self, number: int) -> Raised | None:
        """What a cell raised, if it did, before its fallback was called.

        When the computation has stopped no fallback is called any more; what those have
        raised that were called before counts.
        """
        if number in self._died:
            return _died(number)
        found = self._raised.get(number)
        if number not in self._called:
            return found
        if self._run.stopped and not (found is not None and found.is_let_out):
            return found
        return self._before.get(number)

    def _answers(self, plan: Plan) -> Iterator[tuple[int, Callable[[Any], Any]]]:
        """What the fallbacks have answered; one that was not called cannot be."""
        for number in covering_of(plan).fallbacks:
            found = self._raised.get(number)
            if number not in self._called or (found is not None and found.is_let_out):
                yield number, _lets_out
            elif found is not None:
                yield number, functools.partial(_raises, found.error())
            else:
                yield number, _answers

    def _with_told(
        self,
        failure: Raised,
        tell: Callable[[int, BaseException], None],
        error: BaseException,
    ) -> None:
        """Tell of a failure while the run has the arguments as they were told."""
        run, program = self._run, self._run.plan.program
        values = run.values
        unknown = [Shown("...")] * len(program.nodes)
        given = {n: values[n] for n in run.plan.overridden}
        run.values = unknown + values[len(unknown) :]
        for number, value in given.items():
            run.values[number] = value
        sources = program.args[failure.number]
        for source, text in zip(sources, failure.arguments, strict=False):
            if text is not None:
                run.values[source] = Shown(text)
        try:
            tell(failure.number, error)
        finally:
            run.values = values


def _number_of(error: BaseException) -> int | None:
    """The cell whose workers died, if that is what happened."""
    key: Any = error.task if isinstance(error, KilledWorker) else None
    return key[1] if isinstance(key, tuple) and key[1] >= 0 else None


def _died(number: int) -> Raised:
    return Raised(number, b"", "", (), "", ends=True, is_let_out=False)


def _answers(_: BaseException) -> None:
    """Its value comes with the others."""


def _lets_out(error: BaseException) -> None:
    raise error


def _raises(error: BaseException, _: BaseException) -> None:
    raise error
