"""The folder of a cache: who may write there, and the files of large values."""

import contextlib
import os
import stat
import threading
import time
from collections.abc import Container, Iterator

from aiocells._keeping.packing import Packed, Unreadable
from aiocells._keeping.refusing import UnsafeFolder

_VALUES = "values"
_TEMPORARY = ".tmp"
# What is in no index may be so because its row is about to be written.
_ORPHANED_AFTER = 86_400.0


def make_folder(folder: str) -> None:
    """Make a folder that nobody else can write to, unless it is there.

    Raises:
        PermissionError: it is there, and others can.
        OSError: it cannot be made.
    """
    os.makedirs(folder, mode=0o700, exist_ok=True)
    if hasattr(os, "getuid"):
        found = os.stat(folder)
        others = stat.S_IWGRP | stat.S_IWOTH
        if found.st_uid != os.getuid() or found.st_mode & others:
            msg = (
                f"cache folder {folder} can be written by others, and whoever can "
                "write there can run code in this process, since values are pickled. "
                f"Use a folder of your own: chmod 700 {folder}"
            )
            raise UnsafeFolder(msg)


class Files:
    """The files of large values, each named by its key."""

    def __init__(self, folder: str) -> None:
        self._folder = os.path.join(folder, _VALUES)

    def write(self, key: bytes, value: Packed) -> None:
        """Write a file, in whole or not at all.

        Raises:
            OSError: it cannot be written.
        """
        path = self._path(key)
        for each in (self._folder, os.path.dirname(path)):
            with contextlib.suppress(FileExistsError):
                os.mkdir(each, 0o700)
        beside = f"{path}.{os.getpid()}-{threading.get_ident()}{_TEMPORARY}"
        try:
            with open(beside, "wb") as file:
                for part in value.parts:
                    file.write(part)
            os.replace(beside, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.remove(beside)
            raise

    def read(self, key: bytes) -> bytearray:
        """The bytes of a file, in one buffer that can be written to.

        Raises:
            Unreadable: it cannot be read.
        """
        try:
            with open(self._path(key), "rb") as file:
                data = bytearray(os.fstat(file.fileno()).st_size)
                file.readinto(data)
        except OSError as error:
            msg = f"{type(error).__name__}: {error}"
            raise Unreadable(msg) from error
        return data

    def remove(self, key: bytes) -> None:
        """Remove a file, if it is there."""
        with contextlib.suppress(OSError):
            os.remove(self._path(key))

    def sweep(self, known: Container[bytes]) -> None:
        """Remove files that are not known, unless they are new.

        A process that is killed leaves what it has not entered in the index yet.
        """
        oldest = time.time() - _ORPHANED_AFTER
        for path, name in self._all():
            if not _is_known(name, known):
                with contextlib.suppress(OSError):
                    if os.stat(path).st_mtime < oldest:
                        os.remove(path)

    def _all(self) -> Iterator[tuple[str, str]]:
        for folder, _, names in os.walk(self._folder):
            for name in names:
                yield os.path.join(folder, name), name

    def _path(self, key: bytes) -> str:
        name = key.hex()
        return os.path.join(self._folder, name[:2], name)


def _is_known(name: str, known: Container[bytes]) -> bool:
    try:
        return bytes.fromhex(name) in known
    except ValueError:  # a file that was not finished
        return False
