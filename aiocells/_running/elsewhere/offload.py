"""Running plain cells off the event loop, in threads and processes.

To the rest of the library such a cell is an async cell, whose body waits for an
executor. The pools that are made here belong to one computation.
"""

import asyncio
import contextvars
import functools
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any

from aiocells._declaring import names as _names
from aiocells._declaring.kinds import Kind
from aiocells._declaring.source import globals_of
from aiocells._outcome import failures as _failures
from aiocells._planning.plan import Plan
from aiocells._running.elsewhere.platform import check_offered
from aiocells._running.options import checked_mapping
from aiocells._running.run import Run
from aiocells._running.waiting import outlast
from aiocells.errors import UnsupportedCell

if TYPE_CHECKING:
    from aiocells._running.elsewhere.processes import Workers

# Threads of one computation. They wait for most of their time, so that it may be
# more than there are processors; anyio allows as many.
MAX_THREADS = 40

_BUILT_IN = ("thread", "process")

# Threads that have nothing more to do are gone in a few turns of the event loop. One
# that takes its time, to let go of what it kept, is looked at again after that.
_TURNS = 200
_LATER = 0.001


class Threads:
    """A pool of threads of ours, each started when none is idle.

    Args:
        most: how many there may be.

    Attributes:
        pool: takes what they run.
    """

    def __init__(self, most: int) -> None:
        # What few programs use, they should load.
        from concurrent.futures import ThreadPoolExecutor

        self._started: list[threading.Thread] = []
        self.pool = ThreadPoolExecutor(most, "aiocells", _note_thread, (self._started,))

    def end_now(self) -> None:
        """Wait in place until they are gone."""
        self.pool.shutdown()

    async def end(self, on_cancel: Callable[[asyncio.CancelledError], object]) -> None:
        """Wait until they are gone, through every cancellation, while the loop goes on.

        Args:
            on_cancel: told of each cancellation.
        """
        self.pool.shutdown(wait=False)
        turns = 0
        for thread in self._started:
            while thread.is_alive():
                turns += 1
                try:
                    await asyncio.sleep(0 if turns < _TURNS else _LATER)
                except asyncio.CancelledError as error:
                    on_cancel(error)
        self.pool.shutdown()  # one may have come too late to be noted


def _note_thread(started: list[threading.Thread]) -> None:
    started.append(threading.current_thread())


class Offload:
    """Has the cells of a run that say `run_in` called elsewhere.

    Args:
        run: the computation; its functions are replaced.
        executors: the user's executors by name; they are not closed.

    Raises:
        UnsupportedCell: a cell names an executor that is not there, wants what the
            platform does not have, or cannot be sent to a process.
        TypeError: something that is no executor, or no mapping of them.
        ValueError: an executor that no cell names, and that is not one of threads or
            processes.
    """

    def __init__(self, run: Run, executors: Mapping[str, Executor] | None) -> None:
        self._run = run
        self._threads: Executor | None = None
        self._pools: list[Threads] = []
        self._workers: Workers | None = None
        executors = checked_mapping("executors", '"name": executor', executors)
        program, moved = run.plan.program, run.plan.elsewhere
        self._executors = executors
        check_executors(run.plan, executors)
        cells = [
            n
            for n in moved
            if not (program.is_resource(n) or program.options[n].fan_out)
        ]
        for number in moved:
            if program.is_resource(number):  # it will make a thread of its own
                check_offered(program, number, "thread")
        if not cells:
            return
        run.functions = run.functions.copy()
        run.kinds = run.kinds.copy()
        for number in cells:
            run.kinds[number] = Kind.ASYNC
            run.functions[number] = self._moved(run, number)

    def _moved(self, run: Run, number: int) -> Callable[..., Any]:
        function = run.functions[number]
        where, executor = self.place_of(number)
        if where == "thread":
            if executor is None:
                if self._threads is None:
                    self._threads = self.pool_of(
                        min(MAX_THREADS, _in_threads(run.plan))
                    )
                executor = self._threads
            return functools.partial(in_thread, executor, function)
        if where == "process":
            function = checked_for_process(run.plan, number, function)
        return functools.partial(self.sender_of(number), function)

    def place_of(self, number: int) -> tuple[str, Executor | None]:
        """Where a cell runs that says `run_in`.

        Returns:
            Whether in a "thread", a "process", or else who knows where, ""; and the
            user's executor, if it is one.

        Raises:
            UnsupportedCell: there is no such place.
        """
        program = self._run.plan.program
        where = program.options[number].run_in or ""
        executor = self._executors.get(where)
        if executor is not None:
            where = _kind_of(executor)
        elif where not in _BUILT_IN:
            near = _names.suggestions(where, [*self._executors, *_BUILT_IN])
            msg = (
                f"{program.described(number)} has run_in={where!r}, but there is no "
                f"executor of that name.{_names.did_you_mean(near)} Give it as "
                f"executors={{{where!r}: ...}}."
            )
            raise UnsupportedCell(msg, cell=program.nodes[number])
        if where:
            check_offered(program, number, where)
        return where, executor

    def sender_of(self, number: int) -> Callable[..., Awaitable[Any]]:
        """What calls a function, with arguments, where a cell runs, but in a thread."""
        where, executor = self.place_of(number)
        if executor is None:
            # It loads multiprocessing, which most programs do without.
            from aiocells._running.elsewhere.processes import Workers

            if self._workers is None:
                self._workers = Workers()
            cell = self._run.plan.program.nodes[number]
            return functools.partial(self._workers.call, cell)
        send = _in_process_of if where == "process" else _in_executor
        return functools.partial(send, executor)

    def pool_of(self, most: int) -> Executor:
        """Threads of ours, so many at most, which are ended with the computation."""
        threads = Threads(most)
        self._pools.append(threads)
        return threads.pool

    @property
    def has_pools(self) -> bool:
        """Whether there are threads or processes of ours to be ended."""
        return bool(self._pools) or self._workers is not None

    async def close(self) -> None:
        """End our threads and processes; those of the user are the user's."""
        for threads in self._pools:
            await threads.end(self._note_cancelled)
        if self._workers is not None:
            try:
                await self._workers.close()
            except asyncio.CancelledError as error:
                self._note_cancelled(error)

    def _note_cancelled(self, error: asyncio.CancelledError) -> None:
        self._run.cancelled = self._run.cancelled or error


