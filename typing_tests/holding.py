"""What is held has the type that its cell gives, or yields. Checked, never run."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Mapping
from concurrent.futures import Executor
from typing import Any, assert_type

from aiocells import Graph, async_compute_concurrent, cell, hold, resource


@resource
async def pool(size: int) -> AsyncIterator[list[str]]:
    """An async resource."""
    yield [""] * size


@resource
async def client() -> AsyncGenerator[bytes, None]:
    """One that says more."""
    yield b""


@resource
def folder() -> Iterator[str]:
    """A plain one."""
    yield ""


@resource
def file() -> Generator[float, None, None]:
    """One that says more."""
    yield 1.0


@cell
async def model(pool: list[str]) -> dict[str, int]:
    """An async cell."""
    return {}


@cell
def size(model: dict[str, int]) -> int:
    """A plain one."""
    return len(model)


graph = Graph.from_cells(size, client, folder, file)


async def awaited() -> None:
    """In an async block."""
    holding = hold(
        graph,
        [pool, "client"],
        inputs={"size": 3},
        overrides={size: 3},
        limits={"db": asyncio.Semaphore(3)},
        executors=None,
        threads=40,
        observers=[print],
        watchdog=None,
    )
    async with holding as held:
        assert_type(held[pool], list[str])
        assert_type(held[client], bytes)
        assert_type(held[folder], str)
        assert_type(held[file], float)
        assert_type(held[model], dict[str, int])
        assert_type(held[size], int)
        assert_type(held["pool"], Any)
        executors: Mapping[str, Executor] = held.executors
        await async_compute_concurrent(graph, overrides=held, executors=executors)
        await async_compute_concurrent(graph, overrides={**held, size: 1})
        held[pool] = []  # type: ignore[index]


def plain() -> None:
    """In a plain one."""
    with hold(graph, (each for each in [folder])) as held:
        assert_type(held[folder], str)
    hold(graph)  # type: ignore[call-arg]
    hold(graph, 3)  # type: ignore[arg-type]
    hold(graph, [pool], threads="many")  # type: ignore[arg-type]
    hold(graph, [pool], targets=[pool])  # type: ignore[call-arg]
    hold(graph, [pool], max_concurrency=1)  # type: ignore[call-arg]
