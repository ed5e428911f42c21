"""Random graphs whose cells ask for others, and a reference that computes them."""

import asyncio
import functools
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from typing import Any

import attrs

from aiocells import Graph, Lazy, cell, depends_on, resource
from tests.faults import Chooser, make_declared, some

ACTS = (*("return",) * 5, "raise", "own_cancel", "stop_iteration")
WAITS = ("hang", "swallow")


class CellError(Exception):
    """What a cell raises; it tells which."""


@attrs.frozen
class AskingNode:
    """One cell of a random graph.

    Attributes:
        rank: it needs, and asks for, only cells of a lower rank.
        values: the ranks of the cells whose values it gets.
        orders: the ranks of the cells that only come before it.
        asked: the ranks of the cells that it may ask for.
        plan: what it does with each of these, in order: "ask", "catch" what asking
            raises, "twice", or "not".
        is_together: whether an async cell asks for all of them at once.
        seconds: how long an async cell takes before, by the virtual clock.
        patience: seconds for which an async cell waits for each answer, if bounded.
        act: what it does last.
        is_async: whether it can wait.
        is_resource: whether it is opened, and closed again.
        falls_back: whether it has a fallback.
        is_limited: whether it counts towards the limit "few".
    """

    rank: int
    values: tuple[int, ...]
    orders: tuple[int, ...]
    asked: tuple[int, ...]
    plan: tuple[str, ...]
    is_together: bool
    seconds: int
    patience: float | None
    act: str
    is_async: bool
    is_resource: bool
    falls_back: bool
    is_limited: bool = False

    @property
    def needs(self) -> tuple[int, ...]:
        """The cells that come before it in any case, in the order declared."""
        return tuple(dict.fromkeys(self.orders + self.values))

    @property
    def asks(self) -> list[tuple[int, str]]:
        """What it asks for in fact, each with what it does then."""
        asks = [
            (rank, what)
            for rank, what in zip(self.asked, self.plan, strict=True)
            if what != "not"
        ]
        return asks + [each for each in asks if each[1] == "twice"]


@attrs.frozen
class AskingCase:
    """A random graph: its cells by rank, and the order in which they are declared."""

    nodes: tuple[AskingNode, ...]
    declared: tuple[int, ...]


def make_asking_case(
    choose: Chooser,
    *,
    is_patient: bool = True,
    is_plain: bool = False,
    max_cells: int = 8,
    acts: Sequence[str] = ACTS,
    limited: Sequence[bool] = (False,),
) -> AskingCase:
    """A graph of any shape.

    Args:
        choose: picks one of several things.
        is_patient: whether all wait for their answers.
        is_plain: whether all are plain cells, and none is a resource.
        max_cells: the most of them.
        acts: what they may do last.
        limited: whether they count towards the limit "few", where they don't ask.
    """
    nodes: list[AskingNode] = []
    can_wait: set[int] = set()  # the cells behind which something waits
    for rank in range(choose(range(2, max_cells + 1))):
        lower = range(rank)
        values, orders = some(choose, lower, 2), some(choose, lower, 1)
        asked = some(choose, lower, 3) if choose((True, True, False)) else ()
        is_async = not is_plain and choose((False, True))
        is_async = is_async or not can_wait.isdisjoint(asked)
        is_limited = not asked and choose(limited)
        waits = is_async or is_limited
        if waits or not can_wait.isdisjoint((*values, *orders)):
            can_wait.add(rank)
        is_resource = not is_plain and choose((False,) * 4 + (True,))
        nodes.append(
            AskingNode(
                rank=rank,
                values=values,
                orders=orders,
                asked=asked,
                plan=tuple(choose(("ask", "catch", "twice", "not")) for _ in asked),
                is_together=choose((False, False, True)),
                seconds=choose((0, 0, 1, 2)),
                patience=None if is_patient else choose((None, 0.5, 1.5, 2.5)),
                act=choose(
                    [
                        act
                        for act in acts
                        if (is_async or act not in WAITS)
                        and not (is_resource and act == "stop_iteration")
                    ]
                ),
                is_async=is_async,
                is_resource=is_resource,
                falls_back=choose((False, False, False, True)),
                is_limited=is_limited,
            )
        )
    return AskingCase(tuple(nodes), make_declared(choose, len(nodes)))


