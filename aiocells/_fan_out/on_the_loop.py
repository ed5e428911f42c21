"""Plain items on the event loop, which gets a turn every few of them."""

import asyncio
import itertools
from collections.abc import Callable
from time import monotonic
from typing import Any

from aiocells._fan_out.gathering import Gathering
from aiocells._fan_out.items import Items

# Seconds for which items hold up the event loop before it gets a turn.
_SLICE = 0.01
# Quick items go in stretches of about so many seconds, so that the clock, which costs
# as much as such an item, is not read for each.
_STRETCH = 0.001


async def run_on_the_loop(
    items: Items, gathering: Gathering, report: Callable[[float], None]
) -> Any:
    """Call each item.

    Args:
        items: what to call; none is pulled asynchronously.
        gathering: where it goes what becomes of them.
        report: told for how many seconds something held up the loop at once.

    Returns:
        The value of the fan-out.

    Raises:
        BaseException: an item failed, or what is iterated did.
    """
    if items.columns is not None and gathering.is_strict and not gathering.follows:
        await _run_in_stretches(items, gathering, report)
    else:
        await _run_each(items, gathering, report)
    return gathering.value()


async def _run_in_stretches(
    items: Items, gathering: Gathering, report: Callable[[float], None]
) -> None:
    assert items.columns is not None
    results, calls = gathering.results, map(items.call, *items.columns)
    length = 1
    began = clock = monotonic()
    while True:
        before = len(results)
        try:
            results.extend(itertools.islice(calls, length))
            if len(results) - before < length:
                if len(results) == items.total:
                    return
                raise StopIteration  # a call raised it, which ended that without a word
        except BaseException as error:
            index = len(results)
            results.append(None)
            gathering.failed(index, error, items.row_at(index))
            return
        now = monotonic()
        seconds, clock = now - clock, now
        report(seconds)
        length = 2 * length if seconds < _STRETCH else max(1, length // 2)
        if now - began > _SLICE:
            await asyncio.sleep(0)
            began = clock = monotonic()


async def _run_each(
    items: Items, gathering: Gathering, report: Callable[[float], None]
) -> None:
    call, rows, results = items.call, items.rows, gathering.results
    began = clock = monotonic()
    # What the rows raise is no failure of an item.
    for row in rows:
        results.append(None)
        try:
            results[-1] = call(*row)
        except BaseException as error:
            if gathering.failed(len(results) - 1, error, row):
                return
        if gathering.follows:
            gathering.ended(len(results) - 1)
        now = monotonic()
        report(now - clock)
        clock = now
        if now - began > _SLICE:
            await asyncio.sleep(0)
            began = clock = monotonic()
