"""Refusing options that are of the wrong kind, with a word on what is right."""

import reprlib
from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, TypeAlias, get_args

# How many cells at once, or a limiter that other computations share.
Limit: TypeAlias = int | AbstractAsyncContextManager[Any]
OnError = Literal["raise", "group", "continue"]

_ON_ERROR: frozenset[str] = frozenset(get_args(OnError))


def check_on_error(on_error: str) -> None:
    """Refuse what is none of the three.

    Raises:
        ValueError: it is not.
    """
    if not isinstance(on_error, str) or on_error not in _ON_ERROR:
        msg = f"on_error={on_error!r}: expected 'raise', 'group' or 'continue'."
        raise ValueError(msg)


def checked_mapping(option: str, items: str, given: Any) -> Mapping[Any, Any]:
    """A mapping that was given as an option, which may be None for an empty one.

    Args:
        option: its name.
        items: what it looks like within, such as "cell: value".
        given: what was given. Empty things of another kind are refused as well, as
            they are a mistake that would show up with the first thing in them.

    Raises:
        TypeError: it is no mapping.
    """
    if given is None:
        return {}
    # To ask whether it is a Mapping takes four times as long.
    if type(given) is not dict and not isinstance(given, Mapping):
        shown = reprlib.repr(given)
        msg = f"{option}= takes a mapping, {option}={{{items}}}, not {shown}."
        raise TypeError(msg)
    return given


def is_iterable(given: Any) -> bool:
    """Whether something can be gone through; text can, but is never meant to be."""
    # To ask whether it is an Iterable takes four times as long.
    return type(given) is list or (
        isinstance(given, Iterable) and not isinstance(given, str | bytes)
    )
