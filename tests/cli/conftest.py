"""What holds for all tests of the command line."""

from pathlib import Path

import pytest

from tests.helpers import Modules

PLAIN_OUTPUT = {"COLUMNS": "80", "NO_COLOR": "1", "TERM": "xterm"}


@pytest.fixture(autouse=True)
def plain_output(monkeypatch: pytest.MonkeyPatch) -> None:
    """Output is 80 columns wide and without colors, whatever terminal this is."""
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in PLAIN_OUTPUT.items():
        monkeypatch.setenv(name, value)


TRIP = """\
    import dataclasses

    @dataclasses.dataclass
    class Hotel:
        name: str
        price: float

    @cell
    async def hotel(city, nights: int = 2) -> Hotel:
        return Hotel(f"Grand {city}", 100.0 * nights)

    @cell
    def nothing() -> None: ...

    @cell
    def plan(hotel: Hotel) -> str:
        return f"To {hotel.name}\\n  for {hotel.price:g}"
"""


@pytest.fixture
def trip(modules: Modules) -> Path:
    """The file of a module of three cells and two inputs."""
    return modules.write("trip", TRIP)
