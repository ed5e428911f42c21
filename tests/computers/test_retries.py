"""Retries are not ours: stamina goes between @cell and the function."""

from collections.abc import Iterator
from typing import Any

import pytest
import stamina

import aiocells
from aiocells import Graph, cell
from aiocells.observers import Recorder
from tests.helpers import COMPUTERS

every_async = pytest.mark.parametrize(
    "name", ["async_sequential", "concurrent", "simple"]
)


@pytest.fixture(autouse=True)
def without_waiting() -> Iterator[None]:
    """Three attempts, and no wait between them."""
    stamina.set_testing(True, attempts=3)
    yield
    stamina.set_testing(False)


class Service:
    """Fails a number of times, then answers."""

    def __init__(self, failures: int) -> None:
        """Count the attempts from 0."""
        self.failures = failures
        self.attempts = 0

    def ask(self) -> str:
        """Answer, or fail."""
        self.attempts += 1
        if self.attempts <= self.failures:
            msg = f"attempt {self.attempts}"
            raise ConnectionError(msg)
        return "answer"


def asking(service: Service, *, is_async: bool, run_in: str | None = None) -> Any:
    """A cell that asks a service up to three times."""
    retry = stamina.retry(on=ConnectionError, attempts=3)

    async def awaited(currency: str) -> str:
        return f"{currency}: {service.ask()}"

    def plain(currency: str) -> str:
        return f"{currency}: {service.ask()}"

    return cell(name="asking", run_in=run_in)(retry(awaited if is_async else plain))


@every_async
@pytest.mark.parametrize(
    "options",
    [
        {"is_async": True},
        {"is_async": False},
        pytest.param(
            {"is_async": False, "run_in": "thread"}, marks=pytest.mark.needs_threads
        ),
    ],
)
def test_a_cell_is_tried_until_it_succeeds(name: str, options: dict[str, Any]) -> None:
    """Two failed attempts are seen by nobody; the cell runs once, with its value."""
    service, recorder = Service(failures=2), Recorder()
    function = asking(service, **options)
    results = COMPUTERS[name](
        Graph.from_cells(function), inputs={"currency": "NOK"}, observers=[recorder]
    )
    assert results[function] == "NOK: answer"
    assert service.attempts == 3
    assert [event.kind for event in recorder.events] == ["start", "end"]


@pytest.mark.parametrize("name", COMPUTERS)
def test_the_last_failure_is_the_cells(name: str) -> None:
    """When no attempt is left, the last exception names the cell, once."""
    service = Service(failures=99)
    function = asking(service, is_async=False)
    with pytest.raises(ConnectionError, match="attempt 3") as caught:
        COMPUTERS[name](Graph.from_cells(function), inputs={"currency": "NOK"})
    assert service.attempts == 3
    [note] = caught.value.__notes__
    assert note.startswith("in cell 'asking' (")
    assert note.endswith("called with currency='NOK'")
    assert aiocells.failures(caught.value) == {function: caught.value}
