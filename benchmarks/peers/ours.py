"""This library."""

import functools
import types
from collections.abc import Callable
from typing import Any

from aiocells import (
    Graph,
    Input,
    Results,
    async_compute_concurrent,
    async_compute_sequential,
    cell,
    compute_sequential,
    each,
)
from aiocells._running.loops import generated
from benchmarks.layered import INPUTS, Layered
from benchmarks.page import INPUTS as PAGE_INPUTS
from benchmarks.page import cells_of
from benchmarks.peers import AsyncPrepared, Prepared

DISTRIBUTION = "aiocells"
AGAIN = 600


def from_the_first_run(made: Layered) -> Prepared:
    """As a graph is computed in its first runs."""
    generated.WORTH_COMPILING = 10**9
    graph = Graph.from_cells(*map(cell, made.functions))
    return functools.partial(compute_sequential, graph, inputs=INPUTS), _values


def again_and_again(made: Layered) -> Prepared:
    """As a graph is computed after many runs."""
    graph = Graph.from_cells(*map(cell, made.functions))
    for _ in range(AGAIN):
        compute_sequential(graph, inputs=INPUTS)
    return functools.partial(compute_sequential, graph, inputs=INPUTS), _values


def items(function: Callable[[int], int], xs: list[int]) -> Prepared:
    """A fan-out, in order."""
    made = each(function, {"x": Input("xs")}, name="made")
    graph = Graph.from_cells(made)
    compute = functools.partial(compute_sequential, graph, inputs={"xs": xs})
    return compute, lambda found: found[made]


async def concurrent(made: Layered) -> AsyncPrepared:
    """On an event loop."""
    graph = Graph.from_cells(*map(cell, made.functions))
    return functools.partial(async_compute_concurrent, graph, inputs=INPUTS), _values


async def page(shop: types.ModuleType) -> AsyncPrepared:
    """The page on an event loop."""
    return _page(async_compute_concurrent, shop)


async def page_in_order(shop: types.ModuleType) -> AsyncPrepared:
    """The page, each cell awaited before the next one starts."""
    return _page(async_compute_sequential, shop)


def _page(computer: Any, shop: types.ModuleType) -> AsyncPrepared:
    for function in cells_of(shop):
        cell(function)
    target = shop.page
    compute = functools.partial(
        computer, Graph.from_module(shop), targets=[target], inputs=PAGE_INPUTS
    )
    return compute, lambda results: results[target]


def _values(results: Results) -> list[Any]:
    return list(results.values())
