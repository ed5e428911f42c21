"""What a cluster computes is what every other computer does."""

import asyncio
import re
from collections.abc import Callable
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

import aiocells
from aiocells import (
    Graph,
    Input,
    async_compute_concurrent,
    cell,
    compute_dask,
    depends_on,
    each,
)
from tests.cluster.noting import note, noted
from tests.mixed_graphs import ASYNC, INPUTS, PLAIN, Mixed, mixed_graphs, outcome

pytestmark = [pytest.mark.needs_threads, pytest.mark.needs_processes]


@cell
def price(count: int) -> float:
    """A plain cell."""
    return 2.5 * count


@cell
@depends_on(price)
async def total(price: float, tax: float = 0.2) -> float:
    """An async one, with an input that may be left out."""
    await asyncio.sleep(0)
    return price * (1 + tax)


@cell
@depends_on(parts=[price, total])
def both(parts: list[float]) -> list[float]:
    """One that gets a list of others."""
    return parts


def test_values_come_back(client: Any) -> None:
    """Of all cells, or of the targets alone."""
    graph = Graph.from_cells(price, total, both)
    results = compute_dask(graph, client=client, inputs={"count": 2})
    assert dict(results) == {price: 5.0, total: 6.0, both: [5.0, 6.0]}
    results = compute_dask(
        graph, client=client, targets=["both"], inputs={"count": 2, "tax": 1.0}
    )
    assert dict(results) == {both: [5.0, 10.0]}


def test_what_is_overridden_is_not_computed(client: Any) -> None:
    """And it may be all."""
    graph = Graph.from_cells(price, total)
    results = compute_dask(graph, client=client, overrides={price: 10})
    assert dict(results) == {price: 10, total: 12.0}
    results = compute_dask(graph, client=client, overrides={price: 10, total: 1})
    assert dict(results) == {price: 10, total: 1}
    assert dict(compute_dask(Graph.from_cells(), client=client)) == {}


def test_large_and_long_inputs_travel(client: Any) -> None:
    """By themselves, and as one."""

    @cell
    def size(xs: list[int]) -> int:
        return len(xs)

    @cell
    def same(xs: list[int]) -> list[int]:
        return xs

    xs = list(range(100_000))
    graph = Graph.from_cells(size, same)
    results = compute_dask(graph, client=client, inputs={"xs": xs})
    assert (results[size], results[same]) == (100_000, xs)


def test_more_cells_than_names(client: Any) -> None:
    """For many, modules stand in the keys of their tasks."""

    def made(number: int) -> Callable[[], int]:
        return cell(name=f"c{number}")(lambda: number)

    cells = [made(number) for number in range(300)]
    results = compute_dask(Graph.from_cells(*cells), client=client)
    assert [results[each_cell] for each_cell in cells] == [*range(300)]


def test_what_is_only_waited_for_is_done_before(client: Any, log: list[Any]) -> None:
    """Its value goes nowhere."""

    @cell
    def first() -> object:
        note("first")
        return object()

    @cell
    @depends_on(first)
    def second() -> None:
        note("second")

    @cell
    @depends_on(first)
    async def third() -> None:
        note("third")

    compute_dask(
        Graph.from_cells(first, second, third), client=client, targets=[second, third]
    )
    assert log[0] == "first"
    assert sorted(log) == ["first", "second", "third"]


def test_async_cells_leave_their_threads(client: Any, log: list[Any]) -> None:
    """More wait at once than there are threads."""

    @cell
    def count() -> int:
        return 12

    def made(number: int) -> Any:
        @cell(name=f"waits{number}")
        @depends_on(count)
        async def waits(count: int) -> None:
            note(number)
            while noted() < count:  # noqa: ASYNC110 - they are in other loops
                await asyncio.sleep(0)

        return waits

    cells = [made(number) for number in range(12)]
    compute_dask(Graph.from_cells(count, *cells), client=client, targets=cells)
    assert sorted(log) == [*range(12)]


# Failures that do not end it


@cell
def broken(x: int) -> int:
    """A cell that fails."""
    raise ValueError(x)


@cell
@depends_on(broken)
async def needing(broken: int) -> int:
    """One that is skipped for it."""
    return broken


@cell(fallback=lambda error: len(error.__notes__[0].splitlines()))
def safe(needing: int) -> int:
    """One that falls back."""
    return needing


@cell
def last(safe: int) -> int:
    """One that has its value all the same."""
    return safe + 1


def test_what_fell_back_is_told_where_it_is_no_target(client: Any) -> None:
    """With the failure that it fell back from, which the fallback saw named."""
    graph = Graph.from_cells(broken, needing, safe, last)
    results = compute_dask(graph, client=client, targets=[last], inputs={"x": 3})
    assert results[last] == 2
    [(fell, error)] = results.fallbacks.items()
    assert fell is safe
    assert "called with x=3" in error.__notes__[0]


def test_a_group_tells_of_what_is_not_made_good(client: Any) -> None:
    """And of nothing else, though more has failed."""

    @cell
    def first(x: int) -> int:
        raise KeyError(x)

    graph = Graph.from_cells(first, broken, needing, safe)
    with pytest.raises(ExceptionGroup) as caught:
        compute_dask(
            graph,
            client=client,
            targets=[first, safe],
            inputs={"x": 3},
            on_error="group",
        )
    assert [*map(repr, caught.value.exceptions)] == ["KeyError(3)"]


def lets_out(error: BaseException) -> None:
    """A fallback that has no value."""
    raise error


