"""The results of a run, and the file that keeps those of each Python version."""

import json
from pathlib import Path
from typing import Any

import attrs

from benchmarks.alone import HERE
from benchmarks.growth import Figures
from benchmarks.peers.comparison import Entry
from benchmarks.row import Row

# Symbolic links are followed, so that this is in the checkout.
FILE = HERE.resolve() / "results.json"


@attrs.frozen
class Results:
    """What was measured with one Python version.

    Attributes:
        machine: what it was measured on.
        rows: of the table.
        entries: of the comparison with other libraries.
        growth: the figures for each size.
    """

    machine: dict[str, Any]
    rows: list[Row]
    entries: list[Entry]
    growth: list[Figures]

    @property
    def version(self) -> str:
        """The version of Python, as in "3.11"."""
        return ".".join(self.machine["python"].split(".")[:2])


def load(file: Path = FILE) -> dict[str, Results]:
    """The results that a file keeps, by Python version, the oldest first."""
    if not file.exists():
        return {}
    kept = json.loads(file.read_text(encoding="utf-8"))
    return {
        version: Results(
            machine=each["machine"],
            rows=[Row(**row) for row in each["rows"]],
            entries=[Entry(**entry) for entry in each["entries"]],
            growth=each["growth"],
        )
        for version, each in kept.items()
    }


def save(results: Results, file: Path = FILE) -> dict[str, Results]:
    """Put results in place of those of the same version; gives all."""
    kept = load(file) | {results.version: results}
    kept = dict(sorted(kept.items(), key=lambda each: _as_numbers(each[0])))
    as_data = {version: attrs.asdict(each) for version, each in kept.items()}
    file.write_text(json.dumps(as_data, indent=1) + "\n", encoding="utf-8")
    return kept


def _as_numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
