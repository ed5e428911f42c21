"""All runs with fewer texts, and how such a graph is tested.

Run it from the folder `examples`: `python -m pytest reviews`.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from aiocells import async_compute_concurrent
from reviews import cells, runs
from reviews.__main__ import main
from reviews.model import served

COUNT = 240


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the processes of a cluster import the cells."""
    monkeypatch.syspath_prepend(os.fspath(Path(__file__).parents[1]))


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A model that is as quick as it can be."""
    with served(pace=0) as found:
        yield found


def test_all_runs_give_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    """The program checks it; nothing is rated twice but what the kill has lost."""
    main(COUNT)
    printed = capsys.readouterr().out
    counts = [
        int(each_count) for each_count in re.findall(r"(\d+) texts rated", printed)
    ]
    killed, resumed, cached, dask = counts
    assert killed >= COUNT // 3
    assert killed + resumed >= dask > resumed
    assert cached == 0
    assert f"{dask} texts, rated by a model without a name" in printed


def test_what_is_kept_survives_a_kill(address: str, tmp_path: Path) -> None:
    """The next run asks only for what was not on disk."""
    inputs = {"address": address, "path": runs.PATH, "count": COUNT}
    runs.killed(inputs, tmp_path, COUNT // 2)
    before = runs.count_of(address)
    results = runs.in_one_process(inputs, tmp_path)
    asked = runs.count_of(address) - before
    assert asked < COUNT
    assert results["report"].startswith("239 texts")  # of one it says nothing


async def test_a_text_that_is_not_rated_is_counted() -> None:
    """Given the ratings, the report needs no model."""
    results = await async_compute_concurrent(
        runs.GRAPH,
        targets=[cells.report],
        overrides={
            cells.ratings: [5, cells.Unrated("no"), 4],
            cells.name: "a fake",
        },
    )
    assert results[cells.report] == (
        "2 texts, rated by a fake: 4.50 stars\n"
        "*****       1\n****        1\n***         0\n**          0\n"
        "*           0\nnone        1"
    )
