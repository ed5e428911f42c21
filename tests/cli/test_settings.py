"""What --set gives to an input."""

import json
import uuid
from pathlib import Path

import pytest

from tests.command_line import ended, printed, refused, run
from tests.helpers import Modules

pytest.importorskip("pydantic")


def with_text_annotations(path: Path) -> None:
    """Have a module begin with `from __future__ import annotations`."""
    path.write_text(f"from __future__ import annotations\n{path.read_text()}")


# Without an annotation


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("[1, null]", [1, None]),
        ('"3"', "3"),
        ("Oslo", "Oslo"),
        ("a=b", "a=b"),
        ("", ""),
        ("007", "007"),
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ("9" * 5000, "9" * 5000),
    ],
)
@pytest.mark.parametrize("parameter", ["it", "it: Any", "it: object", "it: Missing"])
def test_set_takes_json_or_text(
    modules: Modules, parameter: str, text: str, value: object
) -> None:
    """Where no annotation says what it is, it is JSON if it can be, else the text."""
    source = f"from typing import Any\n@cell\ndef echo({parameter}): return it"
    with_text_annotations(modules.write("echo", source))
    shown = printed("run", "echo", "--set", f"it={text}", "--json")
    assert json.loads(shown) == {"echo": value}


# With an annotation

TYPED = """\
    import attrs, dataclasses, datetime, decimal, enum, pathlib, typing, uuid
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import date
    from typing import Annotated, Any, Literal, NewType, Optional, Union

    class Color(enum.Enum):
        RED = "red"
        ONE = 1
        PAIR = (1, 2)
        red_name = "ONE"

    @attrs.frozen
    class Point:
        _x: int = attrs.field(validator=attrs.validators.instance_of(int))
        near: "list[Point]" = attrs.Factory(list)

    @dataclasses.dataclass
    class Line:
        ends: tuple[Point, Point]
        day: "date" = date(2000, 1, 1)
        width: dataclasses.InitVar[float] = 1.0

    @attrs.frozen
    class Strict:
        size: int = attrs.field(validator=attrs.validators.instance_of(str))

    @attrs.frozen
    class Odd:
        anything: "Missing"

    class Foreign: ...

    Size = NewType("Size", int)

    @cell
    def echo(it: ANNOTATION):
        return repr(it)
"""


def typed(modules: Modules, annotation: str) -> None:
    """Write a module `typed` whose cell shows an input of this annotation."""
    modules.write("typed", TYPED.replace("ANNOTATION", annotation))


