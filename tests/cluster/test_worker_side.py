"""What happens on workers, looked at without a cluster."""

import asyncio
import pickle
import threading
from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

distributed: Any = pytest.importorskip("distributed")

from aiocells import Graph, cell  # noqa: E402
from aiocells._cluster import calling, opening, parts  # noqa: E402
from aiocells._cluster.accounting import Accounts  # noqa: E402
from aiocells._cluster.failed import (  # noqa: E402
    Answered,
    CellFailed,
    Failed,
    raised,
)
from aiocells._cluster.needed import Needed, SentCell  # noqa: E402
from aiocells._cluster.packed import Packed  # noqa: E402
from aiocells._declaring.fan_out import FanOut  # noqa: E402
from aiocells._declaring.kinds import Kind  # noqa: E402
from aiocells._running.prepare import prepare  # noqa: E402


def sent_again(value: Any) -> Any:
    """What arrives of a value that is sent on."""
    return pickle.loads(pickle.dumps(value))


def test_what_is_packed_is_sent_as_one() -> None:
    """As often as it has to be; and what a fallback was called for goes along."""
    assert sent_again(sent_again(Packed([1, 2]))).get() == [1, 2]
    failure = raised(3, ValueError("no"))
    found = sent_again(Answered(1, {3: failure}))
    assert (found.get(), found.behind) == (1, {3: failure})


def test_what_cannot_be_sent_says_so_where_it_is_wanted() -> None:
    """Not where it is sent, where nobody would see it; and wherever it goes on to."""
    for found in (
        sent_again(Packed(threading.Lock())),
        sent_again(sent_again(Packed(threading.Lock()))),
    ):
        with pytest.raises(pickle.PicklingError, match="cannot be sent to another"):
            found.get()


class Unreadable:
    """It can be sent, and not be read."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Ask for what fails."""
        return int, ("x",)


def test_what_cannot_be_read_says_so() -> None:
    """With what was wrong."""
    found = sent_again(Packed(Unreadable()))
    with pytest.raises(pickle.UnpicklingError, match="cannot be read: ValueError"):
        found.get()


async def test_nothing_begins_after_the_end() -> None:
    """A task that comes late opens nothing, which nobody would close."""
    here = opening.Here()
    assert await here.end() == []
    with pytest.raises(RuntimeError, match="the computation is over"):
        here.enter()


