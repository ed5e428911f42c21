"""The store: what was put is found, in this process or another, or said to be lost."""

import hashlib
import multiprocessing
import os
import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aiocells._keeping import folder as folder_module
from aiocells._keeping import index as index_module
from aiocells._keeping import store as store_module
from aiocells._keeping.packing import Unreadable, packed, unpacked
from aiocells._keeping.store import INLINE, Entry, Store

ROOT = Path(__file__).parents[2]
BIG = bytes(2 * INLINE)
NOW = 1_700_000_000.0


class Gone:
    """A class that a test takes away."""


def key_of(name: str) -> bytes:
    """A key of the length of keys."""
    return hashlib.sha256(name.encode()).digest()[:20]


def keep(
    store: Store, name: str, value: Any, seconds: float = 0.0, cell: str = "trip.plan"
) -> bytes:
    """Put a value under a name; gives its key."""
    key = key_of(name)
    entry = Entry(key, cell, b"digest", "classes", "parts")
    store.put(entry, packed(value), seconds)
    return key


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """Where a cache is to be, in a folder that is not there yet."""
    return str(tmp_path / "build" / "cache")


@pytest.fixture
def store(folder: str) -> Iterator[Store]:
    """An empty store."""
    made = Store(folder)
    yield made
    made.close()