def read(text: str) -> str:
    """What the cell of `typed` gets."""
    return printed("run", "typed:echo", "--set", f"it={text}").removesuffix("\n")


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        ("bool", "False", "False"),
        ("bool", "true", "True"),
        ("bool", "no", "False"),
        ("bool", "0", "False"),
        ("str", "1.10", "'1.10'"),
        ("str", "null", "'null'"),
        ("str", "[1]", "'[1]'"),
        ("str", '"3"', "'3'"),
        ("str", "a\udcff", r"'a\udcff'"),
        ("str", "9" * 5000, repr("9" * 5000)),
        ("'str'", "3", "'3'"),
        ("float", ".5", "0.5"),
        ("float", "3", "3.0"),
        ("float", "nan", "nan"),
        ("int", "007", "7"),
        ("int", "3.0", "3"),
        ("int", "1e3", "1000"),
        ("Size", "3", "3"),
        ("date", "2024-01-01", "datetime.date(2024, 1, 1)"),
        ("date", '"2024-01-01"', "datetime.date(2024, 1, 1)"),
        ("'date'", "20240101", "datetime.date(2024, 1, 1)"),
        ("datetime.datetime", "20240131", "datetime.datetime(2024, 1, 31, 0, 0)"),
        (
            "datetime.datetime",
            "2024-01-01 10:00",
            "datetime.datetime(2024, 1, 1, 10, 0)",
        ),
        ("datetime.time", "10:30", "datetime.time(10, 30)"),
        ("datetime.timedelta", "01:00:00", "datetime.timedelta(seconds=3600)"),
        ("decimal.Decimal", "1.10", "Decimal('1.10')"),
        ("decimal.Decimal", '"1.10"', "Decimal('1.10')"),
        ("uuid.UUID", "0" * 31 + "1", f"UUID('{uuid.UUID(int=1)}')"),
        ("pathlib.Path", "a/b", f"{type(Path()).__name__}('a/b')"),
        ("pathlib.Path", "3", f"{type(Path()).__name__}('3')"),
        ("str | pathlib.Path", "a", "'a'"),
        ("bytes", "abc", "b'abc'"),
        ("Optional[int]", "3", "3"),
        ("Optional[int]", "null", "None"),
        ("str | None", "3", "'3'"),
        ("Union[int, str]", "3", "3"),
        ("int | str", "three", "'three'"),
        ("int = None", "3", "3"),
        ("int = None", "null", "None"),
        ("Literal['a', 1]", "a", "'a'"),
        ("Literal['a', 1]", "1", "1"),
        ("Annotated[int, 'in metres']", "3", "3"),
        ("Color", "red", "<Color.RED: 'red'>"),
        ("Color", "RED", "<Color.RED: 'red'>"),
        ("Color", "1", "<Color.ONE: 1>"),
        ("Color", "ONE", "<Color.red_name: 'ONE'>"),
        ("Color", "PAIR", "<Color.PAIR: (1, 2)>"),
        ("Color | None", "null", "None"),
        ("list[date]", '["2024-01-01"]', "[datetime.date(2024, 1, 1)]"),
        ("Annotated[list[date], 'days']", "[]", "[]"),
        ("tuple[int, str]", '[1, "a"]', "(1, 'a')"),
        ("set[int]", "[1]", "{1}"),
        ("Sequence[int]", "[1]", "[1]"),
        ("Iterable[int]", "[1]", "[1]"),
        ("Collection[date]", '["20240101"]', "[datetime.date(2024, 1, 1)]"),
        ("Iterable", "[1]", "[1]"),
        ("typing.Iterable", "[1]", "[1]"),
        ("dict[str, date]", '{"a": "20240101"}', "{'a': datetime.date(2024, 1, 1)}"),
        ("Mapping[int, str]", '{"1": "a"}', "{1: 'a'}"),
        ("Point", '{"x": 1}', "Point(_x=1, near=[])"),
        (
            "Point",
            '{"x": 1, "near": [{"x": "2"}]}',
            "Point(_x=1, near=[Point(_x=2, near=[])])",
        ),
        (
            "Line | None",
            '{"ends": [{"x": 1}, {"x": 2}], "day": "2024-01-01", "width": 2}',
            "Line(ends=(Point(_x=1, near=[]), Point(_x=2, near=[])), "
            "day=datetime.date(2024, 1, 1))",
        ),
        # What nothing can read is as without an annotation.
        ("Foreign", "3", "3"),
        ("list[Foreign]", "[1]", "[1]"),
        ("Odd", '{"anything": 1}', "{'anything': 1}"),
        ("'no type at all'", "3", "3"),
        ("print", "3", "3"),
    ],
)
def test_the_annotation_decides(
    modules: Modules, annotation: str, text: str, value: str
) -> None:
    """A value is read as what the cell is annotated to want."""
    typed(modules, annotation)
    assert read(text) == value


@pytest.mark.parametrize(
    ("annotation", "text", "message"),
    [
        (
            "bool",
            "maybe",
            "wants bool, which cannot be read from 'maybe'. Input should be a valid "
            "boolean, unable to interpret input.",
        ),
        (
            "date",
            "tomorrow",
            "wants datetime.date, which cannot be read from 'tomorrow'. Input should "
            "be a valid date or datetime, input is too short.",
        ),
        (
            "int",
            "1.5",
            "wants int, which cannot be read from '1.5'. Input should be a valid "
            "integer, got a number with a fractional part.",
        ),
        (
            "int",
            "\udcff",
            r"wants int, which cannot be read from '\udcff'. Input should be",
        ),
        (
            "list[int]",
            "one, two",
            "wants list[int], which cannot be read from 'one, two'. Input should be a "
            "valid list.",
        ),
        (
            "list[int]",
            "[1, 2",
            "wants list[int], which cannot be read from '[1, 2'. Invalid JSON: EOF",
        ),
        (
            "list[int]",
            '[1, "a", "b", "c", "d", "e"]',
            "1: Input should be a valid integer, unable to parse string as an integer; "
            "2: Input should be a valid integer, unable to parse string as an integer; "
            "3: Input should be a valid integer, unable to parse string as an integer "
            "and 2 more.",
        ),
        (
            "Line",
            '{"ends": [{"x": 1}, {"y": 1}], "dya": 3}',
            "ends.1.x: Field required; ends.1.y: Extra inputs are not permitted; dya: "
            "Extra inputs are not permitted.",
        ),
        ("Strict", '{"size": 1}', "Value error, (\"'size' must be <class 'str'>"),
        ("int", "x" * 500, f"from '{'x' * 79}.... Input should be"),
        ("Color", "blue", "Input should be 'red', 1, (1, 2) or 'ONE'."),
        ("int = None", "one", "wants int, which cannot be read from 'one'."),
    ],
)
def test_a_value_that_does_not_fit_is_refused(
    modules: Modules, annotation: str, text: str, message: str
) -> None:
    """The message names the input, the cell and what it wants, before a cell runs."""
    typed(modules, annotation)
    error = refused("run", "typed", "--set", f"it={text}")
    assert error.startswith("Error: --set it: 'echo' (typed.py:")
    assert message in error


