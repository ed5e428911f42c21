"""Nodes with nothing but an order, against a loop over functions."""

import contextlib
import functools
from collections.abc import Iterator

from aiocells import DependencyGraph, compute_sequential
from benchmarks import layered
from benchmarks.effort import Effort
from benchmarks.layered import Layered, name_of, renamed
from benchmarks.measure import compare, timer
from benchmarks.row import Row, check_same, compared
from benchmarks.rows.sequential import never_generated

GROUP = "ordering"
TARGET = 1.1


def rows(effort: Effort) -> Iterator[Row]:
    """Measure a layered graph of nodes that were added and ordered by hand."""
    for layers, width in effort.layered:
        shape = layered.layered(layers, width)
        count = layers * width
        for again in (False, True):
            graph = ordered(shape)
            floor = timer(functools.partial(call_all, graph.topological_ordering))
            ours = timer(functools.partial(compute_sequential, graph))
            check_same(GROUP, graph.topological_ordering, order_of_calls(graph))
            with contextlib.nullcontext() if again else never_generated():
                if again:
                    ours(effort.again)
                found = compare(floor, ours, pairs=effort.pairs, least=effort.least)
            when = "again and again" if again else "from the first run"
            yield compared(
                GROUP, f"{when}, {layers} x {width}", found, count=count, target=TARGET
            )


def ordered(shape: Layered) -> DependencyGraph:
    """A graph of that shape, whose nodes do nothing."""
    nodes = [
        renamed(does_nothing, name_of(number), (), globals())
        for number in range(len(shape.needs))
    ]
    graph = DependencyGraph()
    for node, needs in zip(nodes, shape.needs, strict=True):
        graph.add_node(node)
        for number in needs:
            graph.add_dependency(node, nodes[number])
    return graph


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
