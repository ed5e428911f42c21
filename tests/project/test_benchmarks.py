"""The benchmarks: every line of them runs on tiny graphs, whose times mean nothing."""

import asyncio
import importlib
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import attrs
import pytest

import aiocells
from aiocells._running.loops import generated

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "benchmarks"
TESTED = Path(aiocells.__file__).parent.parent
GROUPS = sorted(path.stem for path in (BENCHMARKS / "rows").glob("[!_]*.py"))
# What each computes, and where it is.
CONTESTANTS = [
    ("sequential", "ours", "from_the_first_run"),
    ("sequential", "ours", "again_and_again"),
    ("sequential", "standard_library", "loop"),
    ("sequential", "standard_library", "graphlib_loop"),
    ("concurrent", "ours", "concurrent"),
    ("items", "ours", "items"),
    ("concurrent", "standard_library", "task_group"),
    ("page, never suspending", "ours", "page"),
    ("page, sleep(0)", "ours", "page"),
    ("page, sleep(0)", "ours", "page_in_order"),
    ("page, sleep(0)", "standard_library", "page_in_waves"),
    ("page, sleep(0)", "standard_library", "page_one_by_one"),
]

Load = Callable[[str], Any]
# Some measure in processes of their own, and all are slow where there are none.
pytestmark = pytest.mark.needs_processes


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Load]:
    """Import a module of the benchmarks, here and in subprocesses.

    They are found through a link, since the folder that they are in has the checkout
    of aiocells as well, which need not be the one that is tested.
    """
    folder = tmp_path_factory.mktemp("benchmarks")
    (folder / "benchmarks").symlink_to(BENCHMARKS)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        patch.setenv("PYTHONPATH", os.pathsep.join([str(folder), str(TESTED)]))
        patch.delenv("AIOCELLS_1", raising=False)
        yield lambda name: importlib.import_module(f"benchmarks.{name}")
    for name in list(sys.modules):
        if name.partition(".")[0] == "benchmarks":
            del sys.modules[name]


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a contestant says about generated code holds for one test."""
    monkeypatch.setattr(generated, "WORTH_COMPILING", generated.WORTH_COMPILING)


@pytest.mark.parametrize("group", GROUPS)
def test_rows_compute_what_their_floors_do(load: Load, group: str) -> None:
    """Each row is measured, which checks before that both give the same values."""
    module = load(f"rows.{group}")
    rows = list(module.rows(load("effort").TINY))
    assert {row.group for row in rows} == {module.GROUP}
    assert len({row.workload for row in rows}) == len(rows)
    assert {row.verdict for row in rows} & {"ok", "missed"}
    assert load("rows").GROUPS[module.GROUP] == group


def test_different_values_are_not_measured(load: Load) -> None:
    """A contestant that computes other values than the floor is refused."""
    measure = load("measure")

    async def one() -> int:
        return 1

    async def two() -> int:
        return 2

    message = "ones: the values differ"
    with pytest.raises(measure.Differs, match=message):
        measure.compare_plain("ones", lambda: 1, lambda: 2, pairs=1, least=0.0)
    with pytest.raises(measure.Differs, match=message):
        measure.compare_async("ones", one, two, pairs=1, least=0.0)


def test_difference_of_two_contestants_is_their_median(load: Load) -> None:
    """What ours takes beyond the floor is told pair by pair, not of the medians."""
    floors, ours = iter([9.0, 1.0, 2.0, 3.0]), iter([9.0, 4.0, 3.0, 5.0])
    found = load("measure").compare(
        lambda _: next(floors), lambda _: next(ours), pairs=3, least=0.0
    )
    assert (found.floor, found.ours, found.beyond) == (2.0, 4.0, 2.0)


def test_service_of_the_page_knows_what_it_is_asked(load: Load) -> None:
    """A contestant that asks with the value of the wrong cell fails."""
    page = load("page")
    with pytest.raises(KeyError):
        asyncio.run(page.answers_later("/orders", customer="ada@example.org"))


def test_silent_computation_is_not_measured_as_observed(load: Load) -> None:
    """An observer that is not told of each start and end refuses the row."""
    made = load("small").small(1, load("small").PLAIN)
    with pytest.raises(load("measure").Differs):
        load("rows.observing")._check_told(made, [])


@pytest.mark.parametrize(("kind", "file", "function"), CONTESTANTS)
def test_contestants_compute_the_same(
    load: Load, kind: str, file: str, function: str
) -> None:
    """Each contestant that needs no other library computes what is written by hand."""
    prepare = getattr(load(f"peers.{file}"), function)
    measure = load("peers.contest").MEASURES[kind]
    assert measure(prepare, load("effort").TINY)["ratio"] > 0


def test_what_is_measured_of_contestants_is_known(load: Load) -> None:
    """Each kind of contest has contestants, and a way to measure them."""
    assert load("peers").KINDS.keys() == load("peers.contest").MEASURES.keys()


def test_absent_contestant_is_said_to_be_absent(
    load: Load, capsys: pytest.CaptureFixture[str]
) -> None:
    """A library that is not installed has an entry that says so."""
    load("peers.contest").main("sequential", "aiocells 1.0.4", "tiny")
    found = json.loads(capsys.readouterr().out)
    assert found == {
        "name": "aiocells 1.0.4",
        "error": "not installed: AIOCELLS_1 does not name a folder that has aiocells "
        "1.0.4",
    }


def test_failing_contestant_is_shown_with_its_error(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A contestant that fails has a line with the error, and stops no other."""
    comparison = load("peers.comparison")

    def fails_for_dags(module: str, kind: str, name: str, effort: str) -> Any:
        if name == "dags":
            msg = "ValueError: too deep"
            raise load("alone").AloneFailed(msg)
        return {"name": name, "floor": 1.0, "us": 2.0, "ratio": 2.0, "preparing": 3.0}

    monkeypatch.setattr(comparison, "alone", fails_for_dags)
    entries = list(comparison.entries("tiny"))
    [failed] = [entry for entry in entries if entry.error]
    line = load("table").entry_line(failed)
    assert line == ("sequential: dags", "ValueError: too deep", "", "", "")
    kinds = load("peers").KINDS.values()
    assert len(entries) == sum(1 + len(contestants) for contestants, _ in kinds)


