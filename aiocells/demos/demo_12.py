"""Work only where something changed: `ModPlace`, `ModAdder` and `ModPrinter`.

The nodes share a clock that counts. A place notes when it changed, and a node
that reads it does nothing unless the place is newer than the node's last work.
"""

from aiocells import (
    DependencyGraph,
    ModAdder,
    ModClock,
    ModPlace,
    ModPrinter,
    compute_sequential,
)


def main(scale: float = 1.0) -> None:
    """Change places and compute, to see what runs.

    Args:
        scale: for all demos alike; nothing sleeps here.
    """
    clock = ModClock()
    apples, pears, fruit = ModPlace(clock), ModPlace(clock), ModPlace(clock)
    add = ModAdder(clock, [apples, pears], fruit)

    graph = DependencyGraph()
    graph.add_precedence(apples, add)
    graph.add_precedence(pears, add)
    graph.add_precedence(add, fruit)
    for place, name in ((apples, "apples"), (pears, "pears"), (fruit, "fruit")):
        printer = ModPrinter(clock, place, f"  {name:<6} changed to {{value}}")
        graph.add_precedence(place, printer)

    print("Nothing was set:")
    compute_sequential(graph)

    print("Apples and pears were set:")
    apples.value, pears.value = 1, 2
    compute_sequential(graph)

    print("Apples were set:")
    apples.value = 3
    compute_sequential(graph)

    print("Pears were set to what they were:")
    pears.value = 2
    compute_sequential(graph)
