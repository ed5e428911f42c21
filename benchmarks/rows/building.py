"""From functions to the first results: decorating, building, the first run; memory."""

import contextlib
import functools
import gc
import tracemalloc
import types
from collections.abc import Callable, Iterator

from aiocells import Graph, cell, compute_sequential
from aiocells._planning.compiling import plan_of
from aiocells._planning.plan import Plan
from benchmarks import by_hand, layered
from benchmarks.effort import Effort
from benchmarks.layered import CHOICES, INPUTS, Layered
from benchmarks.measure import check_same, median_seconds
from benchmarks.row import Row, at_most

Decorator = Callable[[layered.Function], layered.Function]

GROUP = "building"
TARGET_CELL = at_most(0.5)
TARGET_TIME = at_most(4.5)
TARGET_TIME_LARGE = at_most(6.0)
LARGE = 10_000
# The first run, with all values and with targets=.
TARGETS_FIRST = {True: at_most(2.5), False: at_most(3.0)}
TARGET_BYTES = 500
LAYERS = 20


def rows(effort: Effort) -> Iterator[Row]:
    """Measure each step until there are results, and what a graph keeps."""
    yield _decorating(effort)
    for size in effort.building:
        width = max(3, size // LAYERS)
        count = LAYERS * width
        _check_built(width)
        seconds = median_seconds(
            Graph.from_module,
            effort.pairs if size < LARGE else effort.long_pairs,
            functools.partial(_modules, width),
        )
        yield Row(
            group=GROUP,
            workload=f"Graph.from_module, {count:,} cells",
            unit="us/cell",
            ours=seconds * 1e6 / count,
            target=TARGET_TIME if count <= LARGE else TARGET_TIME_LARGE,
            note="of functions that are decorated already",
        )
    for everything, which in CHOICES.items():
        yield _first_run(everything, which, effort)
    for size in effort.building:
        width = max(3, size // LAYERS)
        count = LAYERS * width
        mark = (_bytes_of_functions(width, cell) - _bytes_of_functions(width)) / count
        yield Row(
            group=GROUP,
            workload=f"{count:,} cells, memory",
            unit="bytes/cell",
            ours=_bytes(width) / count,
            target=TARGET_BYTES,
            note=f"beside the functions, which the decorator made {mark:.0f} larger",
        )


def _decorated(width: int) -> Layered:
    """A graph of functions that were never seen before."""
    return layered.layered(LAYERS, width, decorate=cell)


def _modules(width: int) -> tuple[types.ModuleType]:
    return (_decorated(width).module,)


def _decorating(effort: Effort) -> Row:
    width = max(3, effort.first_run // LAYERS)
    functions = layered.layered(LAYERS, width).functions
    check_same(GROUP, functions, decorate_all(functions))
    seconds = median_seconds(
        decorate_all,
        effort.pairs,
        lambda: (layered.layered(LAYERS, width).functions,),
    )
    return Row(
        group=GROUP,
        workload=f"@cell, {len(functions):,} functions",
        unit="us/cell",
        ours=seconds * 1e6 / len(functions),
        target=TARGET_CELL,
    )


def decorate_all(functions: list[layered.Function]) -> list[layered.Function]:
    """Do what `@cell` does above each function, as statements of their module.

    Where it is called from is part of what it looks at.
    """
    exec(
        "for each in functions: cell(each)",
        functions[0].__globals__,
        {"functions": functions, "cell": cell},
    )
    return functions


def _check_built(width: int) -> None:
    """Refuse a graph that computes something else than its functions do by hand."""
    made = _decorated(width)
    results = compute_sequential(Graph.from_module(made.module), inputs=INPUTS)
    check_same(GROUP, by_hand.in_a_loop(made), list(results.values()))


def _first_run(everything: bool, which: str, effort: Effort) -> Row:
    width = max(3, effort.first_run // LAYERS)
    made = _decorated(width)
    compute = functools.partial(
        compute_sequential, targets=None if everything else made.last, inputs=INPUTS
    )
    build = functools.partial(Graph.from_module, made.module)
    values = by_hand.in_a_loop(made)
    wanted = [values[number] for number in made.wanted(everything)]
    check_same(GROUP, wanted, list(compute(build()).values()))
    count = len(made.functions)
    return Row(
        group=GROUP,
        workload=f"the first run, {count:,} cells, {which}",
        unit="us/cell",
        ours=median_seconds(compute, effort.pairs, lambda: (build(),)) * 1e6 / count,
        target=TARGETS_FIRST[everything],
        note="of a graph that is built already; the first run makes its plan",
    )


def _build(module: types.ModuleType) -> tuple[Graph, Plan]:
    graph = Graph.from_module(module)
    return graph, plan_of(graph)


def _bytes(width: int) -> int:
    """What a graph and its plan keep, beside the functions."""
    made = _decorated(width)
    with _tracing() as kept:
        built = _build(made.module)
        size = kept()
    del built
    return size


def _bytes_of_functions(width: int, decorate: Decorator = lambda each: each) -> int:
    with _tracing() as kept:
        made = layered.layered(LAYERS, width, decorate=decorate)
        size = kept()
    del made
    return size


@contextlib.contextmanager
def _tracing() -> Iterator[Callable[[], int]]:
    """Gives a function that tells how many bytes were made since, and are there yet."""

    def kept() -> int:
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    gc.collect()
    tracemalloc.start()
    try:
        yield kept
    finally:
        tracemalloc.stop()
