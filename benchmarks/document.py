"""The figures as the documentation shows them: `docs/benchmarks.md` includes these."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.charts import named
from benchmarks.peers import is_page
from benchmarks.results import Results
from benchmarks.row import UNKNOWN, Row
from benchmarks.table import (
    ROW_HEAD,
    Line,
    entry_line,
    entry_tables,
    figure,
    markdown,
    notes,
    ratio,
    row_line,
)

WRITTEN = "<!-- Written by `nox -s bench`. -->"
# The groups of what most programs have; their figures come first.
SMALL = ("small", "page")


def write(results: dict[str, Results], folder: Path) -> None:
    """Write the tables of all versions as Markdown.

    Args:
        results: by Python version.
        folder: where they go.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, parts in (("small.inc", _small), ("figures.inc", _figures)):
        text = "\n\n".join([WRITTEN, *parts(results)])
        (folder / name).write_text(text + "\n", encoding="utf-8")


def _small(results: dict[str, Results]) -> Iterator[str]:
    """The small graphs, versions side by side, and the chart of the page."""
    found = [
        {f"{row.group}: {row.workload}": row for row in each.rows if row.group in SMALL}
        for each in results.values()
    ]
    head = ["microseconds a run"]
    for version in results:
        head += [f"{version}: by hand", "aiocells", "ratio"]
    workloads = dict.fromkeys(workload for rows in found for workload in rows)
    yield markdown(
        head,
        [
            [workload, *(each for rows in found for each in _short(rows.get(workload)))]
            for workload in workloads
        ],
    )
    is_drawn = any(
        is_page(entry.kind) for each in results.values() for entry in each.entries
    )
    yield (
        "![Time the page takes, as a multiple of a TaskGroup](benchmarks/page.svg)"
        if is_drawn
        else "The page with other libraries was not measured yet."
    )


def _short(row: Row | None) -> Line:
    if row is None or row.measured is None:
        return ("", "", UNKNOWN)
    return (figure(row.floor), figure(row.ours), ratio(row.ratio))


def _figures(results: dict[str, Results]) -> Iterator[str]:
    """All figures of each version."""
    for version, each in results.items():
        yield f"### Against code written by hand, Python {version}"
        yield f"{named([each])}."
        yield markdown(ROW_HEAD, map(row_line, each.rows))
        yield "\n".join(notes(each.rows))
    for version, each in results.items():
        if each.entries:
            yield f"### Against other libraries, Python {version}"
            yield f"{named([each])}."
            for head, entries in entry_tables(each.entries):
                yield markdown(head, map(entry_line, entries))
