"""A cell that is an object, not a function.

Anything that can be called can be a cell. An object has no name of its own, so
the cell goes by the name that the module gives it.
"""

from aiocells import DependencyGraph, Graph, cell, compute_sequential


class Greeter:
    """An object that says hello when it is called."""

    def __init__(self, whom: str) -> None:
        self.whom = whom

    def __call__(self) -> str:
        """Greet; the cell's value is who was greeted."""
        print(f"Hello, {self.whom}!")
        return self.whom


hello_world = cell(Greeter("world"))
hello_moon = cell(Greeter("moon"))


@cell
def count(hello_world: str, hello_moon: str) -> None:
    """Count whom the objects greeted: they are bound by name."""
    print(f"Greeted {len([hello_world, hello_moon])}: {hello_world}, {hello_moon}.")


def main(scale: float = 1.0) -> None:
    """Compute the cells, then two objects in a graph built by hand.

    Args:
        scale: for all demos alike; nothing sleeps here.
    """
    print("A decorated module:")
    compute_sequential(Graph.from_module(__name__))

    print("The 1.x way, a graph built by hand:")
    graph = DependencyGraph()
    graph.add_node(Greeter("world"))
    graph.add_node(Greeter("moon"))
    compute_sequential(graph)
