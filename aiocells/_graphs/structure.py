"""The nodes and edges of a graph, by number.

This is what other rooms see of a graph; users see its public methods.
"""

from collections.abc import Callable, Collection, Hashable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from aiocells._declaring import names
from aiocells._graphs.toposort import CycleFound, topological_order

Value = TypeVar("Value")


class Structure:
    """Numbered nodes, and what each needs.

    Attributes:
        nodes: the nodes, in the order in which they came.
        index: the number of each.
        needs: for each the numbers of the nodes that must be computed first. Collected
            cells come with a tuple; a node that edges are added to by hand has a dict,
            as an ordered set, whose values tell which those are.
        names: the names of those nodes that do not tell their own.
        stand_ins: the functions that stand for some nodes.
        lazy: for the nodes that may ask for others, those that they need only then.
        version: counts the changes, so that what is derived knows when it is stale.
        attached: what others keep here, each by an `Attached` of its own.
    """

    def __init__(
        self,
        nodes: list[Any],
        index: dict[Any, int],
        needs: list[Collection[int]],
        names: dict[int, str],
        lazy: dict[int, set[int]] | None = None,
    ) -> None:
        self.nodes = nodes
        self.index = index
        self.needs = needs
        self.names = names
        self.stand_ins: Mapping[int, Any] = {}
        self.lazy = lazy or {}
        self.version = 0
        self.attached: dict[Any, Any] = {}

    def __getstate__(self) -> dict[str, Any]:
        """What a copy, or a pickle, has: nothing that it shares, or that is derived.

        First come the nodes in topological order. A cell may name those that it needs,
        which name others: a long chain would be copied from its end by recursion.
        """
        return (
            {"in_order": self._in_order()}
            | vars(self)
            | {
                "nodes": self.nodes.copy(),
                "index": self.index.copy(),
                "needs": [
                    needs.copy() if isinstance(needs, dict) else needs
                    for needs in self.needs
                ],
                "names": self.names.copy(),
                "lazy": {number: each.copy() for number, each in self.lazy.items()},
                "attached": {},
            }
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        del state["in_order"]
        vars(self).update(state)

    def _in_order(self) -> list[Any]:
        try:
            order = topological_order(self.needs)
        except CycleFound:
            return self.nodes
        return [self.stand_ins.get(number, self.nodes[number]) for number in order]

    def number_of(self, node: Hashable) -> int:
        """The number of a node, which is added where it is new."""
        number = self.index.get(node)
        if number is None:
            number = self.index[node] = len(self.nodes)
            self.nodes.append(node)
            self.needs.append(())
            self.version += 1
        return number

    def add_edge(self, dependent: int, dependency: int) -> None:
        """Have the second node computed before the first."""
        needs = self.needs[dependent]
        if dependency in self.lazy.get(dependent, ()):
            self.lazy[dependent].remove(dependency)
            self.version += 1
        if not isinstance(needs, dict):
            needs = self.needs[dependent] = dict.fromkeys(needs, False)
        if dependency not in needs:
            self.version += 1
        needs[dependency] = True

    def name(self, number: int) -> str:
        """The name by which messages, and the caller's strings, speak of a node."""
        return names.name_of(self.nodes[number], self.names.get(number))

    def described(self, number: int) -> str:
        """A node as messages name it, with its place in the source."""
        written = self.stand_ins.get(number, self.nodes[number])
        return names.described(self.name(number), written)


class _Owner(Protocol):
    @property
    def attached(self) -> dict[Any, Any]: ...


class Attached(Generic[Value]):
    """Something that one room keeps with an object of another.

    It is kept there, and not in a table of its own, since a cell may refer to its own
    graph: a table that holds what belongs to the graph would never let go of it.
    """

    def get(self, owner: _Owner) -> Value | None:
        """What was set, or None."""
        known: Value | None = owner.attached.get(self)
        return known

    def set(self, owner: _Owner, value: Value) -> Value:
        """Keep `value`, and return it."""
        owner.attached[self] = value
        return value


class Derived(Generic[Value]):
    """What is derived from the structure of a graph, made anew when that has changed.

    Args:
        make: derives it.
    """

    def __init__(self, make: Callable[[Structure], Value]) -> None:
        self._make = make
        self._known: Attached[tuple[int, Value]] = Attached()

    def of(self, structure: Structure) -> Value:
        """What was derived from this version of the structure."""
        known = self._known.get(structure)
        if known is None or known[0] != structure.version:
            version = structure.version
            known = self._known.set(structure, (version, self._make(structure)))
        return known[1]