def value_of(rank: int, *parts: Any) -> int:
    """What a cell returns: all that it saw, folded so that it stays small."""
    return hash((rank, *parts)) % 1_000_000


class AskingCells:
    """The cells of a case, and what happened in them.

    Attributes:
        graph: the cells.
        cells: the cells by rank.
        log: what they did, in order.
        active: how many run that do not wait for an answer.
        most_active: how many these were at most.
        few: how many may run that count towards the limit "few", if that is a number.
        problems: what must not be.
    """

    def __init__(
        self, case: AskingCase, on_event: Callable[[], None] = lambda: None
    ) -> None:
        """Make the graph."""
        self.case = case
        self.on_event = on_event
        self.few: int | None = None
        self.problems: list[str] = []
        self.log: list[tuple[str, int]] = []
        self.active: set[int] = set()
        self.most_active = 0
        self.cells: dict[int, Any] = {}
        for node in case.nodes:
            self.cells[node.rank] = self._cell(node)
        self.ranks = {function: rank for rank, function in self.cells.items()}
        self.graph = Graph.from_cells(*(self.cells[rank] for rank in case.declared))

    def _cell(self, node: AskingNode) -> Any:
        if node.is_resource:
            body: Any = self._async_resource if node.is_async else self._resource
        else:
            body = self._async_body if node.is_async else self._body
        mark = resource if node.is_resource else cell
        options: dict[str, Any] = {"name": f"cell_{node.rank}"}
        if node.falls_back:
            options["fallback"] = functools.partial(self._fall_back, node)
        if node.is_limited:
            options["limit"] = "few"
        marked = mark(**options)(functools.partial(body, node))
        return depends_on(
            *[self.cells[rank] for rank in node.orders],
            values=[self.cells[rank] for rank in node.values],
            asked=[Lazy(self.cells[rank]) for rank in node.asked],
        )(marked)

    def _event(self, what: str, node: AskingNode) -> None:
        self.log.append((what, node.rank))
        self.on_event()

    def _fall_back(self, node: AskingNode, error: BaseException) -> int:
        self._event("fell", node)
        return value_of(node.rank, told(error))

    def _started(self, node: AskingNode) -> None:
        if node.rank in self.active:
            self.problems.append(f"{node.rank} runs twice at once")
        ended = {rank for what, rank in self.log if what in ("end", "fell")}
        if not ended.issuperset(node.needs):
            self.problems.append(f"{node.rank} started too early")
        self._goes_on(node)
        limited = [rank for rank in self.active if self.case.nodes[rank].is_limited]
        if node.is_limited and self.few is not None and len(limited) > self.few:
            self.problems.append(f"more than {self.few} limited ones run at once")
        self._event("start", node)

    def _goes_on(self, node: AskingNode) -> None:
        self.active.add(node.rank)
        self.most_active = max(self.most_active, len(self.active))

    def _body(self, node: AskingNode, values: list[int], asked: list[Any]) -> int:
        self._started(node)
        try:
            answers = []
            functions = dict(zip(node.asked, asked, strict=True))
            for rank, what in node.asks:
                self.active.discard(node.rank)
                try:
                    answers.append(functions[rank]())
                except (CellError, asyncio.CancelledError, RuntimeError) as error:
                    if what != "catch":
                        raise
                    answers.append(told(error))
                finally:
                    self._goes_on(node)
            return self._result(node, values, answers)
        finally:
            self.active.discard(node.rank)

    async def _async_body(
        self, node: AskingNode, values: list[int], asked: list[Any]
    ) -> int:
        self._started(node)
        try:
            if node.seconds:
                await asyncio.sleep(node.seconds)
            functions = dict(zip(node.asked, asked, strict=True))
            if node.is_together:
                answers = await self._all_at_once(node, functions)
            else:
                answers = []
                for rank, what in node.asks:
                    answers.append(await self._answer(node, functions[rank], what))
            if node.act in WAITS:
                await self._wait(node)
            return self._result(node, values, answers)
        finally:
            self.active.discard(node.rank)

    async def _wait(self, node: AskingNode) -> None:
        """Wait until it is cancelled."""
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if node.act != "swallow":
                raise

    async def _all_at_once(self, node: AskingNode, functions: Any) -> list[Any]:
        asks = node.asks
        self.active.discard(node.rank)
        # Not by the loop's factory, which may fail: that would be this cell's failure.
        tasks = [asyncio.Task(caught(functions[rank])) for rank, _ in asks]
        found = await asyncio.gather(*tasks)
        if asks:
            self._goes_on(node)
        for each, (_, what) in zip(found, asks, strict=True):
            if isinstance(each, BaseException) and what != "catch":
                raise each
        return [told(e) if isinstance(e, BaseException) else e for e in found]

    async def _answer(self, node: AskingNode, function: Any, what: str) -> Any:
        self.active.discard(node.rank)
        try:
            async with asyncio.timeout(node.patience):
                return await function()
        except TimeoutError:
            return "too late"
        except (CellError, asyncio.CancelledError, RuntimeError) as error:
            task = asyncio.current_task()
            if what != "catch" or (task is not None and task.cancelling()):
                raise
            return told(error)
        finally:
            self._goes_on(node)

    def _result(self, node: AskingNode, values: list[int], answers: list[Any]) -> int:
        if node.act == "raise":
            raise CellError(node.rank)
        if node.act == "own_cancel":
            raise asyncio.CancelledError(node.rank)
        if node.act == "stop_iteration":
            raise StopIteration(node.rank)
        if node.act == "exit":
            raise SystemExit(node.rank)
        self._event("end", node)
        return value_of(node.rank, *values, *answers)

    def _resource(
        self, node: AskingNode, values: list[int], asked: list[Any]
    ) -> Generator[int, None, None]:
        value = self._body(node, values, asked)
        self._event("open", node)
        yield value
        self._event("close", node)

    async def _async_resource(
        self, node: AskingNode, values: list[int], asked: list[Any]
    ) -> AsyncGenerator[int, None]:
        value = await self._async_body(node, values, asked)
        self._event("open", node)
        yield value
        self._event("close", node)

    def check_resources(self) -> None:
        """Each that was opened was closed, after all that use it."""
        opened = [rank for what, rank in self.log if what == "open"]
        closed = [rank for what, rank in self.log if what == "close"]
        assert sorted(opened) == sorted(closed)
        for node in self.case.nodes:
            for needed in node.needs:
                if {node.rank, needed} <= set(closed):
                    assert closed.index(node.rank) < closed.index(needed)

    @property
    def started(self) -> list[int]:
        """The ranks of the cells that ran, in the order of their starts."""
        return [rank for what, rank in self.log if what == "start"]


