"""Topological order: right, stable, and without recursion."""

import graphlib
import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiocells._graphs.toposort import CycleFound, topological_order

ROOT = Path(__file__).parents[2]
MANY = 100_000


@st.composite
def graphs(draw: st.DrawFn, *, acyclic: bool = False) -> list[list[int]]:
    """For each node the nodes that it needs, perhaps itself, perhaps in a circle."""
    count = draw(st.integers(0, 12))
    graph = []
    names = draw(st.permutations(range(count)))
    for rank in range(count):
        others = names[:rank] if acyclic else names
        needed = (
            st.lists(st.sampled_from(others), max_size=4) if others else st.just([])
        )
        graph.append((names[rank], draw(needed)))
    return [needed for _, needed in sorted(graph)]


def walk(graph: list[list[int]], node: int, seen: set[int]) -> Iterator[int]:
    """What must come before a node, then itself: the definition, by recursion."""
    if node not in seen:
        seen.add(node)
        for needed in graph[node]:
            yield from walk(graph, needed, seen)
        yield node


@given(graphs() | graphs(acyclic=True))
def test_an_order_is_found_where_graphlib_finds_one(graph: list[list[int]]) -> None:
    """The two agree on whether nodes need each other."""
    try:
        list(graphlib.TopologicalSorter(dict(enumerate(graph))).static_order())
    except graphlib.CycleError:
        with pytest.raises(CycleFound):
            topological_order(graph)
    else:
        assert sorted(topological_order(graph)) == list(range(len(graph)))


@given(graphs(acyclic=True))
def test_each_node_comes_after_those_that_it_needs(graph: list[list[int]]) -> None:
    """Every node is listed once, its dependencies before it."""
    order = topological_order(graph)
    place = {node: position for position, node in enumerate(order)}
    assert len(order) == len(graph)
    for node, needed in enumerate(graph):
        assert all(place[other] < place[node] for other in needed)


@given(graphs(acyclic=True))
def test_the_order_is_that_of_declaration_depth_first(graph: list[list[int]]) -> None:
    """Nodes in their order, each one's dependencies first, in the order given."""
    seen: set[int] = set()
    expected = [node for root in range(len(graph)) for node in walk(graph, root, seen)]
    assert topological_order(graph) == expected


@given(graphs(acyclic=True), st.data())
def test_roots_are_ordered_with_all_that_they_need(
    graph: list[list[int]], data: st.DataObject
) -> None:
    """Nothing else is, and the roots go in their own order."""
    some = st.lists(st.sampled_from(range(len(graph)))) if graph else st.just([])
    roots = data.draw(some)
    seen: set[int] = set()
    expected = [node for root in roots for node in walk(graph, root, seen)]
    assert topological_order(graph, iter(roots)) == expected


@given(graphs())
def test_a_cycle_is_found_as_a_path(graph: list[list[int]]) -> None:
    """Each of its nodes needs the next, the last is the first, and none comes twice."""
    try:
        topological_order(graph)
    except CycleFound as found:
        path = found.path
        assert len(path) > 1
        assert path[0] == path[-1]
        assert len(set(path)) == len(path) - 1
        assert all(after in graph[node] for node, after in itertools.pairwise(path))


def test_a_cycle_that_no_root_reaches_does_no_harm() -> None:
    """Only what is ordered is looked at."""
    graph = [[1], [], [3], [2]]
    assert topological_order(graph, [0]) == [1, 0]
    with pytest.raises(CycleFound) as caught:
        topological_order(graph)
    assert caught.value.path == [2, 3, 2]


def test_any_collection_of_dependencies_will_do() -> None:
    """Tuples, dicts and sets of numbers, read only."""
    graph = [(), {0: None}, frozenset({1}), range(3)]
    assert topological_order(graph) == [0, 1, 2, 3]


def test_no_nodes_have_an_order() -> None:
    """The order of nothing is empty."""
    assert topological_order([]) == []
    assert topological_order([[]], []) == []


@pytest.mark.parametrize(
    ("graph", "order"),
    [
        (
            [[number - 1] if number else [] for number in range(MANY)],
            range(MANY),
        ),
        (
            [[number + 1] for number in range(MANY - 1)] + [[]],
            range(MANY - 1, -1, -1),
        ),
        ([[] for _ in range(MANY)], range(MANY)),
        ([range(1, MANY)] + [[]] * (MANY - 1), [*range(1, MANY), 0]),
        ([[]] + [[0]] * (MANY - 1), range(MANY)),
        ([range(number) for number in range(500)], range(500)),
    ],
    ids=["chain", "chain backwards", "no edges", "needs all", "all need", "dense"],
)
def test_size_is_no_problem(graph: list[list[int]], order: list[int]) -> None:
    """100,000 nodes, deep or wide, are ordered without recursion."""
    assert topological_order(graph) == list(order)


def test_a_cycle_of_100_000_nodes_is_found() -> None:
    """Its path is told whole."""
    graph = [[(number + 1) % MANY] for number in range(MANY)]
    with pytest.raises(CycleFound) as caught:
        topological_order(graph)
    assert caught.value.path == [*range(MANY), 0]


ORDERS = """
import asyncio, types
import aiocells
from aiocells import DependencyGraph, Graph

names = [f"node {number}" for number in range(50)]
needs = {
    name: [names[(7 * number + step) % number] for step in range(min(3, number))]
    for number, name in enumerate(names)
}
graph = DependencyGraph(initial_dependencies=needs)
print(graph.topological_ordering)

module = types.ModuleType("module")
ran = []
text = "from aiocells import cell\\n"
for number, name in enumerate(names):
    parameters = ", ".join(sorted({n.replace(" ", "_") for n in needs[name]}))
    word = ["def", "async def"][number % 2]
    text += f"@cell\\n{word} node_{number}({parameters}): ran.append({number})\\n"
module.ran = ran
exec(text, vars(module))
collected = Graph.from_module(module)
print([node.__name__ for node in collected.topological_ordering])
for computer in (
    aiocells.async_compute_sequential,
    aiocells.async_compute_concurrent,
    aiocells.async_compute_concurrent_simple,
):
    ran.clear()
    results = asyncio.run(computer(collected))
    print(ran, [node.__name__ for node in results])
    ran.clear()
    asyncio.run(computer(collected, targets=["node_40", "node_20"]))
    print(ran)

graph.add_precedence("node 49", "node 0")
try:
    graph.check_for_cycles()
except aiocells.CircularDependency as error:
    print(error)
"""


@pytest.mark.needs_processes
def test_no_order_depends_on_the_hash_seed() -> None:
    """Orderings, runs and cycles are the same in every process."""
    outputs = set()
    for seed in ("0", "1", "12345"):
        done = subprocess.run(
            [sys.executable, "-c", ORDERS],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        outputs.add(done.stdout)
    [output] = outputs
    assert len(output.splitlines()) == 9
