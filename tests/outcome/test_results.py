"""Results: what a computer returns."""

import asyncio
import functools
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiocells import (
    DependencyGraph,
    Graph,
    Results,
    UnknownCell,
    async_compute_concurrent,
    async_compute_concurrent_simple,
    async_compute_sequential,
    cell,
    compute_sequential,
    depends_on,
    resource,
)
from tests.helpers import Modules, described, text, value_of

TRIP = """
@cell
def forecast(): return "sun"

@cell
def plan(forecast): return f"go: {forecast}"

@cell
def unrelated(): return 1

@resource
def connection(): yield "connection"

@cell
def stored(plan, connection): return len(plan)
"""


@pytest.fixture
def trip(modules: Modules) -> Any:
    """The module of the tests below."""
    return modules.make("trip", TRIP)


def test_results_are_a_mapping_of_targets_in_order(trip: Any) -> None:
    """All that a mapping can do, keyed by cell."""
    results = compute_sequential(
        Graph.from_module(trip), targets=["stored", trip.forecast]
    )
    assert isinstance(results, Results)
    assert isinstance(results, Mapping)
    assert len(results) == 2
    assert list(results) == list(results.keys()) == [trip.stored, trip.forecast]
    assert list(results.values()) == [7, "sun"]
    assert list(results.items()) == [(trip.stored, 7), (trip.forecast, "sun")]
    assert results == {trip.stored: 7, trip.forecast: "sun"}
    assert results != {trip.stored: 7}
    assert results.get(trip.plan, "default") == "default"


def test_results_cannot_be_changed(trip: Any) -> None:
    """They are read only."""
    results: Any = compute_sequential(Graph.from_module(trip))
    with pytest.raises(TypeError):
        results[trip.plan] = 3
    with pytest.raises(TypeError):
        del results[trip.plan]
    with pytest.raises(AttributeError):
        results.anything = 3


def test_all_cells_but_resources_are_targets_by_default(trip: Any) -> None:
    """In the order of their declaration."""
    results = compute_sequential(Graph.from_module(trip))
    assert list(results) == [trip.forecast, trip.plan, trip.unrelated, trip.stored]
    assert trip.connection not in results


def test_the_name_of_a_cell_works_as_a_key(trip: Any) -> None:
    """Where only one target has it."""
    results = compute_sequential(Graph.from_module(trip))
    assert results["plan"] == results[trip.plan] == "go: sun"
    assert "plan" in results
    assert "zzz" not in results
    assert results.get("plan") == "go: sun"
    assert results.get("zzz") is None


def test_a_name_is_looked_up_among_the_targets_first(trip: Any) -> None:
    """Another cell of the same name that is no target does not matter."""
    other = cell(name="plan")(lambda: "other plan")
    graph = Graph.from_cells(trip.plan, other)
    assert compute_sequential(graph, targets=[other])["plan"] == "other plan"
    assert compute_sequential(graph, targets=[trip.plan])["plan"] == "go: sun"


@pytest.mark.parametrize("key", [lambda: 1, functools.partial(len, "four")])
def test_any_cell_is_a_key(key: Any) -> None:
    """Lambdas and partials, and methods each time they are looked up anew."""
    assert value_of(key) == key()

    class Trip:
        @cell
        def plan(self) -> str:
            return "plan"

    trip = Trip()
    results = compute_sequential(Graph.from_object(trip))
    assert results[trip.plan] == results["plan"] == "plan"
    assert Trip().plan not in results


@pytest.mark.parametrize(
    "compute",
    [
        async_compute_sequential,
        async_compute_concurrent,
        async_compute_concurrent_simple,
    ],
)
async def test_a_future_that_a_plain_cell_returns_is_its_value(compute: Any) -> None:
    """As a type checker is told: only what an async cell returns is awaited, once."""
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @cell
    def plain() -> asyncio.Future[int]:
        return future

    @cell
    async def awaited() -> asyncio.Future[int]:
        return future

    results = await compute(Graph.from_cells(plain, awaited))
    assert results[plain] is future
    assert results[awaited] is future


