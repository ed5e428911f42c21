"""Values of many kinds, made alike in every process, and their digests."""

import array
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import ipaddress
import operator
import pathlib
import re
import types
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

import attrs

from aiocells._fingerprints.fingerprints import Fingerprints


class Colour(enum.Enum):
    """An enumeration."""

    RED = 1
    GREEN = "g"


class Access(enum.Flag):
    """Flags, which may be combined."""

    READ = 1
    WRITE = 2


@dataclasses.dataclass
class Order:
    """A dataclass."""

    name: str
    items: dict[str, int] = dataclasses.field(default_factory=dict)

    def total(self) -> int:
        """A method, which counts too."""
        return sum(self.items.values())


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Point:
    """A dataclass with slots."""

    x: float
    y: float = 0.0


@attrs.frozen
class Place:
    """A class of attrs, with a generated `__hash__`."""

    name: str
    tags: frozenset[str] = frozenset()


@attrs.define
class Trip:
    """A class of attrs with a converter and a validator."""

    days: int = attrs.field(converter=int, validator=attrs.validators.instance_of(int))


class Slots:
    """A class whose slots are in no order."""

    __slots__ = {"one", "other", "third"}

    def __init__(self) -> None:
        """Fill them."""
        self.one, self.other, self.third = 1, 2, 3


class Pair(NamedTuple):
    """A named tuple."""

    left: int
    right: str = "r"


class Text(str):
    """A subclass of text."""

    __slots__ = ()


class Own:
    """Says itself what its digest is."""

    def __init__(self, told: Any) -> None:
        """Have a digest, and something that has none."""
        self.told = told
        self.lock = (each for each in ())

    def __aiocells_digest__(self) -> Any:
        """What it is told by."""
        return self.told


def add(one: int, other: int = 1) -> int:
    """A function."""
    return one + other


@functools.cache
def cached(number: int) -> int:
    """A function with a memory."""
    return add(number)


KINDS: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "bool": lambda: True,
    "int": lambda: 10**30,
    "float": lambda: 0.1,
    "negative zero": lambda: -0.0,
    "nan": lambda: float("nan"),
    "complex": lambda: 1j,
    "text": lambda: "ä\ud800",
    "bytes": lambda: b"\0",
    "bytearray": lambda: bytearray(b"ab"),
    "tuple": lambda: (1, "a", (2, [3])),
    "list": lambda: [1, "a", {"b": None}],
    "dict": lambda: {"b": 1, "a": [2], 3: 4},
    "set": lambda: {"one", "two", "three", 4},
    "set of tuples": lambda: {("one", 1), ("two", 2), ("three", 3)},
    "frozenset": lambda: frozenset({frozenset({"a", "b", ("c",)}), "d"}),
    "range": lambda: range(3),
    "slice": lambda: slice(1, None, 2),
    "ellipsis": lambda: ...,
    "deque": lambda: collections.deque([1, 2], maxlen=3),
    "counter": lambda: collections.Counter("abca"),
    "ordered dict": lambda: collections.OrderedDict(b=1, a=2),
    "default dict": lambda: collections.defaultdict(list, a=[1]),
    "array": lambda: array.array("d", [1, 2]),
    "date": lambda: datetime.date(2020, 2, 29),
    "time with zone": lambda: datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC),
    "timedelta": lambda: datetime.timedelta(days=1, seconds=2),
    "decimal": lambda: decimal.Decimal("1.10"),
    "fraction": lambda: fractions.Fraction(1, 3),
    "path": lambda: pathlib.PurePosixPath("a/b"),
    "uuid": lambda: uuid.UUID(int=7),
    "address": lambda: ipaddress.ip_address("127.0.0.1"),
    "pattern": lambda: re.compile("a+", re.IGNORECASE),
    "enum": lambda: Colour.RED,
    "flag": lambda: Access.READ | Access.WRITE,
    "no flag": lambda: Access(0),
    "dataclass": lambda: Order("ann", {"tea": 2}),
    "dataclass with slots": lambda: Point(1.5),
    "attrs": lambda: Place("Oslo", frozenset({"sea", "snow"})),
    "attrs with a converter": lambda: Trip("3"),  # type: ignore[arg-type]
    "slots": Slots,
    "named tuple": lambda: Pair(1),
    "subclass of text": lambda: Text("a"),
    "namespace": lambda: types.SimpleNamespace(a=1, b=[2]),
    "exception": lambda: ValueError("no", 3),
    "class": lambda: Order,
    "class of attrs": lambda: Place,
    "class of Python": lambda: int,
    "generic alias": lambda: dict[str, list[int]],
    "union": lambda: int | None,
    "function": lambda: add,
    "function with a memory": lambda: cached,
    "built-in function": lambda: len,
    "bound built-in": lambda: ", ".join,
    "unbound method": lambda: str.upper,
    "method": lambda: Order("bob").total,
    "partial": lambda: functools.partial(add, other=2),
    "getter": lambda: operator.itemgetter(1, "a"),
}
# Pickle has no word for these.
ONLY_DIGESTED: dict[str, Callable[[], Any]] = {
    "memoryview": lambda: memoryview(b"abc"),
    "mappingproxy": lambda: types.MappingProxyType({"a": 1}),
    "method wrapper": lambda: (5).__add__,
    "own digest": lambda: Own([1]),
    "module": lambda: operator,
}


def digests() -> dict[str, str]:
    """The fingerprints of all of them, as text."""
    fingerprints = Fingerprints()
    made = {**KINDS, **ONLY_DIGESTED}
    return {kind: fingerprints.of(make()).hex() for kind, make in made.items()}
