"""The tables: aligned text for a terminal, Markdown for the documentation."""

from collections.abc import Iterable, Sequence

from benchmarks.peers import is_page
from benchmarks.peers.comparison import Entry
from benchmarks.row import VERDICTS, Row

Line = Sequence[str]

ROW_HEAD = ("workload", "unit", "floor", "ours", "ratio", "quartiles", "target", "")
ENTRY_HEAD = ("contestant", "version", "us/cell", "ratio", "preparing, us/cell")
PAGE_HEAD = ("contestant", "version", "us/page", "ratio", "preparing, us")


def figure(value: float | None) -> str:
    """A figure, with three digits; empty for none."""
    if value is None:
        return ""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:#.3g}".rstrip(".")


def ratio(value: float | None) -> str:
    """A ratio; empty for none."""
    if value is None:
        return ""
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def row_line(row: Row) -> Line:
    """What stands in the line of a row."""
    quartiles = f"{ratio(row.low)}-{ratio(row.high)}" if row.low is not None else ""
    target = "" if row.target is None else f"<= {row.target:g}"
    return (
        f"{row.group}: {row.workload}",
        row.unit,
        figure(row.floor),
        figure(row.ours),
        ratio(row.ratio),
        quartiles,
        target,
        row.verdict,
    )


def entry_tables(entries: Iterable[Entry]) -> list[tuple[Line, list[Entry]]]:
    """The contestants that computed the page, and the others, each with their head."""
    pages: list[Entry] = []
    others: list[Entry] = []
    for entry in entries:
        (pages if is_page(entry.kind) else others).append(entry)
    tables: list[tuple[Line, list[Entry]]] = [(PAGE_HEAD, pages), (ENTRY_HEAD, others)]
    return [(head, each) for head, each in tables if each]


def entry_line(entry: Entry) -> Line:
    """What stands in the line of a contestant."""
    if entry.error:
        return (f"{entry.kind}: {entry.name}", entry.error, "", "", "")
    return (
        f"{entry.kind}: {entry.name}",
        entry.version,
        figure(entry.us),
        ratio(entry.ratio),
        figure(entry.preparing),
    )


def notes(rows: Iterable[Row]) -> list[str]:
    """What must be known to understand figures, with the workloads that it is about."""
    about: dict[str, list[str]] = {}
    for row in rows:
        if row.note:
            about.setdefault(row.note, []).append(row.workload)
    return [
        f"- {row_names[0]}{' and others' if len(row_names) > 1 else ''}: {note}"
        for note, row_names in about.items()
    ]


def aligned(head: Line, lines: Iterable[Line]) -> str:
    """A table as text; figures stand at the right of their columns."""
    table = [head, *lines]
    columns = range(len(head))
    # A message may be longer than any column should be.
    widths = [min(90, max(len(line[column]) for line in table)) for column in columns]
    return "\n".join(
        "  ".join(
            line[column].rjust(widths[column])
            if column > 1 and line[column] not in VERDICTS
            else line[column].ljust(widths[column])
            for column in columns
        ).rstrip()
        for line in table
    )


def markdown(head: Line, lines: Iterable[Line]) -> str:
    """A table as Markdown."""
    sides = ["---" if column < 2 else "---:" for column in range(len(head))]
    rows = [head, sides, *([_escaped(each) for each in line] for line in lines)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
