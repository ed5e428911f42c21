"""Layered graphs of small functions, which every contestant computes.

Each cell takes three cells of the layer above it; those of the first layer take the
inputs. Nothing here knows aiocells, since one contestant is its first version.
"""

import asyncio
import itertools
import random
import types
from collections.abc import Callable, Sequence
from typing import Any

import attrs

# Floats, since whole numbers would get longer from layer to layer.
INPUTS = {"x": 1.0, "y": 2.0, "z": 3.0}

Function = Callable[..., Any]

# Which values are wanted: those of all cells, or those of the last layer.
CHOICES = {True: "all values", False: "with targets="}


def plain(a, b, c):  # type: ignore[no-untyped-def]  # noqa: D103
    return a + b + c


async def never_suspends(a, b, c):  # type: ignore[no-untyped-def]  # noqa: D103
    return a + b + c


async def sleeps(a, b, c):  # type: ignore[no-untyped-def]  # noqa: D103
    await asyncio.sleep(0)
    return a + b + c


@attrs.frozen
class Layered:
    """A layered graph.

    Attributes:
        functions: the functions of the cells, each layer after the one above it.
        needs: for each the numbers of the cells that it takes, none for the inputs.
        width: cells a layer.
        module: a module that has the functions, as if it had been imported.
        inputs: what the cells take that take no others.
    """

    functions: list[Function]
    needs: list[tuple[int, ...]]
    width: int
    module: types.ModuleType
    inputs: dict[str, float] = INPUTS

    @property
    def names(self) -> list[str]:
        """The names of the functions."""
        return [function.__name__ for function in self.functions]

    @property
    def last(self) -> list[Function]:
        """The functions of the last layer."""
        return self.functions[-self.width :]

    def wanted(self, everything: bool) -> range:
        """The numbers of all cells, or of those of the last layer."""
        count = len(self.functions)
        return range(0 if everything else count - self.width, count)

    def parameters(self, number: int) -> tuple[str, ...]:
        """The names of what a cell takes."""
        return tuple(map(name_of, self.needs[number])) or tuple(self.inputs)


def name_of(number: int) -> str:
    """The name of the function of a cell."""
    return f"c{number}"


def layered(
    layers: int,
    width: int,
    bodies: Sequence[Function] = (plain,),
    decorate: Callable[[Function], Function] = lambda function: function,
) -> Layered:
    """Make a layered graph, the same each time.

    Args:
        layers: how many layers.
        width: how many cells a layer; at least three.
        bodies: what the cells are like; they take turns.
        decorate: called with each function, as a decorator is.
    """
    choose = random.Random(1).sample
    module = types.ModuleType("layered")
    module.asyncio = asyncio  # type: ignore[attr-defined]
    graph = Layered([], [], width, module)
    for number, body in zip(range(layers * width), itertools.cycle(bodies)):
        above = (number // width - 1) * width
        graph.needs.append(
            () if above < 0 else tuple(choose(range(above, above + width), 3))
        )
        name = name_of(number)
        function = decorate(renamed(body, name, graph.parameters(number), vars(module)))
        graph.functions.append(function)
        setattr(module, name, function)
    return graph


def renamed(
    body: Any, name: str, parameters: tuple[str, ...], module: dict[str, Any]
) -> types.FunctionType:
    """A function as if it had been written in a module, under names of its own.

    Compiling source for it would give the same, and take ten times as long.
    """
    code = body.__code__.replace(co_name=name, co_qualname=name, co_varnames=parameters)
    return types.FunctionType(code, module, name, closure=body.__closure__)
