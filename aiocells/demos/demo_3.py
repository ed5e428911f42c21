"""A cell that takes time, and an input that says how much.

A parameter that no cell provides is an input: the caller gives it. A cell that
blocks holds up everything else, since `compute_sequential` runs one at a time.
"""

import time

from aiocells import DependencyGraph, Graph, Stopwatch, cell, compute_sequential


@cell
def sleep(seconds: float) -> None:
    """Block for a while."""
    time.sleep(seconds)


def main(scale: float = 1.0) -> None:
    """Sleep for 2 seconds in a cell, and again in a graph built by hand.

    Args:
        scale: multiplies the time that is slept.
    """
    seconds = 2 * scale
    print(f"Each way sleeps for {seconds:g} s.")

    with Stopwatch("A decorated module: {elapsed_time}"):
        compute_sequential(Graph.from_module(__name__), inputs={"seconds": seconds})

    graph = DependencyGraph()
    graph.add_node(lambda: time.sleep(seconds))
    with Stopwatch("The 1.x way:        {elapsed_time}"):
        compute_sequential(graph)
