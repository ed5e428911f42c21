"""Arrays and tables of other libraries, as JSON."""

import array
import json
from typing import Any

import pytest

from aiocells._cli import json as encoding
from tests.command_line import printed
from tests.helpers import Modules

np = pytest.importorskip("numpy")
pd = pytest.importorskip("pandas")


def encoded(value: Any) -> Any:
    """What a reader of JSON gets for a value."""
    return json.loads(encoding.dumps({"it": value}))["it"]


STRUCTURED = np.array([(1, "a"), (2, "b")], dtype=[("number", int), ("name", "U1")])
NANOSECOND = "2024-01-01T00:00:00.000000001"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (np.bool_(False), False),
        (np.int64(3), 3),
        (np.uint64(2**64 - 1), 2**64 - 1),
        (np.float32(0.5), 0.5),
        (np.float64("nan"), None),
        (np.longdouble(2), 2.0),
        (np.complex128(2j), "2j"),
        (np.str_("x"), "x"),
        (np.bytes_(b"x"), "b'x'"),
        (np.datetime64("2024-01-01"), "2024-01-01"),
        (np.datetime64(NANOSECOND), NANOSECOND),
        (np.datetime64("NaT", "D"), None),
        (np.timedelta64(90, "m"), "1:30:00"),
        (np.arange(2000), [*range(2000)]),
        (np.array([[1.5, np.nan], [np.inf, 2]]), [[1.5, None], [None, 2.0]]),
        (np.array([True, False]), [True, False]),
        (np.array(3), 3),
        (np.array([]), []),
        (np.array(["a", "b"]), ["a", "b"]),
        (np.array([{1: np.True_}, (2,)], object), [{"1": True}, [2]]),
        (np.array([1, 2], np.longdouble), [1.0, 2.0]),
        (np.array([["2024-01-01", "NaT"]], "M8[ns]"), [[NANOSECOND[:-1] + "0", None]]),
        (np.array([1, "NaT"], "m8[h]"), ["1:00:00", None]),
        (np.ma.masked_array([1, 2], mask=[True, False]), [None, 2]),
        (STRUCTURED, [{"number": 1, "name": "a"}, {"number": 2, "name": "b"}]),
        (STRUCTURED[0], {"number": 1, "name": "a"}),
        ({np.int64(1): 1, np.True_: 2, np.nan: 3}, ...),
        ({np.int64(2): 1, np.str_("b"): 2}, {"2": 1, "b": 2}),
        ([{"deep": np.array([1])}], [{"deep": [1]}]),
        (array.array("i", [1, 2]), [1, 2]),
        (memoryview(b"ab"), [97, 98]),
    ],
)
def test_arrays_are_whole(value: Any, shown: Any) -> None:
    """An array is one of JSON, whatever its size, and what is in it is plain."""
    assert shown in (encoded(value), ...)


def test_a_large_array_is_whole_for_other_programs(modules: Modules) -> None:
    """Where numpy's repr has dots, JSON has all numbers."""
    modules.write(
        "numbers_", "import numpy\n@cell\ndef all(): return numpy.arange(5000)"
    )
    assert json.loads(printed("run", "numbers_", "--json")) == {"all": [*range(5000)]}


DATES = pd.to_datetime(["2024-01-01", None])
TABLE = pd.DataFrame({"a": [1, 2], "b": ["x", None]})


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (TABLE, [{"a": 1, "b": "x"}, {"a": 2, "b": None}]),
        (TABLE[TABLE.a > 1], [{"a": 2, "b": None}]),
        (pd.DataFrame({"a": range(500)}), [{"a": n} for n in range(500)]),
        (pd.DataFrame(), []),
        (pd.DataFrame(index=[0, 1]), [{}, {}]),
        (
            pd.DataFrame({"day": DATES, "ok": pd.array([True, None])}),
            [{"day": "2024-01-01T00:00:00", "ok": True}, {"day": None, "ok": None}],
        ),
        (
            pd.DataFrame({"n": [1.5, np.nan], "c": pd.Categorical(["a", "b"])}),
            [{"n": 1.5, "c": "a"}, {"n": None, "c": "b"}],
        ),
        (
            pd.DataFrame([[1, 2]], columns=["a", "a"]),
            [[["a", 1], ["a", 2]]],
        ),
        (pd.DataFrame([[1, 2]]), [{"0": 1, "1": 2}]),
        (
            pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])),
            [{'["a", "b"]': 1}],
        ),
        (
            pd.DataFrame({"a": [1]}, index=pd.Index([7], name="id")),
            [{"id": 7, "a": 1}],
        ),
        (pd.DataFrame({"a": [1]}, index=["x"]), [{"index": "x", "a": 1}]),
        (
            pd.DataFrame(
                {"a": [1]}, index=pd.MultiIndex.from_tuples([(1, 2)], names=["x", None])
            ),
            [{"x": 1, "level_1": 2, "a": 1}],
        ),
        (pd.Series([1, 2]), [1, 2]),
        (pd.Series([1, None]), [1.0, None]),
        (pd.Series([1, None], dtype="Int64"), [1, None]),
        (pd.Series([1, 2], index=["a", "b"]), {"a": 1, "b": 2}),
        (pd.Series([1, 2], index=["a", "a"]), [["a", 1], ["a", 2]]),
        (pd.Series([1], index=DATES[:1]), {"2024-01-01T00:00:00": 1}),
        (pd.Index(["a", "b"]), ["a", "b"]),
        (DATES, ["2024-01-01T00:00:00", None]),
        (pd.array([1, None]), [1, None]),
        (pd.Timestamp(NANOSECOND), NANOSECOND),
        (pd.Timedelta("1h"), "0 days 01:00:00"),
        (pd.NaT, None),
        (pd.NA, None),
        (pd.Period("2024-01"), "2024-01"),
        (pd.Interval(0, 1), "(0, 1]"),
        ({pd.Interval(0, 1): 1}, {"(0, 1]": 1}),
    ],
)
def test_tables_are_records(value: Any, shown: Any) -> None:
    """A table is an array of objects; an index that tells something is not lost."""
    assert encoded(value) == shown


class Listing:
    """As polars and pyarrow have it."""

    def to_list(self) -> list[Any]:
        """All of it."""
        return [np.int64(1), None]


class Tabular:
    """A table of polars."""

    columns = ("a",)

    def to_dicts(self) -> list[dict[str, Any]]:
        """The records."""
        return [{"a": 1}]


class Around:
    """Lists itself."""

    def tolist(self) -> list[Any]:
        """All of it."""
        return [self]


def test_what_lists_itself_is_listed() -> None:
    """Other libraries are known by their methods, and none is imported."""
    assert encoded(Listing()) == [1, None]
    assert encoded(Tabular()) == [{"a": 1}]
    assert encoded(Around()) == ["..."]
    assert encoded(Listing) == repr(Listing)
