"""What the command says of plain cells that hold up others."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from aiocells import cell
from aiocells._cli.watching import Watch
from aiocells.observers import Event
from tests.command_line import run
from tests.helpers import Modules, described

# With a watchdog of a nanosecond any plain cell takes long.
BESIDE = """\
    import asyncio

    @cell
    async def waiting():
        global done
        done = asyncio.Event()
        await done.wait()

    @cell
    def busy(): done.set()
"""


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """What the library logs, from warnings on."""
    with caplog.at_level(logging.WARNING, logger="aiocells"):
        yield caplog


def told(log: pytest.LogCaptureFixture, *args: str) -> list[str]:
    """What a command that ends well logs."""
    result = run("run", *args)
    assert (result.exit_code, result.stderr) == (0, "")
    return [record.getMessage() for record in log.records]


@pytest.mark.parametrize("computer", ["concurrent", "simple"])
def test_a_cell_that_holds_up_another_is_told(
    modules: Modules, log: pytest.LogCaptureFixture, computer: str
) -> None:
    """The message names the cell, and the option that sets the seconds."""
    modules.write("beside", BESIDE)
    [message] = told(log, "beside", "--watchdog", "1e-9", "--computer", computer)
    assert message.startswith("The plain cell 'busy' (beside.py:10) held up the event")
    assert message.endswith(
        'nothing else ran meanwhile. Move it off the loop with @cell(run_in="thread"), '
        "or give --watchdog more seconds, or none."
    )


@pytest.mark.parametrize("seconds", ["none", "0", "3600"])
def test_the_watchdog_can_be_set_and_switched_off(
    modules: Modules, log: pytest.LogCaptureFixture, seconds: str
) -> None:
    """--watchdog is how long is too long; with none, or 0, nothing is."""
    modules.write("beside", BESIDE)
    assert told(log, "beside", "--watchdog", seconds) == []


@pytest.mark.parametrize("computer", ["concurrent", "simple", "async-sequential"])
@pytest.mark.parametrize(
    "source",
    [
        "@cell\ndef one(): ...\n@cell\ndef two(one): ...",
        "@cell\nasync def one(): ...\n@cell\ndef two(one): ...",
        "@cell\ndef one(): ...\n@cell\nasync def two(one): ...",
        pytest.param(
            "@cell(run_in='thread')\ndef one(): ...\n@cell\ndef two(one): ...",
            marks=pytest.mark.needs_threads,
        ),
        "@resource\nasync def one(): yield\n@cell\ndef two(one): ...",
    ],
)
def test_a_cell_that_nobody_waits_beside_is_not_told(
    modules: Modules, log: pytest.LogCaptureFixture, source: str, computer: str
) -> None:
    """Where nothing else runs, nothing is held up, however long a cell takes."""
    modules.write("alone", source)
    assert told(log, "alone", "--watchdog", "1e-9", "--computer", computer) == []


@pytest.mark.parametrize("seconds", ["-1", "nan", "inf", "often", ""])
def test_a_watchdog_is_a_number_of_seconds(modules: Modules, seconds: str) -> None:
    """What is no number of seconds is wrong usage."""
    modules.write("beside", BESIDE)
    result = run("run", "beside", "--watchdog", seconds)
    assert result.exit_code == 2
    message = f"'--watchdog': {seconds!r} is neither a number of seconds nor none."
    assert message in result.stderr


@pytest.mark.parametrize(
    ("seconds", "kind", "count"),
    [(0.0625, "end", 1), (0.046875, "end", 0), (0.25, "failure", 1)],
)
def test_the_time_counts_in_which_the_cell_runs(
    log: pytest.LogCaptureFixture, seconds: float, kind: Any, count: int
) -> None:
    """It begins at the start of the cell, and ends with its end or failure."""

    @cell
    async def waiting() -> None: ...

    @cell
    def busy() -> None: ...

    watch = Watch(0.05)
    watch(Event("start", waiting, "waiting", 1.0))
    watch(Event("start", busy, "busy", 2.0))
    watch(Event(kind, busy, "busy", 2.0 + seconds))
    watch(Event("cancel", waiting, "waiting", 100.0))
    watch(Event("failure", waiting, "waiting", 200.0))  # as at a resource's clean-up
    assert len(log.records) == count
    for record in log.records:
        place = described("busy", busy)
        assert f"The plain cell {place} held up the event loop for " in (
            record.getMessage()
        )