def test_results_do_not_change_when_the_graph_does(trip: Any) -> None:
    """A node that is added later is not in them, even where its name is asked for."""
    graph = Graph.from_cells(trip.forecast)
    results = compute_sequential(graph)
    before = dict(results)
    graph.add_precedence(trip.forecast, trip.unrelated)
    assert dict(results) == before
    assert trip.unrelated not in results
    assert "unrelated" not in results
    assert "unrelated" in compute_sequential(graph)


def test_the_repr_names_the_cells(trip: Any) -> None:
    """Values are not shown, since they may be large; nor all of many cells."""
    graph = Graph.from_module(trip)
    assert repr(compute_sequential(graph, targets=[])) == "<Results: none>"
    results = compute_sequential(graph, targets=["stored", "plan"])
    assert repr(results) == "<Results: 'stored', 'plan'>"
    many = Graph.from_cells(*(text(f"cell_{number}") for number in range(100)))
    shown = repr(compute_sequential(many))
    assert shown.startswith("<Results: 'cell_0', 'cell_1', ")
    assert shown.endswith(" more>")
    assert len(shown) < 500


def test_values_by_name_make_a_dict_of_columns(trip: Any) -> None:
    """A new dict, in the order of the targets; changing it changes no results."""
    results = compute_sequential(
        Graph.from_module(trip), targets=["stored", trip.forecast]
    )
    columns = results.by_name()
    assert type(columns) is dict
    assert list(columns.items()) == [("stored", 7), ("forecast", "sun")]
    columns.clear()
    assert results.by_name() == {"stored": 7, "forecast": "sun"}


def test_values_of_one_name_are_told_apart(modules: Modules) -> None:
    """By the place of the cell, where another target has its name."""
    trip = modules.make(
        "trip",
        """
        @cell(name="plan")
        def one(): return 1

        @cell(name="plan")
        def two(): return 2

        @cell
        def three(): return 3
        """,
    )
    graph = Graph.from_module(trip)
    assert compute_sequential(graph).by_name() == {
        "plan (trip.py:2)": 1,
        "plan (trip.py:5)": 2,
        "three": 3,
    }
    assert compute_sequential(graph, targets=[trip.two]).by_name() == {"plan": 2}


@given(st.lists(st.sampled_from(["a", "a #2", "b"])))
def test_no_value_is_lost_by_its_name(names: list[str]) -> None:
    """However names are shared, each value has a key of its own."""
    results = compute_sequential(Graph.from_cells(*map(text, names)))
    assert list(results.by_name().values()) == names


def test_names_that_are_keys_are_completed(modules: Modules) -> None:
    """IPython offers the names that work, and each works."""
    _, results = failing(modules)
    offered: Any = results
    assert offered._ipython_key_completions_() == ["fine"]
    assert results.by_name() == {"fine": 1}
    graph = Graph.from_cells(text("a"), text("b"), text("a"))
    offered = compute_sequential(graph)
    assert offered._ipython_key_completions_() == ["b"]
    offered = compute_sequential(graph, targets=list(graph.cells.values())[:2])
    assert offered._ipython_key_completions_() == ["a", "b"]
    assert [offered[name] for name in "ab"] == ["a", "b"]
    graph = Graph.from_cells(text("a"), cell(name="a")(lambda: 1 // 0))
    offered = compute_sequential(graph, on_error="continue")
    assert offered._ipython_key_completions_() == []


# Why a value is not there


@pytest.mark.parametrize(
    ("key", "told"),
    [
        (
            "forecast",
            "'forecast' (trip.py:2) was computed, but is no target. Add it to "
            "targets=.",
        ),
        (
            "unrelated",
            "'unrelated' (trip.py:8) was not computed: no target needs it. Add it to "
            "targets=.",
        ),
        (
            "connection",
            "'connection' (trip.py:11) is a resource: its value was closed with the "
            "computation.",
        ),
    ],
)
def test_what_is_no_target_says_why(trip: Any, key: str, told: str) -> None:
    """By cell and by name, as a KeyError that reads as a sentence."""
    results = compute_sequential(Graph.from_module(trip), targets=["stored", "plan"])
    for asked in (key, getattr(trip, key)):
        with pytest.raises(KeyError) as caught:
            results[asked]
        assert str(caught.value) == told
        assert asked not in results
        assert results.get(asked) is None


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("pln", "there is no cell 'pln' in the graph. Did you mean 'plan'?"),
        ("zzz", "there is no cell 'zzz' in the graph."),
    ],
)
def test_a_name_that_is_not_in_the_graph_says_so(
    trip: Any, key: str, told: str
) -> None:
    """With near names."""
    results = compute_sequential(Graph.from_module(trip))
    with pytest.raises(KeyError) as caught:
        results[key]
    assert str(caught.value) == told
    assert key not in results