def test_what_failed_alone_tells_its_last_line(load: Load) -> None:
    """An interpreter that fails gives an exception with the last line that it said."""
    alone = load("alone")
    with pytest.raises(alone.AloneFailed, match=r"KeyError: 'no such group'"):
        alone.alone("benchmarks.rows", "no such group", "tiny")


@pytest.mark.parametrize("kind", ["sequential", "concurrent", "TaskGroup"])
@pytest.mark.parametrize("is_traced", [True, False])
def test_growth_gives_figures(
    load: Load,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    is_traced: bool,
) -> None:
    """A size has times and bytes a cell, whichever way memory is told."""
    growth = load("growth")
    monkeypatch.setattr(growth, "STEADY_SECONDS", 0.0)
    if not is_traced:
        monkeypatch.setattr(growth, "MOST_TRACED", 0)
    growth.main(kind, 60)
    found = json.loads(capsys.readouterr().out)
    assert found["cells"] == 60
    assert found[f"{kind} us"] > 0
    assert found[f"{kind} bytes"] >= 0


def test_results_are_kept_by_version(load: Load, tmp_path: Path) -> None:
    """A run replaces the results of its Python version, and no other."""
    results, row = load("results"), load("row")
    file = tmp_path / "results.json"
    machine = {"python": "3.11.7"}
    first = results.Results(machine, [row.Row("a", "b", "us/cell", 1.0)], [], [])
    results.save(first, file)
    results.save(attrs.evolve(first, machine={"python": "3.9.1"}), file)
    results.save(attrs.evolve(first, growth=[{"cells": 5.0}]), file)
    kept = results.load(file)
    assert list(kept) == ["3.9", "3.11"]
    assert kept["3.9"].rows == first.rows
    assert [each.growth for each in kept.values()] == [[], [{"cells": 5.0}]]


