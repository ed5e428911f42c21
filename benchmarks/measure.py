"""Timing: runs of two contestants that alternate, compared pair by pair.

On a machine that others use too, times come and go in waves. Two runs next to each
other are on the same wave, so that their ratio says more than either time; the
median of many such ratios says it well.

What one thread does is timed by the processor's time for that thread: what the machine
does meanwhile for others is not in it.
"""

import asyncio
import gc
import statistics
from collections.abc import Awaitable, Callable, Mapping
from time import thread_time
from typing import Any

import attrs

Clock = Callable[[], float]
Timer = Callable[[int], float]
"""Takes how often to compute, back to back; gives the seconds that it took."""


@attrs.frozen
class Comparison:
    """What two contestants took, in seconds a computation.

    Attributes:
        floor: the median of the one that sets the measure.
        ours: the median of the other.
        beyond: the median of what ours took beyond the floor, pair by pair.
        ratio: the median of the ratios, pair by pair.
        low: the first quartile of the ratios.
        high: their third quartile.
    """

    floor: float
    ours: float
    beyond: float
    ratio: float
    low: float
    high: float


def values_of(results: Mapping[Any, Any]) -> list[Any]:
    """The values of results, as the code written by hand gives them."""
    return list(results.values())


def _as_they_are(values: Any) -> Any:
    return values


def timer(compute: Callable[[], object], clock: Clock = thread_time) -> Timer:
    """Time a function. What it returns is let go within the time."""

    def seconds(count: int) -> float:
        start = clock()
        for _ in range(count):
            compute()
        return clock() - start

    return seconds


def async_timer(
    compute: Callable[[], Awaitable[object]],
    runner: asyncio.Runner,
    clock: Clock = thread_time,
) -> Timer:
    """Time a coroutine function, on a loop that is running already."""

    async def seconds(count: int) -> float:
        start = clock()
        for _ in range(count):
            await compute()
        return clock() - start

    return lambda count: runner.run(seconds(count))


class Differs(Exception):
    """Two contestants do not compute the same values."""


def check_same(what: str, floor: object, ours: object) -> None:
    """Refuse to measure what does not compute the same.

    Raises:
        Differs: the values differ.
    """
    if floor != ours:
        msg = f"{what}: the values differ, so that comparing the times means nothing."
        raise Differs(msg)


def compare_plain(
    what: str,
    floor: Callable[[], Any],
    ours: Callable[[], Any],
    *,
    pairs: int,
    least: float,
    values: Callable[[Any], Any] = _as_they_are,
    clock: Clock = thread_time,
) -> Comparison:
    """Compare two functions that give the same values.

    Args:
        what: names it in the error, if they do not.
        floor: the one that sets the measure.
        ours: the one that is compared to it.
        pairs: how many runs of each.
        least: seconds that a run lasts at least.
        values: makes of what `ours` gives what `floor` gives.
        clock: tells the time.
    """
    check_same(what, floor(), values(ours()))
    timers = timer(floor, clock), timer(ours, clock)
    return compare(*timers, pairs=pairs, least=least)


def compare_async(
    what: str,
    floor: Callable[[], Awaitable[Any]],
    ours: Callable[[], Awaitable[Any]],
    *,
    pairs: int,
    least: float,
    values: Callable[[Any], Any] = _as_they_are,
    clock: Clock = thread_time,
) -> Comparison:
    """Compare two coroutine functions as `compare_plain` does, on one event loop."""
    with asyncio.Runner() as runner:
        by_floor = runner.run(_awaited(floor))
        check_same(what, by_floor, values(runner.run(_awaited(ours))))
        timers = [async_timer(each, runner, clock) for each in (floor, ours)]
        return compare(*timers, pairs=pairs, least=least)


async def _awaited(compute: Callable[[], Awaitable[Any]]) -> Any:
    return await compute()


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
        beyond=statistics.median(
            ours_took - floor_took for floor_took, ours_took in times
        ),
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


def median_seconds(
    compute: Callable[..., object],
    runs: int,
    prepare: Callable[[], tuple[Any, ...]] = tuple,
) -> float:
    """The median of the times of single runs, for what has no floor.

    Args:
        compute: what is timed; called with what `prepare` gives.
        runs: how often.
        prepare: called before each run, outside of the time.
    """
    times = []
    for _ in range(runs):
        given = prepare()
        gc.collect()
        start = thread_time()
        kept = compute(*given)
        times.append(thread_time() - start)
        del kept, given
    return statistics.median(times)
