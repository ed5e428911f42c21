"""The store: values under keys, in a folder, for any number of processes.

Five methods are what others need of it: `get`, `load`, `put`, `remove` and `rows`. What
goes wrong with the disk ends no computation: there is one warning, and from then on
nothing is found or kept.
"""

import contextlib
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from aiocells._keeping import index as _index
from aiocells._keeping.entries import (
    Entry,
    Pending,
    last_sweep,
    newest_of,
    note_sweep,
    remove_rows,
    rows_of,
    total_of,
    write_rows,
    write_uses,
)
from aiocells._keeping.folder import Files, make_folder
from aiocells._keeping.packing import Packed, Unreadable, unpacked
from aiocells._keeping.refusing import UnsafeFolder

_logger = logging.getLogger("aiocells")

Given = TypeVar("Given")

# Values that are larger are files.
INLINE = 64 * 1024
# A kill may lose so much work, in seconds; rows and bytes bound what it takes to write.
PENDING_SECONDS = 0.05
PENDING_ROWS = 500
PENDING_BYTES = 1 << 20

_inherited: list[sqlite3.Connection] = []
_USE_COUNTS_AFTER = 3_600.0
_SWEEP_EVERY = 86_400.0
_KEPT_PART = 0.9


class Store:
    """A folder that keeps values.

    Args:
        folder: where; it is made when it is first needed.
        max_bytes: how much is kept when a computation ends; None for all.
        ttl: for how many seconds a value counts, unless more is said of it.
    """

    def __init__(
        self, folder: str, max_bytes: int | None = None, ttl: float | None = None
    ) -> None:
        self.folder = folder
        self.is_broken = False
        self._max_bytes = max_bytes
        self._ttl = ttl
        self._files = Files(folder)
        self._lock = threading.RLock()
        self._opened: sqlite3.Connection | None = None
        self._process = 0
        self._pending: dict[bytes, Pending] = {}
        self._seconds = 0.0
        self._bytes = 0
        self._used: dict[bytes, float] = {}

    # Finding

    def get(
        self, keys: Sequence[bytes], ttl: float | None = None
    ) -> dict[bytes, Entry]:
        """What is kept under keys; what is not, or is too old, is left out."""
        with self._lock:
            found = {k: self._pending[k].entry for k in keys if k in self._pending}
            rest = [key for key in keys if key not in found]
            if rest:
                oldest = self._oldest(ttl)
                rows = self._try(lambda index: [*rows_of(index, rest, oldest)], [])
                found.update((entry.key, entry) for entry in rows)
            self._used.update(dict.fromkeys(found, time.time()))
            return found

    def load(self, key: bytes) -> Any:
        """A value that was found.

        Raises:
            Unreadable: it is damaged, or gone by now.
        """
        with self._lock:
            pending = self._pending.get(key)
            if pending is not None:
                row: Any = pending.value, pending.checksum
            else:
                question = "select value, checksum from entries where key=?"
                row = self._try(
                    lambda index: index.execute(question, (key,)).fetchone()
                )
        if row is None:
            msg = "it is gone"
            raise Unreadable(msg)
        value, checksum = row
        # What is read into a buffer of its own can be written to.
        data = self._files.read(key) if value is None else bytearray(value)
        return unpacked(data, checksum)

    def newest(self, cell: str, before: float) -> str | None:
        """What the newest key of a cell was made of, of those from before a time."""
        with self._lock:
            return self._try(lambda index: newest_of(index, cell, before))

    # Keeping

    def put(self, entry: Entry, value: Packed, seconds: float) -> None:
        """Keep a value that took so many seconds.

        It is on disk when that much work is pending that a kill may lose, or after
        `flush`.
        """
        with self._lock:
            if self.is_broken:
                return
            data = b"".join(value.parts) if value.size <= INLINE else None
            if data is None and not self._write(entry.key, value):
                return
            pending = Pending(entry, time.time(), value.size, value.checksum, data)
            self._pending[entry.key] = pending
            self._seconds += seconds
            self._bytes += 0 if data is None else value.size
            if (
                self._seconds >= PENDING_SECONDS
                or len(self._pending) >= PENDING_ROWS
                or self._bytes >= PENDING_BYTES
            ):
                self.flush()

    def _write(self, key: bytes, value: Packed) -> bool:
        try:
            self.open()
            self._files.write(key, value)
        except UnsafeFolder:
            raise
        except (OSError, sqlite3.Error) as error:
            self._give_up(error)
        return not self.is_broken

    def flush(self) -> None:
        """Write what is pending."""
        with self._lock:
            pending = [*self._pending.values()]
            if pending:
                self._try(lambda index: write_rows(index, pending))
            self._pending.clear()
            self._seconds, self._bytes = 0.0, 0

    def remove(self, keys: Iterable[bytes]) -> int:
        """Remove what is kept under keys; gives how many there were."""
        with self._lock:
            self.flush()
            rows = [(key,) for key in keys]
            count = self._try(lambda index: remove_rows(index, rows), 0)
            for (key,) in rows:
                self._files.remove(key)
            return count

    def rows(self) -> list[tuple[bytes, str, int, float]]:
        """Of all that is kept: key, cell, size, and when it was last used."""
        with self._lock:
            self.flush()
            question = "select key, cell, size, used from entries order by used, key"
            return self._try(lambda index: index.execute(question).fetchall(), [])

    # At the end of a computation

    def finish(self) -> None:
        """Write what is pending and what was used, and keep within the bounds."""
        with self._lock:
            self.flush()
            used, self._used = self._used, {}
            if self._opened is None and not used:
                return
            total = self._try(total_of, 0)
            is_full = self._max_bytes is not None and total > self._max_bytes
            least = 0.0 if is_full else _USE_COUNTS_AFTER
            self._try(lambda index: write_uses(index, used, least))
            if is_full:
                self._evict(total)
            self._sweep()

    def close(self) -> None:
        """Finish, and let go of the file."""
        with self._lock:
            self.finish()
            self._disconnect()

    def _evict(self, total: int) -> None:
        assert self._max_bytes is not None
        gone = []
        for key, _, size, _ in self.rows():
            if total <= self._max_bytes * _KEPT_PART:
                break
            gone.append(key)
            total -= size
        self.remove(gone)

    def _sweep(self) -> None:
        last = self._try(last_sweep)
        now = time.time()
        if last is None or 0 <= now - last < _SWEEP_EVERY:
            return
        self._try(lambda index: note_sweep(index, now))
        self._files.sweep({key for key, *_ in self.rows()})

    # The index

    def begin(self) -> None:
        """Get ready for a computation; what a disk refused before it may give now.

        Raises:
            PermissionError: others can write to the folder.
        """
        with self._lock:
            self.is_broken = False
            self._try(lambda _: None)

    def open(self) -> sqlite3.Connection:
        """The index, for this process.

        Raises:
            PermissionError: others can write to the folder.
            OSError, sqlite3.Error: it cannot be used.
        """
        process = os.getpid()
        if self._opened is None or self._process != process:
            if self._opened is not None:
                # That of the process which this one was forked from must stay open.
                _inherited.append(self._opened)
            make_folder(self.folder)
            self._opened = _index.open_index(self.folder)
            self._process = process
        return self._opened

    def _disconnect(self) -> None:
        if self._opened is not None and self._process == os.getpid():
            self._opened.close()
        self._opened = None

    def _try(
        self, ask: Callable[[sqlite3.Connection], Given], default: Any = None
    ) -> Given:
        """What the index answers; the default where the disk does not let it."""
        if not self.is_broken:
            try:
                try:
                    return ask(self.open())
                except sqlite3.Error as error:
                    if not _index.is_damage(error):
                        raise
                    self._disconnect()
                    _index.put_aside(self.folder, error)
                    return ask(self.open())
            except UnsafeFolder:
                raise
            except (OSError, sqlite3.Error) as error:
                self._give_up(error)
        return default  # type: ignore[no-any-return]

    def _give_up(self, error: Exception) -> None:
        self.is_broken = True
        self._pending.clear()
        with contextlib.suppress(sqlite3.Error):
            self._disconnect()
        _logger.warning(
            "cache %s cannot be used: %s: %s. The computation goes on without it.",
            self.folder,
            type(error).__name__,
            error,
        )

    def _oldest(self, ttl: float | None) -> float:
        ttl = self._ttl if ttl is None else ttl
        return float("-inf") if ttl is None else time.time() - ttl
