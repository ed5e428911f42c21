"""Values as bytes, with what tells whether they came back whole."""

import pickle
import zlib
from collections.abc import Sequence
from typing import Any

import attrs

_PROTOCOL = 5
_LENGTH = 8
# Arrays should lie in memory as if they had been allocated.
_ALIGNMENT = 16


class Unreadable(Exception):
    """A value that was kept cannot be had again; the text says why."""


@attrs.frozen
class Packed:
    """A value as bytes.

    Attributes:
        parts: the bytes, in order; large ones are those of the value itself.
        size: how many they are.
        checksum: of all of them.
    """

    parts: Sequence[Any]
    size: int
    checksum: int


def packed(value: Any) -> Packed:
    """A value as bytes; arrays and their like are not copied.

    Raises:
        Exception: it cannot be pickled.
    """
    buffers: list[pickle.PickleBuffer] = []
    data = pickle.dumps(value, _PROTOCOL, buffer_callback=buffers.append)
    raw = [each.raw() for each in buffers]
    lengths = [len(data), *(each.nbytes for each in raw)]
    numbers = [len(lengths), *lengths]
    head = b"".join(each.to_bytes(_LENGTH, "little") for each in numbers)
    parts: list[Any] = []
    checksum = size = 0
    for part in (head, data, *raw):
        parts += [part, bytes(_gap_after(len(part)))]
    for part in parts:
        size += len(part)
        checksum = zlib.crc32(part, checksum)
    return Packed(parts, size, checksum)


def _gap_after(length: int) -> int:
    return -length % _ALIGNMENT


def unpacked(data: bytes | bytearray, checksum: int) -> Any:
    """The value; what was an array is one that can be written to, if `data` can.

    Raises:
        Unreadable: the bytes are not those that were written, or the value's class is
            not what it was.
    """
    if zlib.crc32(data) != checksum:
        msg = "its checksum differs: it was damaged, or written by half"
        raise Unreadable(msg)
    view = memoryview(data)
    lengths = _lengths(view)
    at = _LENGTH * (len(lengths) + 1)
    at += _gap_after(at)
    parts = []
    for length in lengths:
        parts.append(view[at : at + length])
        at += length + _gap_after(length)
    try:
        return pickle.loads(parts[0], buffers=parts[1:])
    except Exception as error:
        msg = f"{type(error).__name__}: {error}"
        raise Unreadable(msg) from error


def _lengths(view: memoryview) -> list[int]:
    """Those of the pickle, and of the buffers that belong to it."""
    count = int.from_bytes(view[:_LENGTH], "little")
    starts = range(_LENGTH, _LENGTH * (count + 1), _LENGTH)
    return [int.from_bytes(view[at : at + _LENGTH], "little") for at in starts]
