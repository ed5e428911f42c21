"""The command: `python -m benchmarks`, which `nox -s bench` runs."""

import argparse
import sys
from collections.abc import Iterator
from time import perf_counter

from benchmarks import charts, document, results, table
from benchmarks.alone import alone
from benchmarks.effort import NAMED
from benchmarks.growth import Figures, growth
from benchmarks.machine import machine
from benchmarks.peers.comparison import Entry, entries
from benchmarks.results import Results
from benchmarks.row import Row
from benchmarks.rows import GROUPS

DOCS = results.FILE.parent.parent / "docs" / "benchmarks"
PARTS = (*GROUPS, "peers", "growth")


def main(arguments: list[str] | None = None) -> None:
    """Measure what is asked for, print it, and keep it where all was measured."""
    options = _parser().parse_args(arguments)
    if options.draw:
        _publish(results.load())
        return
    parts = options.only or [
        part for part in PARTS if part in GROUPS or not options.rows
    ]
    found = _measured(parts, "quick" if options.quick else "full")
    _print(found)
    if options.only or options.quick:
        print("\nA part of it, or a quick look: not kept.")
        return
    _publish(results.save(found))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument(
        "--quick", action="store_true", help="fewer runs, smaller graphs; not kept"
    )
    parser.add_argument(
        "--only", nargs="+", choices=PARTS, metavar="ROW", help=f"of {', '.join(PARTS)}"
    )
    parser.add_argument(
        "--rows", action="store_true", help="without other libraries and growth"
    )
    parser.add_argument(
        "--draw",
        action="store_true",
        help="draw what results.json has; measure nothing",
    )
    return parser


def _measured(parts: list[str], effort_name: str) -> Results:
    rows: list[Row] = []
    others: list[Entry] = []
    grown: list[Figures] = []
    for part in parts:
        start = perf_counter()
        print(f"{part} ...", end="", file=sys.stderr, flush=True)
        if part == "peers":
            others = list(entries(effort_name))
        elif part == "growth":
            grown = list(growth(NAMED[effort_name]))
        else:
            rows += _rows(part, effort_name)
        print(f" {perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    return Results(machine(), rows, others, grown)


def _rows(group: str, effort_name: str) -> Iterator[Row]:
    for row in alone("benchmarks.rows", group, effort_name):
        yield Row(**row)


def _print(found: Results) -> None:
    print(charts.named([found]))
    if found.rows:
        print("\n" + table.aligned(table.ROW_HEAD, map(table.row_line, found.rows)))
        print("\n" + "\n".join(table.notes(found.rows)))
    for head, measured in table.entry_tables(found.entries):
        print("\n" + table.aligned(head, map(table.entry_line, measured)))
    if found.growth:
        head = list(dict.fromkeys(key for each in found.growth for key in each))
        figures = [[table.figure(each.get(k)) for k in head] for each in found.growth]
        print("\n" + table.aligned(head, figures))


def _publish(all_results: dict[str, Results]) -> None:
    """Write the tables and the charts that the documentation shows."""
    document.write(all_results, DOCS)
    charts.draw(all_results, DOCS)


if __name__ == "__main__":
    main()