def test_annotations_that_are_text_are_evaluated(modules: Modules) -> None:
    """Text is evaluated where the function stands; what cannot be says nothing."""
    path = modules.write(
        "text",
        """
        from datetime import date
        from typing import TYPE_CHECKING

        if TYPE_CHECKING:
            from decimal import Decimal

        @cell
        def shown(day: date, price: Decimal, count: list[date]):
            return repr((day, price, count))
        """,
    )
    with_text_annotations(path)
    args = ("--set", "day=2024-01-01", "--set", "price=1", "--set", "count=[]")
    assert (
        printed("run", "text", *args) == "shown  (datetime.date(2024, 1, 1), 1, [])\n"
    )


@pytest.mark.parametrize(
    ("first", "second", "text", "value"),
    [
        ("date", "date", "2024-01-01", "datetime.date(2024, 1, 1)"),
        ("date", "date | None", "2024-01-01", "datetime.date(2024, 1, 1)"),
        ("date", "Any", "2024-01-01", "datetime.date(2024, 1, 1)"),
        ("date", "'Missing'", "2024-01-01", "datetime.date(2024, 1, 1)"),
        ("str", "date", "2024-01-01", "'2024-01-01'"),
        ("int", "float", "3", "3"),
        ("int", "str", "three", "'three'"),
        ("date", "Foreign", "2024-01-01", "'2024-01-01'"),
    ],
)
def test_cells_must_agree(
    modules: Modules, first: str, second: str, text: str, value: str
) -> None:
    """Where cells want different things, no annotation decides."""
    source = TYPED.replace("ANNOTATION", first)
    modules.write(
        "typed", f"{source}\n    @cell\n    def other(it: {second}): return repr(it)"
    )
    shown = printed("run", "typed", "--set", f"it={text}", "--json")
    assert json.loads(shown) == {"echo": value, "other": value}


def test_only_cells_that_are_computed_have_a_say(modules: Modules) -> None:
    """What no target needs wants nothing, and an input that only it wants is free."""
    modules.write(
        "some",
        """
        @cell
        def one(it: str): return it

        @cell
        def two(it: int, more: int): return it
        """,
    )
    args = ("--set", "it=1.10", "--set", "more=many")
    assert printed("run", "some:one", *args) == "1.10\n"


BOUND = """\
    import functools
    from datetime import date

    @cell
    @depends_on(day=Input("begin"), parts=[Input("a"), Input("b")])
    def bound(day: date, parts: list): return repr((day, parts))

    @cell
    @depends_on(day=Input("end"))
    def named(day: date, begin: str = ""): return repr(day)

    def scaled(factor, size: str): return size

    partial = cell(functools.partial(scaled, 2), name="partial")

    def shown(function):
        @functools.wraps(function)
        def wrapper(*args): return repr(function(*args))
        return wrapper

    @cell
    @shown
    def wrapped(size: str): return size

    class Called:
        def __call__(self, size: "str"): return size

    called = cell(name="called")(Called())

    made = depends_on(a=Input("a"), b=Input("b"))(functools.partial(dict))
    made = cell(name="made")(made)
"""


@pytest.mark.parametrize(
    ("target", "given", "value"),
    [
        ("bound", {"begin": "20240101", "a": 1, "b": 2}, "(date(2024, 1, 1), [1, 2])"),
        ("named", {"end": "20240101"}, "date(2024, 1, 1)"),
        ("named", {"end": "20240101", "begin": "20240101"}, "date(2024, 1, 1)"),
        ("partial", {"size": "1.0"}, "1.0"),
        ("wrapped", {"size": "1.0"}, "'1.0'"),
        ("called", {"size": "1.0"}, "1.0"),
        # Python cannot tell the parameters of this one.
        ("made", {"a": "1.0", "b": "b"}, "{'a': 1.0, 'b': 'b'}"),
    ],
)
def test_what_an_input_is_bound_to_counts(
    modules: Modules, target: str, given: dict[str, object], value: str
) -> None:
    """The annotation is that of the parameter which gets the input, of any callable."""
    modules.write("bound", BOUND)
    settings = [f"{name}={value}" for name, value in given.items()]
    args = [part for setting in settings for part in ("--set", setting)]
    shown = printed("run", f"bound:{target}", *args).removesuffix("\n")
    assert shown.replace("datetime.", "") == value


# What is written


@pytest.mark.parametrize("setting", ["city", "=Oslo"])
def test_set_needs_a_name_and_a_value(trip: Path, setting: str) -> None:
    """A --set that is not NAME=VALUE is wrong usage."""
    result = run("run", "trip", "--set", setting)
    assert result.exit_code == 2
    assert f"'--set': '{setting}' is not of the form NAME=VALUE." in result.stderr