class Clock:
    """A time that stands still."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take the place of the time."""
        self.now = NOW
        for module in (store_module, index_module, folder_module):
            monkeypatch.setattr(module.time, "time", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time, as a test sets it."""
    return Clock(monkeypatch)


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged as a warning."""
    return [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]


VALUES = [None, 1, "a" * 100, BIG, [BIG, "b"], {"a": bytearray(BIG)}]


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_a_value_is_found_at_once_and_by_another(
    store: Store, folder: str, value: Any
) -> None:
    """Before it is written, and after, with what was said of it; small or large."""
    key = keep(store, "one", value)
    assert [*store.get([key])] == [key]
    for asked in (store, Store(folder)):
        found = asked.get([key, key_of("other")])
        assert found == {key: Entry(key, "trip.plan", b"digest", "classes", "parts")}
        assert asked.load(key) == value
        store.flush()
        asked.close()
    with pytest.raises(Unreadable, match="it is gone"):
        store.load(key_of("other"))


def test_what_is_large_is_a_file(store: Store, folder: str) -> None:
    """Named by its key; what is small is in the index."""
    keep(store, "small", b"x" * 1000)
    assert not Path(folder, "values").exists()
    key = keep(store, "large", BIG)
    path = Path(folder, "values", key.hex()[:2], key.hex())
    assert path.stat().st_size > len(BIG)
    assert [each.name for each in path.parent.iterdir()] == [key.hex()]


def test_nobody_else_can_read_it(store: Store, folder: str) -> None:
    """The folder is made for its owner alone, and so is what is in it."""
    keep(store, "large", BIG)
    store.flush()
    for path in (Path(folder), Path(folder, "values"), Path(folder, "index.sqlite")):
        assert path.stat().st_mode & 0o077 == 0


def test_arrays_come_back_as_they_were() -> None:
    """Writable and aligned, as an array that was computed; or read-only as before."""
    np = pytest.importorskip("numpy")
    fixed = np.arange(5)
    fixed.flags.writeable = False
    values = [np.arange(1000.0), np.arange(7, dtype="i1"), np.eye(3).T, fixed]
    for again in (unpacked(*as_bytes(values)), unpacked(*as_bytes(tuple(values)))):
        for before, after in zip(values, again, strict=True):
            np.testing.assert_array_equal(before, after)
            assert after.flags.aligned
            assert after.flags.writeable == before.flags.writeable


def as_bytes(value: Any) -> tuple[bytearray, int]:
    """A value as it is read from the disk."""
    made = packed(value)
    data = bytearray(b"".join(made.parts))
    assert len(data) == made.size
    return data, made.checksum


# What a kill loses


def test_work_is_written_when_50_milliseconds_are_pending(
    store: Store, folder: str
) -> None:
    """A value that took as long is on disk at once, and all that waited with it."""
    other = Store(folder)
    quick = [keep(store, f"{at}", at, 0.012) for at in range(4)]
    assert other.get(quick) == {}
    slow = keep(store, "slow", 1, 0.05)
    assert [*other.get([*quick, slow])] == sorted([*quick, slow])
    other.close()


def test_many_or_large_values_are_written_however_quick(
    store: Store, folder: str
) -> None:
    """At 500 of them, and at a megabyte."""
    other = Store(folder)
    many = [keep(store, f"{at}", at) for at in range(500)]
    assert len(other.get(many[:499])) == 499
    large = [keep(store, f"large {at}", BIG[: INLINE - 200]) for at in range(17)]
    assert len(other.get(large)) == 17
    other.close()


@pytest.mark.needs_processes
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_hundred_kills_lose_nothing_that_was_finished() -> None:
    """At random moments, one process at a time and three at once."""
    script = str(ROOT / "tests" / "killing.py")
    command = [sys.executable, script, "100", str(random.randrange(10**6))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("killed 100 times"), f"{command}\n{done.stderr}"


# What is damaged


def damaged(store: Store, key: bytes, folder: str, how: str) -> None:
    """Damage a value that is on disk."""
    path = Path(folder, "values", key.hex()[:2], key.hex())
    data = path.read_bytes()
    if how == "cut":
        path.write_bytes(data[:-7])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "changed":
        path.write_bytes(data[:5000] + b"!" + data[5001:])
    else:
        path.unlink()


@pytest.mark.parametrize("how", ["cut", "empty", "changed", "removed"])
def test_a_damaged_file_is_told(store: Store, folder: str, how: str) -> None:
    """And a value that is put in its place is there."""
    key = keep(store, "large", BIG)
    store.flush()
    damaged(store, key, folder, how)
    reason = "FileNotFoundError" if how == "removed" else "its checksum differs"
    assert key in store.get([key])
    with pytest.raises(Unreadable, match=reason):
        store.load(key)
    keep(store, "large", [BIG])
    assert store.load(key) == [BIG]


def test_a_damaged_row_is_told(store: Store, folder: str) -> None:
    """As a damaged file is."""
    key = keep(store, "small", "value")
    store.flush()
    index = sqlite3.connect(Path(folder, "index.sqlite"), isolation_level=None)
    index.execute("update entries set value=substr(value, 2)")
    index.close()
    with pytest.raises(Unreadable, match="it was damaged, or written by half"):
        store.load(key)


def test_a_value_whose_class_is_gone_is_told(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its bytes are right, and there is no way to make it."""
    key = keep(store, "gone", Gone())
    monkeypatch.delattr(sys.modules[__name__], "Gone")
    with pytest.raises(Unreadable, match="AttributeError: Can't get attribute 'Gone'"):
        store.load(key)


def garbage(path: Path) -> None:
    """Write what is no index."""
    path.write_bytes(b"no index" * 1000)


def another_format(path: Path) -> None:
    """Make it an index of another version."""
    index = sqlite3.connect(path, isolation_level=None)
    index.execute("pragma user_version=99")
    index.close()


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (garbage, "file is not a database"),
        (another_format, "it is of format 99, and this version of aiocells reads 1"),
    ],
)
def test_a_damaged_index_is_put_aside(
    folder: str,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    damage: Any,
    reason: str,
) -> None:
    """One warning, and a new one is begun."""
    first = Store(folder)
    key = keep(first, "one", 1)
    first.close()
    damage(Path(folder, "index.sqlite"))
    store = Store(folder)
    assert store.get([key]) == {}
    aside = f"index.sqlite.broken-{int(clock.now)}"
    assert warnings_of(caplog) == [
        f"cache {folder}: the index cannot be read: {reason}. It is put aside as "
        f"{aside}, and a new one is begun."
    ]
    assert Path(folder, aside).exists()
    keep(store, "one", 2)
    store.close()
    again = Store(folder)
    assert again.load(key) == 2
    again.close()


def test_an_index_may_be_damaged_while_it_is_used(
    store: Store, folder: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is put aside then."""
    keys = [keep(store, f"{at}", "x" * 2000) for at in range(200)]
    store.close()
    path = Path(folder, "index.sqlite")
    data = path.read_bytes()
    path.write_bytes(data[:8192] + b"\xff" * (len(data) - 8192))
    assert store.get(keys) == {}
    [warning] = warnings_of(caplog)
    assert "the index cannot be read: database disk image is malformed" in warning
    keep(store, "new", 1)
    store.flush()
    assert store.load(key_of("new")) == 1


# What the disk refuses


def gives_up(
    store: Store, folder: str, caplog: pytest.LogCaptureFixture, reason: str
) -> None:
    """Check that a store goes on without its disk, after one warning."""
    key = keep(store, "after", 1, 1.0)
    large = keep(store, "large", BIG, 1.0)
    assert store.get([key, large]) == {}
    assert store.rows() == []
    assert store.remove([key]) == 0
    store.flush()
    store.finish()
    with pytest.raises(Unreadable, match="it is gone"):
        store.load(key)
    assert warnings_of(caplog) == [
        f"cache {folder} cannot be used: {reason}. The computation goes on without it."
    ]


def test_a_full_disk_ends_nothing(
    store: Store, folder: str, caplog: pytest.LogCaptureFixture
) -> None:
    """SQLite says that it is full."""
    store.open().execute("pragma max_page_count=10")
    for at in range(100):
        keep(store, f"{at}", "x" * 1000, 1.0)
    reason = "OperationalError: database or disk is full"
    gives_up(store, folder, caplog, reason)


def test_a_disk_that_takes_no_file_ends_nothing(
    store: Store,
    folder: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nor is a part of the file left behind."""
    small = keep(store, "small", 1, 1.0)

    def refuse(*_: Any) -> None:
        error = 28, "No space left on device"
        raise OSError(*error)

    monkeypatch.setattr(folder_module.os, "replace", refuse)
    keep(store, "large", BIG)
    assert store.get([small]) == {}
    files = [path for path in Path(folder, "values").rglob("*") if path.is_file()]
    assert files == []
    reason = "OSError: [Errno 28] No space left on device"
    gives_up(store, folder, caplog, reason)


@pytest.mark.parametrize("where", ["makedirs", "open"])
def test_a_folder_that_cannot_be_made_ends_nothing(
    store: Store,
    folder: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
) -> None:
    """As on a disk that can only be read."""

    def refuse(*_: Any, **__: Any) -> None:
        error = 30, "Read-only file system"
        raise OSError(*error)

    monkeypatch.setattr(os, where, refuse)
    reason = "OSError: [Errno 30] Read-only file system"
    gives_up(store, folder, caplog, reason)


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_an_index_that_stays_locked_ends_nothing(
    folder: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
) -> None:
    """After half a minute, which the test does not wait."""
    monkeypatch.setattr(index_module, "_PATIENCE", -1.0)
    os.makedirs(folder, mode=0o700)
    other = sqlite3.connect(Path(folder, "index.sqlite"), isolation_level=None)
    other.execute(f"pragma journal_mode={mode}")
    other.execute("create table other(x)")
    other.execute("begin exclusive")
    store = Store(folder)
    reason = "OperationalError: database is locked"
    gives_up(store, folder, caplog, reason)
    other.close()


def test_an_index_that_is_locked_while_it_is_made_is_waited_for(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite does not wait there by itself; here time passes only for us."""
    os.makedirs(folder, mode=0o700)
    other = sqlite3.connect(Path(folder, "index.sqlite"), isolation_level=None)
    other.execute("create table other(x)")
    other.execute("begin exclusive")
    asked: list[float] = []

    def wait(seconds: float) -> None:
        asked.append(seconds)
        other.execute("rollback")

    monkeypatch.setattr(index_module.time, "sleep", wait)
    real = sqlite3.connect
    monkeypatch.setattr(
        index_module.sqlite3,
        "connect",
        lambda path, **options: real(path, **{**options, "timeout": 0.0}),
    )
    store = Store(folder)
    assert store.get([key_of("none")]) == {}
    assert asked
    store.close()
    other.close()


# Who else can write there


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="nobody owns files")
@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777])
def test_a_folder_that_others_can_write_to_is_refused(
    tmp_path: Path, mode: int
) -> None:
    """Whoever can write a pickle there can run code here."""
    tmp_path.chmod(mode)
    store = Store(str(tmp_path))
    message = (
        f"cache folder {tmp_path} can be written by others, and whoever can write "
        "there can run code in this process, since values are pickled. Use a folder "
        f"of your own: chmod 700 {tmp_path}"
    )
    for use in (store.open, lambda: store.get([b""]), lambda: keep(store, "a", BIG)):
        with pytest.raises(PermissionError) as caught:
            use()
        assert str(caught.value) == message
    tmp_path.chmod(0o755)
    assert store.get([b""]) == {}
    store.close()


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="nobody owns files")
def test_a_folder_of_another_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """He can let anybody write to it."""
    tmp_path.chmod(0o700)
    owner = tmp_path.stat().st_uid
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)
    with pytest.raises(PermissionError, match="can be written by others"):
        Store(str(tmp_path)).open()


