"""Runs a random computation of tests/asking.py that is disturbed, and checks it.

Its cells hang, exit and wait for limits, it is cancelled at any event, and the tasks
are made by a factory, which may fail.
"""

import asyncio
import contextlib
from typing import Any

import anyio
import attrs

import aiocells
from aiocells import Results
from tests.asking import ACTS, AskingCase, AskingCells, CellError, make_asking_case
from tests.factories import FACTORIES, FactoryError, failing_at, of_two_arguments
from tests.fault_sharing import SharedLimit
from tests.faults import Chooser, some
from tests.virtual_loop import VirtualLoop

COMPUTERS = {
    "async_sequential": aiocells.async_compute_sequential,
    "concurrent": aiocells.async_compute_concurrent,
    "simple": aiocells.async_compute_concurrent_simple,
}
MESSAGE = "from outside"
_FAULTS = (*ACTS, "hang", "swallow", "exit")
# What cells raise, and what is raised for them.
_TOLD = (CellError, RuntimeError, asyncio.CancelledError, SystemExit)


@attrs.frozen
class Disturbed:
    """A random computation, and what comes in between.

    Attributes:
        case: its cells.
        computer: what computes it, or "hold", for some turns.
        on_error: what a failure means.
        is_chosen: whether only the last cell is asked for.
        max_concurrency: how many cells may run at once, if bounded.
        few: how many cells of the limit "few".
        turns: how often a limiter, which others may share, lets others run before it
            lets in anybody; None for a number in its place.
        cancel_at: the events, counted from 1, at which it is cancelled from outside.
        is_scoped: whether it is cancelled by a scope of anyio.
        timeout: the virtual second at which it is cancelled, if any.
        factory: the name of the loop's task factory; "" for none.
        factory_fails_at: the call at which the factory raises, if any.
    """

    case: AskingCase
    computer: str
    on_error: str
    is_chosen: bool = False
    max_concurrency: int | None = None
    few: int = 1
    turns: int | None = None
    cancel_at: tuple[int, ...] = ()
    is_scoped: bool = False
    timeout: float | None = None
    factory: str = ""
    factory_fails_at: int | None = None

    @property
    def is_calm(self) -> bool:
        """Whether nothing ends it from outside."""
        disturbances = (self.timeout, self.factory_fails_at)
        return not self.cancel_at and disturbances == (None, None)


def make_disturbed(choose: Chooser) -> Disturbed:
    """Any computation whose cells ask, with anything that may come in between."""
    case = make_asking_case(
        choose, is_patient=choose((True, False)), acts=_FAULTS, limited=(False, True)
    )
    computer = choose((*COMPUTERS, "concurrent", "hold"))
    events = range(1, 2 + 3 * len(case.nodes))
    is_scoped = choose((False,) * 5 + (True,))
    return Disturbed(
        case,
        computer,
        on_error="raise" if computer == "hold" else choose(_ON_ERROR),
        is_chosen=choose((False, True)),
        max_concurrency=choose((None, None, 1, 2)),
        few=choose((1, 2)),
        turns=choose((None, 0, 1, 2)),
        cancel_at=tuple(sorted(some(choose, events, 2))),
        is_scoped=is_scoped,
        timeout=None if is_scoped else choose((None, None, None, 0.0, 1.0, 2.5)),
        factory=choose(("",) * 4 + tuple(FACTORIES)),
        factory_fails_at=choose((None, None, None, *range(1, 6))),
    )


_ON_ERROR = ("raise", "group", "continue")


