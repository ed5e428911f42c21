"""What a computation costs grows as the work does: twice as much, at most about twice.

Calls are counted, of functions in Python and in C, which are the same in every run.
"""

import asyncio
import contextlib
import functools
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

import aiocells
from aiocells import Graph, cell, depends_on, resource
from aiocells._planning.compiling import plan_of
from aiocells._running.loops import computing
from tests.helpers import COMPUTERS

every_computer = pytest.mark.parametrize("name", COMPUTERS)
every_async = pytest.mark.parametrize(
    "name", [name for name in COMPUTERS if name != "sequential"]
)
every_concurrent = pytest.mark.parametrize("name", ["concurrent", "simple"])

FEW = 300
# A logarithm may come on top, but no further factor.
MOST_GROWTH = 2.4


class Trouble(Exception):
    """Raised by the cells of this module."""


def calls_of(function: Callable[[], Any]) -> int:
    """How many functions are called by one."""
    counted = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(before)
    return counted


def check_growth(name: str, make: Callable[[int], Graph], **options: Any) -> None:
    """Compute a graph, and one of twice the size."""
    counts = []
    for size in (FEW, FEW, 2 * FEW):  # at first, something may have to be imported
        graph = make(size)
        given = {key: value(size) for key, value in options.items()}
        counts.append(calls_of(lambda: COMPUTERS[name](graph, **given)))  # noqa: B023
    assert counts[2] < MOST_GROWTH * counts[1]


def resources(count: int, *, are_chained: bool, are_async: bool) -> Graph:
    """So many resources, which need each other or do not."""

    def plain(before: Any = None) -> Iterator[int]:
        yield 1

    async def asynchronous(before: Any = None) -> AsyncIterator[int]:
        yield 1

    made: list[Any] = []
    for number in range(count):
        function = functools.partial(asynchronous if are_async else plain)
        opened = resource(function, name=f"resource_{number}")
        if are_chained and made:
            # A cell stands in between, as it often does.
            between = cell(name=f"cell_{number}")(lambda before: before)
            before = depends_on(before=made[-1])(between)
            made.append(depends_on(before=before)(opened))
        else:
            made.append(opened)

    @cell
    @depends_on(*made)
    def last() -> int:
        return 1

    return Graph.from_cells(last, *made)


@every_computer
@pytest.mark.parametrize("are_chained", [True, False])
def test_the_cost_of_resources_grows_as_their_number(
    name: str, are_chained: bool
) -> None:
    """Whether they need each other or not."""
    make = functools.partial(resources, are_chained=are_chained, are_async=False)
    check_growth(name, make)


@every_async
@pytest.mark.parametrize("are_chained", [True, False])
def test_the_cost_of_async_resources_grows_as_their_number(
    name: str, are_chained: bool
) -> None:
    """The same for those that are opened and closed in tasks."""
    make = functools.partial(resources, are_chained=are_chained, are_async=True)
    check_growth(name, make)


def test_what_a_plan_knows_of_resources_grows_as_their_number() -> None:
    """It does not list all that each one needs, itself or through others."""
    graph = resources(50, are_chained=True, are_async=False)
    between = plan_of(graph).between_resources
    assert len(between) == 99  # the resources, and the cells in between
    assert sum(map(len, between.values())) == 98


def test_cells_that_no_resource_needs_are_not_between_any() -> None:
    """What many cells need takes no more room than one that nobody needs."""

    @resource
    def opened() -> Iterator[int]:
        yield 1

    @cell
    def first(opened: int) -> int:
        return opened

    @cell
    def second(first: int) -> int:
        return first

    @cell
    def given() -> int:
        return 1

    @resource
    def another(given: int) -> Iterator[int]:
        yield 1

    graph = Graph.from_cells(second, another, opened, given)
    assert list(plan_of(graph).between_resources.values()) == [(), ()]


def limited(count: int) -> Graph:
    """So many cells, each with a limit of its own, and some with another."""

    async def turn() -> None:
        await asyncio.sleep(0)

    return Graph.from_cells(
        *(
            cell(functools.partial(turn), name=f"cell_{number}", limit=limit_of(number))
            for number in range(count)
        )
    )


def limit_of(number: int) -> "CountedName":
    """The limit of a cell."""
    return CountedName("shared" if number % 3 == 0 else f"limit_{number}")


class CountedName(str):
    """A name of which it is counted how often it is looked up."""

    __slots__ = ()

    def __hash__(self) -> int:
        return str.__hash__(self)


@every_concurrent
def test_the_cost_of_limits_grows_as_their_number(name: str) -> None:
    """However many there are, and however many cells wait for one of them."""

    def limits(size: int) -> dict[str, int]:
        return {limit_of(number): 1 for number in range(size)}

    check_growth(name, limited, limits=limits)


def limited_twice(count: int) -> Graph:
    """So many cells, each with a limit of its own and one that all share."""

    async def turn() -> None:
        await asyncio.sleep(0)

    cells = []
    for number in range(count):
        limit = CountedName("all"), CountedName(f"limit_{number}")
        cells.append(cell(functools.partial(turn), name=f"cell_{number}", limit=limit))
    return Graph.from_cells(*cells)


