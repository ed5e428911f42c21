"""The figures as the documentation shows them: `docs/benchmarks.md` includes this."""

from pathlib import Path

from benchmarks.charts import named
from benchmarks.results import Results
from benchmarks.table import (
    ENTRY_HEAD,
    ROW_HEAD,
    entry_line,
    markdown,
    notes,
    row_line,
)


def write(results: dict[str, Results], file: Path) -> None:
    """Write the tables of all versions as Markdown.

    Args:
        results: by Python version.
        file: where they go.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    parts = ["<!-- Written by `nox -s bench`. -->"]
    for version, each in results.items():
        parts += [
            f"### Against code written by hand, Python {version}",
            f"{named([each])}.",
            markdown(ROW_HEAD, map(row_line, each.rows)),
            "\n".join(notes(each.rows)),
        ]
    for version, each in results.items():
        if each.entries:
            parts += [
                f"### Against other libraries, Python {version}",
                f"{named([each])}.",
                markdown(ENTRY_HEAD, map(entry_line, each.entries)),
            ]
    file.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