async def caught(function: Any) -> Any:
    """What a function gives or raises; `gather` makes cancellations anew."""
    try:
        return await function()
    except (CellError, asyncio.CancelledError, RuntimeError) as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        return error


def told(error: BaseException) -> str:
    """What a cell that catches an exception makes of it."""
    return f"{type(error).__name__}{error.args}"


@attrs.define
class AskingReference:
    """The same graph, computed as simply as can be.

    Attributes:
        case: what to compute.
        is_eager: the ranks of the cells that are computed in any case.
        ended: for each computed cell its value, or its exception.
        lost: the cells that were not run, since one that they need failed.
        first: for each cell that has no value the failed one that was declared first.
        fallbacks: what cells fell back from.
    """

    case: AskingCase
    targets: tuple[int, ...] | None = None
    is_eager: set[int] = attrs.Factory(set)
    ended: dict[int, Any] = attrs.Factory(dict)
    lost: set[int] = attrs.Factory(set)
    first: dict[int, int] = attrs.Factory(dict)
    fallbacks: dict[int, str] = attrs.Factory(dict)

    def __attrs_post_init__(self) -> None:
        nodes = self.case.nodes
        used = {rank for node in nodes for rank in (*node.needs, *node.asked)}
        waiting = [node.rank for node in nodes if node.rank not in used]
        if self.targets is not None:
            waiting = list(self.targets)
        while waiting:
            rank = waiting.pop()
            if rank not in self.is_eager:
                self.is_eager.add(rank)
                waiting += nodes[rank].needs
        for rank in sorted(self.is_eager):
            self.compute(rank)

    def compute(self, rank: int) -> Any:
        """The value of a cell, or its exception, as a text that starts with "!"."""
        if rank in self.ended:
            return self.ended[rank]
        node = self.case.nodes[rank]
        failed = [n for n in node.needs if is_failure(self.compute(n))]
        if failed:
            self.lost.add(rank)
            firsts = [self.first[each] for each in failed]
            self.first[rank] = min(firsts, key=self.case.declared.index)
            found = self.ended[self.first[rank]]
        else:
            found = self._run(node)
            self.first[rank] = rank
        if is_failure(found) and node.falls_back:
            self.fallbacks[rank] = found[1:]
            found = value_of(rank, found[1:])
        self.ended[rank] = found
        return found

    @property
    def covered(self) -> set[int]:
        """The cells whose failures others make up for."""
        covered: set[int] = set()
        nodes = self.case.nodes
        known = self._may_run()
        for node in reversed(nodes):
            needing = [n for n in nodes if node.rank in n.needs and n.rank in known]
            if self.targets is None:
                is_target = not node.is_resource
            else:
                is_target = node.rank in self.targets
            if node.rank not in self.is_eager or (
                needing
                and not is_target
                and all(n.falls_back or n.rank in covered for n in needing)
            ):
                covered.add(node.rank)
        return covered

    def _may_run(self) -> set[int]:
        """The cells that are computed, or may be asked for."""
        known, waiting = set(), list(self.is_eager)
        while waiting:
            rank = waiting.pop()
            if rank not in known:
                known.add(rank)
                node = self.case.nodes[rank]
                waiting += (*node.needs, *node.asked)
        return known

    def _run(self, node: AskingNode) -> Any:
        answers = []
        asks = node.asks
        if node.is_together and node.is_async:
            for rank, _ in asks:
                self.compute(rank)
        for rank, what in asks:
            found = self.compute(rank)
            if is_failure(found) and what != "catch":
                return found
            answers.append(found[1:] if is_failure(found) else found)
        if node.act == "raise":
            return f"!CellError({node.rank},)"
        if node.act == "own_cancel":
            return f"!CancelledError({node.rank},)"
        if node.act == "stop_iteration":
            raised = "coroutine" if node.is_async else "cell"
            return f"!RuntimeError('{raised} raised StopIteration',)"
        values = [self.ended[rank] for rank in node.values]
        return value_of(node.rank, *values, *answers)

    @property
    def failures(self) -> dict[int, str]:
        """The failures that count, by rank."""
        return {
            rank: self.ended[rank][1:]
            for rank in self.is_eager - self.lost - self.covered
            if is_failure(self.ended[rank])
        }

    @property
    def values(self) -> dict[int, Any]:
        """The values of the targets, by rank."""
        chosen = self.ended if self.targets is None else self.targets
        return {
            rank: self.ended[rank]
            for rank in chosen
            if not is_failure(self.ended[rank])
            and not self.case.nodes[rank].is_resource
        }


def is_failure(found: Any) -> bool:
    """Whether what was computed is no value."""
    return isinstance(found, str)