class DisturbedRun:
    """One run of such a computation.

    Attributes:
        cells: the cells, and what happened in them.
        outcome: the results, or what was raised in their place.
    """

    def __init__(self, disturbed: Disturbed) -> None:
        """Make the cells."""
        self.told = disturbed
        self.cells = AskingCells(disturbed.case, self._on_event)
        self.outcome: Any = None
        self._events = 0
        self._cancellations = 0
        self._main: asyncio.Task[Any] | None = None
        self._scope: anyio.CancelScope | None = None
        self._is_over = False
        self._is_timed_out = False
        self._is_cancelled_later = False
        self._factory_errors: list[Any] = []
        self._limiter: SharedLimit | None = None

    def run(self) -> None:
        """Run it, and check everything that can be checked of any."""
        self._loop = VirtualLoop(self._on_idle)
        try:
            self._loop.run_until_complete(self._run())
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        finally:
            self._loop.close()
        assert self.cells.problems == []
        assert not self.cells.active
        self.cells.check_resources()
        if self._limiter is not None:
            assert self._limiter.inside == 0
            assert self._limiter.semaphore._value == self.told.few
        self._check_outcome()

    def _on_event(self) -> None:
        self._events += 1
        if self._events in self.told.cancel_at:
            self._cancel()

    def _cancel(self) -> None:
        if not self._is_over and self._main is not None:
            self._cancellations += 1
            if self._scope is not None:
                self._scope.cancel()
            else:
                self._main.cancel(MESSAGE)

    def _on_idle(self) -> bool:
        """Cancel what hangs; tells whether anything may."""
        hangs = any(node.act in ("hang", "swallow") for node in self.told.case.nodes)
        if hangs and not self._is_over:
            self._cancel()
        return hangs and not self._is_over

    async def _run(self) -> None:
        main = self._main = asyncio.current_task()
        assert main is not None
        with contextlib.suppress(asyncio.CancelledError, TimeoutError):
            async with asyncio.timeout(self.told.timeout) as limit:
                if self.told.is_scoped:
                    self._scope = anyio.CancelScope()
                with self._scope or contextlib.nullcontext():
                    self._set_factory()
                    try:
                        self.outcome = await self._compute()
                    except BaseException as error:
                        self.outcome = error
                    self._is_over = True
                    self._loop.set_task_factory(None)
                    left = asyncio.all_tasks() - {main}
                    done = len(self.cells.log)
                    if isinstance(self.outcome, asyncio.CancelledError):
                        raise self.outcome
        self._is_timed_out = limit.expired()
        assert left == set()
        if self._scope is None:
            assert main.cancelling() == self._cancellations
        for _ in range(3):
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                self._is_cancelled_later = True
        assert len(self.cells.log) == done

    def _set_factory(self) -> None:
        factory = FACTORIES.get(self.told.factory)
        call = self.told.factory_fails_at
        if call is not None:
            inner = factory or of_two_arguments
            factory, self._factory_errors = failing_at(call, inner, makes=False)
        self._loop.set_task_factory(factory)

    def _limits(self) -> Any:
        told = self.told
        if not any(node.is_limited for node in told.case.nodes):
            return None
        if told.turns is None:
            # One cell at a time keeps to every number.
            self.cells.few = told.few
            return {"few": told.few}
        self._limiter = SharedLimit(told.few, told.turns)
        return {"few": self._limiter}

    async def _compute(self) -> Any:
        told, graph = self.told, self.cells.graph
        last = self.cells.cells[told.case.nodes[-1].rank]
        if told.computer == "hold":
            held = aiocells.hold(graph, [last], limits=self._limits())
            async with held as values:
                assert last in values
                for _ in range(2):
                    await asyncio.sleep(0)
            return values
        options: dict[str, Any] = {"limits": self._limits(), "on_error": told.on_error}
        if told.computer != "async_sequential":
            options["max_concurrency"] = told.max_concurrency
        if told.is_chosen and not told.case.nodes[-1].is_resource:
            options["targets"] = [last]
        return await COMPUTERS[told.computer](graph, **options)

    def _check_outcome(self) -> None:
        """What could come out of it did, and all that is told of has happened."""
        outcome = self.outcome
        was_cancelled = bool(self._cancellations) or self._is_timed_out
        is_exit = isinstance(outcome, SystemExit)
        if isinstance(outcome, BaseException):
            failures = list(aiocells.failures(outcome).values())
        else:
            failures = []
        if isinstance(outcome, Results):
            failures = [*outcome.failures.values(), *outcome.fallbacks.values()]
            assert not outcome.failures or self.told.on_error == "continue"
        for error in failures:
            assert isinstance(error, _TOLD)
            assert "please report" not in str(error)
        if isinstance(outcome, FactoryError):
            assert any(outcome is error for error in self._factory_errors)
        elif not is_exit and was_cancelled:
            # A scope that has been left cancels nobody any more.
            is_cancelled = isinstance(outcome, asyncio.CancelledError)
            assert is_cancelled or self._is_cancelled_later or self.told.is_scoped
        elif not is_exit and isinstance(outcome, BaseException):
            assert failures
            assert self.told.on_error != "continue"
        if self.told.is_calm and not self._cancellations:
            self._check_limits()

    def _check_limits(self) -> None:
        """Where nobody is cancelled, no more run than may."""
        most = 1 if self.told.computer == "async_sequential" else None
        if self.told.computer in ("concurrent", "simple"):
            most = self.told.max_concurrency
        if most is not None and not isinstance(self.outcome, BaseException):
            assert self.cells.most_active <= most
