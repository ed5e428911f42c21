"""Plain cells with values, against a function that is written line by line."""

import contextlib
import functools
import statistics
from collections.abc import Callable, Iterator
from time import thread_time
from typing import Any

from aiocells import Graph, cell, compute_sequential
from aiocells._running.loops import generated
from benchmarks import by_hand, layered
from benchmarks.effort import Effort
from benchmarks.layered import CHOICES, Layered
from benchmarks.measure import Comparison, compare_plain, values_of
from benchmarks.row import Row, at_most, compared
from benchmarks.small import PLAIN, small

GROUP = "sequential"
# What a run may take besides its cells, in microseconds.
TARGETS_BESIDE = {True: at_most(2.0), False: at_most(2.6)}
# For each layered graph.
TARGETS_FIRST = {
    True: (at_most(1.7), at_most(1.7)),
    False: (at_most(1.7), at_most(1.4)),
}
TARGETS_AGAIN = (at_most(1.05), at_most(1.1))

Contestant = Callable[[], Any]


def rows(effort: Effort) -> Iterator[Row]:
    """Measure computing from the first time on, and again and again."""
    for everything, which in CHOICES.items():
        yield _beside_cells(everything, which, effort)
    for everything, which in CHOICES.items():
        targets = TARGETS_FIRST[everything]
        for (layers, width), target in zip(effort.layered, targets, strict=False):
            made = layered.layered(layers, width, decorate=cell)
            with never_generated():
                found = _compared(*pair(made, everything), effort)
            yield compared(
                GROUP,
                f"from the first run, {layers} x {width}, {which}",
                found,
                count=layers * width,
                target=target,
            )
    for (layers, width), target in zip(effort.layered, TARGETS_AGAIN, strict=False):
        made = layered.layered(layers, width, decorate=cell)
        for everything, which in CHOICES.items():
            floor, ours = pair(made, everything)
            cost = _warm_up(ours, effort.again) * 1e6 / len(made.functions)
            yield compared(
                GROUP,
                f"again and again, {layers} x {width}, {which}",
                _compared(floor, ours, effort),
                count=len(made.functions),
                target=target,
                note=f"generating the code took {cost:.1f} us/cell, once",
            )


@contextlib.contextmanager
def never_generated() -> Iterator[None]:
    """Have graphs computed as in their first runs, however often that is done."""
    before = generated.WORTH_COMPILING
    generated.WORTH_COMPILING = 10**9
    try:
        yield
    finally:
        generated.WORTH_COMPILING = before


def pair(made: Layered, everything: bool) -> tuple[Contestant, Contestant]:
    """The code written by hand, and ours; both give all values, or the last layer's."""
    ours = functools.partial(
        compute_sequential,
        Graph.from_module(made.module),
        targets=None if everything else made.last,
        inputs=made.inputs,
    )
    return by_hand.straight_line(made, made.wanted(everything)), ours


def _compared(floor: Contestant, ours: Contestant, effort: Effort) -> Comparison:
    return compare_plain(
        GROUP, floor, ours, values=values_of, pairs=effort.pairs, least=effort.least
    )


def _beside_cells(everything: bool, which: str, effort: Effort) -> Row:
    floor, ours = pair(small(3, PLAIN, cell), everything)
    with never_generated():
        found = _compared(floor, ours, effort)
    return Row(
        group=GROUP,
        workload=f"a run beside its cells, {which}",
        unit="us/run",
        ours=found.beyond * 1e6,
        target=TARGETS_BESIDE[everything],
        note="3 cells; what a run takes beyond the code written by hand",
    )


def _warm_up(ours: Contestant, count: int) -> float:
    """Compute so often that code is generated; the seconds that this took."""
    times = []
    for _ in range(count):
        start = thread_time()
        ours()
        times.append(thread_time() - start)
    # The first computation builds the plan.
    return max(times[1:]) - statistics.median(times)
