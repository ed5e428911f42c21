"""How messages show values: short, quickly, and without running anybody's code."""

import collections
import dataclasses
import datetime
import decimal
import enum
import functools
import pathlib
import types
import uuid
import zoneinfo
from collections.abc import Iterator
from typing import Any, NamedTuple

import attrs
import pytest

from aiocells._declaring.parameters import parameters_of
from aiocells._declaring.showing import is_secret_name, shown


class Color(enum.Enum):
    """A class of members."""

    RED = "red"


class Size(enum.IntEnum):
    """Members that are numbers."""

    LARGE = 3


@dataclasses.dataclass
class Account:
    """Shows itself as dataclasses do, without its secret."""

    name: str
    secret: str = dataclasses.field(default="secret", repr=False)
    shared: dataclasses.InitVar[int] = 3


@dataclasses.dataclass(frozen=True, slots=True)
class Slotted:
    """Keeps its fields in slots."""

    name: str
    inner: Any = None


@attrs.frozen
class Login:
    """Shows itself as attrs does, but for what has a repr of its own."""

    name: str
    password: str = attrs.field(default="secret", repr=lambda _: "***")
    token: str = attrs.field(default="secret", repr=False)


class Point(NamedTuple):
    """A named tuple."""

    x: int
    y: list[int]


