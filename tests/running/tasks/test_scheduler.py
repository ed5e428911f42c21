"""What the scheduler promises of the order in which things get their turn."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import aiocells
from aiocells import Graph, cell
from aiocells._outcome import failures
from aiocells._running.tasks import scheduler

Compute = Callable[..., Awaitable[aiocells.Results]]
BOTH: list[Compute] = [
    aiocells.async_compute_concurrent,
    aiocells.async_compute_concurrent_simple,
]


async def test_tasks_go_on_between_plain_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long stretch of plain cells gives running tasks their turn."""
    monkeypatch.setattr(scheduler, "_SLICE", -1)
    order: list[str] = []

    @cell
    async def waits() -> None:
        for step in range(3):
            order.append(f"step {step}")
            await asyncio.sleep(0)

    def make(number: int) -> Any:
        return cell(lambda: order.append("plain"), name=f"plain_{number}")

    graph = Graph.from_cells(waits, *(make(number) for number in range(4)))
    await aiocells.async_compute_concurrent(graph)
    assert sorted(order) == ["plain"] * 4 + ["step 0", "step 1", "step 2"]
    assert order.index("step 2") < len(order) - 1 - order[::-1].index("plain")


@pytest.mark.parametrize("compute", BOTH)
async def test_a_failure_among_many_tasks_stops_each_once(compute: Compute) -> None:
    """All are cancelled, and none of them twice."""
    cancelled = []

    def make(number: int) -> Any:
        async def waits() -> None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append(number)
                await asyncio.sleep(0)
                raise

        return cell(waits, name=f"waits_{number}")

    @cell
    async def fails() -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        raise LookupError

    cells = [make(number) for number in range(100)]
    before = asyncio.all_tasks()
    with pytest.raises(LookupError):
        await compute(Graph.from_cells(*cells, fails))
    assert sorted(cancelled) == list(range(100))
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize("compute", BOTH)
async def test_tasks_bear_the_names_of_their_cells(compute: Compute) -> None:
    """So that asyncio's own tools tell which is which."""

    @cell(name="plan")
    async def first() -> str:
        task = asyncio.current_task()
        assert task is not None
        return task.get_name()

    graph = Graph.from_cells(first)
    assert (await compute(graph))[first] == "plan"


@pytest.mark.parametrize("compute", [*BOTH, aiocells.async_compute_sequential])
async def test_bookkeeping_that_fails_ends_the_computation(
    compute: Compute, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours is raised; nobody waits for ever."""

    def broken(*args: Any) -> None:
        msg = "a fault of ours"
        raise RuntimeError(msg)

    @cell
    async def fails() -> None:
        raise LookupError

    @cell
    async def waits() -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(failures, "note_cell", broken)
    before = asyncio.all_tasks()
    with pytest.raises(RuntimeError, match="a fault of ours"):
        await compute(Graph.from_cells(fails, waits))
    assert asyncio.all_tasks() == before
