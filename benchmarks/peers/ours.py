"""This library."""

import functools
from typing import Any

from aiocells import (
    Graph,
    Results,
    async_compute_concurrent,
    cell,
    compute_sequential,
)
from aiocells._running.loops import generated
from benchmarks.layered import INPUTS, Layered
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


async def concurrent(made: Layered) -> AsyncPrepared:
    """On an event loop."""
    graph = Graph.from_cells(*map(cell, made.functions))
    return functools.partial(async_compute_concurrent, graph, inputs=INPUTS), _values


def _values(results: Results) -> list[Any]:
    return list(results.values())
