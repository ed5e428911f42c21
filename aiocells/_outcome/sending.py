"""Exceptions as bytes, to be read in another process, or at another time.

By itself `pickle` loses what frozen exceptions have, notes among it, or cannot read
them again. It also loses where they were raised.
"""

import io
import pickle
import traceback
from typing import Any

from aiocells._outcome.exceptions import (
    add_notes,
    attributes_of,
    notes_of,
    set_cause,
    text_of,
)
from aiocells._outcome.failures import TOLD

_NOTES = "__notes__"


class _RemoteTraceback(Exception):
    """Where, in another process or at another time, an exception was raised.

    It is named as the one of `concurrent.futures`, and made in the same way.
    """

    def __init__(self, tb: str) -> None:
        super().__init__(tb)
        self.tb = f'\n"""\n{tb}"""'

    def __str__(self) -> str:
        return self.tb


def packed(error: BaseException) -> bytes:
    """An exception as bytes, which `unpacked` reads.

    Notes come along, and what `failures` tells, where that can be sent. What cannot be
    sent at all is replaced by a RuntimeError that tells of it.
    """
    told = "".join(traceback.format_exception(error))
    return pickle.dumps((_packed_alone(error), told))


def unpacked(data: bytes) -> BaseException:
    """The exception; its cause is where it was raised."""
    packed_alone, told = pickle.loads(data)
    error: BaseException = pickle.loads(packed_alone)
    set_cause(error, _RemoteTraceback(told))
    return error


def _packed_alone(error: BaseException) -> bytes:
    problem: Exception | None = None
    for is_whole in (True, False):
        try:
            data = _dumped(error, is_whole)
            pickle.loads(data)
        except Exception as found:
            problem = found
        else:
            return data
    assert problem is not None
    msg = f"{text_of(error)} (it cannot be sent whole: {text_of(problem)})"
    replacement = RuntimeError(msg)
    add_notes(replacement, [note for note in notes_of(error) if type(note) is str])
    return _dumped(replacement, is_whole=True)


def _dumped(error: BaseException, is_whole: bool) -> bytes:
    buffer = io.BytesIO()
    _Pickler(buffer, is_whole).dump(error)
    return buffer.getvalue()


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, is_whole: bool) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._is_whole = is_whole
        self._left_out = (_NOTES,) if is_whole else (_NOTES, TOLD)

    def reducer_override(self, value: Any) -> Any:
        if not issubclass(type(value), BaseException):
            return NotImplemented
        reduced = value.__reduce_ex__(pickle.HIGHEST_PROTOCOL)
        if not isinstance(reduced, tuple) or len(reduced) > 3:
            return NotImplemented
        make, args, state = (*reduced, None)[:3]
        notes = notes_of(value)
        if not self._is_whole:
            notes = [note for note in notes if type(note) is str]
        if isinstance(state, dict):
            left_out = self._left_out
            state = {name: each for name, each in state.items() if name not in left_out}
        return make, args, (state, notes), None, None, _restore


def _restore(error: BaseException, state: tuple[Any, list[Any]]) -> None:
    """Give an exception that was read the state that it had."""
    own, notes = state
    if type(error).__setstate__ is not BaseException.__setstate__:
        if own:
            error.__setstate__(own)
    else:
        for name, value in (own or {}).items():
            try:
                BaseException.__setattr__(error, name, value)
            except AttributeError:  # a property without a setter
                attributes_of(error)[name] = value
    if notes:
        attributes_of(error)[_NOTES] = notes
