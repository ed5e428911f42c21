"""Measures the rows of one group, in an interpreter of its own."""

import importlib
import json
import sys
from collections.abc import Iterator

import attrs

from benchmarks.effort import NAMED, Effort
from benchmarks.row import Row
from benchmarks.rows import GROUPS


def rows_of(group: str, effort: Effort) -> Iterator[Row]:
    """Measure a group."""
    module = importlib.import_module(f"benchmarks.rows.{GROUPS[group]}")
    yield from module.rows(effort)


def main(group: str, effort_name: str) -> None:
    """Print the rows as JSON."""
    rows = rows_of(group, NAMED[effort_name])
    print(json.dumps([attrs.asdict(row) for row in rows]))


if __name__ == "__main__":
    main(*sys.argv[1:])
