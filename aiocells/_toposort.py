"""A stable, iterative topological sort.

Depth first, after R. E. Tarjan, "Edge-disjoint spanning trees and depth-first
search" (1976): a node is listed when all of its dependencies are. Roots are taken
in the order of their numbers, and dependencies in the order given, so that the
result depends on nothing else.
"""

from collections.abc import Collection, Iterable, Sequence


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
    stack: list[int] = []
    for root in range(len(dependencies)) if roots is None else roots:
        if state[root]:
            continue
        stack.append(root)
        while stack:
            node = stack.pop()
            if node < 0:
                # All that stood above it is listed, so that it can be too.
                state[~node] = done
                order.append(~node)
            elif state[node] == new:
                needed = dependencies[node]
                if needed:
                    state[node] = on_path
                    stack.append(~node)
                    stack.extend(reversed(tuple(needed)))
                else:
                    state[node] = done
                    order.append(node)
            elif state[node] == on_path:
                raise CycleFound(_path_of_cycle(stack, node))
    return order


def _path_of_cycle(stack: Sequence[int], node: int) -> list[int]:
    """The nodes on the way from `node` back to itself.

    Those on the path stand in the stack as complements, outermost first.
    """
    path = [~entry for entry in stack if entry < 0]
    return [*path[path.index(node) :], node]