def _in_threads(plan: Plan) -> int:
    """How many cells run in threads of ours; resources make their own."""
    options = [plan.program.options[each] for each in plan.elsewhere]
    return sum(
        each.run_in == "thread" and not (each.is_resource or each.fan_out)
        for each in options
    )


def check_executors(plan: Plan, executors: Mapping[str, Executor]) -> None:
    """Refuse what is no executor, and what no cell may ask for.

    Raises:
        TypeError: something that is no executor.
        ValueError: an executor that no cell names.
    """
    if not executors:
        return
    # What a service gives to all of its graphs need not be used by each.
    named = plan.program.places.union(_BUILT_IN)
    for name, executor in executors.items():
        if not callable(getattr(executor, "submit", None)):
            msg = (
                f"executors: {name!r} is {executor!r}, which is no executor: it has no "
                "submit()."
            )
            raise TypeError(msg)
        if name not in named:
            near = _names.suggestions(name, named)
            msg = f"executors: no cell has run_in={name!r}.{_names.did_you_mean(near)}"
            raise ValueError(msg)


def _kind_of(executor: Executor) -> str:
    """What an executor runs things in: "thread", "process", or else ""."""
    if _is_of(executor, "process", "ProcessPoolExecutor"):
        return "process"
    # A pool of threads that each have an interpreter is one too (Python 3.14).
    if _is_of(executor, "thread", "ThreadPoolExecutor") and not _is_of(
        executor, "interpreter", "InterpreterPoolExecutor"
    ):
        return "thread"
    # Any other may be one of processes too, to which no context can be sent.
    return ""


def _is_of(executor: Executor, module: str, name: str) -> bool:
    """Whether an executor is of a class of `concurrent.futures`.

    The module of the class is loaded if there is such an executor, and slow to load.
    """
    loaded = sys.modules.get(f"concurrent.futures.{module}")
    return loaded is not None and isinstance(executor, getattr(loaded, name))


def checked_for_process(plan: Plan, number: int, function: Callable[..., Any]) -> Any:
    """What to send to a process, where that is possible; there it is the function.

    The mark of a partial stays here: it may name cells that cannot be sent.
    """
    function = _unmarked(function)
    # What few programs use, they should load.
    import pickle

    from aiocells._collecting.loading import Sendable

    cause: Exception | None = None
    sendable = None
    try:
        sendable = Sendable(pickle.dumps(function))
    except Exception as error:
        cause = error
    if sendable is not None and not _is_of_session(function):
        return sendable if sendable.paths else function
    program = plan.program
    reason = cause or "it was defined in a session, which a new process cannot import"
    msg = (
        f"{program.described(number)} is to run in a process, but cannot be sent to "
        f'one: {reason}. Define it at the top of a module, or use run_in="thread".'
    )
    raise UnsupportedCell(msg, cell=program.nodes[number]) from cause


def _is_of_session(function: Callable[..., Any]) -> bool:
    """Whether a function is of a main module that a new process cannot run."""
    main = sys.modules["__main__"]
    return (
        globals_of(function) is vars(main)
        and main.__spec__ is None
        and not os.path.exists(getattr(main, "__file__", ""))
    )


def _unmarked(value: Any) -> Any:
    if type(value) is functools.partial:
        args = map(_unmarked, value.args)
        return functools.partial(_unmarked(value.func), *args, **value.keywords)
    return value


async def _in_executor(
    executor: Executor, function: Callable[..., Any], *values: Any
) -> Any:
    return await outlast(executor.submit(function, *values))


async def _in_process_of(
    executor: Executor, function: Callable[..., Any], *values: Any
) -> Any:
    from aiocells._running.elsewhere.calls import call_in_process

    return await call_in_process(executor, function, values)


async def in_thread(
    executor: Executor, function: Callable[..., Any], *values: Any
) -> Any:
    context = contextvars.copy_context()
    return await outlast(
        executor.submit(context.run, _failures.without_stop_iteration, function, values)
    )
