"""The first version of aiocells, 1.0.4, from the folder that AIOCELLS_1 names.

It calls its nodes without arguments: values go through `Place` and `assign`, as in its
own demos.
"""

import functools
import os
import sys
from typing import Any

from benchmarks.layered import INPUTS, Layered
from benchmarks.peers import AsyncPrepared, Prepared

_folder = os.environ.get("AIOCELLS_1")
if not _folder:
    _msg = "AIOCELLS_1 does not name a folder that has aiocells 1.0.4"
    raise ImportError(_msg)
sys.path.insert(0, _folder)

import aiocells  # noqa: E402

if hasattr(aiocells, "Graph"):
    _msg = f"the folder {_folder} has no aiocells 1.0.4"
    raise ImportError(_msg)

DISTRIBUTION = "aiocells"


def sequential(made: Layered) -> Prepared:
    """In topological order."""
    graph, places = _graph(made)
    compute = functools.partial(aiocells.compute_sequential, graph)
    return compute, lambda _: [place.value for place in places]


async def concurrent(made: Layered) -> AsyncPrepared:
    """On an event loop."""
    graph, places = _graph(made)
    compute = functools.partial(aiocells.async_compute_concurrent, graph)
    return compute, lambda _: [place.value for place in places]


def _graph(made: Layered) -> tuple[Any, list[Any]]:
    """The graph, and the places of the cells' values."""
    inputs = [aiocells.Place(value=value) for value in INPUTS.values()]
    places = [aiocells.Place() for _ in made.functions]
    graph = aiocells.DependencyGraph()
    nodes: list[Any] = []
    for function, place, needs in zip(made.functions, places, made.needs, strict=True):
        taken = [places[number] for number in needs] or inputs
        node = aiocells.assign(place, function, *taken)
        graph.add_node(node)
        for number in needs:
            graph.add_dependency(node, nodes[number])
        nodes.append(node)
    return graph, places
