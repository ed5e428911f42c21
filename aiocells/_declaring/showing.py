"""Showing values in messages: in bounded time, and without running anybody's code.

The `repr` of a value may take seconds, and may raise anything. So values are shown as
Python shows them only where that is known to do no harm: those of the usual types of
the standard library, and of classes whose `repr` was written by dataclasses, attrs or
NamedTuple. Of anything else the type is shown. Of a dict's entry, or an object's part,
whose name says that it is secret nothing is.
"""

import enum
import functools
import inspect
import itertools
import types
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from aiocells import errors

MOST_LEVELS = 3
MOST_ITEMS = 6
MOST_LETTERS = 60
# Python takes long to write out larger ones, or refuses to.
_MOST_BITS = 2000

# What is shown for a secret.
SECRET = "•••"


class _Hidden:
    def __repr__(self) -> str:
        return SECRET


HIDDEN = _Hidden()


class Shown:
    """Stands for a value of which is known how it was shown elsewhere.

    Args:
        text: how.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


# Types that show themselves quickly, by name: most of them may never be imported.
_QUICK = frozenset(
    (
        "builtins.NoneType",
        "builtins.NotImplementedType",
        "builtins.builtin_function_or_method",
        "builtins.ellipsis",
        "builtins.function",
        "datetime.date",
        "datetime.timedelta",
        "datetime.timezone",
        "pathlib.PosixPath",
        "pathlib.WindowsPath",
        "pathlib._local.PosixPath",
        "pathlib._local.WindowsPath",
        "uuid.UUID",
        "zoneinfo.ZoneInfo",
    )
)
_QUICK_NUMBERS = (
    "decimal.Decimal",
    *(f"numpy.{each}" for each in ("bool", "complex", "float", "int", "uint")),
    *(f"numpy.{each}64" for each in ("datetime", "timedelta")),
)
_WITH_TIME_ZONE = ("datetime.datetime", "datetime.time")
_TABLES = (
    "numpy.ndarray",
    "pandas.DataFrame",
    "pandas.Series",
    "pandas.core.frame.DataFrame",
    "pandas.core.series.Series",
)


class _Named(NamedTuple):
    part: int


# All named tuples show themselves with the same code.
_CODE_OF_NAMED_TUPLES = vars(_Named)["__repr__"].__code__


def shown(value: Any, levels: int = MOST_LEVELS) -> str:
    """A value as messages show it: short, whatever it is.

    Args:
        value: anything.
        levels: how deep to look into what it holds.
    """
    kind = type(value)
    try:
        show = _BY_REPR.get(kind.__repr__)
        if show is not None:
            return show(value, levels)
        text = _shown_by_name(value, f"{kind.__module__}.{kind.__qualname__}")
        if text is not None:
            return text
        parts = _parts(value, kind)
        if parts is not None:
            texts = (
                f"{name}={shown_of(name, part, levels - 1)}" for name, part in parts
            )
            return _held(f"{kind.__name__}(", texts, ")", levels)
    except Exception:  # it changed meanwhile, or is not what it seemed
        pass
    return f"<{kind.__name__} instance at {id(value):#x}>"


def is_secret_name(name: object) -> bool:
    """Whether a name says that what it names is secret, as "DB_PASSWORD" does.

    Args:
        name: of a cell, an input, a parameter, or a key of a dict. The names of HTTP
            headers, with hyphens and perhaps as bytes, count alike.
    """
    if isinstance(name, bytes):
        name = bytes.decode(name, "latin-1")
    if not isinstance(name, str):
        return False
    if type(name) is not str:  # its own code is not run
        name = str.__str__(name)
    # Of a frozenset this is itself, which knows its hash.
    return _has_secret_part(name, frozenset(errors.SECRET_NAMES))


@functools.lru_cache
def _has_secret_part(name: str, secret_names: frozenset[str]) -> bool:
    """The same, remembered: each failure asks it of a dozen names."""
    told = _between_underscores(name)
    return any(part in told for part in _secret_parts(secret_names))


@functools.lru_cache
def _secret_parts(secret_names: frozenset[str]) -> tuple[str, ...]:
    """What secret names look like; a cache asks it of the name of each cell."""
    return tuple(map(_between_underscores, secret_names))


def _between_underscores(name: str) -> str:
    return f"_{name.lower().replace('-', '_')}_"


def shown_of(name: object, value: Any, levels: int = MOST_LEVELS) -> str:
    """A value as messages show it, unless its name says that it is secret."""
    return SECRET if is_secret_name(name) else shown(value, levels)


def shortened(text: str, most: int) -> str:
    """The start of a text, where it is longer than `most` letters."""
    return text if len(text) <= most else text[: most - 3] + "..."


def _shown_by_name(value: Any, name: str) -> str | None:
    if name in _QUICK or name.startswith(_QUICK_NUMBERS):
        return _without_middle(repr(value))
    if name in _WITH_TIME_ZONE:
        zone = type(value.tzinfo)
        if f"{zone.__module__}.{zone.__qualname__}" in _QUICK:
            return repr(value)
    if name in _TABLES:
        return f"<{type(value).__name__} of shape {value.shape}>"
    return None


def _parts(value: Any, kind: Any) -> Iterable[tuple[str, Any]] | None:
    """The parts of an object that its class shows; None where that is its own code."""
    show = kind.__repr__
    code = getattr(show, "__code__", None)
    if code is _CODE_OF_NAMED_TUPLES:
        return zip(kind._fields, tuple.__iter__(value), strict=True)
    if code is not None and code.co_filename.startswith("<attrs generated"):
        # One with a repr of its own may hide what it holds.
        names = (each.name for each in kind.__attrs_attrs__ if each.repr is True)
        return ((name, _stored(value, name)) for name in names)
    inner = getattr(show, "__wrapped__", None)
    if getattr(inner, "__qualname__", "").startswith("__create_fn__."):
        # Whoever made a dataclass has imported it; others need not wait for it.
        from dataclasses import fields

        names = (each.name for each in fields(kind) if each.repr)
        return ((name, _stored(value, name)) for name in names)
    return None


def _stored(value: Any, name: str) -> Any:
    """An attribute, where it is one; a property is not asked."""
    found = inspect.getattr_static(value, name)
    is_slot = type(found) is types.MemberDescriptorType
    return found.__get__(value) if is_slot else found


def _held(start: str, texts: Iterator[str], end: str, levels: int) -> str:
    """What something holds, of which no more is made than is shown."""
    if levels <= 0:
        return f"{start}...{end}"
    parts = list(itertools.islice(texts, MOST_ITEMS))
    if len(parts) == MOST_ITEMS and next(texts, None) is not None:
        parts.append("...")
    return f"{start}{', '.join(parts)}{end}"


def _without_middle(text: str) -> str:
    if len(text) <= MOST_LETTERS:
        return text
    half = (MOST_LETTERS - 3) // 2
    return f"{text[:half]}...{text[half + 3 - MOST_LETTERS :]}"


# How a value is shown, by the repr of its type: a class that is made from `list` and
# shows itself as one is a list, and is looked into as if nothing were overridden.

_Show = Callable[[Any, int], str]


def _always(show: Callable[[Any], str]) -> _Show:
    return lambda value, _: show(value)


def _whole(value: int, _: int) -> str:
    bits = int.bit_length(value)
    if bits > _MOST_BITS:
        return f"<int of {bits} bits>"
    return _without_middle(int.__repr__(value))


def _text(kind: Any) -> _Show:
    def show(value: Any, _: int) -> str:
        part = kind.__getitem__(value, slice(MOST_LETTERS))
        if kind.__len__(value) > MOST_LETTERS:
            half = MOST_LETTERS // 2
            part = part[:half] + kind.__getitem__(value, slice(-half, None))
        return _without_middle(repr(part))

    return show


def _sequence(kind: Any, start: str, end: str) -> _Show:
    def show(value: Any, levels: int) -> str:
        texts = (shown(each, levels - 1) for each in kind.__iter__(value))
        return _held(start, texts, end, levels)

    return show


def _tuple(value: tuple[Any, ...], levels: int) -> str:
    is_one = tuple.__len__(value) == 1 and levels > 0
    return _sequence(tuple, "(", ",)" if is_one else ")")(value, levels)


def _set(kind: Any, start: str, end: str) -> _Show:
    def show(value: Any, levels: int) -> str:
        count = kind.__len__(value)
        if not count:
            return f"{kind.__name__}()"
        texts = (shown(each, levels - 1) for each in kind.__iter__(value))
        if count > MOST_ITEMS:
            return _held(start, texts, end, levels)
        # All of them, in an order that does not depend on their hashes.
        return _held(start, iter(sorted(texts)), end, levels)

    return show


def _mapping(start: str, end: str) -> _Show:
    def show(value: Any, levels: int) -> str:
        texts = (
            f"{shown(key, levels - 1)}: {shown_of(key, each, levels - 1)}"
            for key, each in dict.items(value)
        )
        return _held(start, texts, end, levels)

    return show


def _member(value: Any, levels: int) -> str:
    known = vars(value)
    name = f"{type(value).__name__}.{known['_name_']}"
    return f"<{name}: {shown(known['_value_'], levels - 1)}>"


_BY_REPR: dict[Any, _Show] = {
    bool.__repr__: _always(bool.__repr__),
    bytearray.__repr__: _text(bytearray),
    bytes.__repr__: _text(bytes),
    complex.__repr__: _always(complex.__repr__),
    Counter.__repr__: _mapping("Counter({", "})"),
    defaultdict.__repr__: _mapping("defaultdict(..., {", "})"),
    deque.__repr__: _sequence(deque, "deque([", "])"),
    dict.__repr__: _mapping("{", "}"),
    enum.Enum.__repr__: _member,
    float.__repr__: _always(float.__repr__),
    frozenset.__repr__: _set(frozenset, "frozenset({", "})"),
    int.__repr__: _whole,
    list.__repr__: _sequence(list, "[", "]"),
    OrderedDict.__repr__: _mapping("OrderedDict({", "})"),
    range.__repr__: _always(range.__repr__),
    set.__repr__: _set(set, "{", "}"),
    Shown.__repr__: _always(Shown.__repr__),
    str.__repr__: _text(str),
    tuple.__repr__: _tuple,
    type.__repr__: _always(type.__repr__),
    _Hidden.__repr__: _always(_Hidden.__repr__),
}
