"""Results as JSON, whatever their values are."""

import collections.abc
import contextlib
import dataclasses
import datetime
import enum
import json
import math
import numbers
import pathlib
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from aiocells._cli import frames
from aiocells._declaring.showing import SECRET, is_secret_name, shown

_MAX_DEPTH = 50
_LEVELS_CUT_OFF = 6  # of what is deeper
_AS_TEXT = (datetime.timedelta, pathlib.PurePath, uuid.UUID)
_BYTES = (bytes, bytearray)
_LISTED = (list, tuple, collections.deque)


def dumps(results: Mapping[str, Any]) -> str:
    """Results by name as the text of a JSON object.

    Objects of attrs, dataclasses and pydantic become objects with their fields; arrays
    become arrays, and tables arrays of objects; paths, dates and the like become text;
    NaN and the infinities null; what else JSON cannot hold is shown as its repr.
    """
    members = []
    for name, value in results.items():
        try:
            text = json.dumps(_plain(value, ()), indent=2, allow_nan=False)
        except Exception:  # some object does not behave; the other results matter
            text = json.dumps(shown(value))
        # A newline in JSON is never part of a string.
        members.append(f"  {json.dumps(name)}: " + text.replace("\n", "\n  "))
    return "{\n" + ",\n".join(members) + "\n}"


def _plain(value: Any, inside: tuple[int, ...]) -> Any:
    """A value in terms of JSON; `inside` are the ids of the containers around it."""
    if value is None or isinstance(value, str):
        return value
    # numpy counts its durations among the integers.
    if isinstance(value, numbers.Number) and type(value).__name__ != "timedelta64":
        return _plain_number(value)
    if isinstance(value, enum.Enum):
        return _plain(value.value, inside)
    contents = _contents(value)
    if contents is value and not isinstance(value, _LISTED):
        return _leaf(value)
    if id(value) in inside:
        return "..."
    if len(inside) == _MAX_DEPTH:
        return shown(value, _LEVELS_CUT_OFF)
    inside = (*inside, id(value))
    if isinstance(contents, dict):
        return {name: _plain(each, inside) for name, each in contents.items()}
    if isinstance(contents, _LISTED):
        return [_plain(each, inside) for each in contents]
    return _plain(contents, inside)


def _plain_number(number: numbers.Number) -> Any:
    # The abstract types know the numbers of other libraries too.
    if isinstance(number, numbers.Integral):
        return number if isinstance(number, int) else int(number)
    if isinstance(number, numbers.Real) and not isinstance(number, numbers.Rational):
        real = float(number)
        return real if math.isfinite(real) else None
    return str(number)


def _contents(value: Any) -> Any:
    """The named or listed contents of a value; itself where it has neither."""
    if attrs.has(type(value)):
        names = [field.name for field in attrs.fields(type(value))]
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
    elif isinstance(value, tuple) and (fields := getattr(value, "_fields", None)):
        names = list(fields)
    elif isinstance(value, Mapping):
        return _members(value)
    elif isinstance(value, collections.abc.Set):
        return _sorted(value)
    elif isinstance(value, _LISTED):
        return value
    else:
        contents = frames.contents_of(value)
        return _members(contents) if isinstance(contents, dict) else contents
    held = [name for name in names if hasattr(value, name)]
    return {name: _entry(name, getattr(value, name)) for name in held}


def _members(mapping: Mapping[Any, Any]) -> dict[str, Any] | list[Any]:
    """A mapping by text; a list of pairs where that would lose some."""
    pairs = [(key, _entry(key, value)) for key, value in mapping.items()]
    named = {_key(key): value for key, value in pairs}
    return named if len(named) == len(pairs) else pairs


def _entry(name: Any, value: Any) -> Any:
    """A value, unless its name says that it is secret."""
    return SECRET if is_secret_name(name) else value


def _key(key: Any) -> str:
    plain = _plain(key, ())
    return plain if isinstance(plain, str) else json.dumps(plain)


def _sorted(values: Iterable[Any]) -> list[Any]:
    """In an order that is the same in every run."""
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=repr)


def _leaf(value: Any) -> Any:
    """What is no container: as text, or as pydantic has it, or as its repr.

    pydantic gives its models with their fields, and addresses, patterns and the like.
    """
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, _AS_TEXT):
        return str(value)
    if isinstance(value, _BYTES):
        return repr(bytes(value))
    if not isinstance(value, collections.abc.Iterator):  # it would be used up
        with contextlib.suppress(Exception):
            import pydantic_core

            return _plain(pydantic_core.to_jsonable_python(value), ())
    return _repr(value)


def _repr(value: Any) -> str:
    try:
        return repr(value)
    except Exception:
        return object.__repr__(value)
