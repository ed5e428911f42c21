"""Graphs that are put together by hand."""

import types
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from typing import Any

from aiocells._declaring import names as _names
from aiocells._graphs.toposort import CycleFound, topological_order
from aiocells.errors import CircularDependency

_SHOWN_OF_CYCLE = 8


class DependencyGraph:
    """Nodes, and which of them must be computed before which.

    Nodes are numbered in the order in which they were added. The computers call
    nodes that were added by hand without arguments.

    Args:
        initial_dependencies: for each node the nodes that it needs.
        name: for the user's own use.

    >>> from aiocells import DependencyGraph, compute_sequential
    >>> graph = DependencyGraph()
    >>> hello = graph.add_node(lambda: print("hello"))
    >>> world = graph.add_node(lambda: print("world"))
    >>> graph.add_precedence(hello, world)
    >>> results = compute_sequential(graph)
    hello
    world
    """

    def __init__(
        self,
        *,
        initial_dependencies: Mapping[Any, Iterable[Any]] | None = None,
        name: str | None = None,
    ) -> None:
        self.name = name
        self._nodes: list[Any] = []
        self._index: dict[Any, int] = {}
        # Collected cells come with a tuple; a node that edges are added to by hand
        # has a dict, as an ordered set.
        self._needs: list[Collection[int]] = []
        # Counts the changes, so that what is derived knows when it is stale.
        self._version = 0
        self._derived: dict[str, tuple[int, Any]] = {}
        self._flow: Any = None  # what compute_flow keeps between its calls
        for node, dependencies in (initial_dependencies or {}).items():
            self.add_node(node)
            for dependency in dependencies:
                self.add_dependency(node, dependency)

    def __getstate__(self) -> dict[str, Any]:
        """What a copy, or a pickle, of the graph has: nothing that it shares."""
        return vars(self) | {
            "_nodes": self._nodes.copy(),
            "_index": self._index.copy(),
            "_needs": [
                needs.copy() if isinstance(needs, dict) else needs
                for needs in self._needs
            ],
            "_derived": {},
            "_flow": None,
        }

    def __len__(self) -> int:
        return len(self._nodes)

    def __str__(self) -> str:
        return str({node: set(needs) for node, needs in self.dependency_dict.items()})

    def add_node(self, node: Any) -> Any:
        """Add a node, where it is not in the graph yet.

        Args:
            node: anything hashable; the computers need it to be callable.

        Returns:
            The node.

        Raises:
            ValueError: `node` is None.
        """
        if node is None:
            msg = "Invalid argument: node=None. A node is a callable."
            raise ValueError(msg)
        self._number(node)
        return node

    def add_dependency(self, from_cell: Any, to_cell: Any) -> None:
        """Have `to_cell` computed before `from_cell`; add both where new.

        Args:
            from_cell: the node that needs the other.
            to_cell: the node that is needed.

        Raises:
            ValueError: one of them is None.
        """
        if from_cell is None or to_cell is None:
            name = "from_cell" if from_cell is None else "to_cell"
            msg = f"Invalid argument: {name}=None. A node is a callable."
            raise ValueError(msg)
        dependent, dependency = self._number(from_cell), self._number(to_cell)
        needs = self._needs[dependent]
        if dependency in needs:
            return
        if not isinstance(needs, dict):
            needs = self._needs[dependent] = dict.fromkeys(needs)
        needs[dependency] = None
        self._version += 1

    def add_precedence(self, from_cell: Any, to_cell: Any) -> None:
        """Have `from_cell` computed before `to_cell`; add both where new.

        Args:
            from_cell: the node that is needed.
            to_cell: the node that needs the other.

        Raises:
            ValueError: one of them is None.
        """
        self.add_dependency(to_cell, from_cell)

    def _number(self, node: Hashable) -> int:
        number = self._index.get(node)
        if number is None:
            number = self._index[node] = len(self._nodes)
            self._nodes.append(node)
            self._needs.append(())
            self._version += 1
        return number

    def _cached(self, what: str, make: Callable[[], Any]) -> Any:
        """What `make` gives, made anew only after the graph has changed."""
        version, value = self._derived.get(what, (-1, None))
        if version != self._version:
            version = self._version
            value = make()
            self._derived[what] = (version, value)
        return value

    @property
    def dependency_dict(self) -> Mapping[Any, frozenset[Any]]:
        """For each node the nodes that it needs; a picture of now, read only."""
        return self._cached("dependency_dict", self._make_dependency_dict)  # type: ignore[no-any-return]

    def _make_dependency_dict(self) -> Mapping[Any, frozenset[Any]]:
        nodes = self._nodes
        return types.MappingProxyType(
            {
                node: frozenset([nodes[number] for number in needs])
                for node, needs in zip(nodes, self._needs, strict=True)
            }
        )

    @property
    def precedence_dict(self) -> Mapping[Any, frozenset[Any]]:
        """For each node the nodes that need it; a picture of now, read only."""
        return self._cached("precedence_dict", self._make_precedence_dict)  # type: ignore[no-any-return]

    def _make_precedence_dict(self) -> Mapping[Any, frozenset[Any]]:
        dependents: dict[Any, list[Any]] = {node: [] for node in self._nodes}
        for node, needs in zip(self._nodes, self._needs, strict=True):
            for number in needs:
                dependents[self._nodes[number]].append(node)
        return types.MappingProxyType(
            {node: frozenset(nodes) for node, nodes in dependents.items()}
        )

    @property
    def input_nodes(self) -> frozenset[Any]:
        """The nodes that need no other."""
        return frozenset(
            node
            for node, needs in zip(self._nodes, self._needs, strict=True)
            if not needs
        )

    @property
    def topological_ordering(self) -> list[Any]:
        """All nodes, each after those that it needs; the same in every run.

        Raises:
            CircularDependency: there is no such order.
        """
        return [self._nodes[number] for number in self._order()]

    def _order(self) -> list[int]:
        """The numbers of the nodes in topological order; not to be changed."""
        return self._cached("order", self._make_order)  # type: ignore[no-any-return]

    def _make_order(self) -> list[int]:
        try:
            return topological_order(self._needs)
        except CycleFound as found:
            path = [self._nodes[number] for number in found.path]
        raise CircularDependency(self._cycle_message(path), path=path)

    def _cycle_message(self, path: list[Hashable]) -> str:
        half = _SHOWN_OF_CYCLE // 2
        first, last = path[:-1], path[-1:]
        left_out = []
        if len(path) > _SHOWN_OF_CYCLE:
            left_out = [f"... {len(path) - 2 * half} more ..."]
            first, last = path[:half], path[-half:]
        steps = [self._described(node) for node in first] + left_out
        steps += [self._described(node) for node in last[:-1]]
        steps.append(repr(self._name_of(path[-1])))
        return (
            f"Circular dependency detected in graph: {' needs '.join(steps)}. "
            "Remove one of these dependencies."
        )

    def check_for_cycles(self) -> None:
        """Do nothing where the nodes can be ordered.

        Raises:
            CircularDependency: they cannot; the error says which need each other.
        """
        self._order()

    @property
    def has_cycle(self) -> bool:
        """Whether some nodes need each other."""
        try:
            self._order()
        except CircularDependency:
            return True
        return False

    def decorate(self, decorator_factory: Callable[[Any], Any]) -> "DependencyGraph":
        """A graph of the same shape, with other nodes.

        Args:
            decorator_factory: called once with each node, gives the new one.

        Returns:
            A new `DependencyGraph`.
        """
        decorated = DependencyGraph()
        replaced = [decorator_factory(node) for node in self._nodes]
        for node in replaced:
            decorated.add_node(node)
        for node, needs in zip(replaced, self._needs, strict=True):
            for number in needs:
                decorated.add_dependency(node, replaced[number])
        return decorated

    def _name_of(self, node: Hashable) -> str:
        """The name by which messages, and the caller's strings, speak of a node."""
        if callable(node):
            return _names.own_name(node) or _names.fallback_name(node)
        return str(node)

    def _described(self, node: Hashable) -> str:
        """A node as messages name it, with its place in the source."""
        return _names.described(self._name_of(node), node)
