"""The index of a cache: one SQLite file, with small values in it.

It is in WAL mode, and not synced for each entry: what was committed outlives the
process, however that ends, and a power cut loses the newest entries and tears none.
"""

import contextlib
import logging
import os
import sqlite3
import time
from collections.abc import Iterator

_logger = logging.getLogger("aiocells")

FORMAT = 1
# How long to wait for another process that writes.
_PATIENCE = 30.0
_SCHEMA = """
create table if not exists entries(
 key blob primary key,
 cell text not null,
 created real not null,
 used real not null,
 size integer not null,
 digest blob not null,
 classes text not null,
 parts text not null,
 checksum integer not null,
 value blob
) without rowid;
create index if not exists by_cell on entries(cell, created);
create index if not exists by_use on entries(used);
create table if not exists swept(at real not null);
"""


def open_index(folder: str) -> sqlite3.Connection:
    """Open the index of a folder; one that is damaged is put aside, and a new one made.

    Raises:
        sqlite3.OperationalError: it cannot be opened or written to.
        OSError: it cannot be made.
    """
    path = os.path.join(folder, "index.sqlite")
    # Nobody else can read it, whatever the folder lets them.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    try:
        return _connect(path)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        put_aside(folder, error)
        return _connect(path)


def is_damage(error: Exception) -> bool:
    """Whether an error says that the index is damaged, and not that it is in use."""
    is_operational = isinstance(error, sqlite3.OperationalError)
    return isinstance(error, sqlite3.DatabaseError) and not is_operational


def put_aside(folder: str, error: Exception) -> None:
    """Put a damaged index aside."""
    path = os.path.join(folder, "index.sqlite")
    aside = f"{path}.broken-{int(time.time())}"
    _logger.warning(
        "cache %s: the index cannot be read: %s. It is put aside as %s, and a new one "
        "is begun.",
        folder,
        error,
        os.path.basename(aside),
    )
    # Another process may have been quicker.
    with contextlib.suppress(FileNotFoundError):
        os.replace(path, aside)
    for suffix in ("-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            os.remove(path + suffix)


def _connect(path: str) -> sqlite3.Connection:
    index = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, timeout=_PATIENCE
    )
    try:
        _set_up(index)
    except BaseException:
        index.close()
        raise
    return index


def _set_up(index: sqlite3.Connection) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            index.execute("pragma journal_mode=wal")
            break
        except sqlite3.OperationalError as error:
            # Where two begin at once, SQLite does not wait by itself.
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.001)
    index.execute("pragma synchronous=normal")
    with transaction(index):
        [[found]] = index.execute("pragma user_version")
        if found not in (0, FORMAT):
            msg = (
                f"it is of format {found}, and this version of aiocells reads {FORMAT}"
            )
            raise sqlite3.DatabaseError(msg)
        for statement in _SCHEMA.split(";"):
            index.execute(statement)
        index.execute(f"pragma user_version={FORMAT}")


@contextlib.contextmanager
def transaction(index: sqlite3.Connection) -> Iterator[None]:
    """Write all that is written meanwhile, or nothing."""
    index.execute("begin immediate")
    try:
        yield
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            index.execute("rollback")
        raise
    index.execute("commit")
