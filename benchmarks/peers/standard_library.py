"""What the standard library has for it, and a plain loop."""

import functools
import graphlib
import types
from typing import Any

from benchmarks import by_hand, page
from benchmarks.layered import INPUTS, Layered
from benchmarks.peers import AsyncPrepared, Prepared

DISTRIBUTION = ""


def loop(made: Layered) -> Prepared:
    """A loop over functions in order, with a dictionary of values."""
    steps = [
        (name, function, made.parameters(number))
        for number, (name, function) in enumerate(
            zip(made.names, made.functions, strict=True)
        )
    ]

    def compute() -> dict[str, Any]:
        values: dict[str, Any] = dict(INPUTS)
        for name, function, parameters in steps:
            values[name] = function(*[values[each] for each in parameters])
        return values

    return compute, lambda values: [values[name] for name in made.names]


def graphlib_loop(made: Layered) -> Prepared:
    """A loop over what a `TopologicalSorter` has ready; it serves for one run only."""
    edges = dict(enumerate(made.needs))
    functions, given = made.functions, tuple(INPUTS.values())

    def compute() -> list[Any]:
        sorter = graphlib.TopologicalSorter(edges)
        sorter.prepare()
        values: list[Any] = [None] * len(functions)
        while sorter.is_active():
            for number in sorter.get_ready():
                needs = edges[number]
                taken = [values[each] for each in needs] if needs else given
                values[number] = functions[number](*taken)
                sorter.done(number)
        return values

    return compute, list


async def page_in_waves(shop: types.ModuleType) -> AsyncPrepared:
    """The page, with `gather` for what can be asked at the same time."""
    return functools.partial(page.in_waves, shop, **page.INPUTS), str


async def page_one_by_one(shop: types.ModuleType) -> AsyncPrepared:
    """The page, with nothing at the same time."""
    return functools.partial(page.one_by_one, shop, **page.INPUTS), str


async def task_group(made: Layered) -> AsyncPrepared:
    """A task a cell, each written out."""
    return functools.partial(by_hand.awaiting_three, by_hand.steps_of(made)), list
