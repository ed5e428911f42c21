"""Results know the type of each cell's value. Checked, never run."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

import functools
from collections.abc import Iterator, Mapping
from typing import Any, assert_type

import aiocells
from aiocells import (
    DependencyGraph,
    Graph,
    Results,
    async_compute_concurrent,
    async_compute_concurrent_simple,
    async_compute_sequential,
    cell,
    compute_sequential,
    depends_on,
    resource,
)


@cell
def spot() -> float:
    """A plain cell."""
    return 1.0


@cell(name="quotes")
async def find_quotes(spot: float) -> list[float]:
    """An async cell, whose value is what it returns when awaited."""
    return [spot]


@depends_on(spot)
async def report() -> str | None:
    """An async cell of several types, marked by depends_on alone."""
    return None


@cell
def nothing() -> None:
    """A cell without a value."""


@cell
class Box:
    """A class, whose instance is the value."""


class Trip:
    """Has methods that are cells."""

    @cell
    def forecast(self, city: str) -> str:
        """A method."""
        return city

    @cell
    async def hotels(self, city: str) -> list[str]:
        """An async method."""
        return [city]

    @classmethod
    @cell
    def rate(cls) -> float:
        """A class method."""
        return 1.0

    @staticmethod
    @cell
    async def fee() -> int:
        """A static method."""
        return 1

    def __call__(self, city: str) -> bytes:
        """Make the object a callable."""
        return city.encode()


def scaled(spot: float, factor: int) -> complex:
    """Has a parameter to fix."""
    return spot * factor


async def fetched(url: str) -> bytes:
    """Has a parameter to fix, and is async."""
    return url.encode()


double = cell(name="double")(functools.partial(scaled, factor=2))
page = cell(functools.partial(fetched, "/"))
trip = Trip()
callable_object = cell(Trip())
graph = Graph.from_cells(spot, find_quotes)


def plain() -> None:
    """A value has the type that its cell returns."""
    results = compute_sequential(graph, targets=[spot, "spot"], overrides={spot: 2.0})
    assert_type(results, Results)
    assert_type(results[spot], float)
    assert_type(results[nothing], None)
    assert_type(results[Box], Box)
    assert_type(results[double], complex)
    assert_type(results[trip.forecast], str)
    assert_type(results[Trip.rate], float)
    assert_type(results[callable_object], bytes)
    assert_type(results.fallbacks, Mapping[Any, BaseException])
    results.fallbacks[spot] = KeyError()  # type: ignore[index]
    text: str = results[spot]  # type: ignore[assignment]
    print(text)


def by_name() -> None:
    """By name a value may be anything."""
    results = compute_sequential(graph, inputs={"symbol": "ACME"})
    assert_type(results["spot"], Any)
    text: str = results["spot"]
    print(text)
    results[3]  # type: ignore[call-overload]
    results.get(3)  # type: ignore[call-overload]


def as_a_mapping() -> None:
    """What a mapping of several types can say."""
    results = compute_sequential(graph)
    for key, value in results.items():
        assert_type(key, Any)
        assert_type(value, Any)
    assert_type(len(results), int)
    assert_type(spot in results, bool)
    results[spot] = 3.0  # type: ignore[index]


async def awaited() -> None:
    """The value of an async cell has the type that its coroutine returns."""
    in_order = await async_compute_sequential(graph, inputs={"symbol": "ACME"})
    assert_type(in_order[find_quotes], list[float])
    concurrent = await async_compute_concurrent(graph, targets=[find_quotes])
    assert_type(concurrent[find_quotes], list[float])
    assert_type(concurrent[spot], float)
    assert_type(concurrent[report], str | None)
    assert_type(concurrent[page], bytes)
    assert_type(concurrent[trip.hotels], list[str])
    assert_type(concurrent[Trip.fee], int)
    simple = await async_compute_concurrent_simple(graph, overrides={"spot": 1.0})
    assert_type(simple[find_quotes], list[float])


def failures() -> None:
    """Failures are exceptions by cell."""
    results = compute_sequential(graph, on_error="continue")
    assert_type(results.failures, dict[Any, BaseException])
    assert_type(results.skipped, frozenset[Any])
    try:
        compute_sequential(graph, on_error="group")
    except* ValueError as group:
        assert_type(aiocells.failures(group), dict[Any, BaseException])
    compute_sequential(graph, on_error="ignore")  # type: ignore[arg-type]


def graphs() -> None:
    """Each way of collecting gives a graph, which every computer takes."""
    assert_type(Graph.from_module("trip", aiocells), Graph)
    assert_type(Graph.from_cells(spot, double, trip.forecast), Graph)
    assert_type(Graph.from_object(trip), Graph)
    assert_type(graph.replace({spot: lambda: 3.0, "double": trip.forecast}), Graph)
    by_hand: DependencyGraph = graph
    compute_sequential(by_hand)
    compute_sequential(spot)  # type: ignore[arg-type]
    compute_sequential(graph, [spot])  # type: ignore[call-arg]
    Graph(aiocells)  # type: ignore[arg-type]
    Graph.from_cells("spot")  # type: ignore[arg-type]
    Graph.from_module(3)  # type: ignore[arg-type]
    graph.replace({spot: 3.0})  # type: ignore[dict-item]
    graph.replace(pool=spot)  # type: ignore[call-arg]


@resource
def connection() -> Iterator[str]:
    """A resource, which is no target: the type of its value does not matter."""
    yield "open"
