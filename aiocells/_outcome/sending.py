"""Exceptions as bytes, to be read in another process, or at another time.

By itself `pickle` loses what frozen exceptions have, notes among it, or cannot read
them again.
"""

import io
import pickle
from typing import Any

from aiocells._outcome.exceptions import add_notes, attributes_of, notes_of, text_of
from aiocells._outcome.failures import TOLD

_NOTES = "__notes__"


def packed(error: BaseException) -> bytes:
    """An exception as bytes.

    Notes come along, and what `failures` tells, where that can be sent. What cannot be
    sent at all is replaced by a RuntimeError that tells of it.
    """
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