@pytest.mark.parametrize("key", [3, None, [3]])
def test_what_cannot_be_in_the_graph_says_so(trip: Any, key: Any) -> None:
    """Also what is not hashable."""
    results = compute_sequential(Graph.from_module(trip))
    with pytest.raises(KeyError) as caught:
        results[key]
    assert str(caught.value).replace("'", "") == f"{key} is not in the graph."
    assert key not in results


def test_a_function_that_is_not_in_the_graph_says_so(trip: Any) -> None:
    """The error names it with its place."""
    results = compute_sequential(Graph.from_cells(trip.forecast))
    with pytest.raises(KeyError) as caught:
        results[trip.plan]
    assert str(caught.value) == "'plan' (trip.py:5) is not in the graph."
    assert trip.plan not in results


def test_a_function_that_was_defined_anew_says_so(modules: Modules) -> None:
    """The error says what `targets=` does: which cell has its name."""
    trip = modules.make("trip", "@cell\ndef plan(): return 1")
    old = trip.plan
    modules.run(trip, "@cell\ndef plan(): return 2")
    graph = Graph.from_module(trip)
    told = (
        f"{described('plan', old)} is no cell of the graph. It has another cell of "
        f"that name: {described('plan', trip.plan)}."
    )
    with pytest.raises(KeyError) as caught:
        compute_sequential(graph)[old]
    assert str(caught.value) == told
    with pytest.raises(UnknownCell) as unknown:
        compute_sequential(graph, targets=[old])
    assert str(unknown.value) == f"targets: {told}"


def test_an_ambiguous_name_says_so(modules: Modules) -> None:
    """Two targets of one name: the error names both, with the remedy."""
    trip = modules.make(
        "trip",
        """
        @cell(name="plan")
        def one(): return 1

        @cell(name="plan")
        def two(): return 2
        """,
    )
    results = compute_sequential(Graph.from_module(trip))
    with pytest.raises(KeyError) as caught:
        results["plan"]
    assert str(caught.value) == (
        "'plan' is the name of 'plan' (trip.py:2) and 'plan' (trip.py:5). Ask with the "
        "cell itself."
    )
    assert "plan" not in results
    assert (results[trip.one], results[trip.two]) == (1, 2)


def test_results_of_a_graph_of_1_x() -> None:
    """Nodes added by hand have values and names as well."""
    graph = DependencyGraph()
    hello = graph.add_node(lambda: "hello")
    graph.add_precedence(hello, text("last"))
    results = compute_sequential(graph)
    assert results[hello] == "hello"
    assert results["last"] == "last"
    assert next(iter(results)) is hello


# After failures


def failing(modules: Modules) -> tuple[Any, Results]:
    """Results in which one cell failed, one was skipped, and one was computed."""
    trip = modules.make(
        "trip",
        """
        @cell
        def broken(): raise ValueError("no")

        @cell
        def after(broken): ...

        @cell
        def fine(): return 1
        """,
    )
    return trip, compute_sequential(Graph.from_module(trip), on_error="continue")


