"""What happens on workers, looked at without a cluster."""

import asyncio
import pickle
import threading
from types import SimpleNamespace
from typing import Any

import pytest

distributed: Any = pytest.importorskip("distributed")

from aiocells import Graph, cell  # noqa: E402
from aiocells._cluster import calling, opening  # noqa: E402
from aiocells._cluster.accounting import Accounts  # noqa: E402
from aiocells._cluster.failed import Answered, Failed, raised  # noqa: E402
from aiocells._cluster.needed import SentCell  # noqa: E402
from aiocells._cluster.packed import Packed  # noqa: E402
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


async def test_a_worker_that_closes_gives_its_async_cells_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Dask cancels them, and has them run elsewhere: that is no failure."""
    worker = SimpleNamespace(address="here")
    monkeypatch.setattr(calling, "get_worker", lambda: worker)
    monkeypatch.setattr(calling, "leave_slot", lambda worker, key: None)
    begun, ended = asyncio.Event(), asyncio.Event()

    async def waits() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    sent = SentCell("token", 0, waits, (), (), None, False, "")
    task = asyncio.create_task(calling.call_async(("waits-token", 0), sent))
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