def test_where_nobody_owns_files_all_folders_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows."""
    tmp_path.chmod(0o777)
    monkeypatch.delattr(os, "getuid", raising=False)
    store = Store(str(tmp_path))
    store.open()
    store.close()


# Several at once


@pytest.mark.needs_processes
@pytest.mark.usefixtures("sent_tests")
def test_processes_share_a_folder(folder: str) -> None:
    """They write the same keys at once; the last one wins, with the same value."""
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=fill, args=(folder,)) for _ in range(2)]
    for each in workers:
        each.start()
    fill(folder)
    for each in workers:
        each.join()
    assert [each.exitcode for each in workers] == [0, 0]
    store = Store(folder)
    assert {store.load(key_of(f"{at}"))[1] for at in range(30)} == {*range(30)}
    store.close()


def fill(folder: str) -> None:
    """Keep thirty values, and read each again."""
    store = Store(folder)
    for at in range(30):
        value = [BIG if at % 3 == 0 else b"", at]
        key = keep(store, f"{at}", value, 0.02)
        assert store.load(key) == value
    store.close()


@pytest.mark.needs_threads
def test_threads_share_a_store(store: Store) -> None:
    """Each finds what it has put."""
    failures: list[BaseException] = []

    def use(number: int) -> None:
        try:
            for at in range(50):
                key = keep(store, f"{number} {at}", [number, at], 0.01)
                assert store.load(key) == [number, at]
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=use, args=(at,)) for at in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failures == []
    assert len(store.rows()) == 200


@pytest.mark.needs_processes
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_process_opens_the_index_anew(folder: str) -> None:
    """And leaves that of its parent open. (In a process without other threads.)"""
    script = (
        "import os, sys; from tests.keeping.test_store import *\n"
        "store = Store(sys.argv[1]); key = keep(store, 'one', 1, 1.0)\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    keep(store, 'two', 2, 1.0); store.close(); os._exit(store.is_broken)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
        "assert store.load(key) == 1 and store.load(key_of('two')) == 2\n"
        "if os.fork() == 0:\n"
        "    store.close(); os._exit(0)\n"
        "os.wait(); store.close()"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", script, folder]
    subprocess.run(command, env=environment, check=True)


# What goes


def test_a_value_counts_for_so_long(folder: str, clock: Clock) -> None:
    """From when it was written; what is said of it counts, then what is said of all."""
    store = Store(folder, ttl=100.0)
    key = keep(store, "one", 1, 1.0)
    clock.now += 99
    assert key in store.get([key])
    assert store.get([key], ttl=50.0) == {}
    clock.now += 1
    assert store.get([key]) == {}
    assert key in store.get([key], ttl=1000.0)
    keep(store, "one", 1, 1.0)
    assert key in store.get([key])
    store.close()


def test_the_least_recently_used_go(folder: str, clock: Clock) -> None:
    """At the end, down to nine tenths; what this computation used is the newest."""
    store = Store(folder, max_bytes=10 * 2 * INLINE + 10_000)
    keys = []
    for at in range(10):
        keys.append(keep(store, f"{at}", BIG))
        clock.now += 1
    store.finish()
    assert len(store.rows()) == 10
    store.get(keys[:2])
    keys.append(keep(store, "new", BIG))
    store.close()
    again = Store(folder)
    assert {*again.get(keys)} == {*keys[:2], *keys[4:]}
    files = [path for path in Path(folder, "values").rglob("*") if path.is_file()]
    assert len(files) == 9
    again.close()


def test_a_cache_of_no_size_keeps_nothing(folder: str) -> None:
    """Beyond the computation."""
    store = Store(folder, max_bytes=0)
    keys = [keep(store, "one", 1), keep(store, "two", BIG)]
    assert {*store.get(keys)} == {*keys}
    store.finish()
    assert store.get(keys) == {}
    store.close()


def test_a_use_is_noted_within_the_hour(folder: str, clock: Clock) -> None:
    """Nearer than that it is not worth a write."""
    store = Store(folder)
    key = keep(store, "one", 1)
    store.finish()
    for passed, noted in ((3599, NOW), (1, NOW + 3600), (10, NOW + 3600)):
        clock.now += passed
        store.get([key])
        store.finish()
        assert store.rows() == [(key, "trip.plan", 32, noted)]
    store.close()


def test_what_is_removed_is_gone(store: Store, folder: str) -> None:
    """With its file, written or not; what is not there is no failure."""
    small, large = keep(store, "small", 1), keep(store, "large", BIG)
    assert store.remove([small, large, key_of("other")]) == 2
    assert store.get([small, large]) == {}
    assert [path for path in Path(folder, "values").rglob("*") if path.is_file()] == []


def test_files_that_nobody_knows_go_after_a_day(folder: str) -> None:
    """A process that is killed leaves them; those of today may be about to be known."""
    store = Store(folder)
    known = keep(store, "known", BIG)
    lost, fresh = key_of("lost"), key_of("fresh")
    for key in (lost, fresh):
        folder_module.Files(folder).write(key, packed(BIG))
    values = Path(folder, "values")
    half = values / lost.hex()[:2] / f"{lost.hex()}.1-2.tmp"
    half.write_bytes(b"half")
    old = time.time() - 90_000
    for path in (path for path in values.rglob("*") if path.is_file()):
        if fresh.hex() not in path.name:
            os.utime(path, (old, old))
    store.close()
    left = {path.name for path in values.rglob("*") if path.is_file()}
    assert left == {known.hex(), fresh.hex()}
    # It is looked for once a day.
    os.utime(values / fresh.hex()[:2] / fresh.hex(), (old, old))
    store.close()
    assert (values / fresh.hex()[:2] / fresh.hex()).exists()


def test_what_was_never_used_makes_no_folder(folder: str) -> None:
    """Finishing and closing open nothing."""
    store = Store(folder)
    store.finish()
    store.close()
    assert not Path(folder).exists()


def test_what_cannot_be_pickled_is_told() -> None:
    """By the error of pickle."""
    with pytest.raises(TypeError, match="cannot pickle 'generator' object"):
        packed(each for each in ())
