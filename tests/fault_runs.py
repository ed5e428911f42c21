"""Runs a random computation of tests/faults.py, and checks what must hold for any."""

import asyncio
import contextlib
import multiprocessing
import os
import tempfile
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import anyio
import attrs

import aiocells
from aiocells import Results
from aiocells.errors import WorkerDied
from aiocells.observers import Event
from tests.factories import FACTORIES, failing_at, of_two_arguments
from tests.fault_cells import COMPUTERS, FaultyCells
from tests.fault_reference import covered, expected
from tests.faults import FIRST_INNER, Case, FaultyNode
from tests.helpers import IN_BROWSER
from tests.virtual_loop import GIVE_UP, VirtualLoop
from tests.worker_cells import HANGING, OddError, error_of

MESSAGE = "from outside"
# For workers in which a cell leaves a thread.
_HASTE = mock.patch("aiocells._running.elsewhere.processes.CLOSE_TIMEOUT", 0.1)
# Real seconds that a thread may take to answer before the loop counts as idle. If it
# takes longer, a case is cancelled early; that is a case, too.
THREAD_PATIENCE = 0.002


def children() -> set[int]:
    """The child processes, but for the one that multiprocessing keeps."""
    if IN_BROWSER:
        return set()
    from multiprocessing import resource_tracker

    found = {process.pid or 0 for process in multiprocessing.active_children()}
    for tasks in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            # A thread may end while it is looked at; its children have another parent.
            found.update(map(int, tasks.read_text().split()))
    return found - {resource_tracker._resource_tracker._pid}


def is_fatal(error: BaseException) -> bool:
    """Whether it must leave a computation, whatever that was told."""
    return isinstance(error, KeyboardInterrupt | SystemExit)


def is_expected(
    error: BaseException, expected: BaseException | type[BaseException]
) -> bool:
    """Whether `error` is what a cell raised, or what is raised for it."""
    if isinstance(expected, type):
        return type(error) is expected
    if isinstance(expected, StopIteration):
        return type(error) is RuntimeError and error.__cause__ is expected
    return error is expected


@attrs.frozen(eq=False)
class Token:
    """Given to all cells."""


