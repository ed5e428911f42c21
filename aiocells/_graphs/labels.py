"""Names that tell nodes apart, for what people read."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from aiocells._declaring.source import location_of
from aiocells._graphs.dependency_graph import DependencyGraph


def unique_labels(graph: DependencyGraph, nodes: Iterable[Any]) -> list[str]:
    """A label for each node: its name, with what tells it from others of that name.

    Args:
        graph: knows the names.
        nodes: nodes of the graph, none of them twice.

    Returns:
        The labels in the order of `nodes`; no two are the same.
    """
    nodes = list(nodes)
    names = [graph._name_of(node) for node in nodes]
    uses = Counter(names)
    taken = {name for name in names if uses[name] == 1}
    seen: Counter[str] = Counter()
    labels = []
    for node, name in zip(nodes, names, strict=True):
        label = name
        if uses[name] > 1:
            location = location_of(node)
            plain = label = f"{name} ({location})" if location else name
            # Cells made by one function share its place.
            while label in taken:
                seen[plain] += 1
                label = f"{plain} #{seen[plain] + 1}"
            taken.add(label)
        labels.append(label)
    return labels
