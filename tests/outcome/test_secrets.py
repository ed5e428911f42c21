"""Secrets: what notes on failures do not show."""

import functools
from collections.abc import Iterator
from typing import Any

import attrs
import pytest

from aiocells import (
    DeclarationError,
    Graph,
    Input,
    UnbindableParameter,
    cell,
    depends_on,
    errors,
    failures,
    resource,
)
from aiocells._declaring.showing import is_secret_name, shown
from aiocells.drawing import draw
from aiocells.observers import Event
from tests.helpers import COMPUTERS, text

every_computer = pytest.mark.parametrize(
    "computer", COMPUTERS.values(), ids=list(COMPUTERS)
)
KEY = "hunter2"


def told(function: Any, computer: Any = COMPUTERS["sequential"], **inputs: Any) -> str:
    """What the note on a failing cell says of its arguments."""
    with pytest.raises(ZeroDivisionError) as caught:
        computer(Graph.from_cells(function), inputs=inputs)
    (note,) = caught.value.__notes__
    return note.partition("\n  called with ")[2]


@cell(secret=True)
def key() -> str:
    """A secret that no name tells."""
    return KEY


@cell
def token() -> str:
    """A secret by its name."""
    return KEY


@cell(secret=False)
def token_count() -> int:
    """None, in spite of its name."""
    return 3


@resource(secret=True)
def session() -> Iterator[str]:
    """A secret that is closed."""
    yield KEY


@every_computer
def test_the_value_of_a_secret_cell_is_hidden_under_any_parameter(
    computer: Any,
) -> None:
    """By `secret=True` or by its name; in lists and families too."""

    @depends_on(a=key, b=token, c=session, d=[token_count, key], e=[text("plain")])
    def broken(a: Any, b: Any, c: Any, d: Any, e: Any) -> None:
        raise ZeroDivisionError

    shown = "a=•••, b=•••, c=•••, d=[3, •••], e=['plain']"
    assert told(broken, computer) == shown


@every_computer
def test_the_value_of_a_secret_input_is_hidden(computer: Any) -> None:
    """By `Input(name, secret=True)` or by its name, for all who get it."""

    @cell
    @depends_on(a=Input("seed", secret=True), c=Input("DB_PASSWORD"))
    def broken(seed: Any, a: Any, c: Any, customer: Any) -> None:
        raise ZeroDivisionError

    inputs = {"seed": KEY, "DB_PASSWORD": KEY, "customer": "ann"}
    shown = "seed=•••, a=•••, c=•••, customer='ann'"
    assert told(broken, computer, **inputs) == shown


def test_a_parameter_of_such_a_name_is_hidden_whatever_it_gets() -> None:
    """Its default too; and that of a parameter whose input is said to be secret."""

    @depends_on(
        password=text("plain"), auth=[text("one")], seed=Input("s", secret=True)
    )
    def broken(password: str, auth: Any, api_key: str = KEY, seed: str = KEY) -> None:
        raise ZeroDivisionError

    assert told(broken) == "password=•••, auth=[•••], api_key=•••, seed=•••"
    assert KEY not in told(broken, api_key=KEY, s=KEY)


def test_a_default_is_as_secret_as_the_input_that_it_stands_in_for() -> None:
    """By the name of the input, and by what is said of it, there or elsewhere."""

    @depends_on(a=Input("db_password"), b=Input("b", secret=True))
    def broken(a: str = KEY, b: str = KEY, seed: str = KEY, plain: str = "x") -> None:
        raise ZeroDivisionError

    other = depends_on(c=Input("seed", secret=True))(lambda c="other": c)
    with pytest.raises(ZeroDivisionError) as caught:
        COMPUTERS["sequential"](Graph.from_cells(other, broken))
    (note,) = caught.value.__notes__
    assert note.endswith("called with a=•••, b=•••, seed=•••, plain='x'")


class Base:
    """Has a cell whose marks are inherited."""

    @cell(secret=True)
    def made(self) -> str:
        """What is secret in all that inherit it."""
        raise NotImplementedError

    @cell
    @depends_on(seed=Input("s", secret=True))
    def broken(self, made: str, seed: str) -> None:
        """Is redefined, as all of it is."""


class Redefined(Base):
    """Says nothing of its methods."""

    def made(self) -> str:
        """Inherits its mark."""
        return KEY

    def broken(self, made: str, seed: str = KEY) -> None:
        """Inherits its bindings."""
        raise ZeroDivisionError