def replaces(error: BaseException) -> None:
    """A fallback that fails itself."""
    raise LookupError from error


def double(x: int) -> int:
    """An item."""
    if x == 3:
        raise ValueError(x)
    return 2 * x


async def double_later(x: int) -> int:
    """The same, async."""
    return double(x)


@pytest.mark.parametrize("fallback", [lets_out, replaces])
@pytest.mark.parametrize("on_error", ["raise", "continue", "group"])
def test_a_fallback_that_gives_no_value(
    client: Any, fallback: Any, on_error: Any
) -> None:
    """Of its own failure, and of what it needs; and what needs it is skipped."""

    @cell(fallback=fallback)
    def own(x: int) -> int:
        raise KeyError(x)

    @cell(fallback=fallback)
    def above(needing: int) -> int:
        return needing

    @cell
    def after(own: int, above: int) -> int:
        return own + above

    graph = Graph.from_cells(broken, needing, own, above, after)
    options: dict[str, Any] = {"inputs": {"x": 3}, "targets": [after]}
    if on_error == "continue":
        options["on_error"] = on_error
        here = asyncio.run(async_compute_concurrent(graph, **options))
        there = compute_dask(graph, client=client, **options)
        assert outcome(there) == outcome(here)
        return
    kinds = (KeyError, ValueError, LookupError, ExceptionGroup)
    # Each may be the first; so each is the only one as well.
    for given, failing in (
        ({}, {own, above}),
        ({own: 1}, {above}),
        ({above: 1}, {own}),
    ):
        with pytest.raises(kinds) as caught:
            compute_dask(
                graph, client=client, on_error=on_error, overrides=given, **options
            )
        assert set(aiocells.failures(caught.value)) <= failing


@pytest.mark.parametrize("function", [double, double_later])
@pytest.mark.parametrize("fallback", [None, lets_out, replaces, lambda error: []])
def test_a_fan_out_that_fails(client: Any, function: Any, fallback: Any) -> None:
    """An item of it, or what it needs."""

    @cell
    def items(xs: list[int]) -> list[int]:
        return [2 * x for x in xs if x > 0 or [].pop()]

    first = each(function, x=Input("xs"), name="first", fallback=fallback, limit=2)
    second = each(function, x=items, name="second", fallback=fallback)
    graph = Graph.from_cells(items, first, second)
    for xs in ([1, 2], [1, 3], [1, 0]):
        options: dict[str, Any] = {"inputs": {"xs": xs}, "on_error": "continue"}
        here = asyncio.run(async_compute_concurrent(graph, **options))
        there = compute_dask(graph, client=client, **options)
        assert outcome(there) == outcome(here)


def test_items_that_take_a_keyword(client: Any) -> None:
    """As each of them would be called."""

    def scaled(x: int, *, by: int) -> int:
        return x * by

    cells = each(scaled, x=Input("xs"), name="scaled_all")
    inputs = {"xs": [1, 2], "by": 3}
    found = compute_dask(Graph.from_cells(cells), client=client, inputs=inputs)
    assert found[cells] == [3, 6]


def test_what_is_overridden_is_shown_in_notes(client: Any) -> None:
    """As it was given."""

    @cell
    def failing(price: float) -> None:
        raise KeyError(price)

    graph = Graph.from_cells(price, failing)
    with pytest.raises(KeyError) as caught:
        compute_dask(graph, client=client, overrides={price: 7.0})
    assert caught.value.__notes__[0].endswith("called with price=7.0")


# Against another computer


MIXED = mixed_graphs((*PLAIN, *ASYNC))


@hypothesis.given(made=MIXED, data=st.data())
@hypothesis.settings(max_examples=25, deadline=None)
def test_any_graph_gives_what_it_gives_in_one_process(
    client: Any, made: Mixed, data: st.DataObject
) -> None:
    """Values, failures, what was skipped, and what fell back."""
    options: dict[str, Any] = {"inputs": INPUTS, "on_error": "continue"}
    if made.targets and data.draw(st.booleans()):
        options["targets"] = data.draw(
            st.lists(st.sampled_from(made.targets), min_size=1, unique=True)
        )
    here = asyncio.run(async_compute_concurrent(made.graph, **options))
    there = compute_dask(made.graph, client=client, **options)
    assert outcome(there) == outcome(here)


@hypothesis.given(made=MIXED, on_error=st.sampled_from(["raise", "group"]))
@hypothesis.settings(max_examples=25, deadline=None)
def test_what_fails_is_raised(client: Any, made: Mixed, on_error: Any) -> None:
    """One of the failures, or a group of them; or there is none, and all values."""
    graph, options = made.graph, {"inputs": INPUTS}
    here = asyncio.run(async_compute_concurrent(graph, on_error="continue", **options))
    known = {text_of(each_error) for each_error in here.failures.values()}
    if not known:
        results = compute_dask(graph, client=client, on_error=on_error, **options)
        assert outcome(results) == outcome(here)
        return
    with pytest.raises(ExceptionGroup if on_error == "group" else Exception) as caught:
        compute_dask(graph, client=client, on_error=on_error, **options)
    error = caught.value
    found = error.exceptions if isinstance(error, ExceptionGroup) else [error]
    assert known.issuperset(map(text_of, found))
    assert set(aiocells.failures(error)) <= set(here.failures)


def text_of(error: BaseException) -> str:
    """An exception with its cell, of which another item may be the first to fail."""
    cell_name = re.search("cell '.*?'", error.__notes__[0])
    return f"{type(error).__name__} {error.args[:1]} {cell_name}"
