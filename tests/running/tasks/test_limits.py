"""How many cells run at once: max_concurrency= and limits=."""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiocells import Graph, UnsupportedCell, cell, depends_on, resource
from tests.helpers import COMPUTERS
from tests.strategies import Node, Shape, shapes

CONCURRENT = ["concurrent", "simple"]
every_concurrent = pytest.mark.parametrize("name", CONCURRENT)


class Trouble(Exception):
    """Raised by the cells of this module."""


class Limited:
    """The cells of a shape, with limits, and how many of them ran at once.

    Args:
        shape: the random graph.
        limit_of: for each cell the name of its limit, or None.
        failing: the ranks of the cells that raise.
    """

    def __init__(
        self, shape: Shape, limit_of: list[str | None], failing: set[int]
    ) -> None:
        """Make the cells, and count none of them yet."""
        self.failing = failing
        self.running: Counter[str | None] = Counter()
        self.most: Counter[str | None] = Counter()
        self.started: list[int] = []
        self.cells: dict[int, Any] = {}
        for node in shape.nodes:
            body = self.async_body(node) if node.is_async else self.body(node)
            options = cell(name=f"cell_{node.rank}", limit=limit_of[node.rank])
            needs = depends_on(*(self.cells[rank] for rank in node.needs))
            self.cells[node.rank] = options(needs(body))
        self.limit_of = limit_of
        self.graph = Graph.from_cells(*(self.cells[rank] for rank in shape.declared))

    def enter(self, rank: int) -> None:
        """Count a cell that starts."""
        self.started.append(rank)
        for counted in {"all", self.limit_of[rank]}:
            self.running[counted] += 1
            self.most[counted] = max(self.most[counted], self.running[counted])

    def leave(self, rank: int) -> None:
        """Count a cell that ends, and have it raise if it is to."""
        for counted in {"all", self.limit_of[rank]}:
            self.running[counted] -= 1
        if rank in self.failing:
            raise Trouble

    def body(self, node: Node) -> Any:
        """A plain cell."""

        def run() -> None:
            self.enter(node.rank)
            self.leave(node.rank)

        return run

    def async_body(self, node: Node) -> Any:
        """An async cell."""

        async def run() -> None:
            self.enter(node.rank)
            for _ in range(node.turns):
                await asyncio.sleep(0)
            self.leave(node.rank)

        return run


@given(shapes(max_cells=12), st.data())
def test_never_more_run_at_once_than_said(shape: Shape, data: st.DataObject) -> None:
    """Whatever the graph, the limits and the failures: no more at once, and all run."""
    count = len(shape.nodes)
    named = st.lists(st.sampled_from([None, "a", "b"]), min_size=count, max_size=count)
    limit_of = data.draw(named)
    bound = st.integers(1, 3)
    counts = {name: data.draw(bound) for name in sorted({*limit_of} - {None})}
    most = data.draw(st.none() | bound)
    failing = set(data.draw(st.lists(st.integers(0, 20), max_size=2)))
    for name in CONCURRENT:
        made = Limited(shape, limit_of, failing)
        results = COMPUTERS[name](
            made.graph, max_concurrency=most, limits=counts, on_error="continue"
        )
        assert made.most["all"] <= (most or count)
        assert all(made.most[limit] <= counts[limit] for limit in counts)
        assert len(made.started) == count - len(results.skipped)
        assert set(results.failures) == {
            made.cells[rank] for rank in made.started if rank in failing
        }


@every_concurrent
def test_as_many_run_at_once_as_there_is_room_for(name: str) -> None:
    """The limit is used up: three cells that wait for each other all get in."""

    def compute(count: int) -> int:
        """How many of four are running once nothing more starts."""
        waiting, most = 0, 0

        async def wait() -> None:
            nonlocal waiting, most
            waiting += 1
            most = max(most, waiting)
            for _ in range(10):
                await asyncio.sleep(0)
            waiting -= 1

        def make(number: int) -> Any:
            async def body() -> None:
                await wait()

            return cell(name=f"cell_{number}", limit="backend")(body)

        graph = Graph.from_cells(*map(make, range(4)))
        COMPUTERS[name](graph, limits={"backend": count})
        by_limit, most = most, 0
        COMPUTERS[name](graph, limits={"backend": 9}, max_concurrency=count)
        assert by_limit == most
        return most

    assert [compute(count) for count in (1, 2, 3, 4, 5)] == [1, 2, 3, 4, 4]


@every_concurrent
def test_among_those_that_wait_declaration_order_decides(name: str) -> None:
    """Cells that are held back start in the order of their declaration."""
    order: list[int] = []

    def make(number: int) -> Any:
        async def awaited() -> None:
            order.append(number)
            await asyncio.sleep(0)

        def plain() -> None:
            order.append(number)

        limit = "some" if number % 3 else None
        return cell(name=f"cell_{number}", limit=limit)(
            awaited if number % 2 else plain
        )

    graph = Graph.from_cells(*map(make, range(20)))
    COMPUTERS[name](graph, max_concurrency=1, limits={"some": 5})
    assert order == list(range(20))


@every_concurrent
def test_a_full_limit_holds_up_only_its_own_cells(name: str) -> None:
    """A cell of another limit, or of none, overtakes those that are held back."""
    order: list[str] = []
    may_end = asyncio.Event()

    @cell(limit="slow")
    async def first() -> None:
        await may_end.wait()
        order.append("first")

    @cell(limit="slow")
    async def second() -> None:
        order.append("second")

    @cell(limit="quick")
    async def third() -> None:
        order.append("third")

    @cell
    def fourth(third: None) -> None:
        order.append("fourth")
        may_end.set()

    graph = Graph.from_cells(first, second, third, fourth)
    COMPUTERS[name](graph, limits={"slow": 1, "quick": 1})
    assert order == ["third", "fourth", "first", "second"]


