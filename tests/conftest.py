"""Fixtures that several test modules share."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers import IN_BROWSER, Modules
from tests.socketless_loop import SocketlessLoop, use_by_default

if IN_BROWSER:
    use_by_default(SocketlessLoop)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what the platform cannot do."""
    for needed in ("threads", "processes"):
        if IN_BROWSER and item.get_closest_marker(f"needs_{needed}"):
            pytest.skip(f"there are no {needed} on this platform")


@pytest.fixture
def sent_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets worker processes import the cells of a test module."""
    root = Path(__file__).parents[1]
    monkeypatch.setattr(sys, "path", [*sys.path, os.fspath(root)])


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Modules]:
    """Makes modules from text; the test leaves no trace of them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [os.fspath(tmp_path), *sys.path])
    made = Modules(tmp_path)
    before = sys.modules.copy()
    yield made
    for name in made.blanks:
        sys.modules.pop(name, None)
    for name in set(sys.modules) - set(before):
        file = getattr(sys.modules[name], "__file__", None)
        if str(file).startswith(os.fspath(tmp_path)):
            del sys.modules[name]
    sys.modules.update(before)
