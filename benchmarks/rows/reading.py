"""Reading the values of results, against a dictionary that has them."""

import functools
from collections.abc import Iterator, Mapping
from typing import Any

from aiocells import Graph, cell, compute_sequential
from benchmarks import layered
from benchmarks.effort import Effort
from benchmarks.layered import CHOICES, INPUTS, Function
from benchmarks.measure import compare_plain
from benchmarks.row import Row, at_most

GROUP = "reading"
TARGET = at_most(80.0)


def rows(effort: Effort) -> Iterator[Row]:
    """Measure reading each value that is there by its cell."""
    layers, width = effort.layered[0]
    made = layered.layered(layers, width, decorate=cell)
    graph = Graph.from_module(made.module)
    for everything, which in CHOICES.items():
        cells = [made.functions[number] for number in made.wanted(everything)]
        results = compute_sequential(
            graph, targets=None if everything else cells, inputs=INPUTS
        )
        found = compare_plain(
            GROUP,
            functools.partial(read, dict(results), cells),
            functools.partial(read, results, cells),
            pairs=effort.pairs,
            least=effort.least,
        )
        scale = 1e9 / len(cells)
        yield Row(
            group=GROUP,
            workload=f"results[cell], {layers} x {width}, {which}",
            unit="ns/value",
            ours=found.ours * scale,
            floor=found.floor * scale,
            target=TARGET,
            note="a loop that reads each value; floor: the same with a dictionary",
        )


def read(values: Mapping[Any, Any], cells: list[Function]) -> list[Any]:
    """The values of cells, each looked up."""
    return [values[each] for each in cells]