@every_concurrent
def test_a_resource_counts_while_it_opens_only(name: str) -> None:
    """An open resource takes no room from the cells that use it."""
    opening, most = 0, 0
    closed: list[str] = []

    def make(which: str) -> Any:
        @resource(name=which, limit="db")
        async def opened() -> AsyncIterator[str]:
            nonlocal opening, most
            opening += 1
            most = max(most, opening)
            await asyncio.sleep(0)
            opening -= 1
            yield which
            closed.append(which)

        return opened

    @cell(limit="db")
    async def using(one: str, two: str) -> str:
        return one + two

    graph = Graph.from_cells(make("one"), make("two"), using)
    results = COMPUTERS[name](graph, limits={"db": 1}, max_concurrency=1)
    assert results[using] == "onetwo"
    assert most == 1
    assert sorted(closed) == ["one", "two"]


@every_concurrent
def test_a_cell_that_fails_gives_its_room_back(name: str) -> None:
    """With "continue" those that wait get in after a failure, too."""

    def make(number: int) -> Any:
        async def failing() -> None:
            raise Trouble

        return cell(name=f"cell_{number}", limit="backend")(failing)

    cells = [make(number) for number in range(5)]
    results = COMPUTERS[name](
        Graph.from_cells(*cells), limits={"backend": 1}, on_error="continue"
    )
    assert list(results.failures) == cells


@every_concurrent
def test_what_is_held_back_at_a_failure_never_starts(name: str) -> None:
    """With "raise" a failure ends the wait of those that are held back."""
    ran: list[int] = []

    @cell
    async def failing() -> None:
        await asyncio.sleep(0)
        raise Trouble

    @cell
    async def held() -> None:
        ran.append(1)

    graph = Graph.from_cells(failing, held)
    with pytest.raises(Trouble):
        COMPUTERS[name](graph, max_concurrency=1)
    assert not ran


@pytest.mark.parametrize("name", ["sequential", "async_sequential"])
def test_the_sequential_computers_need_no_limits(name: str) -> None:
    """One cell at a time keeps every limit, so that none need be given."""

    @cell(limit="backend")
    def answer() -> int:
        return 42

    assert COMPUTERS[name](Graph.from_cells(answer))[answer] == 42


# What is refused before anything runs


def refused(**options: Any) -> list[Exception]:
    """What the concurrent computers raise; no cell may run."""
    ran: list[int] = []

    @cell(name="asking", limit="backend")
    def asking() -> None:
        ran.append(1)

    graph, errors = Graph.from_cells(asking), []
    for name in CONCURRENT:
        with pytest.raises(Exception) as caught:  # noqa: PT011
            COMPUTERS[name](graph, **options)
        errors.append(caught.value)
    assert not ran
    return errors


def test_a_limit_that_is_not_given_is_refused() -> None:
    """A cell whose limit the caller does not give is refused by name."""
    for error in refused():
        assert type(error) is UnsupportedCell
        assert error.cell.__name__ == "asking"  # type: ignore[union-attr]
        assert str(error).startswith("'asking' (")
        assert str(error).endswith(
            " has limit='backend', but how many that is was not said. Give it as "
            "limits={'backend': ...}."
        )


def test_a_limit_that_is_mistyped_is_refused() -> None:
    """A limit that no cell has is a mistake that is told, with near names."""
    for error in refused(limits={"backend": 1, "backends": 2}):
        assert type(error) is ValueError
        assert str(error) == (
            "limits: no cell has limit='backends'. Did you mean 'backend'?"
        )


def test_a_limit_that_is_near_is_suggested() -> None:
    """Where a cell's limit is not given, but one like it is, that one is suggested."""

    @cell(limit="backends")
    def one() -> None: ...

    @cell(limit="backend")
    def other() -> None: ...

    for name in CONCURRENT:
        with pytest.raises(UnsupportedCell, match="Did you mean 'backend'"):
            COMPUTERS[name](Graph.from_cells(one, other), limits={"backend": 1})


def test_only_chosen_cells_need_their_limits() -> None:
    """Limits of cells that are not run may be given, and may be left out."""

    @cell(limit="backend")
    def asking() -> None: ...

    @cell
    def other() -> int:
        return 1

    graph = Graph.from_cells(asking, other)
    for name in CONCURRENT:
        for limits in ({}, {"backend": 1}):
            results = COMPUTERS[name](graph, targets=[other], limits=limits)
            assert dict(results) == {other: 1}


@pytest.mark.parametrize("count", [0, -1, 1.0, "2", True, None])
def test_a_limit_is_a_whole_number_of_at_least_1(count: Any) -> None:
    """Another limit is refused, as one for all cells and as a named one."""
    told = f"={count!r}: expected a whole number of at least 1."
    for error in refused(limits={"backend": count}):
        assert type(error) is ValueError
        assert str(error) == f"limits: 'backend'{told}"
    if count is not None:
        for error in refused(max_concurrency=count, limits={"backend": 1}):
            assert type(error) is ValueError
            assert str(error) == f"max_concurrency{told}"


@pytest.mark.needs_threads
@every_concurrent
def test_limits_hold_in_threads(name: str) -> None:
    """Thread cells count as long as their threads run."""
    running, most = 0, 0
    two = threading.Barrier(2)
    lock = threading.Lock()

    def make(number: int) -> Any:
        def body() -> None:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            two.wait(10)
            with lock:
                running -= 1

        return cell(name=f"cell_{number}", run_in="thread", limit="cpu")(body)

    graph = Graph.from_cells(*map(make, range(8)))
    COMPUTERS[name](graph, limits={"cpu": 2})
    assert most == 2