@pytest.mark.parametrize(
    "path", sorted((ROOT / "docs" / "benchmarks").glob("*.svg")), ids=lambda p: p.name
)
def test_charts_bring_their_background(path: Path) -> None:
    """The first thing in a chart is white and covers it all: pages may be dark."""
    svg = ElementTree.parse(path).getroot()
    _, _, width, height = map(float, svg.attrib["viewBox"].split())
    first = next(svg.iter("{http://www.w3.org/2000/svg}path"))
    assert first.attrib["style"] == "fill: #ffffff"
    numbers = re.findall(r"[\d.]+", first.attrib["d"])
    assert {float(each) for each in numbers} == {0.0, width, height}


def test_verdict_holds_the_ratio_against_the_target(load: Load) -> None:
    """A row is missed where its ratio, or what has no floor, is above the target."""
    new = load("row").Row
    assert new("g", "w", "us", 9.0, ratio=1.1, target=1.1).verdict == "ok"
    assert new("g", "w", "us", 9.0, ratio=1.2, target=1.1).verdict == "missed"
    assert new("g", "w", "us", 9.0, target=8.0).verdict == "missed"
    assert new("g", "w", "us", 9.0).verdict == ""
    assert new("g", "w", "us", None, target=8.0).verdict == "not measured yet"


def test_target_is_that_of_the_python_that_measures(load: Load) -> None:
    """A target holds for all versions, unless newer ones have their own."""
    at_most = load("row").at_most
    assert at_most(0.9) == 0.9
    assert at_most(0.9, 0.7) == (0.7 if sys.version_info >= (3, 12) else 0.9)


def test_table_is_aligned_and_markdown(load: Load) -> None:
    """The same lines make a table for a terminal, and one for the documentation."""
    table, new = load("table"), load("row").Row
    row = new("g", "w", "us", 1234.0, floor=0.5, ratio=1.25, target=1.1, note="why")
    line = table.row_line(row)
    assert line == (
        "g: w",
        "us",
        "0.500",
        "1,234",
        "1.25",
        "",
        "<= 1.1",
        "missed",
    )
    assert table.aligned(("what", "unit"), [("a", "us"), ("bcdef", "ms")]) == (
        "what   unit\na      us\nbcdef  ms"
    )
    assert table.markdown(("what", "how"), [("a", "<= 1")]) == (
        "| what | how |\n| --- | --- |\n| a | &lt;= 1 |"
    )
    assert table.notes([row, row]) == ["- w and others: why"]


def test_documentation_begins_with_small_graphs(load: Load, tmp_path: Path) -> None:
    """Small graphs have a table of their own, in which versions stand side by side."""
    new, entry = load("row").Row, load("peers.comparison").Entry
    results = load("results").Results
    machine = load("machine").machine()
    rows = [
        new("small", "1 cell", "us/run", 20.0, floor=10.0, ratio=2.0, target=0.9),
        new("small", "3 cells", "us/run", None, target=0.8),
        new("chain", "9 cells", "us/cell", 7.0),
    ]
    found = {
        "3.11": results(machine, rows, [], []),
        "3.12": results(machine, [], [], []),
    }
    load("document").write(found, tmp_path)
    small = (tmp_path / "small.inc").read_text()
    assert "| small: 1 cell | 10.0 | 20.0 | 2.00 |  |  | not measured yet |" in small
    assert (
        "| small: 3 cells |  |  | not measured yet |  |  | not measured yet |" in small
    )
    assert "9 cells" not in small
    assert "page.svg" not in small
    assert "chain: 9 cells" in (tmp_path / "figures.inc").read_text()
    pages = [entry("page, sleep(0)", "dishka", us=26.0, ratio=0.5)]
    load("document").write({"3.11": results(machine, rows, pages, [])}, tmp_path)
    assert "(benchmarks/page.svg)" in (tmp_path / "small.inc").read_text()
    assert "us/page" in (tmp_path / "figures.inc").read_text()