@pytest.mark.parametrize("given", [{}, {"s": KEY}])
def test_what_is_said_of_a_method_is_inherited(given: dict[str, str]) -> None:
    """That its value is secret, and that its default is."""
    with pytest.raises(ZeroDivisionError) as caught:
        COMPUTERS["sequential"](Graph.from_object(Redefined()), inputs=given)
    (note,) = caught.value.__notes__
    assert note.endswith("called with made=•••, seed=•••")


@every_computer
def test_nothing_else_has_values(computer: Any) -> None:
    """Events, the repr of results and failures, and drawings; secret or not."""
    passed = depends_on(key=key, seed=Input("seed"))(lambda key, seed=KEY: KEY)

    @depends_on(passed=passed, key=key)
    def broken(passed: str, key: str, seed: str = KEY) -> None:
        raise ZeroDivisionError

    graph = Graph.from_cells(passed, broken)
    events: list[Event] = []
    for given in ({}, {"seed": KEY}):
        results = computer(
            graph, inputs=given, on_error="continue", observers=[events.append]
        )
        assert results[key] == KEY
        for each in (results, results.failures, results.skipped, graph, events):
            assert KEY not in repr(each)
    for style in ("tree", "mermaid", "dot"):
        assert KEY not in draw(graph, style)
    with pytest.raises(ZeroDivisionError) as caught:
        computer(graph)
    assert KEY not in repr(failures(caught.value))


def test_what_does_not_fail_looks_for_no_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No name is looked at unless a cell fails."""
    looked: list[object] = []
    names = errors.SECRET_NAMES

    class Watched(tuple[str, ...]):
        def __iter__(self) -> Iterator[str]:
            looked.append(self)
            return super().__iter__()

    monkeypatch.setattr(errors, "SECRET_NAMES", Watched(names))
    graph = Graph.from_cells(depends_on(a=key, b=token)(lambda a, b, c=KEY: [a, b, c]))
    for computer in COMPUTERS.values():
        computer(graph, inputs={"c": KEY})
    assert not looked
    with pytest.raises(ZeroDivisionError):
        COMPUTERS["sequential"](Graph.from_cells(depends_on(a=token)(lambda a: 1 / 0)))
    assert looked


def test_secret_false_undoes_the_rule_of_names() -> None:
    """For the cell or the input, under whatever parameter its value arrives."""

    @depends_on(
        token=token_count, dsn=Input("dsn", secret=False), auth=[token_count, key]
    )
    def broken(token: int, dsn: str, auth: Any, token_count: int) -> None:
        raise ZeroDivisionError

    shown = "token=3, dsn='local', auth=[3, •••], token_count=3"
    assert told(broken, dsn="local") == shown

    @cell
    @depends_on(dsn=Input("dsn", secret=False))
    def other(dsn: str = "default") -> None:
        raise ZeroDivisionError

    assert told(other) == "dsn='default'"


def test_what_one_says_is_secret_is_secret_for_all() -> None:
    """Two that want one input and say different things: it is hidden."""
    wants = [
        depends_on(a=Input("seed", secret=secret))(lambda a: 1 / 0)
        for secret in (False, True, False)
    ]
    for order in (wants, wants[::-1]):
        with pytest.raises(ZeroDivisionError) as caught:
            COMPUTERS["sequential"](Graph.from_cells(*order), inputs={"seed": KEY})
        assert "a=•••" in caught.value.__notes__[0]


@attrs.frozen
class Account:
    """Has a part of such a name."""

    user: str
    password: str


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"user": 1, "Password": KEY}, "{'user': 1, 'Password': •••}"),
        ([{"x-api-key": KEY}, {b"Authorization": KEY}], None),
        ({"deep": [{"api_key": {"a": KEY}}]}, "{'deep': [{'api_key': •••}]}"),
        (Account("ann", KEY), "Account(user='ann', password=•••)"),
        ({"author": "ann", 3: "token"}, "{'author': 'ann', 3: 'token'}"),
    ],
)
def test_entries_under_such_a_key_are_hidden(value: Any, expected: str | None) -> None:
    """In dicts at any level, and parts of objects; headers of HTTP count too."""

    @cell
    def broken(value: Any) -> None:
        raise ZeroDivisionError

    assert KEY not in told(broken, value=value)
    assert expected in (None, shown(value))
    assert told(broken, value=value) == f"value={shown(value)}"


@pytest.mark.parametrize("name", sorted(errors.SECRET_NAMES))
def test_a_name_counts_between_underscores_in_any_case(name: str) -> None:
    """Alone, at the start, in the middle, at the end; not as part of a word."""
    for each in (name, name.upper(), f"my_{name}", f"{name}_2", f"a_{name.title()}_b"):
        assert is_secret_name(each)
    for each in (f"x{name}", f"{name}s", f"a_{name}x_b"):
        assert not is_secret_name(each)


def test_the_names_may_be_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """What counts is what `errors.SECRET_NAMES` has when a cell fails."""

    @cell
    def broken(pin: int, password: str) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(errors, "SECRET_NAMES", {"PIN"})
    assert told(broken, pin=1234, password="x") == "pin=•••, password='x'"
    monkeypatch.setattr(errors, "SECRET_NAMES", {"X-Session-Key"})
    assert told(broken, pin={"X-Session-Key": 1}, password=2) == (
        "pin={'X-Session-Key': •••}, password=2"
    )


def test_notes_may_have_names_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """`AIOCELLS_NOTES=names` keeps all values out."""

    @cell
    def broken(customer: str, nights: int = 2) -> None:
        raise ZeroDivisionError

    monkeypatch.setenv("AIOCELLS_NOTES", "names")
    assert told(broken, customer="ann") == "customer, nights"
    monkeypatch.setenv("AIOCELLS_NOTES", "values")
    assert told(broken, customer="ann") == "customer='ann', nights=2"


def test_what_a_secret_is_made_into_is_none() -> None:
    """A cell made from a secret is shown, unless it is marked; so is a dict's list."""

    @cell
    @depends_on(key=key)
    def made(key: str) -> str:
        return key[::-1]

    broken = depends_on(made=made)(lambda made: 1 / 0)
    assert told(broken) == f"made={KEY[::-1]!r}"


