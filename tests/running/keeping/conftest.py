"""In the browser nothing is kept: packages have no known place there."""

from pathlib import Path

import pytest

from aiocells import Cache
from tests.helpers import IN_BROWSER

collect_ignore_glob = ["test_*.py"] if IN_BROWSER else []


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """An empty cache."""
    return Cache(tmp_path / "cache")
