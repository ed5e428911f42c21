"""A stable, iterative topological sort.

Depth first, after R. E. Tarjan, "Edge-disjoint spanning trees and depth-first
search" (1976): a node is listed when all of its dependencies are. Roots are taken
in the order of their numbers, and dependencies in the order given, so that the
result depends on nothing else.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence


class CycleFound(Exception):
    """There is no order.

    Attributes:
        path: the numbers of a cycle's nodes, each needing the next; the last is the
            first again.
    """

    def __init__(self, path: list[int]) -> None:
        super().__init__(path)
        self.path = path


def topological_order(
    dependencies: Sequence[Collection[int]], roots: Iterable[int] | None = None
) -> list[int]:
    """Order nodes so that each comes after its dependencies.

    Args:
        dependencies: for each node, numbered from 0, the nodes that it needs.
        roots: the nodes to order, with all that they need; by default all.

    Returns:
        The numbers of the nodes, in O(nodes + edges) time.

    Raises:
        CycleFound: nodes need each other.
    """
    new, on_path, done = 0, 1, 2
    state = bytearray(len(dependencies))
    order: list[int] = []
    path: list[int] = []  # the nodes above `node`, and what is left of their needs
    left: list[Iterator[int]] = []
    for root in range(len(dependencies)) if roots is None else roots:
        if state[root] != new:
            continue
        node, needed = root, iter(dependencies[root])
        state[node] = on_path
        while True:
            for each in needed:
                if state[each] == new:
                    path.append(node)
                    left.append(needed)
                    node, needed = each, iter(dependencies[each])
                    state[node] = on_path
                    break
                if state[each] == on_path:
                    path.append(node)
                    raise CycleFound([*path[path.index(each) :], each])
            else:
                state[node] = done
                order.append(node)
                if not path:
                    break
                node, needed = path.pop(), left.pop()
    return order


def order_behind(
    needs_of: Callable[[int], Iterable[int]], roots: Iterable[int]
) -> list[int]:
    """Order nodes, and all that they need, where these are a small part of the graph.

    It looks at no other node, and so takes no time for the rest of the graph.

    Args:
        needs_of: gives what a node needs; there is no cycle.
        roots: the nodes to order.
    """
    order: dict[int, None] = {}
    seen: set[int] = set()
    for root in roots:
        path = [(root, iter(needs_of(root)))] if root not in seen else []
        seen.add(root)
        while path:
            node, left = path[-1]
            for each in left:
                if each not in seen:
                    seen.add(each)
                    path.append((each, iter(needs_of(each))))
                    break
            else:
                order[node] = None
                path.pop()
    return list(order)
