"""Results as JSON."""

import array
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from aiocells._cli import json as encoding
from tests.command_line import ended, printed, refused
from tests.helpers import Modules

VALUES = """\
    import attrs, collections, dataclasses, datetime, decimal, enum, fractions
    import ipaddress, numbers, pathlib, pydantic, re, uuid

    @attrs.frozen
    class Point:
        x: int
        rest: object = attrs.field(init=False)

    @dataclasses.dataclass
    class Line:
        points: list

    class Model(pydantic.BaseModel):
        size: float
        day: datetime.date

    Pair = collections.namedtuple("Pair", "left right")

    class Color(enum.Enum):
        RED = "red"

    class Level(enum.IntEnum):
        HIGH = 3

    class Count:
        def __int__(self): return 7
    numbers.Integral.register(Count)

    around = [1]
    around.append(around)

    deep = []
    for _ in range(1000):
        deep = [deep]

    @cell
    def value(): return {}
"""


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("{'a': [1, 2.5, True, None, 'x']}", {"a": [1, 2.5, True, None, "x"]}),
        ("Line([Point(1), (2, 3)])", {"points": [{"x": 1}, [2, 3]]}),
        ("Pair(1, ())", {"left": 1, "right": []}),
        ("[Color.RED, Level.HIGH]", ["red", 3]),
        ("{3, 1, 2}", [1, 2, 3]),
        ("{1, 'a'}", ["a", 1]),
        ("collections.deque([1])", [1]),
        ("pathlib.PurePosixPath('a/b')", "a/b"),
        ("datetime.datetime(2020, 1, 2, 3)", "2020-01-02T03:00:00"),
        ("[datetime.date(2020, 1, 2), datetime.time(3)]", ["2020-01-02", "03:00:00"]),
        ("datetime.timedelta(hours=1)", "1:00:00"),
        ("uuid.UUID(int=1)", "00000000-0000-0000-0000-000000000001"),
        ("[decimal.Decimal('1.50'), fractions.Fraction(1, 3)]", ["1.50", "1/3"]),
        ("[float('nan'), float('-inf'), 2j, Count()]", [None, None, "2j", 7]),
        ("[b'x', Point, 1 .__add__]", ["b'x'", "<class 'values.Point'>", ...]),
        ("{1: 'a', None: 'b', (2, 3): 'c'}", {"1": "a", "null": "b", "[2, 3]": "c"}),
        ("{1: 'a', '1': 'b'}", [[1, "a"], ["1", "b"]]),
        ("around", [1, "..."]),
        ("10 ** 5000", ...),
        ("'\\ud800 °'", "\ud800 °"),
        ("bytearray(b'x')", "b'x'"),
        ("ipaddress.ip_address('::1')", "::1"),
        ("re.compile('a+')", "a+"),
        ("Model(size=1, day='2024-01-01')", {"size": 1.0, "day": "2024-01-01"}),
        ("Model(size='nan', day='2024-01-01')", {"size": None, "day": "2024-01-01"}),
        ("iter([1])", ...),
        ("range(2)", "range(0, 2)"),
    ],
)
def test_json_holds_any_value(modules: Modules, value: str, shown: object) -> None:
    """What JSON cannot hold is told readably: fields, dates, paths, or the repr."""
    modules.write("values", VALUES.replace("return {}", f"return {value}"))
    found = json.loads(printed("run", "values", "--json"))["value"]
    if isinstance(shown, list) and ... in shown:
        found, shown = found[:-1], shown[:-1]
    assert shown in (found, ...)


def test_json_of_deep_values_ends(modules: Modules) -> None:
    """A value nested too deep for JSON is cut off, and no error."""
    modules.write("values", VALUES.replace("return {}", "return deep"))
    text = printed("run", "values", "--json")
    assert '"[[[[[[[...]]]]]]]"' in text


def test_json_loses_no_value(modules: Modules) -> None:
    """Cells of the same name are told apart by their place, and by a number."""
    modules.write(
        "twice",
        """
        from functools import partial

        def load(number): return number

        one, two = (cell(partial(load, number)) for number in (1, 2))
        three = cell(name="load")(lambda: 3)

        @cell
        @depends_on(parts=[one, two])
        def total(parts): return sum(parts)

        first = cell(name="same")(lambda: 4)
        other = cell(name="same")(lambda: 5)
        again = [cell(name="same")(lambda n=n: n) for n in (6, 7)]

        @cell
        @depends_on(parts=again)
        def rest(parts): return parts
        """,
    )
    found = json.loads(printed("run", "twice", "--json"))
    assert found == {
        "one": 1,
        "two": 2,
        "load": 3,
        "total": 3,
        "same (twice.py:13)": 4,
        "same (twice.py:14)": 5,
        "rest": [6, 7],
        "same (twice.py:15)": 6,
        "same (twice.py:15) #2": 7,
    }


def test_json_is_all_that_stdout_gets(modules: Modules) -> None:
    """With --json what modules and cells print goes to standard error."""
    modules.write(
        "noisy",
        """
        import os, sys

        print("imported")

        @cell
        def noisy():
            print("called")
            sys.__stdout__.write("kept\\n")
            os.write(1, b"from below\\n")
            return 1

        @cell
        def silent(): return 2
        """,
    )
    code, stdout, stderr = ended("-m", "aiocells", "run", "noisy", "--json")
    assert (code, stdout) == (0, '{\n  "noisy": 1,\n  "silent": 2\n}\n')
    assert sorted(stderr.split("\n")) == [
        "",
        "called",
        "from below",
        "imported",
        "kept",
    ]


def test_failure_with_json_leaves_stdout_empty(modules: Modules) -> None:
    """With --json a failure prints nothing on standard output."""
    modules.write("failing", "@cell\ndef failing(): raise ValueError('no')")
    assert "ValueError: no\nin cell 'failing'" in refused("run", "failing", "--json")


# Arrays and tables of other libraries


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
        (np.datetime64("NaT"), None),
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


def test_other_libraries_are_not_imported(modules: Modules) -> None:
    """Who has no arrays does not wait for numpy, and who has no models for pydantic."""
    modules.write("small", "@cell\ndef small(): return [1, 'a', {'b': None}]")
    script = (
        "import sys; from aiocells._cli.commands import commands;"
        "commands(['run', 'small', '--json'], standalone_mode=False);"
        "print([n for n in sys.modules if n in ('numpy', 'pandas', 'pydantic_core')])"
    )
    code, stdout, stderr = ended("-c", script)
    assert (code, stderr) == (0, "")
    assert stdout.endswith("}\n[]\n")