def test_computations_of_long_ago_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each is known on each worker, for a while."""
    monkeypatch.setattr(opening, "_known", type(opening._known)())
    workers: Any = [SimpleNamespace(address=address) for address in "ab"]
    first, second = (opening.here(worker, "token") for worker in workers)
    assert first is not second
    assert opening.here(workers[0], "token") is first
    for number in range(opening._MOST_KNOWN):
        opening.here(workers[0], str(number))
    assert opening.here(workers[0], "token") is not first


class Worker:
    """What stands for a worker of Dask; it notes what it is told."""

    address = "here"

    def __init__(self) -> None:
        """It was told nothing yet."""
        self.told: list[Any] = []
        self.handle_stimulus = self.told.append


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    """Where async cells run in these tests: on the loop of the test."""
    monkeypatch.setattr(opening, "_known", type(opening._known)())
    found = Worker()
    monkeypatch.setattr(calling, "get_worker", lambda: found)
    return found


def sent_cell(function: Any, *sources: Any, **more: Any) -> SentCell:
    """A cell as it is sent."""
    made = SentCell("token", 0, function, sources, (), None, False, "")
    return made._replace(**more)


def needed(function: Any, number: int, *sources: Any, is_async: bool) -> Needed:
    """A resource as it is sent."""
    return Needed(number, function, sources, None, is_async, True, "")


async def awaited(sent: SentCell, *values: Any) -> Any:
    """What an async cell gives."""
    return await calling.call_async(("name-token", 0), sent, *values)


async def test_an_async_cell_leaves_its_slot(worker: Worker) -> None:
    """And gives its value, or ends the computation."""

    async def double(x: int) -> int:
        await asyncio.sleep(0)
        if x < 0:
            raise KeyError(x)
        return 2 * x

    sent = sent_cell(double, 0)
    assert (await awaited(sent, Packed(4))).get() == 8
    assert [event.key for event in worker.told] == [("name-token", 0)]
    with pytest.raises(CellFailed, match="KeyError: -1"):
        await awaited(sent, Packed(-1))
    carrying = sent._replace(carries=True)
    found = await awaited(carrying, Packed(-1))
    assert found.failures[0].text == "KeyError: -1"
    # What it needs has failed: it does not run.
    assert (await awaited(carrying, found)).failures == found.failures
    assert not opening.here(worker, "token").tasks  # type: ignore[arg-type]


async def test_an_async_cell_whose_resource_fails(worker: Worker) -> None:
    """It does not run, and neither does a resource that needs that one."""

    def broken() -> Iterator[int]:
        raise OSError
        yield 0

    async def above(below: int) -> AsyncIterator[int]:
        yield below

    async def uses(value: int) -> int:
        return value

    below = needed(broken, 1, is_async=False)
    for resource in (below, needed(above, 2, below, is_async=True)):
        found = await awaited(sent_cell(uses, resource, carries=True))
        assert [*found.failures] == [1]
    assert await opening.end_here("token", worker) == []  # type: ignore[arg-type]


async def test_resources_are_closed_when_nobody_uses_them() -> None:
    """The last one first; what that raises is told."""
    log: list[str] = []

    def below(x: int) -> Iterator[int]:
        yield x + 1
        log.append("below")

    async def above(below: int) -> AsyncIterator[int]:
        yield below + 1
        log.append("above")
        raise BrokenPipeError

    here = opening.Here()
    first = needed(below, 1, 0, is_async=False)
    second = needed(above, 2, first, is_async=True)
    sent = sent_cell(None, second, first, None, beside=(first,))
    for _ in range(2):
        assert await here.arguments(sent, [Packed(1)]) == [3, 2, None]
    ending = asyncio.create_task(here.end())
    for _ in range(3):
        await asyncio.sleep(0)
    assert log == []
    here.leave()
    here.leave()
    [failure] = await ending
    assert log == ["above", "below"]
    assert (failure.number, failure.text) == (2, "BrokenPipeError")


async def test_async_items_of_a_part(worker: Worker) -> None:
    """Their values, or the failures; and no more where the whole has failed before."""

    async def half(x: int) -> int:
        await asyncio.sleep(0)
        if x % 2:
            raise ValueError(x)
        return x // 2

    fan_out = FanOut(half, Kind.ASYNC, ("x",), ("x",))
    of = parts.SentFanOut(fan_out, parts.one_by_one, True, frozenset(), 10)
    sent = sent_cell(None, None, carries=True, where="in cell 'made'")

    async def run(piece: Any, of: parts.SentFanOut = of) -> Any:
        return await parts.run_part_async(("name-token", 0), sent, of, piece)

    found = (await run(Packed(parts.Piece(5, None, ([2, 4],))))).get()
    assert found.results == [1, 2]
    found = (await run(Packed(parts.Piece(5, None, ([2, 3],))))).get()
    assert [failed.label for failed in found.failures] == ["6"]
    behind = Failed({}, {})
    assert await run(behind) is behind
    strict = parts.run_part_async(
        ("name-token", 0),
        sent._replace(carries=False),
        of._replace(goes_on=False),
        Packed(parts.Piece(5, None, ([3],))),
    )
    with pytest.raises(CellFailed, match="ValueError: 3"):
        await strict


async def test_async_items_that_are_cancelled(worker: Worker) -> None:
    """When the computation ends."""
    begun = asyncio.Event()

    async def waits(x: int) -> None:
        begun.set()
        await asyncio.Event().wait()

    fan_out = FanOut(waits, Kind.ASYNC, ("x",), ("x",))
    of = parts.SentFanOut(fan_out, parts.one_by_one, False, frozenset(), 10)
    sent = sent_cell(None, None, where="in cell 'made'")
    piece = Packed(parts.Piece(0, None, ([1, 2],)))
    running = asyncio.create_task(
        parts.run_part_async(("name-token", 0), sent, of, piece)
    )
    await begun.wait()
    assert await opening.end_here("token", worker) == []  # type: ignore[arg-type]
    with pytest.raises(CellFailed, match="CancelledError"):
        await running


async def test_what_is_iterated_asynchronously_is_pulled() -> None:
    """On the worker's event loop."""

    async def numbers() -> AsyncIterator[int]:
        yield 1
        yield 2

    assert await parts._pulled(numbers()) == [1, 2]


async def test_a_worker_that_closes_gives_its_async_cells_up(worker: Worker) -> None:
    """Dask cancels them, and has them run elsewhere: that is no failure."""
    begun, ended = asyncio.Event(), asyncio.Event()

    async def waits() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    task = asyncio.create_task(awaited(sent_cell(waits)))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await ended.wait()


@cell
def nothing() -> None:
    """A cell."""


def test_the_death_of_what_was_given_is_no_failure_of_a_cell() -> None:
    """It is raised as it is."""
    run, _ = prepare(Graph.from_cells(nothing), None, None, None, "raise", ())
    error = distributed.KilledWorker(("xs-given-token", -1), SimpleNamespace(), 3)
    with pytest.raises(distributed.KilledWorker):
        Accounts(run).add_failure(error)


def test_where_nothing_fell_back_nothing_is_told() -> None:
    """Of a value, or of failures that were passed on."""
    assert calling.told_of(Packed(1)) == {}
    assert calling.told_of(Failed({}, {})) == {}
