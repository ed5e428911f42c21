"""Calls that block run one by one, even in a concurrent computer.

While a plain function runs, the event loop stands still. The remedy is to move
the call to a thread, here with `asyncio.to_thread` in an async cell.
"""

import asyncio
import time

from aiocells import (
    Graph,
    Stopwatch,
    async_compute_concurrent,
    async_compute_concurrent_simple,
    cell,
)


@cell
def short_block(unit: float) -> None:
    """Block the event loop for one unit of time, in seconds."""
    time.sleep(unit)


@cell
def long_block(unit: float) -> None:
    """Block the event loop for two units of time."""
    time.sleep(2 * unit)


@cell
async def short_thread(unit: float) -> None:
    """Block a thread, and await it."""
    await asyncio.to_thread(time.sleep, unit)


@cell
async def long_thread(unit: float) -> None:
    """Block another thread, and await it."""
    await asyncio.to_thread(time.sleep, 2 * unit)


def main(scale: float = 1.0) -> None:
    """Compute calls of 1 and 2 seconds, blocking the loop and in threads.

    Args:
        scale: multiplies the time that is slept.
    """
    inputs = {"unit": scale}
    blocking = Graph.from_cells(short_block, long_block)
    threads = Graph.from_cells(short_thread, long_thread)

    print(f"Two calls that block: {scale:g} s + {2 * scale:g} s.")
    with Stopwatch("  async_compute_concurrent_simple: {elapsed_time}"):
        asyncio.run(async_compute_concurrent_simple(blocking, inputs=inputs))
    with Stopwatch("  async_compute_concurrent:        {elapsed_time}"):
        asyncio.run(async_compute_concurrent(blocking, inputs=inputs))

    print(f"The same in threads: {scale:g} s beside {2 * scale:g} s.")
    with Stopwatch("  async_compute_concurrent:        {elapsed_time}"):
        asyncio.run(async_compute_concurrent(threads, inputs=inputs))