def test_families_are_looked_into() -> None:
    """A dict of cells that a parameter gets hides those that are secret."""
    namespace: dict[str, Any] = {"__name__": "family", "cell": cell}
    source = (
        "parts = {'a': cell(secret=True)(lambda: 'hunter2'), 'b': cell(lambda: 2)}\n"
        "@cell\n"
        "def broken(parts): 1 / 0\n"
    )
    exec(source, namespace)
    assert told(namespace["broken"]) == "parts={'a': •••, 'b': 2}"


def test_what_a_partial_fixes_is_hidden_by_its_name() -> None:
    """Also where a message says why a parameter cannot be bound."""
    fixed = functools.partial(lambda password: password, password=KEY)
    with pytest.raises(UnbindableParameter, match="fixes it to •••"):
        Graph.from_cells(depends_on(password=key)(fixed))


def test_a_replacement_has_its_own_mark() -> None:
    """A secret stays one only if what stands for it is one."""
    broken = depends_on(a=key, b=Input("seed", secret=True))(lambda a, b: 1 / 0)
    graph = Graph.from_cells(broken)
    for secret, expected in ((True, "a=•••"), (None, "a='fake'")):
        fake = cell(secret=secret)(lambda: "fake")
        with pytest.raises(ZeroDivisionError) as caught:
            COMPUTERS["sequential"](graph.replace({key: fake}), inputs={"seed": KEY})
        assert f"{expected}, b=•••" in caught.value.__notes__[0]


@pytest.mark.parametrize("declare", [cell, resource, functools.partial(Input, "a")])
def test_what_is_neither_true_nor_false_is_refused(declare: Any) -> None:
    """When it is declared."""
    with pytest.raises(
        DeclarationError, match=r"secret='yes': expected True or False."
    ):
        declare(secret="yes")


def test_marks_that_differ_in_secret_are_different() -> None:
    """Marking a cell twice tells how it was marked, `secret=False` too."""
    marked = cell(secret=False)(lambda: 1)
    with pytest.raises(DeclarationError, match=r"@cell\(secret=False\)"):
        cell(secret=True)(marked)


def test_an_input_shows_what_was_said() -> None:
    """Its repr has `secret` only where that was given."""
    assert repr(Input("url")) == "Input(name='url')"
    assert repr(Input("url", secret=False)) == "Input(name='url', secret=False)"
