"""The books of a small bakery, kept in a real SQLite database.

The database and the folder that it lives in are resources: they are opened before
the cells that use them, and closed and removed after the computation, whatever
happens. The queries are cells; those that read depend on the one that writes.

    python examples/ledger.py
    aiocells run examples/ledger.py
    aiocells run examples/ledger.py:profit --set path=my_journal.csv
"""

import csv
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from aiocells import Graph, cell, compute_sequential, depends_on, resource

JOURNAL = Path(__file__).parent / "data" / "journal.csv"

# Money is stored as whole cents: SQLite has no exact decimal fractions.
SCHEMA = """
CREATE TABLE account (
    name TEXT PRIMARY KEY,
    kind TEXT NOT NULL
        CHECK (kind IN ('asset', 'liability', 'equity', 'income', 'expense'))
) STRICT;
CREATE TABLE posting (
    date TEXT NOT NULL,
    text TEXT NOT NULL,
    account TEXT NOT NULL REFERENCES account (name),
    cents INTEGER NOT NULL
) STRICT;
"""


@dataclass(frozen=True)
class Posting:
    """One row of the journal: an amount that flows into or out of one account."""

    date: str
    text: str
    account: str
    kind: str
    cents: int


@resource
def folder() -> Iterator[Path]:
    """A temporary folder, removed after the computation."""
    with TemporaryDirectory(prefix="ledger-") as name:
        yield Path(name)


@resource
def database(folder: Path) -> Iterator[sqlite3.Connection]:
    """An open connection to the books, with the tables made and still empty."""
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as connection:
        connection.executescript(SCHEMA)
        yield connection


@cell
def journal(path: str | Path = JOURNAL) -> list[Posting]:
    """The postings to enter, read from a CSV file."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        return [
            Posting(
                date=row["date"],
                text=row["text"],
                account=row["account"],
                kind=row["kind"],
                cents=int(Decimal(row["amount"]) * 100),
            )
            for row in csv.DictReader(file)
        ]


@cell
def entered(database: sqlite3.Connection, journal: list[Posting]) -> int:
    """Write the journal into the books, all or nothing; how many postings it had."""
    with database:
        database.executemany(
            "INSERT INTO account VALUES (?, ?) ON CONFLICT DO NOTHING",
            [(posting.account, posting.kind) for posting in journal],
        )
        database.executemany(
            "INSERT INTO posting VALUES (?, ?, ?, ?)",
            [
                (posting.date, posting.text, posting.account, posting.cents)
                for posting in journal
            ],
        )
    return len(journal)


@cell
@depends_on(entered)
def audited(database: sqlite3.Connection) -> None:
    """Refuse books in which an entry does not come out even."""
    uneven = database.execute(
        "SELECT date, text, sum(cents) FROM posting GROUP BY date, text "
        "HAVING sum(cents) <> 0 ORDER BY date"
    ).fetchall()
    if uneven:
        date, text, cents = uneven[0]
        msg = f"{text!r} of {date} is off by {euros(cents)}; correct it in the journal"
        raise ValueError(msg)


@cell
@depends_on(audited)
def balances(database: sqlite3.Connection) -> dict[str, dict[str, int]]:
    """The balance of each account in cents, by kind of account."""
    by_kind: dict[str, dict[str, int]] = {}
    for kind, name, cents in database.execute(
        "SELECT kind, name, sum(cents) FROM posting JOIN account ON account = name "
        "GROUP BY kind, name ORDER BY kind, name"
    ):
        by_kind.setdefault(kind, {})[name] = cents
    return by_kind


@cell
def profit(balances: dict[str, dict[str, int]]) -> int:
    """What was earned beyond what was spent, in cents."""
    # Income flows out of its accounts, so a profit stands there as a negative sum.
    return -sum(
        cents
        for kind in ("income", "expense")
        for cents in balances.get(kind, {}).values()
    )


@cell
@depends_on(audited)
def monthly_profit(database: sqlite3.Connection) -> dict[str, int]:
    """Profit of each month in cents, by year and month."""
    return dict(
        database.execute(
            "SELECT substr(date, 1, 7) AS month, -sum(cents) "
            "FROM posting JOIN account ON account = name "
            "WHERE kind IN ('income', 'expense') GROUP BY month ORDER BY month"
        )
    )


@cell
@depends_on(audited)
def tightest_day(database: sqlite3.Connection) -> tuple[str, int]:
    """The day on which the bank account ended lowest, and that balance in cents."""
    date, cents = database.execute(
        "SELECT date, sum(sum(cents)) OVER (ORDER BY date) AS balance FROM posting "
        "WHERE account = 'bank' GROUP BY date ORDER BY balance, date LIMIT 1"
    ).fetchone()
    return date, cents


@cell
def statement(
    entered: int,
    balances: dict[str, dict[str, int]],
    profit: int,
    monthly_profit: dict[str, int],
    tightest_day: tuple[str, int],
) -> str:
    """All of it, as a page of text."""
    lines = [f"{entered} postings"]
    for kind, accounts in balances.items():
        lines += ["", kind.capitalize()]
        lines += [f"  {name:<12}{euros(cents):>12}" for name, cents in accounts.items()]
    lines += ["", f"{'Profit':<14}{euros(profit):>12}"]
    lines += [
        f"  {month:<12}{euros(cents):>12}" for month, cents in monthly_profit.items()
    ]
    date, cents = tightest_day
    lines += ["", f"The bank account was lowest on {date}: {euros(cents)}"]
    return "\n".join(lines)


def euros(cents: int) -> str:
    """An amount for people to read, such as '1,234.50'."""
    return f"{Decimal(cents) / 100:,.2f}"


if __name__ == "__main__":
    results = compute_sequential(Graph.from_module(__name__), targets=[statement])
    print(results[statement])
