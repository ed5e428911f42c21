"""Graphs of one, three and ten cells: what most programs have.

The one of ten has four cells that take the input, and above them three layers, in which
each takes two cells that stand side by side in the layer before:

    c0(x)       c1(x)       c2(x)       c3(x)
       c4(c0, c1)  c5(c1, c2)  c6(c2, c3)
             c7(c4, c5)  c8(c5, c6)
                   c9(c7, c8)
"""

import asyncio
import types
from collections.abc import Callable

from benchmarks.layered import Function, Layered, name_of, renamed

INPUTS = {"x": 1.0}
# For each number of cells, the numbers of the cells that each takes.
NEEDS: dict[int, list[tuple[int, ...]]] = {
    1: [()],
    3: [(), (), (0, 1)],
    10: [(), (), (), (), (0, 1), (1, 2), (2, 3), (4, 5), (5, 6), (7, 8)],
}


def plain_root(a):  # type: ignore[no-untyped-def]  # noqa: D103
    return a + 1


def plain(a, b):  # type: ignore[no-untyped-def]  # noqa: D103
    return a + b


async def quick_root(a):  # type: ignore[no-untyped-def]  # noqa: D103
    return a + 1


async def never_suspends(a, b):  # type: ignore[no-untyped-def]  # noqa: D103
    return a + b


async def sleeping_root(a):  # type: ignore[no-untyped-def]  # noqa: D103
    await asyncio.sleep(0)
    return a + 1


async def sleeps(a, b):  # type: ignore[no-untyped-def]  # noqa: D103
    await asyncio.sleep(0)
    return a + b


# What a cell does that takes the input, and one that takes two others.
Bodies = tuple[Function, Function]
PLAIN: Bodies = (plain_root, plain)
NEVER_SUSPEND: Bodies = (quick_root, never_suspends)
SLEEP: Bodies = (sleeping_root, sleeps)


def small(
    count: int,
    bodies: Bodies,
    decorate: Callable[[Function], Function] = lambda function: function,
) -> Layered:
    """Make a small graph, whose last layer is the one cell that nothing needs.

    Args:
        count: how many cells; of `NEEDS`.
        bodies: what the cells are like.
        decorate: called with each function, as a decorator is.
    """
    module = types.ModuleType("small")
    module.asyncio = asyncio  # type: ignore[attr-defined]
    graph = Layered([], NEEDS[count], 1, module, INPUTS)
    for number, needs in enumerate(graph.needs):
        body = bodies[bool(needs)]
        name, parameters = name_of(number), graph.parameters(number)
        function = decorate(renamed(body, name, parameters, vars(module)))
        graph.functions.append(function)
        setattr(module, name, function)
    return graph
