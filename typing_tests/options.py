"""Each computer takes its options by keyword, each of its type. Checked, never run."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

import asyncio
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

from aiocells import (
    Cache,
    Graph,
    async_compute_concurrent,
    async_compute_concurrent_simple,
    async_compute_sequential,
    cell,
    compute_sequential,
)
from aiocells.observers import Event, LoggingObserver, Recorder


@cell
def spot(symbol: str) -> float:
    """A cell."""
    return len(symbol)


graph = Graph.from_cells(spot)


def some_targets() -> Iterator[Any]:
    """Targets one by one."""
    yield spot


def observe(event: Event) -> None:
    """An observer."""


def observe_text(event: str) -> None:
    """Not an observer: it takes something else."""


symbols: dict[str, str] = {"symbol": "ACME"}
prices: Mapping[Any, float] = {spot: 1.0}
slots: dict[str, int] = {"quotes": 2}
shared: dict[str, asyncio.Semaphore] = {"quotes": asyncio.Semaphore(2)}
limiters: dict[str, Any] = {"quotes": 2, "orders": asyncio.Semaphore(2)}
pools: dict[str, ThreadPoolExecutor] = {"pool": ThreadPoolExecutor()}
executors: Mapping[str, Executor] = pools


# The options of every computer

compute_sequential(
    graph,
    targets=[spot, "spot"],
    inputs=symbols,
    overrides=prices,
    on_error="group",
    observers=[observe, LoggingObserver(), Recorder()],
    cache=Cache("build/cache", max_bytes=None, ttl=60.0, everything=True),
)
compute_sequential(graph, cache="build/cache")  # type: ignore[arg-type]
compute_sequential(graph, targets=None, inputs=None, overrides=None, observers=())
compute_sequential(graph, targets=some_targets(), on_error="continue")
compute_sequential(graph, targets=3)  # type: ignore[arg-type]
compute_sequential(graph, inputs=["symbol"])  # type: ignore[arg-type]
compute_sequential(graph, inputs={spot: "ACME"})  # type: ignore[dict-item]
compute_sequential(graph, overrides=[spot])  # type: ignore[arg-type]
compute_sequential(graph, on_error="ignore")  # type: ignore[arg-type]
compute_sequential(graph, on_error=None)  # type: ignore[arg-type]
compute_sequential(graph, observers=observe)  # type: ignore[arg-type]
compute_sequential(graph, observers=[observe_text])  # type: ignore[list-item]
compute_sequential(graph, observers=None)  # type: ignore[arg-type]
compute_sequential(graph, inpts=symbols)  # type: ignore[call-arg]
compute_sequential(graph, [spot])  # type: ignore[call-arg]
compute_sequential(targets=[spot])  # type: ignore[call-arg]

# Those of some are no options of others

compute_sequential(graph, executors=executors)  # type: ignore[call-arg]
compute_sequential(graph, max_concurrency=1)  # type: ignore[call-arg]
compute_sequential(graph, limits=slots)  # type: ignore[call-arg]
compute_sequential(graph, watchdog=None)  # type: ignore[call-arg]


async def awaited() -> None:
    """One after the other, executors may be given."""
    await async_compute_sequential(
        graph,
        targets=[spot],
        inputs=symbols,
        overrides=prices,
        on_error="raise",
        observers=[observe],
        cache=None,
        limits=shared,
        executors=pools,
    )
    await async_compute_sequential(graph, limits=slots)
    await async_compute_sequential(graph, limits={"a": 1, "b": asyncio.Lock()})
    await async_compute_sequential(graph, inputs=3)  # type: ignore[arg-type]
    await async_compute_sequential(graph, executors=[])  # type: ignore[arg-type]
    await async_compute_sequential(graph, max_concurrency=1)  # type: ignore[call-arg]
    await async_compute_sequential(graph, watchdog=None)  # type: ignore[call-arg]


async def concurrent() -> None:
    """At the same time, all of them may."""
    await async_compute_concurrent(
        graph,
        targets=[spot],
        inputs=symbols,
        overrides=prices,
        on_error="raise",
        observers=[observe],
        cache=Cache("build/cache"),
        max_concurrency=3,
        limits=slots,
        executors=executors,
        watchdog=1,
    )
    await async_compute_concurrent(graph, max_concurrency=None, limits=None)
    await async_compute_concurrent(graph, limits=shared)
    await async_compute_concurrent(graph, limits=limiters)
    await async_compute_concurrent(graph, limits={"a": "b"})  # type: ignore[dict-item]
    await async_compute_concurrent(graph, limits={"a": open})  # type: ignore[dict-item]
    await async_compute_concurrent(graph, executors=None, watchdog=None)
    await async_compute_concurrent(graph, targets=3)  # type: ignore[arg-type]
    await async_compute_concurrent(graph, max_concurrency=1.5)  # type: ignore[arg-type]
    await async_compute_concurrent(graph, limits=3)  # type: ignore[arg-type]
    await async_compute_concurrent(graph, executors={"a": 3})  # type: ignore[dict-item]
    await async_compute_concurrent(graph, watchdog="never")  # type: ignore[arg-type]
    await async_compute_concurrent(graph, wachdog=None)  # type: ignore[call-arg]


async def simple() -> None:
    """Every cell a task, with the same options."""
    await async_compute_concurrent_simple(
        graph,
        targets=[spot],
        inputs=symbols,
        overrides=prices,
        on_error="raise",
        observers=[observe],
        max_concurrency=3,
        limits=slots,
        executors=executors,
        watchdog=0.5,
    )
    await async_compute_concurrent_simple(graph, on_error=1)  # type: ignore[arg-type]
    await async_compute_concurrent_simple(graph, limits=3)  # type: ignore[arg-type]
    await async_compute_concurrent_simple(graph, watchdog="")  # type: ignore[arg-type]
    await async_compute_concurrent_simple(graph, slots={})  # type: ignore[call-arg]
