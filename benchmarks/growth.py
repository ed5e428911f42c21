"""How cost grows with the number of cells, from a hundred to a million.

A level line in the chart is what it should be: as much for each of a million cells as
for each of a hundred. Each size and computer has an interpreter of its own.
"""

import asyncio
import contextlib
import functools
import gc
import json
import statistics
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from time import thread_time
from typing import Any

from aiocells import Graph, async_compute_concurrent, cell, compute_sequential
from aiocells._planning.compiling import plan_of
from benchmarks import by_hand, layered
from benchmarks.alone import alone
from benchmarks.effort import Effort
from benchmarks.layered import INPUTS, Layered
from benchmarks.memory import peak_bytes, reset_peak, resident_bytes
from benchmarks.rows.building import LAYERS
from benchmarks.rows.sequential import never_generated

# Runs that are repeated for a steady figure.
STEADY_SECONDS = 0.2
MOST_RUNS = 30
# Of so many cells, one run says it all.
LARGE = 1_000_000
# Tracing each allocation of more cells would take minutes. What the process takes
# from the system tells as well, where there is much of it.
MOST_TRACED = 100_000

Figures = dict[str, float]


def growth(effort: Effort) -> Iterator[Figures]:
    """The figures for each size."""
    for count in effort.growth:
        found: Figures = {}
        for kind in KINDS:
            if kind != FLOOR or count < LARGE:
                found |= alone(__name__, kind, count)
        yield found


def main(kind: str, count: int) -> None:
    """Print the figures for one size as JSON, in microseconds and bytes a cell."""
    body = layered.plain if kind == "sequential" else layered.sleeps
    decorate = (lambda each: each) if kind == FLOOR else cell
    made = layered.layered(LAYERS, max(3, count // LAYERS), (body,), decorate)
    cells = len(made.functions)
    found: Figures = {"cells": cells}
    build = functools.partial(KINDS[kind][0], made)
    built, size, seconds = _observed(build, cells)
    if kind == "sequential":
        found |= _building(size, seconds, cells)
    run = functools.partial(KINDS[kind][1], built)
    with never_generated():
        # The first run: it makes what is derived from the plan and kept with it.
        _, size, seconds = _observed(run, cells, at_peak=True)
        found[f"{kind} bytes"] = size / cells
        if cells < LARGE or kind == "sequential":
            seconds = _seconds(run)
        found[f"{kind} us"] = seconds * 1e6 / cells
        if cells < LARGE:
            with _no_collector():
                found[f"{kind} us, no collector"] = _seconds(run) * 1e6 / cells
    print(json.dumps(found))


def _building(size: int, seconds: float, cells: int) -> Figures:
    """The figures of building, each time of functions that were never seen before."""
    found = {"building bytes": size / cells}
    if cells < LARGE:
        build = functools.partial(_seconds_to_build, cells // LAYERS)
        seconds = _steady(build)
        with _no_collector():
            found["building us, no collector"] = _steady(build) * 1e6 / cells
    return found | {"building us": seconds * 1e6 / cells}


def _seconds_to_build(width: int) -> float:
    made = layered.layered(LAYERS, width, decorate=cell)
    gc.collect()
    start = thread_time()
    _build(made)
    return thread_time() - start


def _build(made: Layered) -> Graph:
    graph = Graph.from_module(made.module)
    plan_of(graph)
    return graph


def _concurrent(graph: Graph) -> Any:
    return asyncio.run(async_compute_concurrent(graph, inputs=INPUTS))


def _task_group(steps: list[by_hand.Step]) -> Any:
    return asyncio.run(by_hand.awaiting_a_list(steps))


FLOOR = "TaskGroup"
# What is made of the functions, and what is run of that.
KINDS: dict[str, tuple[Callable[[Layered], Any], Callable[[Any], Any]]] = {
    "sequential": (_build, functools.partial(compute_sequential, inputs=INPUTS)),
    "concurrent": (_build, _concurrent),
    FLOOR: (by_hand.steps_of, _task_group),
}


def _observed(
    do: Callable[[], Any], cells: int, *, at_peak: bool = False
) -> tuple[Any, int, float]:
    """What it gives, the bytes that it keeps, or has at its peak, and the seconds."""
    gc.collect()
    is_traced = cells <= MOST_TRACED
    before = 0 if is_traced else reset_peak()
    if is_traced:
        tracemalloc.start()
    start = thread_time()
    kept = do()
    seconds = thread_time() - start
    if not at_peak:
        gc.collect()
    if is_traced:
        size = tracemalloc.get_traced_memory()[at_peak]
        tracemalloc.stop()
    else:
        size = (peak_bytes() if at_peak else resident_bytes()) - before
    return kept, size, seconds


def _seconds(do: Callable[[], Any]) -> float:
    """What a run takes; garbage of the one before is collected outside of it."""

    def seconds() -> float:
        gc.collect()
        start = thread_time()
        kept = do()
        took = thread_time() - start
        del kept
        return took

    return _steady(seconds)


def _steady(seconds: Callable[[], float]) -> float:
    """The median of some runs, as many as take a moment together."""
    times: list[float] = []
    while not times or (sum(times) < STEADY_SECONDS and len(times) < MOST_RUNS):
        times.append(seconds())
    return statistics.median(times)


@contextlib.contextmanager
def _no_collector() -> Iterator[None]:
    """Without the cyclic garbage collector, to tell what it costs."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