class FaultRun:
    """One run of a case.

    Args:
        case: what to run.

    Attributes:
        made: the cells, and what happened in them.
        cancellations: how often it was cancelled from outside.
        is_timed_out: whether it was cancelled by `asyncio.timeout`.
        outcome: the results, or what was raised in their place.
        is_cancelled_later: whether a cancellation came through only afterwards.
        factory_errors: what the loop's task factory raised.
    """

    def __init__(self, case: Case) -> None:
        """Make the cells."""
        self.case = case
        self.made = FaultyCells(case, self._on_event)
        self.cancellations = 0
        self.is_timed_out = False
        self.outcome: Any = None
        self.is_cancelled_later = False
        self.factory_errors: list[Any] = []
        self._scope: anyio.CancelScope | None = None
        self._needs: list[set[int]] = []
        self._is_over = False
        self._token: weakref.ref[Token] | None = None
        self._events = 0
        places = {node.place for node in case.nodes}
        self._has_processes = "process" in places
        self._in_processes: set[int] = set()
        self._hanging: set[int] = set()
        self._patience = 0.0
        threaded = {"thread", "thread_resource", "process"}
        if case.computer != "sequential" and places & threaded:
            self._patience = THREAD_PATIENCE

    # Running

    def run(self) -> None:
        """Run the case, and check everything that can be checked of any case."""
        threads = set(threading.enumerate())
        before = children() if self._has_processes else set()
        self.loop = VirtualLoop(self._on_idle, self._patience)
        try:
            with self._hearing_of_hanging():
                self.loop.run_until_complete(self._main())
                self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        finally:
            self.loop.close()
        assert set(threading.enumerate()) == threads
        if self._has_processes:
            assert children() == before
            self._add_processes()
        assert self.made.problems == []
        self._check_resources()
        self._check_outcome()
        self._check_failures()

    @contextlib.contextmanager
    def _hearing_of_hanging(self) -> Iterator[None]:
        """Let the process cells that hang say so, instead of waiting for them."""
        if not self._has_processes:
            yield
            return
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "hanging")
            os.mkfifo(path)
            # For writing, too: the end of one writer is no end of the pipe.
            pipe = os.open(path, os.O_RDWR)
            self.loop.add_reader(pipe, self._on_hanging, pipe)
            try:
                with mock.patch.dict(os.environ, {HANGING: path}), _HASTE:
                    yield
            finally:
                self.loop.remove_reader(pipe)
                os.close(pipe)

    def _on_hanging(self, pipe: int) -> None:
        self._hanging.update(os.read(pipe, 100))
        self._set_patience()

    def _set_patience(self) -> None:
        """Wait for the processes until nothing but hanging ones are left."""
        # As many as there are processors run at once.
        running = min(len(self._in_processes), os.cpu_count() or 1)
        all_hang = len(self._hanging & self._in_processes) == running
        self.loop.patience = THREAD_PATIENCE if all_hang else GIVE_UP

    def forget(self) -> None:
        """Drop what was returned or raised; then no value must be left.

        asyncio itself has circles in task groups, and where an exit goes through it.
        """
        acts = {act for node in self.case.nodes for act in (node.act, node.closing)}
        places = {node.place for node in self.case.nodes}
        self.outcome = None
        self.factory_errors.clear()
        self.made.happened.clear()
        self.made.fell.clear()
        self.made.declined.clear()
        self.made.main = None
        is_ours = "group_resource" not in places and not any(
            act.startswith(("exit", "interrupt")) for act in acts
        )
        if is_ours and self._token is not None:
            assert self._token() is None

    async def _main(self) -> None:
        main = self.made.main = asyncio.current_task()
        assert main is not None
        left_as: BaseException | None = None
        try:
            async with asyncio.timeout(self.case.timeout) as limit:
                if self.case.is_scoped:
                    self._scope = anyio.CancelScope()
                with self._scope or contextlib.nullcontext():
                    self._set_factory()
                    try:
                        self.outcome = await self._compute()
                    except BaseException as error:
                        self.outcome = error
                    self._is_over = True
                    self.loop.set_task_factory(None)
                    left = asyncio.all_tasks() - {main}
                    done = len(self.made.log)
                    if isinstance(self.outcome, asyncio.CancelledError):
                        raise self.outcome
        except BaseException as error:
            left_as = error
        self.is_timed_out = limit.expired()
        if left_as is not None and left_as is not self.outcome:
            assert self.is_timed_out
            assert isinstance(left_as, TimeoutError)
        del left_as  # it holds this frame
        assert left == set()
        if not self.case.is_scoped:
            assert main.cancelling() == self.cancellations
        for _ in range(3):
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                self.is_cancelled_later = True
        assert len(self.made.log) == done

    def _set_factory(self) -> None:
        factory = FACTORIES.get(self.case.factory)
        call = self.case.factory_fails_at
        if call is not None:
            inner = factory or of_two_arguments
            factory, self.factory_errors = failing_at(call, inner, makes=False)
        self.loop.set_task_factory(factory)

    async def _compute(self) -> Any:
        compute: Any = getattr(aiocells, COMPUTERS[self.case.computer])
        options = self.case.options
        if "token" in self.made.graph.inputs:
            token = Token()
            self._token = weakref.ref(token)
            options["inputs"] = {"token": token}
        if self._has_processes:
            options["observers"] = [self._observe]
        if self.case.targets is not None:
            options["targets"] = [self.made.cells[rank] for rank in self.case.targets]
        # No name for what it gives: a failure holds the frames that it came through.
        if self.case.computer == "sequential":
            return compute(self.made.graph, **options)
        return await compute(self.made.graph, **options)

    def _observe(self, event: Event) -> None:
        node = self.case.nodes[self.made.ranks[event.cell]]
        if node.place != "process":
            return
        if event.kind == "start":
            self._in_processes.add(node.rank)
        else:
            self._in_processes.discard(node.rank)
        if self.case.computer != "sequential":
            self._set_patience()
        self.made.event(f"process {event.kind}", node)

    def _on_event(self) -> None:
        self._events += 1
        if self._events in self.case.cancel_at:
            if threading.current_thread() is threading.main_thread():
                self._cancel()
            else:
                self.loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        if not self._is_over and self.made.main is not None:
            self.cancellations += 1
            if self._scope is not None:
                self._scope.cancel()
            else:
                self.made.main.cancel(MESSAGE)

    def _on_idle(self) -> bool:
        """Cancel a case of which all that is left hangs; tells whether any does."""
        waits = ("hang", "swallow", "linger")
        hangs = any(
            each.act in waits or each.act.endswith("_when_cancelled")
            for node in self.case.nodes
            for each in (node, *node.inner)
        )
        if hangs and not self._is_over:
            self._cancel()
        return hangs and not self._is_over

    def _add_processes(self) -> None:
        """Take down the failures of process cells, which cannot do so themselves."""
        made = self.made
        started = {rank for what, rank in made.log if what == "process start"}
        for node in self.case.nodes:
            if node.rank not in started or node.place != "process":
                continue
            error = error_of(node.rank, node.act)
            if node.act == "die":
                made.happened[node.rank] = WorkerDied
            elif isinstance(error, StopIteration):
                made.happened[node.rank] = RuntimeError
            elif error is not None:
                made.happened[node.rank] = type(error)
            if not self.case.is_calm:
                made.perhaps.add(node.rank)

    # What must hold

    @property
    def failures(self) -> dict[int, BaseException]:
        """The failures that were told, by rank, in their order."""
        if isinstance(self.outcome, Results):
            own = self.outcome.failures
            failures = dict(own)
            for error in own.values():
                for function, each in aiocells.failures(error).items():
                    if each is not error:
                        failures[function] = each
        else:
            failures = aiocells.failures(self.outcome)
        return {self.made.ranks[function]: each for function, each in failures.items()}

    @property
    def held(self) -> set[int]:
        """The identities of the exceptions in those groups that are failures."""
        return {
            id(each)
            for error in self.failures.values()
            if isinstance(error, BaseExceptionGroup)
            for each in error.exceptions
        }

    @property
    def is_factorys(self) -> bool:
        """Whether what came out of it is what the task factory raised."""
        return any(self.outcome is error for error in self.factory_errors)

    @property
    def skipped(self) -> set[int]:
        """The cells that were skipped."""
        return {self.made.ranks[function] for function in self.outcome.skipped}

    @property
    def fallbacks(self) -> dict[int, BaseException]:
        """The cells that fell back, by rank, and from what."""
        fallbacks = self.outcome.fallbacks
        return {self.made.ranks[cell]: error for cell, error in fallbacks.items()}

    @property
    def values(self) -> dict[int, Any]:
        """The values by rank."""
        return {self.made.ranks[cell]: value for cell, value in self.outcome.items()}

    def needs_of(self, node: FaultyNode) -> set[int]:
        """All that a cell needs, itself or through others."""
        known = self._needs
        for each in self.case.nodes[len(known) : node.rank + 1]:
            known.append(set(each.needs).union(*(known[n] for n in each.needs)))
        return known[node.rank]

    def _check_resources(self) -> None:
        """Each resource was closed once, after all that need it."""
        log = self.made.log
        opened = sorted(rank for what, rank in log if what == "open")
        for what in ("close", "closed"):
            assert sorted(rank for each, rank in log if each == what) == opened
        last = {rank: place for place, (_, rank) in enumerate(log)}
        closed = {rank: n for n, (what, rank) in enumerate(log) if what == "close"}
        for node in self.case.nodes:
            for needed in self.needs_of(node) & closed.keys():
                assert last.get(node.rank, -1) < closed[needed]

    def _check_outcome(self) -> None:
        """The right one of all that could be raised has been, or none."""
        outcome, reported = self.outcome, self.failures
        was_cancelled = bool(self.cancellations) or self.is_timed_out
        fatal = [error for error in reported.values() if is_fatal(error)]
        happened = self.made.happened.values()
        if fatal:
            assert outcome is fatal[0]
        elif any(
            all(error is not e for e in happened) for error in self.factory_errors
        ):
            assert self.is_factorys
        elif was_cancelled and self._is_mistaken(outcome):
            pass
        elif was_cancelled and self._is_cancellation(outcome):
            if self.cancellations == 1 and not self.is_timed_out:
                assert not self.is_cancelled_later
        else:
            # A scope that has been left cancels nobody any more.
            assert self.case.is_scoped or was_cancelled == self.is_cancelled_later
            self._check_verdict()

    def _is_mistaken(self, outcome: Any) -> bool:
        """Whether it is a cell's own CancelledError, which passes for the other."""
        return isinstance(outcome, asyncio.CancelledError) and any(
            outcome.args == (rank,) for rank in self.made.perhaps
        )

    def _is_cancellation(self, outcome: Any) -> bool:
        """Whether it is the cancellation from outside."""
        if not isinstance(outcome, asyncio.CancelledError):
            return False
        if self.case.is_scoped:
            return str(outcome).startswith("Cancelled ")
        expected: list[tuple[str, ...]] = [(MESSAGE,)] if self.cancellations else []
        if self.is_timed_out:
            expected.append(())
        return outcome.args in expected

    def _check_verdict(self) -> None:
        """What must be raised where nobody cancelled it, and no cell asks to exit."""
        outcome, reported = self.outcome, self.failures
        if isinstance(outcome, Results):
            assert not reported or self.case.on_error == "continue"
            self._check_results()
            return
        assert reported
        groups = [each for each in reported.values() if type(each) is ExceptionGroup]
        assert groups or self.case.on_error != "continue"
        if self.case.on_error == "group":
            assert isinstance(outcome, BaseExceptionGroup)
            held = self.held
            beside = [each for each in reported.values() if id(each) not in held]
            assert outcome.exceptions == tuple(beside)
            return
        assert outcome is next(iter(reported.values()))
        # Threads and processes tell of a failure later than it happens; a bound is hit
        # later than a closer begins to hang.
        is_in_step = not self._patience and not self._has_processes and not groups
        if is_in_step and TimeoutError not in map(type, reported.values()):
            order = [
                rank
                for what, rank in self.made.log
                if what == "failed" and rank < FIRST_INNER
            ]
            assert next(iter(reported)) == next(n for n in order if n in reported)

    def _check_results(self) -> None:
        """Just what needs a failed cell was skipped, and all else has its value."""
        made = self.made
        failing = {each for each in made.happened if each < FIRST_INNER}
        reference = expected(self.case, failing - made.failed_closing)
        failed = {rank for rank in self.failures if rank < FIRST_INNER}
        assert failed == reference.failed | made.failed_closing
        assert self.skipped == reference.skipped
        assert self.values == reference.values
        assert self.fallbacks.keys() == reference.fallbacks.keys()
        assert made.declined.keys() == reference.declined.keys()
        for rank, cause in {**reference.fallbacks, **reference.declined}.items():
            assert is_expected(made.fell[rank], self._raised_by(cause, rank))
        for rank, error in self.fallbacks.items():
            assert error is made.fell[rank]

    def _raised_by(self, cause: int, rank: int) -> BaseException | type[BaseException]:
        """What a cell failed with, as it was told to one that needs it, or itself."""
        made = self.made
        if cause != rank and cause in made.declined:
            return made.declined[cause]
        return made.happened[cause]

    def _check_failures(self) -> None:
        """The failures that were told are those that happened, each with its note."""
        made, reported = self.made, self.failures
        happened = {**made.happened, **made.declined}
        assert reported.keys() <= happened.keys()
        # What fell back, and what was covered, is told only if it came after the end.
        made_good = covered(self.case) | made.fell.keys() - made.declined.keys()
        lost = {
            rank for rank in happened if rank // FIRST_INNER - 1 in made_good
        } | made_good
        lost |= {n for n in happened if n // FIRST_INNER - 1 in made.declined}
        assert happened.keys() - made.perhaps - lost <= reported.keys()
        for rank, error in reported.items():
            assert is_expected(error, happened[rank])
            place = f"in cell 'cell_{rank}'"
            told = sum(note.startswith(place) for note in error.__notes__)
            assert told == (not isinstance(error, OddError))
        is_one = self.case.on_error != "group" or not isinstance(
            self.outcome, BaseExceptionGroup
        )
        is_noted = is_one and not isinstance(self.outcome, OddError)
        if isinstance(self.outcome, BaseException) and is_noted:
            for rank, error in reported.items():
                also = f"also failed: cell 'cell_{rank}'"
                told = [n for n in self.outcome.__notes__ if n.startswith(also)]
                is_told = error is not self.outcome and id(error) not in self.held
                assert len(told) == is_told
