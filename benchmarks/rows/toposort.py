"""Sorting a large graph whose nodes come in no order, against `graphlib`."""

import functools
import graphlib
import itertools
import random
from collections.abc import Iterator
from typing import Any

from aiocells import CircularDependency, DependencyGraph
from aiocells._graphs.toposort import topological_order
from benchmarks.effort import Effort
from benchmarks.measure import check_same, compare, median_seconds, timer
from benchmarks.row import Row, compared

GROUP = "toposort"
TARGET = 0.3
TARGET_CYCLE = 100.0
EDGES = 3

Needs = list[tuple[int, ...]]
Edges = dict[int, tuple[int, ...]]


def rows(effort: Effort) -> Iterator[Row]:
    """Measure the sort, and how soon a cycle is found."""
    count = effort.nodes
    needs = shuffled(count)
    graph = dict(enumerate(needs))
    floor = functools.partial(with_graphlib, graph)
    ours = functools.partial(topological_order, needs)
    check_order(needs, floor())
    check_order(needs, ours())
    found = compare(
        timer(floor), timer(ours), pairs=effort.long_pairs, least=effort.least
    )
    what = f"{count:,} nodes, {count * EDGES:,} edges"
    yield compared(
        GROUP,
        what,
        found,
        count=count,
        target=TARGET,
        note="graphlib: TopologicalSorter(graph) and static_order(); ours: the sort "
        "on numbered nodes, as a graph keeps them",
    )
    ours = functools.partial(_as_graph, graph)
    found = compare(
        timer(floor), timer(ours), pairs=effort.long_pairs, least=effort.least
    )
    yield compared(
        GROUP,
        f"{what}, with building",
        found,
        count=count,
        note="ours: DependencyGraph(initial_dependencies=graph).topological_ordering",
    )
    last = dict(graph) | {count: (count + 1,), count + 1: (count,)}
    yield _cycle(effort, last, "that comes last")
    ring: Edges = {node: ((node + 1) % count,) for node in range(count)}
    yield _cycle(effort, ring, "of all nodes")


def shuffled(count: int) -> Needs:
    """For each node the nodes that it needs, in no order and without a cycle."""
    rng = random.Random(1)
    ranked = list(range(count))
    rng.shuffle(ranked)
    needs: Needs = [()] * count
    for rank, node in enumerate(ranked):
        lower = rng.sample(range(rank), min(EDGES, rank))
        needs[node] = tuple(ranked[each] for each in lower)
    return needs


def with_graphlib(graph: Edges) -> list[int]:
    """What one would write with the standard library."""
    return list(graphlib.TopologicalSorter(graph).static_order())


def check_order(needs: Needs, order: list[int]) -> None:
    """Refuse an order in which a node comes before one that it needs."""
    place = {node: number for number, node in enumerate(order)}
    check_same(GROUP, len(needs), len(place))
    late = [
        node
        for node, needed in enumerate(needs)
        for each in needed
        if place[each] > place[node]
    ]
    check_same(GROUP, [], late)


def _as_graph(graph: Edges) -> list[int]:
    return DependencyGraph(initial_dependencies=graph).topological_ordering


def _cycle(effort: Effort, edges: Edges, which: str) -> Row:
    graph = DependencyGraph(initial_dependencies=edges)
    path = _found(graph)
    check_same(GROUP, path[0], path[-1])
    steps = itertools.pairwise(path)
    check_same(GROUP, True, all(needed in edges[node] for node, needed in steps))
    return Row(
        group=GROUP,
        workload=f"a cycle {which} found as a path, {len(edges):,} nodes",
        unit="ms",
        ours=median_seconds(functools.partial(_found, graph), effort.pairs) * 1e3,
        target=TARGET_CYCLE,
        note=f"check_for_cycles(); {len(path) - 1} nodes on the path",
    )


def _found(graph: DependencyGraph) -> list[Any]:
    try:
        graph.check_for_cycles()
    except CircularDependency as found:
        return list(found.path)
    msg = "No cycle was found where there is one."
    raise AssertionError(msg)