class Words(list[str]):
    """A list that shows itself as one."""

    def __iter__(self) -> Iterator[str]:
        """Run code of its own."""
        raise SystemExit


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "None"),
        (True, "True"),
        (42, "42"),
        (-(10**80), f"-1{'0' * 26}...{'0' * 29}"),
        (10**5000, "<int of 16610 bits>"),
        (2.5, "2.5"),
        (1j, "1j"),
        ("ada@example.org", "'ada@example.org'"),
        ("it's", '"it\'s"'),
        (b"bytes", "b'bytes'"),
        (bytearray(b"x"), "bytearray(b'x')"),
        (range(3), "range(0, 3)"),
        (int, "<class 'int'>"),
        (len, "<built-in function len>"),
        ([], "[]"),
        ([1, "two"], "[1, 'two']"),
        (list(range(7)), "[0, 1, 2, 3, 4, 5, ...]"),
        (list(range(6)), "[0, 1, 2, 3, 4, 5]"),
        ([[[[1]]]], "[[[[...]]]]"),
        ((), "()"),
        ((1,), "(1,)"),
        ([[[(1,)]]], "[[[(...)]]]"),
        (set(), "set()"),
        ({"b", "a"}, "{'a', 'b'}"),
        (frozenset({1}), "frozenset({1})"),
        (set(range(9)), "{0, 1, 2, 3, 4, 5, ...}"),
        ({}, "{}"),
        ({"a": [1], "b": 2}, "{'a': [1], 'b': 2}"),
        (dict.fromkeys(range(7), 0), "{0: 0, 1: 0, 2: 0, 3: 0, 4: 0, 5: 0, ...}"),
        (collections.OrderedDict(a=1), "OrderedDict({'a': 1})"),
        (collections.Counter("aab"), "Counter({'a': 2, 'b': 1})"),
        (collections.defaultdict(list, a=[]), "defaultdict(..., {'a': []})"),
        (collections.deque([1, 2]), "deque([1, 2])"),
        (Color.RED, "<Color.RED: 'red'>"),
        (Size.LARGE, "<Size.LARGE: 3>"),
        (decimal.Decimal("1.10"), "Decimal('1.10')"),
        (datetime.date(2024, 1, 2), "datetime.date(2024, 1, 2)"),
        (datetime.timedelta(1), "datetime.timedelta(days=1)"),
        (
            datetime.datetime(2024, 1, 2, tzinfo=datetime.UTC),
            "datetime.datetime(2024, 1, 2, 0, 0, tzinfo=datetime.timezone.utc)",
        ),
        (datetime.time(1, 2), "datetime.time(1, 2)"),
        (uuid.UUID(int=1), "UUID('00000000-0000-0000-0000-000000000001')"),
        (zoneinfo.ZoneInfo("UTC"), "zoneinfo.ZoneInfo(key='UTC')"),
        (pathlib.Path("a/b"), f"{type(pathlib.Path()).__name__}('a/b')"),
        (Account("ada"), "Account(name='ada')"),
        (Slotted("ada", [1]), "Slotted(name='ada', inner=[1])"),
        (
            Slotted("a", Slotted("b", Slotted("c", Slotted("d")))),
            "Slotted(name='a', inner=Slotted(name='b', inner=Slotted(name='c', "
            "inner=Slotted(...))))",
        ),
        (Login("ada"), "Login(name='ada')"),
        (Point(1, [2]), "Point(x=1, y=[2])"),
        (Words(["a"]), "['a']"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_known_is_shown_as_python_shows_it(value: Any, expected: str) -> None:
    """The usual types, and classes whose repr others wrote; long ones are cut."""
    assert shown(value) == expected


@pytest.mark.parametrize("kind", [str, bytes, bytearray])
def test_long_texts_lose_their_middle(kind: Any) -> None:
    """Both ends are shown, of no more than is needed."""
    text = "a" * 50 + "-" * 10_000_000 + "c" * 50
    value = text if kind is str else kind(text, "ascii")
    assert len(shown(value)) == 60
    start, _, end = shown(value).partition("...")
    assert "aaaaaa" in start
    assert "-" not in start + end
    assert "cccccc" in end


class Quiet:
    """An object whose class has code of its own."""

    def __repr__(self) -> str:
        """Take the place of everything."""
        raise SystemExit

    __str__ = __repr__
    __len__ = __hash__ = __eq__ = __bool__ = __repr__  # type: ignore[assignment]


@dataclasses.dataclass
class Written:
    """A dataclass that shows itself in its own way."""

    name: str

    def __repr__(self) -> str:
        """Take the place of everything."""
        raise SystemExit


class Zone(datetime.tzinfo):
    """A time zone of somebody's."""

    __repr__ = Quiet.__repr__


class Secret(str):
    """A text that hides itself."""

    __slots__ = ()
    __repr__ = Quiet.__repr__


@pytest.mark.parametrize(
    "value",
    [
        Quiet(),
        Written("ada"),
        Secret("secret"),
        datetime.datetime(2024, 1, 2, tzinfo=Zone()),
        functools.partial(print, Quiet()),
        types.SimpleNamespace(quiet=Quiet()),
    ],
    ids=lambda value: type(value).__name__,
)
def test_of_what_is_not_known_the_type_is_shown(value: Any) -> None:
    """The code of its class is not run; neither is that of what it holds."""
    expected = f"<{type(value).__name__} instance at {id(value):#x}>"
    assert shown(value) == expected
    assert shown([value]) == f"[{expected}]"
    assert shown({1: value}) == f"{{1: {expected}}}"
    assert shown(Slotted("a", value)) == f"Slotted(name='a', inner={expected})"


def test_a_field_that_is_not_there_does_no_harm() -> None:
    """An object that was not made whole is shown by its type."""
    value = object.__new__(Slotted)
    assert shown(value).startswith("<Slotted instance at 0x")


def test_a_field_is_not_asked_for() -> None:
    """What a class computes in place of a field is not computed."""

    @dataclasses.dataclass
    class Computed:
        name: str

    def name(_: Any) -> str:
        raise SystemExit

    value = Computed("ada")
    Computed.name = property(name)  # type: ignore[assignment]
    assert "Computed(name=<property instance at 0x" in shown(value)


@pytest.mark.parametrize("module", ["numpy", "pandas.core.frame"])
def test_tables_are_shown_by_their_shape(module: str) -> None:
    """Arrays and data frames, which nobody wants to read in a message."""
    name = "ndarray" if module == "numpy" else "DataFrame"
    kind = type(name, (Quiet,), {"__module__": module, "shape": (1000, 4)})
    assert shown(kind()) == f"<{name} of shape (1000, 4)>"


def test_numbers_of_numpy_are_shown() -> None:
    """They are what a cell often takes, and short."""
    name = {"__module__": "numpy", "__repr__": lambda _: "np.float64(2.5)"}
    assert shown(type("float64", (), name)()) == "np.float64(2.5)"


def test_no_more_is_made_than_is_shown() -> None:
    """Large values, and those of many levels, cost no more than small ones."""
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested, nested, nested]
    assert shown(nested).startswith("[[[[...], [...], [...]], [[...], [...]")
    while nested:
        nested = nested.pop()
    assert shown(set(range(1_000_000))).startswith("{0, 1, 2")
    assert shown(dict.fromkeys(range(1_000_000))).endswith(", ...}")


def test_what_a_partial_fixes_is_shown_harmlessly() -> None:
    """The reason why a parameter cannot be bound shows the value, and runs no code."""

    def scaled(factor: Any, size: int) -> None: ...

    unbindable = parameters_of(functools.partial(scaled, factor=3)).unbindable
    assert unbindable == {"factor": "functools.partial fixes it to 3"}
    unbindable = parameters_of(functools.partial(scaled, factor=Quiet())).unbindable
    assert "fixes it to <Quiet instance at 0x" in unbindable["factor"]


class Wild(str):
    """A key that runs code when it is looked at."""

    __slots__ = ()

    def __hash__(self) -> int:
        """No number."""
        raise SystemExit

    def lower(self) -> str:
        """No letters."""
        raise SystemExit


@pytest.mark.parametrize(("name", "hides"), [("DB-Password", True), ("city", False)])
def test_no_code_of_a_name_is_run_to_know_whether_it_is_secret(
    name: str, hides: bool
) -> None:
    """It counts by its letters."""
    assert is_secret_name(Wild(name)) == is_secret_name(name) == hides
