"""The cells of a random computation of tests/faults.py, which tell what they do."""

import asyncio
import contextlib
import contextvars
import functools
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from typing import Any

import attrs

import aiocells
from aiocells import Graph, Input, cell, depends_on, resource
from tests.fault_reference import substitute
from tests.faults import Case, FaultyNode
from tests.worker_cells import CellError, error_of, folded, process_body

COMPUTERS = {
    "sequential": "compute_sequential",
    "async_sequential": "async_compute_sequential",
    "concurrent": "async_compute_concurrent",
    "simple": "async_compute_concurrent_simple",
}
_last_opened = contextvars.ContextVar[int]("_last_opened")


@attrs.frozen
class Opened:
    """Where a resource was opened: it must be closed there."""

    thread: int
    task: Any
    token: contextvars.Token[int]


def current_task() -> Any:
    """The task that runs; None in a thread."""
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


class FaultyCells:
    """The cells of a case, and what happened in them.

    Args:
        case: what to make.
        on_event: called after each entry of the log, on any thread.

    Attributes:
        graph: the cells.
        cells: the cells by rank.
        ranks: the other way round.
        log: what the cells did, in order.
        happened: for each cell that failed what it raised, or the type of what is
            raised for it.
        perhaps: the cells of which nobody can tell whether they failed, or were
            cancelled.
        failed_closing: the resources that failed when they closed.
        fell: for each cell whose fallback was called what it was given.
        declined: for each whose fallback raised what that was.
        problems: what must not be.
        main: the task that computes.
    """

    def __init__(self, case: Case, on_event: Callable[[], None]) -> None:
        """Make the graph."""
        self.case = case
        self.on_event = on_event
        self.log: list[tuple[str, int]] = []
        self.happened: dict[int, BaseException | type[BaseException]] = {}
        self.perhaps: set[int] = set()
        self.failed_closing: set[int] = set()
        self.fell: dict[int, BaseException] = {}
        self.declined: dict[int, BaseException] = {}
        self.problems: list[str] = []
        self.main: asyncio.Task[Any] | None = None
        self._running: list[FaultyNode] = []
        self.cells: dict[int, Any] = {}
        self._inner: dict[int, Graph] = {}
        for node in case.nodes:
            for inner in node.inner:
                function = functools.partial(self._async_act, inner, inner.act)
                self.cells[inner.rank] = cell(function, name=f"cell_{inner.rank}")
            inner_cells = [self.cells[inner.rank] for inner in node.inner]
            self._inner[node.rank] = Graph.from_cells(*inner_cells)
            self.cells[node.rank] = self._cell(node)
        self.ranks = {function: rank for rank, function in self.cells.items()}
        self.graph = Graph.from_cells(*(self.cells[rank] for rank in case.declared))

    def _cell(self, node: FaultyNode) -> Any:
        bodies: dict[str, Any] = {
            "inline": self._body,
            "thread": self._body,
            "async": self._async_body,
            "nested": self._nested,
            "resource": self._resource,
            "thread_resource": self._resource,
            "async_resource": self._async_resource,
            "group_resource": self._group_resource,
        }
        if node.place == "process":
            function = functools.partial(process_body, node.rank, node.act)
        else:
            function = functools.partial(bodies[node.place], node)
        options: dict[str, Any] = {"name": f"cell_{node.rank}"}
        if node.place in ("thread", "thread_resource", "process"):
            options["run_in"] = node.place.removesuffix("_resource")
        if node.is_limited and self.case.few is not None:
            options["limit"] = "few"
        if node.act == "time_out":
            options["timeout"] = 0.5
        if node.fallback:
            options["fallback"] = functools.partial(self._fall_back, node)
        mark = resource if node.is_resource else cell
        orders = [self.cells[rank] for rank in node.orders]
        values = [self.cells[rank] for rank in node.values]
        # What is given to all of them shows whether anything keeps the values alive.
        token = {} if node.place == "process" else {"token": Input("token")}
        marked = mark(**options)(function)
        return depends_on(*orders, values=values, **token)(marked)

    def _fall_back(self, node: FaultyNode, error: BaseException) -> int:
        """What its fallback does: each is called once, inline, in its turn."""
        if node.rank in self.fell:
            self.problems.append(f"{node.rank} fell back twice")
        self.fell[node.rank] = error
        if threading.current_thread() is not threading.main_thread():
            self.problems.append(f"{node.rank} fell back in another thread")
        is_awaited = self.main is not None and self.case.computer != "sequential"
        if is_awaited and self.main.cancelling():  # type: ignore[union-attr]
            self.problems.append(f"{node.rank} fell back after a cancellation")
        running = {each.rank for each in self._running}
        if not running.isdisjoint(node.needs):
            self.problems.append(f"{node.rank} fell back too early")
        if node.fallback == "value":
            self.event("fell", node)
            return substitute(node.rank)
        if node.fallback == "raise":
            self.declined[node.rank] = CellError("again", node.rank)
        else:
            self.declined[node.rank] = error
        self.event("failed", node)
        raise self.declined[node.rank]

    # The bodies

    def _body(self, node: FaultyNode, values: list[int], token: object) -> int:
        with self._tracked(node):
            self._act(node, node.act)
        return folded(node.rank, values)

    async def _async_body(
        self, node: FaultyNode, values: list[int], token: object
    ) -> int:
        with self._tracked(node):
            await self._async_act(node, node.act)
        return folded(node.rank, values)

    async def _nested(self, node: FaultyNode, values: list[int], token: object) -> int:
        """Compute a graph within; what comes out of that is this cell's failure."""
        compute: Any = getattr(aiocells, COMPUTERS[node.inner_computer])
        with self._tracked(node):
            try:
                await compute(self._inner[node.rank], on_error=node.inner_on_error)
            except asyncio.CancelledError:
                raise
            except BaseException as error:
                for inner in node.inner:
                    if self.happened.get(inner.rank) is error:
                        del self.happened[inner.rank]
                self.fail(node, error)
                raise
        return folded(node.rank, values)

    def _resource(
        self, node: FaultyNode, values: list[int], token: object
    ) -> Generator[int, None, None]:
        with self._tracked(node):
            self._act(node, node.act)
            if self._is_wrong(node, "no_yield"):
                return
        opened = self._opened(node)
        yield folded(node.rank, values)
        self._check_place(node, opened)
        with self._closing(node):
            self._act(node, node.closing, is_closing=True)
            if self._is_wrong(node, "yield_again"):
                yield 0

    async def _async_resource(
        self, node: FaultyNode, values: list[int], token: object
    ) -> AsyncGenerator[int, None]:
        with self._tracked(node):
            await self._async_act(node, node.act)
            if self._is_wrong(node, "no_yield"):
                return
        opened = self._opened(node)
        yield folded(node.rank, values)
        self._check_place(node, opened)
        with self._closing(node):
            await self._async_act(node, node.closing, is_closing=True)
            if self._is_wrong(node, "yield_again"):
                yield 0

    async def _group_resource(
        self, node: FaultyNode, values: list[int], token: object
    ) -> AsyncGenerator[int, None]:
        """Hold a task group open, of which a task may fail meanwhile."""
        with self._tracked(node):
            await asyncio.sleep(0)
        async with asyncio.TaskGroup() as group:
            child = group.create_task(self._child(node))
            opened = self._opened(node)
            yield folded(node.rank, values)
            self._check_place(node, opened)
            with self._closing(node):
                child.cancel()

    async def _child(self, node: FaultyNode) -> None:
        for _ in range(node.turns):
            await asyncio.sleep(0)
        if node.seconds:
            await asyncio.sleep(node.seconds)
        if node.act == "child_fails":
            self.fail(node, ExceptionGroup, is_closing=True)
            raise CellError(node.rank)

    # What they do

    def _act(self, node: FaultyNode, act: str, *, is_closing: bool = False) -> None:
        error = error_of(node.rank, act)
        if error is not None:
            if act == "own_cancel" and self._may_pass_for_cancelled(node, is_closing):
                self.perhaps.add(node.rank)
            self.fail(node, error, is_closing=is_closing)
            try:
                raise error
            finally:
                del error  # it holds this frame

    async def _async_act(
        self, node: FaultyNode, act: str, *, is_closing: bool = False
    ) -> None:
        if act == "time_out":
            self.fail(node, TimeoutError)
            if not self.case.is_calm:
                self.perhaps.add(node.rank)
        for _ in range(node.turns):
            await asyncio.sleep(0)
        if node.seconds:
            await asyncio.sleep(node.seconds)
        if act == "time_out":
            await self._forever()
        elif act in ("hang", "linger", "never_ends"):
            if is_closing:
                self.fail(node, TimeoutError, is_closing=True)
            if act == "linger":
                await self._linger(node)
            while act == "never_ends":
                with contextlib.suppress(asyncio.CancelledError):
                    await self._forever()
            await self._forever()
        elif act in ("swallow", "raise_when_cancelled", "exit_when_cancelled"):
            if is_closing and act == "swallow":
                self.fail(node, TimeoutError, is_closing=True)
            with contextlib.suppress(asyncio.CancelledError):
                await self._forever()
            self.event("cancelled", node)
            self._act(node, act.split("_")[0], is_closing=is_closing)
        else:
            self._act(node, act, is_closing=is_closing)

    async def _forever(self) -> None:
        await asyncio.Event().wait()

    async def _linger(self, node: FaultyNode) -> None:
        try:
            await self._forever()
        finally:
            for _ in range(3):
                try:
                    await asyncio.sleep(0)
                except asyncio.CancelledError:
                    self.problems.append(f"{node.rank} was cancelled twice")

    # What is taken down

    def event(self, what: str, node: FaultyNode) -> None:
        """Write into the log."""
        self.log.append((what, node.rank))
        self.on_event()

    def fail(
        self,
        node: FaultyNode,
        error: BaseException | type[BaseException],
        *,
        is_closing: bool = False,
    ) -> None:
        """Take down that a cell fails."""
        self.happened[node.rank] = error
        if is_closing:
            self.failed_closing.add(node.rank)
        self.event("failed", node)

    def _is_wrong(self, node: FaultyNode, act: str) -> bool:
        """Whether a resource yields too often or not at all, which is a failure."""
        is_closing = act == "yield_again"
        is_wrong = act == (node.closing if is_closing else node.act)
        if is_wrong:
            self.fail(node, RuntimeError, is_closing=is_closing)
        return is_wrong

    def _may_pass_for_cancelled(self, node: FaultyNode, is_closing: bool) -> bool:
        """Whether the CancelledError of a cell may be taken for a cancellation."""
        if self.case.is_calm:
            return False
        is_cancelled = self.main is not None and self.main.cancelling() > 0
        if is_cancelled or not self.case.is_undisturbed:
            return True
        # A thread ends, and a resource in one is closed, after what cancelled it.
        in_thread = node.place.startswith("thread")
        return in_thread or (not is_closing and bool(self.happened))

    @contextlib.contextmanager
    def _tracked(self, node: FaultyNode) -> Iterator[None]:
        """Take down the start and end of a cell, and check when it starts."""
        ended = ("end", "open", "fell")
        ready = {rank for what, rank in self.log if what in ended}
        if not ready.issuperset(self._needs_to_check(node)):
            self.problems.append(f"{node.rank} started too early")
        if {("start", node.rank), ("close", node.rank)} & set(self.log):
            self.problems.append(f"{node.rank} started twice")
        self._running.append(node)
        self._check_limits()
        self.event("start", node)
        try:
            yield
        except BaseException:
            self.event("stop", node)
            raise
        else:
            if not node.is_resource:
                self.event("end", node)
        finally:
            self._running.remove(node)

    def _needs_to_check(self, node: FaultyNode) -> Iterator[int]:
        nodes = self.case.nodes
        return (rank for rank in node.needs if nodes[rank].place != "process")

    def _check_limits(self) -> None:
        options = self.case.options
        most = options.get("max_concurrency")
        if most is not None and len(self._running) > most:
            self.problems.append(f"more than {most} run at once")
        limited = sum(node.is_limited for node in self._running)
        if options.get("limits") and limited > (self.case.few or 0):
            self.problems.append(f"more than {self.case.few} limited ones run at once")

    def _opened(self, node: FaultyNode) -> Opened:
        self.event("open", node)
        token = _last_opened.set(node.rank)
        return Opened(threading.get_ident(), current_task(), token)

    def _check_place(self, node: FaultyNode, opened: Opened) -> None:
        self.event("close", node)
        if (opened.thread, opened.task) != (threading.get_ident(), current_task()):
            self.problems.append(f"{node.rank} closed in another thread or task")
        try:
            _last_opened.reset(opened.token)
        except ValueError:
            self.problems.append(f"{node.rank} closed in another context")

    @contextlib.contextmanager
    def _closing(self, node: FaultyNode) -> Iterator[None]:
        try:
            yield
        finally:
            self.event("closed", node)