def test_an_input_is_set_once(trip: Path) -> None:
    """A second --set of an input is wrong usage, even with the same value."""
    result = run("run", "trip", "--set", "city=Oslo", "--set", "city=Oslo")
    assert result.exit_code == 2
    assert "'--set': 'city' is given twice. Keep one of the two." in result.stderr


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"Oslo", "Oslo"),
        (b"Oslo\n", "Oslo"),
        (b"Oslo\r\n", "Oslo"),
        (b"two\nlines\n\n", "two\nlines\n"),
        (b"", ""),
        (b'\xef\xbb\xbf{"a": [1]}\n', {"a": [1]}),
        ("é".encode(), "é"),
        (b"@Oslo", "@Oslo"),
    ],
)
def test_a_file_is_read(modules: Modules, data: bytes, value: object) -> None:
    """NAME=@FILE takes what the file holds, without the newline at its end."""
    modules.write("echo", "@cell\ndef echo(it): return it")
    Path("it.txt").write_bytes(data)
    shown = printed("run", "echo", "--set", "it=@it.txt", "--json")
    assert json.loads(shown) == {"echo": value}


def test_a_file_is_read_as_the_cell_wants_it(modules: Modules) -> None:
    """An annotation decides about what a file holds too; the message names the file."""
    modules.write("echo", "@cell\ndef echo(it: int): return it")
    Path("it.txt").write_text("007\n")
    assert printed("run", "echo:echo", "--set", "it=@it.txt") == "7\n"
    Path("it.txt").write_text("seven\n")
    error = refused("run", "echo:echo", "--set", "it=@it.txt")
    assert "wants int, which cannot be read from @it.txt. Input should" in error


def test_standard_input_is_read(modules: Modules) -> None:
    """NAME=@- takes what comes on standard input."""
    modules.write("echo", "@cell\ndef echo(it): return it")
    result = run("run", "echo", "--set", "it=@-", "--json", input=b"[1]\n")
    assert json.loads(result.stdout) == {"echo": [1]}


def test_a_text_may_begin_with_an_at_sign(modules: Modules) -> None:
    """Of two of them, the first is taken away."""
    modules.write("echo", "@cell\ndef echo(it): return it")
    assert printed("run", "echo:echo", "--set", "it=@@oslo") == "@oslo\n"
    assert printed("run", "echo:echo", "--set", "it=@@@oslo") == "@@oslo\n"


def test_a_file_that_cannot_be_read_is_refused(modules: Modules) -> None:
    """The message says why, and how to give a text that begins so."""
    modules.write("echo", "@cell\ndef echo(it): return it")
    Path("it.bin").write_bytes(b"\xff")
    for path, reason in (
        ("oslo", "No such file or directory"),
        ("", "Is a directory"),
        ("it.bin", "it is no text in UTF-8"),
    ):
        result = run("run", "echo", "--set", f"it=@{path}")
        assert result.exit_code == 2
        assert (
            f"'--set': the file {path!r} cannot be read: {reason}. To give a text that "
            f"begins with @, write '@@{path}'."
        ) in " ".join(result.stderr.split())


# What is missing


def test_unknown_input_is_refused(trip: Path) -> None:
    """A --set of a name that nobody wants is refused with a near name."""
    assert refused("run", "trip", "--set", "cty=Oslo") == (
        "Error: --set: no cell wants an input 'cty'. Did you mean 'city'?\n"
    )
    assert refused("run", "trip", "--set", "hotel=Grand") == (
        "Error: --set: no cell wants an input 'hotel'. It is a cell, 'hotel' "
        "(trip.py:9), and so is computed. The inputs of this graph: city, nights.\n"
    )


def test_missing_input_says_how_to_set_it(trip: Path) -> None:
    """A missing input is refused, and the message says how the command takes it."""
    assert refused("run", "trip") == (
        "Error: Missing input: 'city' is needed by 'hotel' (trip.py:9). "
        "Give it with --set city=VALUE.\n"
    )


@pytest.mark.needs_processes
def test_pydantic_is_loaded_for_annotations_only(trip: Path) -> None:
    """Who sets no input that is annotated does not wait for it."""
    modules_loaded = "print('pydantic' in sys.modules, file=sys.stderr)"
    script = (
        "import sys; from aiocells._cli.commands import commands;"
        f"commands(sys.argv[1:], standalone_mode=False); {modules_loaded}"
    )
    assert ended("-c", script, "run", "trip:nothing")[2] == "False\n"
    args = ("run", "trip:plan", "--set", "city=Oslo", "--set", "nights=3")
    assert ended("-c", script, *args[:4])[2] == "False\n"
    assert ended("-c", script, *args)[2] == "True\n"
