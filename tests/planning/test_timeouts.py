"""The time limits of async cells: @cell(timeout=SECONDS)."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import pytest

import aiocells
from aiocells import Graph, cell, depends_on, resource
from tests.helpers import ASYNC_COMPUTERS, COMPUTERS
from tests.virtual_loop import VirtualLoop

every_async = pytest.mark.parametrize("computer", ASYNC_COMPUTERS.values())


def compute(computer: Any, *cells: Any, **options: Any) -> Any:
    """Compute on a loop whose clock jumps, and tell what is left running."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(computer(Graph.from_cells(*cells), **options))
    finally:
        assert asyncio.all_tasks(loop) == set()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


@every_async
def test_a_cell_that_takes_too_long_fails_with_a_timeout_error(computer: Any) -> None:
    """It is cancelled, and the TimeoutError says for how long it might run."""
    ended: list[str] = []

    @cell(timeout=2.5)
    async def slow(size: int) -> None:
        try:
            await asyncio.sleep(3)
        finally:
            ended.append("slow")

    with pytest.raises(TimeoutError) as caught:
        compute(computer, slow, inputs={"size": 3})
    assert str(caught.value) == "the cell took longer than 2.5 s"
    [note] = caught.value.__notes__
    assert note.startswith("in cell 'slow' (")
    assert note.endswith("\n  called with size=3")
    assert aiocells.failures(caught.value) == {slow: caught.value}
    assert ended == ["slow"]


@dataclasses.dataclass(frozen=True)
class Frozen(Exception):
    """Takes no attributes, which asyncio would set."""

    code: int = 1


@every_async
def test_what_a_cell_raises_at_its_timeout_leaves_as_it_is(computer: Any) -> None:
    """Its own exception counts, and nothing is done to it."""

    @cell(timeout=1)
    async def slow() -> None:
        try:
            await asyncio.sleep(3)
        finally:
            raise Frozen

    with pytest.raises(Frozen) as caught:
        compute(computer, slow)
    assert isinstance(caught.value.__context__, asyncio.CancelledError)


@every_async
def test_a_cell_that_is_quick_enough_is_not_touched(computer: Any) -> None:
    """Arguments of every kind reach a cell that has a timeout."""

    @cell
    async def one() -> int:
        return 1

    @cell(timeout=3)
    @depends_on(parts=[one, one])
    async def quick(one: int, /, parts: list[int], *, step: int = 5) -> tuple[Any, ...]:
        await asyncio.sleep(2)
        return one, parts, step

    assert compute(computer, quick, one)[quick] == (1, [1, 1], 5)


@every_async
def test_the_time_counts_from_the_start_of_the_cell(computer: Any) -> None:
    """What it waits for before is not its time."""

    @cell
    async def before() -> None:
        await asyncio.sleep(60)

    @cell(timeout=1)
    async def after(before: None) -> str:
        await asyncio.sleep(0.5)
        return "after"

    assert compute(computer, before, after)[after] == "after"


@pytest.mark.parametrize("name", ["concurrent", "simple"])
def test_the_time_in_which_a_limit_holds_it_back_does_not_count(name: str) -> None:
    """A cell that is held back by a limit has not started."""

    def make(number: int) -> Any:
        async def body() -> int:
            await asyncio.sleep(1)
            return number

        return cell(name=f"cell_{number}", timeout=1.5)(body)

    cells = [make(number) for number in range(4)]
    results = compute(ASYNC_COMPUTERS[name], *cells, max_concurrency=1)
    assert list(results.values()) == [0, 1, 2, 3]


@every_async
def test_a_timeout_error_of_the_cells_own_is_left_alone(computer: Any) -> None:
    """What the cell itself raised is raised, with its own words."""
    problem = TimeoutError("the other side is slow")

    @cell(timeout=60)
    async def impatient() -> None:
        raise problem

    with pytest.raises(TimeoutError) as caught:
        compute(computer, impatient)
    assert caught.value is problem


@every_async
def test_a_cell_that_swallows_its_timeout_fails_all_the_same(computer: Any) -> None:
    """Its time was over: what it returns then comes too late."""

    @cell(timeout=1)
    async def slow() -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(1)
        return "late"

    with pytest.raises(TimeoutError) as caught:
        compute(computer, slow)
    assert str(caught.value) == "the cell took longer than 1 s"
    assert aiocells.failures(caught.value) == {slow: caught.value}


@every_async
def test_what_a_cell_raises_at_its_timeout_is_its_failure(computer: Any) -> None:
    """An exception of its own tells more than that its time was over."""
    problem = LookupError()

    @cell(timeout=1)
    async def slow() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            raise problem

    with pytest.raises(LookupError) as caught:
        compute(computer, slow)
    assert caught.value is problem


@every_async
def test_a_cell_that_handles_its_own_timeout_in_time(computer: Any) -> None:
    """A scope of its own that is over before the cell's time is nobody's business."""

    @cell(timeout=2)
    async def adaptable() -> str:
        try:
            async with asyncio.timeout(1):
                await asyncio.sleep(60)
        except TimeoutError:
            return "less"
        return "all"

    assert compute(computer, adaptable)[adaptable] == "less"


@every_async
def test_a_resource_that_swallows_its_timeout_while_it_opens(computer: Any) -> None:
    """It fails, and since it is open by then, it is closed."""
    log: list[str] = []

    @resource(timeout=1)
    async def slow() -> AsyncIterator[str]:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            log.append("swallowed")
        yield "late"
        log.append("closed")

    @cell
    def uses(slow: str) -> None:
        log.append("never")

    with pytest.raises(TimeoutError) as caught:
        compute(computer, slow, uses)
    assert str(caught.value) == "the resource took longer than 1 s"
    assert aiocells.failures(caught.value) == {slow: caught.value}
    assert log == ["swallowed", "closed"]


@every_async
def test_a_timeout_is_a_failure_like_any_other(computer: Any) -> None:
    """With "continue" what does not depend on the cell goes on."""

    @cell(timeout=1)
    async def slow() -> None:
        await asyncio.sleep(60)

    @cell
    async def after(slow: None) -> None: ...

    @cell
    async def other() -> int:
        return 1

    results = compute(computer, slow, after, other, on_error="continue")
    assert dict(results) == {other: 1}
    assert type(results.failures[slow]) is TimeoutError
    assert results.skipped == {after}


def test_a_cell_with_a_timeout_is_still_the_same_function() -> None:
    """Called by itself it has no timeout; to compute_sequential it is async."""

    @cell(timeout=0.001)
    async def answer() -> int:
        await asyncio.sleep(0)
        return 42

    assert asyncio.run(answer()) == 42
    with pytest.raises(aiocells.UnsupportedCell, match="is an async function"):
        COMPUTERS["sequential"](Graph.from_cells(answer))
