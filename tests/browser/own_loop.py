"""The async computers on a browser's own event loop, which the tests replace.

`run.mjs` awaits `main` before it runs the tests. That loop runs when Python does not,
so that no test could wait for it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

import aiocells
from aiocells import Graph, cell, resource

COMPUTERS: list[Callable[..., Any]] = [
    aiocells.async_compute_sequential,
    aiocells.async_compute_concurrent,
    aiocells.async_compute_concurrent_simple,
]
told: list[str] = []


@resource
async def connection() -> AsyncIterator[str]:
    """A resource that tells when it is closed."""
    yield "connected"
    await asyncio.sleep(0)
    told.append("closed")


@cell
async def fetched(connection: str, page: int) -> str:
    """An async cell that waits for a timer of the browser."""
    await asyncio.sleep(0.001)
    return f"{connection}, page {page}"


@cell
def shouted(fetched: str) -> str:
    """A plain cell."""
    return fetched.upper()


@cell
async def broken(fetched: str) -> None:
    """An async cell that fails."""
    raise LookupError(fetched)


@cell
async def forever(connection: str) -> None:
    """An async cell that tells when it is cancelled."""
    try:
        await asyncio.Event().wait()
    finally:
        told.append("cancelled")


async def computes(compute: Callable[..., Any]) -> None:
    """Async and plain cells give their values, and a resource is closed."""
    graph = Graph.from_cells(shouted)
    results = await compute(graph, inputs={"page": 3})
    assert results[shouted] == "CONNECTED, PAGE 3"
    assert told == ["closed"]


async def fails(compute: Callable[..., Any]) -> None:
    """A failure is raised as it is, when nothing runs any more."""
    with pytest.raises(LookupError) as caught:
        await compute(Graph.from_cells(broken, forever), inputs={"page": 3})
    assert caught.value.__notes__[0].startswith("in cell 'broken' (")
    assert told[-1] == "closed"


async def is_cancelled(compute: Callable[..., Any]) -> None:
    """A cancellation from outside cancels the cells, and closes what is open."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await compute(Graph.from_cells(forever))
    assert told == ["cancelled", "closed"]


async def main() -> None:
    """Run each of the above under each async computer."""
    before = asyncio.all_tasks()
    for compute in COMPUTERS:
        for check in (computes, fails, is_cancelled):
            told.clear()
            await check(compute)
            assert asyncio.all_tasks() == before
    print(f"{type(asyncio.get_running_loop()).__name__}: all is well")
