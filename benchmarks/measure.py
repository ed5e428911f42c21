"""Timing: runs of two contestants that alternate, compared pair by pair.

On a machine that others use too, times come and go in waves. Two runs next to each
other are on the same wave, so that their ratio says more than either time; the
median of many such ratios says it well.
"""

import asyncio
import gc
import statistics
from collections.abc import Awaitable, Callable
from time import perf_counter

import attrs

Timer = Callable[[int], float]
"""Takes how often to compute, back to back; gives the seconds that it took."""


@attrs.frozen
class Comparison:
    """What two contestants took, in seconds a computation.

    Attributes:
        floor: the median of the one that sets the measure.
        ours: the median of the other.
        ratio: the median of the ratios, pair by pair.
        low: the first quartile of the ratios.
        high: their third quartile.
    """

    floor: float
    ours: float
    ratio: float
    low: float
    high: float


def timer(compute: Callable[[], object]) -> Timer:
    """Time a function. What it returns is let go within the time."""

    def seconds(count: int) -> float:
        start = perf_counter()
        for _ in range(count):
            compute()
        return perf_counter() - start

    return seconds


def async_timer(
    compute: Callable[[], Awaitable[object]], runner: asyncio.Runner
) -> Timer:
    """Time a coroutine function, on a loop that is running already."""

    async def seconds(count: int) -> float:
        start = perf_counter()
        for _ in range(count):
            await compute()
        return perf_counter() - start

    return lambda count: runner.run(seconds(count))


def compare(floor: Timer, ours: Timer, *, pairs: int, least: float) -> Comparison:
    """Run two contestants in turns.

    Garbage that one of them leaves is collected before the next run, outside of the
    times; within a run Python collects as it always does.

    Args:
        floor: the one that sets the measure.
        ours: the one that is compared to it.
        pairs: how many runs of each.
        least: seconds that a run lasts at least.
    """
    counts = (_enough(floor, least), _enough(ours, least))
    times: list[tuple[float, float]] = []
    for turn in range(pairs):
        first = turn % 2  # neither is always the one that comes first
        found = [0.0, 0.0]
        for which in (first, 1 - first):
            gc.collect()
            found[which] = (floor, ours)[which](counts[which]) / counts[which]
        times.append((found[0], found[1]))
    ratios = [ours_took / floor_took for floor_took, ours_took in times]
    low, _, high = statistics.quantiles(ratios, n=4) if pairs > 1 else ratios * 3
    return Comparison(
        floor=statistics.median(each for each, _ in times),
        ours=statistics.median(each for _, each in times),
        ratio=statistics.median(ratios),
        low=low,
        high=high,
    )


def _enough(time: Timer, least: float) -> int:
    """How often to compute for a run of `least` seconds; warms up as it finds out."""
    count = 1
    while (took := time(count)) < least:
        # Aims a little higher, and does not trust a time that is all noise.
        count = max(count + 1, min(count * 10, int(count * least / took * 1.2)))
    return count


def median_seconds(compute: Callable[[], object], runs: int) -> float:
    """The median of the times of single runs, for what has no floor."""
    times = []
    for _ in range(runs):
        gc.collect()
        start = perf_counter()
        kept = compute()
        times.append(perf_counter() - start)
        del kept
    return statistics.median(times)