@every_concurrent
def test_the_cost_of_several_limits_grows_as_their_number(name: str) -> None:
    """A cell is looked at again only where one of its limits has room."""

    def limits(size: int) -> dict[str, int]:
        own = {CountedName(f"limit_{number}"): 1 for number in range(size)}
        return {CountedName("all"): 2, **own}

    check_growth(name, limited_twice, limits=limits)


@every_async
def test_the_cost_of_shared_limits_grows_as_their_number(name: str) -> None:
    """However many cells wait for one limiter, and whatever counts them besides."""

    def limits(size: int) -> dict[str, Any]:
        own = {
            CountedName(f"limit_{number}"): asyncio.Semaphore(1) if number % 2 else 1
            for number in range(size)
        }
        return {CountedName("all"): asyncio.Semaphore(2), **own}

    check_growth(name, limited_twice, limits=limits)


def test_the_cost_of_holds_grows_as_their_number() -> None:
    """However many are open already, such as one for each connection of a service."""

    @resource
    async def session() -> AsyncIterator[None]:
        yield

    graph = Graph.from_cells(session)

    async def open_many(count: int) -> None:
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(count):
                await stack.enter_async_context(aiocells.hold(graph, [session]))

    counts = [
        calls_of(functools.partial(asyncio.run, open_many(size)))
        for size in (FEW, FEW, 2 * FEW)
    ]
    assert counts[2] < MOST_GROWTH * counts[1]


def failing(count: int) -> Graph:
    """So many cells that fail, each with one that is skipped for it."""

    def broken() -> None:
        raise Trouble

    cells: list[Any] = []
    for number in range(count):
        cells.append(cell(functools.partial(broken), name=f"broken_{number}"))
        after = cell(name=f"after_{number}")(lambda: None)
        cells.append(depends_on(cells[-1])(after))
    return Graph.from_cells(*cells)


@every_computer
def test_the_cost_of_failures_grows_as_their_number(name: str) -> None:
    """With "continue" each costs what it costs alone, with targets or without."""
    check_growth(name, failing, on_error=lambda size: "continue")
    check_growth(
        name,
        failing,
        on_error=lambda size: "continue",
        targets=lambda size: [f"after_{number}" for number in range(size)],
    )


def falling_back(count: int) -> Graph:
    """A long chain that is skipped, with something to fall back at each link."""

    @cell
    def broken() -> None:
        raise Trouble

    made: list[Any] = [broken]
    users: list[Any] = []
    for number in range(count):
        link = cell(name=f"link_{number}")(lambda: None)
        made.append(depends_on(made[-1])(link))
        user = cell(name=f"user_{number}", fallback=lambda error: None)(lambda: None)
        users.append(depends_on(made[-1])(user))
    return Graph.from_cells(*made, *users)


@every_computer
def test_the_cost_of_fallbacks_grows_as_their_number(name: str) -> None:
    """However long the way is from a failure to those that fall back from it."""
    check_growth(
        name,
        falling_back,
        targets=lambda size: [f"user_{number}" for number in range(size)],
    )


def falling_back_at_each(count: int) -> Graph:
    """The same, where another failure comes in at each link."""

    def broken() -> None:
        raise Trouble

    made: list[Any] = []
    users: list[Any] = []
    for number in range(count):
        failed = cell(functools.partial(broken), name=f"broken_{number}")
        link = cell(name=f"link_{number}")(lambda: None)
        made += [failed, depends_on(failed, *made[-1:])(link)]
        user = cell(name=f"user_{number}", fallback=lambda error: None)(lambda: None)
        users.append(depends_on(link)(user))
    return Graph.from_cells(*made, *users)


@every_computer
def test_the_cost_of_telling_failures_grows_as_their_number(name: str) -> None:
    """Each is told of once in the notes of the first, however many come after it."""
    check_growth(
        name,
        falling_back_at_each,
        targets=lambda size: [f"user_{number}" for number in range(size)],
    )


class Copied(list[Any]):
    """A list that counts of how many items slices were made."""

    count = 0

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        if isinstance(index, slice):
            Copied.count += len(found)
            return Copied(found)
        return found


def test_what_is_left_is_not_copied_at_each_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The sequential computer goes on where it was."""
    segments_of = computing.segments_of

    def counted(*args: Any, **options: Any) -> Any:
        return [
            each._replace(numbers=Copied(each.numbers), steps=Copied(each.steps))
            for each in segments_of(*args, **options)
        ]

    monkeypatch.setattr(computing, "segments_of", counted)

    def broken() -> None:
        raise Trouble

    cells = [cell(functools.partial(broken), name=f"cell_{n}") for n in range(FEW)]
    graph = Graph.from_cells(*cells)
    plan_of(graph).order = Copied(plan_of(graph).order)
    results = aiocells.compute_sequential(graph, on_error="continue")
    assert len(results.failures) == FEW
    assert Copied.count <= 2 * FEW
