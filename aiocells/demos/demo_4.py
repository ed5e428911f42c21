"""Order: what must be computed before what.

`@depends_on(announce)` says that `announce` goes first. No value is passed, since
no parameter asks for one.
"""

import time

from aiocells import DependencyGraph, Graph, cell, compute_sequential, depends_on


@cell
def announce() -> None:
    """Go first."""
    print("Sleeping...")


@cell
@depends_on(announce)
def sleep(seconds: float) -> None:
    """Go second."""
    time.sleep(seconds)


@cell
@depends_on(sleep)
def wake_up() -> None:
    """Go last."""
    print("Woke up!")


def built_by_hand(seconds: float) -> DependencyGraph:
    """Put the same three steps in order, the 1.x way."""
    graph = DependencyGraph()
    # add_node returns the node, so that a lambda can be named later.
    first = graph.add_node(lambda: print("Sleeping..."))
    second = graph.add_node(lambda: time.sleep(seconds))
    last = graph.add_node(lambda: print("Woke up!"))
    graph.add_precedence(first, second)
    graph.add_precedence(second, last)
    return graph


def main(scale: float = 1.0) -> None:
    """Sleep for 2 seconds between two messages, each way.

    Args:
        scale: multiplies the time that is slept.
    """
    seconds = 2 * scale

    print("A decorated module:")
    compute_sequential(Graph.from_module(__name__), inputs={"seconds": seconds})

    print("The 1.x way, a graph built by hand:")
    compute_sequential(built_by_hand(seconds))
