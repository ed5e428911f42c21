"""Results know the type of each cell's value. Checked, never run."""

from typing import Any, assert_type

from aiocells import (
    Graph,
    async_compute_concurrent,
    async_compute_sequential,
    cell,
    compute_sequential,
)


@cell
def spot() -> float:
    """A plain cell."""
    return 1.0


@cell
async def quotes(spot: float) -> list[float]:
    """An async cell, whose value is what it returns when awaited."""
    return [spot]


graph = Graph.from_cells(spot, quotes)


def plain() -> None:
    """A value has the type that its cell returns; by name it may be anything."""
    results = compute_sequential(graph, targets=[spot, "spot"], overrides={spot: 2.0})
    assert_type(results[spot], float)
    assert_type(results["spot"], Any)


async def awaited() -> None:
    """The value of an async cell has the type that its coroutine returns."""
    in_order = await async_compute_sequential(graph, inputs={"symbol": "ACME"})
    assert_type(in_order[quotes], list[float])
    concurrent = await async_compute_concurrent(graph, targets=[quotes])
    assert_type(concurrent[quotes], list[float])
    assert_type(concurrent[spot], float)
