"""From decorated functions to a checked plan: time and memory."""

import contextlib
import gc
import statistics
import tracemalloc
import types
from collections.abc import Callable, Iterator
from time import perf_counter

from aiocells import Graph, cell
from aiocells._planning.compiling import plan_of
from aiocells._planning.plan import Plan
from benchmarks import layered
from benchmarks.effort import Effort
from benchmarks.row import Row

Decorator = Callable[[layered.Function], layered.Function]

GROUP = "building"
TARGET_TIME = 5.0
TARGET_TIME_LARGE = 8.0
LARGE = 10_000
TARGET_BYTES = 500
LAYERS = 20


def rows(effort: Effort) -> Iterator[Row]:
    """Measure `Graph.from_module`, and building the plan, of graphs of any size."""
    for size in effort.building:
        width = max(3, size // LAYERS)
        runs = effort.pairs if size < LARGE else effort.long_pairs
        times = [seconds_to_build(width) for _ in range(runs)]
        count = LAYERS * width
        yield Row(
            group=GROUP,
            workload=f"{count:,} cells, time",
            unit="us/cell",
            ours=statistics.median(times) * 1e6 / count,
            target=TARGET_TIME if count <= LARGE else TARGET_TIME_LARGE,
            note="decorated functions to plan; decorating comes before",
        )
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


def _build(module: types.ModuleType) -> tuple[Graph, Plan]:
    graph = Graph.from_module(module)
    return graph, plan_of(graph)


def seconds_to_build(width: int) -> float:
    """What building takes, of functions that were never seen before."""
    made = layered.layered(LAYERS, width, decorate=cell)
    gc.collect()
    start = perf_counter()
    _build(made.module)
    return perf_counter() - start


def _bytes(width: int) -> int:
    """What a graph and its plan keep, beside the functions."""
    made = layered.layered(LAYERS, width, decorate=cell)
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
