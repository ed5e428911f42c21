"""Graphs that are put together by hand."""

import copy
import types
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self, TypeVar, overload

from aiocells._graphs.structure import Derived, Structure
from aiocells._graphs.toposort import CycleFound, topological_order
from aiocells.errors import CircularDependency

Node = TypeVar("Node")

_SHOWN_OF_CYCLE = 8


class _CellsByName:
    """The attribute `cells`.

    It is no property: IPython completes keys only of what it gets without calling one.
    """

    @overload
    def __get__(self, graph: None, owner: type, /) -> Self: ...

    @overload
    def __get__(self, graph: object, owner: type, /) -> Mapping[str, Any]: ...

    def __get__(self, graph: Any, owner: type, /) -> Any:
        return self if graph is None else _cells.of(graph._structure)


class DependencyGraph:
    """Nodes, and which of them must be computed before which.

    Nodes are numbered in the order in which they were added. The computers call
    nodes that were added by hand without arguments.

    Args:
        initial_dependencies: for each node the nodes that it needs.
        name: for the user's own use.

    Attributes:
        cells: the nodes by name, in order; a picture of now, read only. Where several
            share a name, their places tell them apart: "plan (trip.py:14)".

    >>> from aiocells import DependencyGraph, compute_sequential
    >>> graph = DependencyGraph()
    >>> hello = graph.add_node(lambda: print("hello"))
    >>> world = graph.add_node(lambda: print("world"))
    >>> graph.add_precedence(hello, world)
    >>> results = compute_sequential(graph)
    hello
    world
    >>> graph
    <DependencyGraph: 2 nodes>
    """

    def __init__(
        self,
        *,
        initial_dependencies: Mapping[Any, Iterable[Any]] | None = None,
        name: str | None = None,
    ) -> None:
        self.name = name
        self._structure = Structure([], {}, [], {})
        for node, dependencies in (initial_dependencies or {}).items():
            self.add_node(node)
            for dependency in dependencies:
                self.add_dependency(node, dependency)

    def __getstate__(self) -> dict[str, Any]:
        """What a copy, or a pickle, of the graph has: nothing that it shares."""
        return vars(self) | {"_structure": copy.copy(self._structure)}

    def __len__(self) -> int:
        return len(self._structure.nodes)

    def __repr__(self) -> str:
        try:
            name = f" {self.name!r}" if self.name else ""
            return f"<{type(self).__name__}{name}: {self._summary()}>"
        except Exception:  # a debugger may look at a graph that is only half made
            return object.__repr__(self)

    def _summary(self) -> str:
        return f"{len(self)} {'node' if len(self) == 1 else 'nodes'}"

    def __str__(self) -> str:
        return str({node: set(needs) for node, needs in self.dependency_dict.items()})

    def add_node(self, node: Node) -> Node:
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
        self._structure.number_of(node)
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
        number_of = self._structure.number_of
        dependent, dependency = number_of(from_cell), number_of(to_cell)
        self._structure.add_edge(dependent, dependency)

    def add_precedence(self, from_cell: Any, to_cell: Any) -> None:
        """Have `from_cell` computed before `to_cell`; add both where new.

        Args:
            from_cell: the node that is needed.
            to_cell: the node that needs the other.

        Raises:
            ValueError: one of them is None.
        """
        self.add_dependency(to_cell, from_cell)

    cells = _CellsByName()

    @property
    def dependency_dict(self) -> Mapping[Any, frozenset[Any]]:
        """For each node the nodes that it needs; a picture of now, read only."""
        return _dependencies.of(self._structure)

    @property
    def precedence_dict(self) -> Mapping[Any, frozenset[Any]]:
        """For each node the nodes that need it; a picture of now, read only."""
        return _precedences.of(self._structure)

    @property
    def input_nodes(self) -> frozenset[Any]:
        """The nodes that need no other."""
        nodes, needs = self._structure.nodes, self._structure.needs
        return frozenset(
            node for node, needed in zip(nodes, needs, strict=True) if not needed
        )

    @property
    def topological_ordering(self) -> list[Any]:
        """All nodes, each after those that it needs; the same in every run.

        Raises:
            CircularDependency: there is no such order.
        """
        nodes = self._structure.nodes
        return [nodes[number] for number in order_of(self._structure)]

    def check_for_cycles(self) -> None:
        """Do nothing where the nodes can be ordered.

        Raises:
            CircularDependency: they cannot; the error says which need each other.
        """
        order_of(self._structure)

    @property
    def has_cycle(self) -> bool:
        """Whether some nodes need each other."""
        try:
            order_of(self._structure)
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
        replaced = [decorator_factory(node) for node in self._structure.nodes]
        for node in replaced:
            decorated.add_node(node)
        for node, needs in zip(replaced, self._structure.needs, strict=True):
            for number in needs:
                decorated.add_dependency(node, replaced[number])
        return decorated


