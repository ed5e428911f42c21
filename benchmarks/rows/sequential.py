"""Plain cells with values, against a function that is written line by line."""

import contextlib
import gc
import statistics
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any

from aiocells import Graph, cell, compute_sequential
from aiocells._planning.compiling import plan_of
from aiocells._running.loops import generated
from benchmarks import by_hand, layered
from benchmarks.effort import Effort
from benchmarks.layered import INPUTS, Layered
from benchmarks.measure import Comparison, compare, timer
from benchmarks.row import Row, check_same, compared

GROUP = "sequential"
TARGET_FIRST = 1.7
TARGET_AGAIN = 1.1
TARGET_PLAN = 2.5

Contestant = Callable[[], Any]


def rows(effort: Effort) -> Iterator[Row]:
    """Measure computing from the first time on, and again and again."""
    for layers, width in effort.layered:
        made = layered.layered(layers, width, decorate=cell)
        size, count = f"{layers} x {width}", layers * width
        with never_generated():
            found = _compared(*pair(made, made.functions), effort)
        yield compared(
            GROUP,
            f"from the first run, {size}, all values",
            found,
            count=count,
            target=TARGET_FIRST,
        )
    yield _plan(effort)
    for layers, width in effort.layered:
        made = layered.layered(layers, width, decorate=cell)
        for which, targets in (("all", made.functions), ("last layer's", made.last)):
            floor, ours = pair(made, targets)
            cost = _warm_up(ours, effort.again) * 1e6 / len(made.functions)
            yield compared(
                GROUP,
                f"again and again, {layers} x {width}, {which} values",
                _compared(floor, ours, effort),
                count=len(made.functions),
                target=TARGET_AGAIN,
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


def pair(
    made: Layered, targets: list[layered.Function]
) -> tuple[Contestant, Contestant]:
    """The code written by hand, and ours; both give the values of `targets`."""
    everything = len(targets) == len(made.functions)
    wanted = range(len(made.functions) - len(targets), len(made.functions))
    graph = Graph.from_module(made.module)

    def ours() -> Any:
        return compute_sequential(
            graph, targets=None if everything else targets, inputs=INPUTS
        )

    return by_hand.straight_line(made, wanted), ours


def _compared(floor: Contestant, ours: Contestant, effort: Effort) -> Comparison:
    check_same(GROUP, floor(), list(ours().values()))
    return compare(timer(floor), timer(ours), pairs=effort.pairs, least=effort.least)


def _warm_up(ours: Contestant, count: int) -> float:
    """Compute so often that code is generated; the seconds that this took."""
    times = []
    for _ in range(count):
        start = perf_counter()
        ours()
        times.append(perf_counter() - start)
    # The first computation builds the plan.
    return max(times[1:]) - statistics.median(times)


def _plan(effort: Effort) -> Row:
    width = max(3, effort.plan_cells // 100)
    made = layered.layered(effort.plan_cells // width, width, decorate=cell)
    count = len(made.functions)
    firsts, plans = [], []
    for _ in range(effort.long_pairs):
        graph = Graph.from_module(made.module)
        gc.collect()
        start = perf_counter()
        compute_sequential(graph, inputs=INPUTS)
        middle = perf_counter()
        compute_sequential(graph, inputs=INPUTS)
        firsts.append(2 * middle - start - perf_counter())
        graph = Graph.from_module(made.module)
        gc.collect()
        start = perf_counter()
        plan_of(graph)
        plans.append(perf_counter() - start)
    return Row(
        group=GROUP,
        workload=f"building the plan, {count:,} cells",
        unit="us/cell",
        ours=statistics.median(firsts) * 1e6 / count,
        target=TARGET_PLAN,
        note="what the first computation takes beyond the second; the plan itself "
        f"{statistics.median(plans) * 1e6 / count:.2f}",
    )
