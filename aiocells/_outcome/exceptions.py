"""Exceptions, looked at and added to without running the code of their classes.

A class may refuse attributes, as frozen ones do, or have attributes, notes and a text
of its own making. What we know about a failure must never take the place of the
failure. So an exception is handled here as the interpreter itself handles it: by what
BaseException stores.
"""

import types
from collections.abc import Iterable
from typing import Any, NoReturn

from aiocells._declaring.showing import shortened, shown

MOST_LETTERS = 300

_stored = vars(BaseException)
_args, _attributes = _stored["args"], _stored["__dict__"]
_cause, _context = _stored["__cause__"], _stored["__context__"]
_traceback = _stored["__traceback__"]
_members = vars(BaseExceptionGroup)["exceptions"]
_NOTES = "__notes__"


def attributes_of(error: BaseException) -> dict[str, Any]:
    """The attributes that an exception itself has; what is put there, it has."""
    return _attributes.__get__(error)  # type: ignore[no-any-return]


def set_cause(error: BaseException, cause: BaseException | None) -> None:
    """Say what an exception was raised from."""
    _cause.__set__(error, cause)


def cause_of(error: BaseException) -> BaseException | None:
    """What an exception was raised from."""
    return _cause.__get__(error)  # type: ignore[no-any-return]


def members_of(error: BaseException) -> tuple[BaseException, ...]:
    """The exceptions in one that is a group; none in another."""
    if not issubclass(type(error), BaseExceptionGroup):
        return ()
    return _members.__get__(error)  # type: ignore[no-any-return]


def context_of(error: BaseException) -> BaseException | None:
    """What was being handled when an exception was raised."""
    return _context.__get__(error)  # type: ignore[no-any-return]


def set_context(error: BaseException, context: BaseException | None) -> None:
    """Say what was being handled when an exception was raised."""
    _context.__set__(error, context)


def traceback_of(error: BaseException) -> types.TracebackType | None:
    """Where an exception was raised."""
    return _traceback.__get__(error)  # type: ignore[no-any-return]


def set_traceback(error: BaseException, traceback: types.TracebackType | None) -> None:
    """Say where an exception was raised."""
    _traceback.__set__(error, traceback)


def raise_as_it_is(error: BaseException) -> NoReturn:
    """Raise an exception that was raised before, and leave its context as it is.

    Python would put what the caller is handling in its place.
    """
    context = context_of(error)
    try:
        raise error
    finally:
        set_context(error, context)
        del error, context


# Notes


def notes_of(error: BaseException) -> list[Any]:
    """The notes of an exception, as far as they are kept in a way that is known."""
    found: Any = attributes_of(error).get(_NOTES)
    if found is None:
        found = _of_class(error)
    if type(found) is types.MemberDescriptorType:
        try:
            found = found.__get__(error)
        except AttributeError:  # a slot that nothing is in yet
            found = None
    kind = type(found)
    if issubclass(kind, list):
        return list.copy(found)
    if issubclass(kind, tuple):
        return list(tuple.__iter__(found))
    return [found] if issubclass(kind, str) else []


def set_notes(error: BaseException, notes: list[Any]) -> None:
    """Say what an exception's notes are, unless it makes them itself."""
    of_class = _of_class(error)
    if type(of_class) is types.MemberDescriptorType:
        of_class.__set__(error, notes)
    elif not hasattr(type(of_class), "__set__"):
        attributes_of(error)[_NOTES] = notes


def add_notes(error: BaseException, texts: Iterable[str]) -> None:
    """Add notes, each once."""
    notes = notes_of(error)
    known = {note for note in notes if type(note) is str}
    notes += [text for text in dict.fromkeys(texts) if text not in known]
    set_notes(error, notes)


def has_start(notes: list[Any], start: str) -> bool:
    """Whether one of an exception's notes starts so."""
    for note in notes:
        if issubclass(type(note), str) and str.startswith(note, start):
            return True
    return False


def _of_class(error: BaseException) -> Any:
    """What the class of an exception says that its notes are."""
    for each in type(error).__mro__:
        if _NOTES in vars(each):
            return vars(each)[_NOTES]
    return None


# Texts


def text_of(error: BaseException) -> str:
    """The type and the text of an exception; the text is short, whatever it holds."""
    kind = type(error)
    text = shortened(_own_text(error, kind.__str__), MOST_LETTERS)
    return f"{kind.__name__}: {text}" if text else kind.__name__


def _own_text(error: BaseException, make: Any) -> str:
    args: tuple[Any, ...] = _args.__get__(error)
    is_plain = make is BaseException.__str__
    if (is_plain or make is KeyError.__str__) and len(args) < 2:
        if not args:
            return ""
        text = args[0]
        if is_plain and issubclass(type(text), str):
            return str.__getitem__(text, slice(MOST_LETTERS + 1))
        return shown(text)
    if is_plain:
        return shown(args)
    try:
        return str(make(error))
    except BaseException:
        # It is its own code, which may raise anything.
        return "(its text cannot be made)"
