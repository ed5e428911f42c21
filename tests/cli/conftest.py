"""What holds for all tests of the command line."""

import pytest

PLAIN_OUTPUT = {"COLUMNS": "80", "NO_COLOR": "1", "TERM": "xterm"}


@pytest.fixture(autouse=True)
def plain_output(monkeypatch: pytest.MonkeyPatch) -> None:
    """Output is 80 columns wide and without colors, whatever terminal this is."""
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in PLAIN_OUTPUT.items():
        monkeypatch.setenv(name, value)
