"""What there is to draw of a graph, whatever it is drawn with."""

import enum
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from aiocells._collecting.bound import Bound
from aiocells._collecting.graph import bound_of
from aiocells._graphs.dependency_graph import DependencyGraph, structure_of
from aiocells._graphs.labels import unique_labels
from aiocells._graphs.roster import number_of
from aiocells._planning.compiling import plan_of


class Edge(enum.Enum):
    """How a cell needs another."""

    VALUE = "value"
    ORDER = "order"
    LAZY = "lazy"


@attrs.frozen
class Node:
    """A cell or an input.

    Attributes:
        label: how it is called; no two cells have the same.
        is_input: whether it is an input.
        falls_back: whether it has a fallback.
        is_fan_out: whether it calls a function once for each item.
        needs: the keys of the nodes that it needs; for each, whether it gets its
            value, only comes after it, or may ask for it.
    """

    label: str
    is_input: bool
    falls_back: bool
    is_fan_out: bool
    needs: Mapping[str, "Edge"]


# By key: a short word of letters and digits, as every language takes it.
Picture = Mapping[str, Node]


def picture_of(graph: DependencyGraph, targets: Iterable[Any] | None) -> Picture:
    """The cells in the order of their declaration, then the inputs.

    Args:
        graph: what to draw.
        targets: cells or names, to have only these and what they need.

    Raises:
        GraphException: the graph has no such cell.
    """
    structure, bound = structure_of(graph), bound_of(graph) or Bound()
    numbers = _numbers(graph, targets)
    labels = unique_labels(
        [structure.name(number) for number in numbers],
        [structure.nodes[number] for number in numbers],
    )
    nodes: dict[str, Node] = {}
    inputs: dict[str, str] = {}
    for number, label in zip(numbers, labels, strict=True):
        needs: dict[str, Edge] = {}
        lazy = structure.lazy.get(number, ())
        if number < len(bound.args):
            for source in bound.args[number]:
                if source >= 0:
                    key = f"n{source}"
                else:
                    name = bound.inputs[~source]
                    key = inputs.setdefault(name, f"i{len(inputs)}")
                needs[key] = Edge.LAZY if source in lazy else Edge.VALUE
        for needed in structure.needs[number]:
            needs.setdefault(f"n{needed}", Edge.ORDER)
        options = bound.options_of(number)
        falls_back, fans_out = options.fallback is not None, options.fan_out is not None
        nodes[f"n{number}"] = Node(label, False, falls_back, fans_out, needs)
    for name, key in inputs.items():
        nodes[key] = Node(name, True, False, False, {})
    return nodes


def _numbers(graph: DependencyGraph, targets: Iterable[Any] | None) -> list[int]:
    """The numbers of the nodes to draw, in order."""
    if targets is None:
        return list(range(len(graph)))
    structure, roster = structure_of(graph), plan_of(graph).program.roster
    waiting = [number_of(roster, target, "targets") for target in targets]
    found = set(waiting)
    while waiting:
        new = set(structure.needs[waiting.pop()]) - found
        found |= new
        waiting.extend(new)
    return sorted(found)