def structure_of(graph: DependencyGraph) -> Structure:
    """What the other rooms see of a graph.

    Raises:
        TypeError: it is no graph.
    """
    try:
        return graph._structure
    except AttributeError:
        msg = f"Expected a graph, got {graph!r}. Make one with Graph.from_module(...)."
        raise TypeError(msg) from None


def needs_of(graph: DependencyGraph, node: Any) -> frozenset[Any]:
    """The nodes that must be computed before a node, and not while it runs."""
    structure = graph._structure
    number = structure.index[node]
    lazy = structure.lazy.get(number, ())
    needs = [each for each in structure.needs[number] if each not in lazy]
    return frozenset(structure.nodes[each] for each in needs)


def order_of(structure: Structure) -> list[int]:
    """The numbers of the nodes in topological order; not to be changed.

    Raises:
        CircularDependency: there is no such order.
    """
    return _order.of(structure)


def _make_order(structure: Structure) -> list[int]:
    try:
        return topological_order(structure.needs)
    except CycleFound as found:
        path = found.path
    msg = _cycle_message(structure, path)
    raise CircularDependency(msg, path=[structure.nodes[number] for number in path])


def _cycle_message(structure: Structure, path: list[int]) -> str:
    half = _SHOWN_OF_CYCLE // 2
    first, last = path[:-1], path[-1:]
    left_out = []
    if len(path) > _SHOWN_OF_CYCLE:
        left_out = [f"... {len(path) - 2 * half} more ..."]
        first, last = path[:half], path[-half:]
    steps = [structure.described(number) for number in first] + left_out
    steps += [structure.described(number) for number in last[:-1]]
    steps.append(repr(structure.name(path[-1])))
    return (
        f"Circular dependency detected in graph: {' needs '.join(steps)}. "
        "Remove one of these dependencies."
    )


def _make_dependencies(structure: Structure) -> Mapping[Any, frozenset[Any]]:
    nodes = structure.nodes
    return types.MappingProxyType(
        {
            node: frozenset([nodes[number] for number in needs])
            for node, needs in zip(nodes, structure.needs, strict=True)
        }
    )


def _make_precedences(structure: Structure) -> Mapping[Any, frozenset[Any]]:
    nodes = structure.nodes
    dependents: dict[Any, list[Any]] = {node: [] for node in nodes}
    for node, needs in zip(nodes, structure.needs, strict=True):
        for number in needs:
            dependents[nodes[number]].append(node)
    return types.MappingProxyType(
        {node: frozenset(needing) for node, needing in dependents.items()}
    )


def _make_cells(structure: Structure) -> Mapping[str, Any]:
    # Few ask for it, and every import of the package would wait.
    from aiocells._graphs.cells import by_name

    return by_name(structure)


_order = Derived(_make_order)
_dependencies = Derived(_make_dependencies)
_precedences = Derived(_make_precedences)
_cells = Derived(_make_cells)
