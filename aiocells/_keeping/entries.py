"""Entries of the index: what is kept of a value, and what is asked of the index."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence

import attrs

from aiocells._keeping.index import transaction

_BATCH = 500


@attrs.frozen
class Entry:
    """What is kept of one value, besides the value.

    Attributes:
        key: what it is found by.
        cell: the cell that gave it.
        digest: its digest.
        classes: the names of the code in it, as text.
        parts: what the key was made of, as text.
    """

    key: bytes
    cell: str
    digest: bytes
    classes: str = ""
    parts: str = ""


@attrs.define
class Pending:
    """An entry that is not written yet.

    Attributes:
        entry: what is kept.
        created: when its value was.
        size: that of the value.
        checksum: that of the value.
        value: its bytes; None for one that is a file.
    """

    entry: Entry
    created: float
    size: int
    checksum: int
    value: bytes | None


def rows_of(
    index: sqlite3.Connection, keys: Sequence[bytes], oldest: float
) -> Iterator[Entry]:
    """The entries under keys; none that is older than so."""
    for at in range(0, len(keys), _BATCH):
        batch = keys[at : at + _BATCH]
        marks = ",".join("?" * len(batch))
        question = (
            "select key, cell, digest, classes, parts from entries "
            f"where key in ({marks}) and created > ?"
        )
        for row in index.execute(question, (*batch, oldest)):
            yield Entry(*row)


def newest_of(index: sqlite3.Connection, cell: str, before: float) -> str | None:
    """What the newest key of a cell was made of, of those from before a time."""
    question = (
        "select parts from entries where cell=? and created<? and parts<>'' "
        "order by created desc limit 1"
    )
    row = index.execute(question, (cell, before)).fetchone()
    return None if row is None else str(row[0])


def write_rows(index: sqlite3.Connection, pending: Iterable[Pending]) -> None:
    """Write entries, each in the place of the one of that key."""
    rows = [
        (
            each.entry.key,
            each.entry.cell,
            each.created,
            each.created,
            each.size,
            each.entry.digest,
            each.entry.classes,
            each.entry.parts,
            each.checksum,
            each.value,
        )
        for each in pending
    ]
    with transaction(index):
        marks = ",".join("?" * len(rows[0]))
        index.executemany(f"insert or replace into entries values({marks})", rows)


def remove_rows(index: sqlite3.Connection, rows: Sequence[tuple[bytes]]) -> int:
    """Remove entries by their keys; gives how many there were."""
    with transaction(index):
        before = index.total_changes
        index.executemany("delete from entries where key=?", rows)
        return index.total_changes - before


def write_uses(
    index: sqlite3.Connection, used: dict[bytes, float], least: float
) -> None:
    """Note when entries were used, unless what is noted is nearly as new."""
    rows = [(at, key, at - least) for key, at in used.items()]
    if rows:
        with transaction(index):
            index.executemany("update entries set used=? where key=? and used<=?", rows)


def total_of(index: sqlite3.Connection) -> int:
    """The size of all values."""
    [[total]] = index.execute("select coalesce(sum(size), 0) from entries")
    return int(total)


def last_sweep(index: sqlite3.Connection) -> float:
    """When files were looked for that nobody knows; 0 for never."""
    [[last]] = index.execute("select coalesce(max(at), 0.0) from swept")
    return float(last)


def note_sweep(index: sqlite3.Connection, now: float) -> None:
    """Note that they were."""
    with transaction(index):
        index.execute("delete from swept")
        index.execute("insert into swept values(?)", (now,))