def test_what_failed_raises_its_failure(modules: Modules) -> None:
    """Each time the same exception, whose traceback does not grow."""
    trip, results = failing(modules)
    assert list(results.failures) == [trip.broken]
    lengths = set()
    for key in (trip.broken, "broken", trip.broken):
        with pytest.raises(ValueError, match="no") as caught:
            results[key]
        assert caught.value is results.failures[trip.broken]
        lengths.add(len(caught.traceback))
    assert len(lengths) == 1


def test_what_was_skipped_says_why(modules: Modules) -> None:
    """The KeyError names what failed."""
    trip, results = failing(modules)
    assert results.skipped == {trip.after}
    for key in (trip.after, "after"):
        with pytest.raises(KeyError) as caught:
            results[key]
        assert str(caught.value) == (
            "'after' (trip.py:5) was skipped, because what it needs failed: 'broken' "
            "(trip.py:2)."
        )


def test_what_was_skipped_names_only_what_it_needs(modules: Modules) -> None:
    """Of several failures those that it was skipped for, over any way, once."""
    trip = modules.make(
        "trip",
        """
        @cell
        def one(): raise ValueError

        @cell
        def two(): raise ValueError

        @cell
        def three(): raise ValueError

        @cell
        def left(one): ...

        @cell
        def right(one, two): ...

        @cell
        @depends_on(three)
        def given(): ...

        @cell
        def last(right, left, given): ...
        """,
    )
    results = compute_sequential(
        Graph.from_module(trip),
        targets=["last", "three"],
        overrides={"given": 1},
        on_error="continue",
    )
    assert list(results.failures) == [trip.one, trip.two, trip.three]
    with pytest.raises(KeyError) as caught:
        results["last"]
    assert str(caught.value) == (
        "'last' (trip.py:21) was skipped, because what it needs failed: 'one' "
        "(trip.py:2), 'two' (trip.py:5)."
    )


def test_only_what_was_computed_is_in_the_mapping(modules: Modules) -> None:
    """Failed and skipped cells are no keys."""
    trip, results = failing(modules)
    assert dict(results) == {trip.fine: 1}
    assert len(results) == 1
    assert trip.broken not in results
    assert "after" not in results
    assert repr(results) == "<Results: 'fine'>"


def test_without_failures_nothing_failed(trip: Any) -> None:
    """`failures` and `skipped` are empty."""
    results = compute_sequential(Graph.from_module(trip))
    assert results.failures == {}
    assert results.skipped == frozenset()


def test_the_value_of_a_resource_is_not_kept() -> None:
    """Even for the results' owner, what was closed is gone."""

    @resource
    def connection() -> Iterator[str]:
        yield "open"

    @depends_on(connection)
    def user(connection: str) -> str:
        return connection

    results = compute_sequential(Graph.from_cells(user))
    assert dict(results) == {user: "open"}
    with pytest.raises(KeyError, match="closed with the computation"):
        results[connection]


def test_a_failure_that_counts_as_false_is_a_failure() -> None:
    """Whatever truth an exception has, looking up its cell raises it."""

    class EmptyError(Exception):
        def __len__(self) -> int:
            return 0

    @cell
    def broken() -> None:
        raise EmptyError

    graph = Graph.from_cells(broken)
    results = compute_sequential(graph, on_error="continue")
    with pytest.raises(EmptyError):
        results[broken]


class Unlisted(dict[int, BaseException]):
    """Failures that may be looked up, and not listed."""

    def keys(self) -> Any:
        """Refuse to list them."""
        raise AssertionError

    __iter__ = keys


def test_to_ask_for_one_value_lists_no_failures() -> None:
    """Where many cells failed, a program that asks for each takes no square of that."""

    @cell
    def broken() -> None:
        raise LookupError

    @cell
    def skipped(broken: None) -> None: ...

    @cell
    def fine() -> int:
        return 42

    graph = Graph.from_cells(broken, skipped, fine)
    results = compute_sequential(graph, on_error="continue")
    results._failures = Unlisted(results._failures)
    assert [each in results for each in graph.cells.values()] == [False, False, True]
    assert results.get(broken, 1) == 1
    assert results[fine] == 42
