"""Results as JSON."""

import json

import pytest

from tests.command_line import ended, printed, refused
from tests.helpers import Modules

VALUES = """\
    import attrs, collections, dataclasses, datetime, decimal, enum, fractions
    import numbers, pathlib, uuid

    @attrs.frozen
    class Point:
        x: int
        rest: object = attrs.field(init=False)

    @dataclasses.dataclass
    class Line:
        points: list

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


MODELS = """\
    import datetime, ipaddress, re, uuid
    from pydantic import BaseModel

    class Model(BaseModel):
        size: float
        day: datetime.date
        parts: dict[str, "Model"] = {}

    @cell
    def small(): return Model(size="nan", day="2024-01-01")

    @cell
    def large(small): return [Model(size=1, day="2024-01-01", parts={"a": small})]

    @cell
    def others(): return [ipaddress.ip_address("::1"), re.compile("a+")]
"""


def test_json_has_what_pydantic_knows(modules: Modules) -> None:
    """Its models come with their fields, and other objects as it has them."""
    pytest.importorskip("pydantic")
    modules.write("models", MODELS)
    small = {"size": None, "day": "2024-01-01", "parts": {}}
    assert json.loads(printed("run", "models", "--json")) == {
        "small": small,
        "large": [{"size": 1.0, "day": "2024-01-01", "parts": {"a": small}}],
        "others": ["::1", "a+"],
    }


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


@pytest.mark.needs_processes
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


@pytest.mark.needs_processes
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
