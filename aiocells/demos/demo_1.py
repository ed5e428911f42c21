"""Hello, world: a graph of one cell.

A cell is a plain function with a mark on it. `Graph.from_module` collects the
cells of a module, and a computer runs them.
"""

from aiocells import DependencyGraph, Graph, cell, compute_sequential


@cell
def hello_world() -> None:
    """Say hello."""
    print("Hello, world!")


def main(scale: float = 1.0) -> None:
    """Compute the cell, then the same function in a graph built by hand.

    Args:
        scale: for all demos alike; nothing sleeps here.
    """
    print("A decorated module:")
    compute_sequential(Graph.from_module(__name__))

    print("The 1.x way, a graph built by hand:")
    graph = DependencyGraph()
    graph.add_node(hello_world)
    compute_sequential(graph)
