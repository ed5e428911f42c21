"""Nodes with nothing but an order, against a loop over functions."""

import functools
import itertools
from collections.abc import Iterator

from aiocells import DependencyGraph, compute_sequential
from benchmarks import layered
from benchmarks.effort import Effort
from benchmarks.layered import Layered, name_of, renamed
from benchmarks.measure import check_same, compare, timer
from benchmarks.row import Row, at_most, compared
from benchmarks.rows.sequential import never_generated

GROUP = "ordering"
# For each layered graph, and a chain of as many nodes.
TARGETS = (at_most(1.25), at_most(1.15))


def rows(effort: Effort) -> Iterator[Row]:
    """Measure graphs of nodes that were added and ordered by hand."""
    for (layers, width), target in zip(effort.layered, TARGETS, strict=False):
        count = layers * width
        graphs = {
            f"{layers} x {width}": ordered(layered.layered(layers, width)),
            f"a chain of {count:,}": chained(count),
        }
        for what, graph in graphs.items():
            order = graph.topological_ordering
            check_same(GROUP, order, order_of_calls(graph))
            with never_generated():
                found = compare(
                    timer(functools.partial(call_all, order)),
                    timer(functools.partial(compute_sequential, graph)),
                    pairs=effort.pairs,
                    least=effort.least,
                )
            yield compared(
                GROUP, f"from the first run, {what}", found, count=count, target=target
            )


def ordered(shape: Layered) -> DependencyGraph:
    """A graph of that shape, whose nodes do nothing."""
    nodes = idle(len(shape.needs))
    graph = DependencyGraph()
    for node, needs in zip(nodes, shape.needs, strict=True):
        graph.add_node(node)
        for number in needs:
            graph.add_dependency(node, nodes[number])
    return graph


def chained(count: int) -> DependencyGraph:
    """A graph of nodes that do nothing, one after the other."""
    graph = DependencyGraph()
    for before, after in itertools.pairwise(idle(count)):
        graph.add_precedence(before, after)
    return graph


def idle(count: int) -> list[layered.Function]:
    """So many nodes that do nothing."""
    return [
        renamed(does_nothing, name_of(number), (), globals()) for number in range(count)
    ]


def does_nothing() -> None:
    """Stand for a node."""


def call_all(order: list[layered.Function]) -> None:
    """What one would write without any library."""
    for function in order:
        function()


def order_of_calls(graph: DependencyGraph) -> list[layered.Function]:
    """The order in which the nodes of a graph are called."""
    called: list[layered.Function] = []
    compute_sequential(
        graph.decorate(lambda node: functools.partial(called.append, node))
    )
    return called
