"""Errors: one base class, attributes beside the text, and pickling."""

import copy
import inspect
import pickle
from typing import Any

import pytest

import aiocells
from aiocells import DeclarationError, Graph, GraphException, compute_sequential
from aiocells import errors as errors_module
from tests.helpers import IN_BROWSER, Modules

ERRORS = [
    value
    for value in vars(errors_module).values()
    if inspect.isclass(value) and value.__module__ == errors_module.__name__
]
# What each error is made with, besides its message.
ATTRIBUTES: dict[str, dict[str, Any]] = {
    "AmbiguousCell": {"name": "a", "candidates": (len, max)},
    "CircularDependency": {"path": ("a", "b", "a")},
    "DeclarationError": {"cell": len},
    "GraphException": {},
    "MissingInput": {"missing": {"city": (len, max)}},
    "MissingValue": {"key": "a"},
    "UnbindableParameter": {"cell": len, "parameter": "x"},
    "UnknownCell": {"name": "forcast", "suggestions": ("forecast",)},
    "UnknownInput": {"names": ("citty",), "suggestions": {"citty": ["city"]}},
    "UnsupportedCell": {"cell": len},
    "WorkerDied": {"cells": (len,)},
}


def test_every_error_is_tested_here() -> None:
    """A new error class is added to the table above."""
    assert sorted(error.__name__ for error in ERRORS) == sorted(ATTRIBUTES)


@pytest.mark.parametrize("error", ERRORS)
def test_errors_have_one_base(error: type[Exception]) -> None:
    """`except GraphException` catches all that the library itself raises."""
    assert issubclass(error, GraphException)
    assert error is getattr(aiocells, error.__name__)


def test_an_unbindable_parameter_is_an_error_of_declaration() -> None:
    """Like all that is wrong with the text of a decorator."""
    assert issubclass(aiocells.UnbindableParameter, DeclarationError)


@pytest.mark.parametrize("error", ERRORS)
def test_errors_have_attributes_and_a_text(error: type[Exception]) -> None:
    """The text is the message; the attributes are what it was made with."""
    attributes = ATTRIBUTES[error.__name__]
    made = error("what went wrong", **attributes)
    assert str(made) == "what went wrong"
    assert {name: getattr(made, name) for name in attributes} == attributes
    assert set(vars(made)) == set(attributes)


@pytest.mark.parametrize("error", ERRORS)
def test_attributes_have_defaults(error: type[Exception]) -> None:
    """An error can be made of its message alone, as tests and mocks do."""
    made = error("what went wrong")
    assert str(made) == "what went wrong"
    assert set(vars(made)) == set(ATTRIBUTES[error.__name__])
    assert not any(vars(made).values())


@pytest.mark.parametrize("error", ERRORS)
def test_attributes_do_not_change_with_what_they_were_made_of(
    error: type[Exception],
) -> None:
    """A list or dict that is changed later does not reach into the error."""
    given = {
        name: list(value) if isinstance(value, tuple) else copy.copy(value)
        for name, value in ATTRIBUTES[error.__name__].items()
    }
    made = error("what went wrong", **given)
    for value in given.values():
        if isinstance(value, list | dict):
            value.clear()
    assert vars(made) == ATTRIBUTES[error.__name__]


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize(
    "duplicate", [lambda made: pickle.loads(pickle.dumps(made)), copy.copy]
)
def test_errors_can_be_pickled(error: type[Exception], duplicate: Any) -> None:
    """Text, attributes and notes survive, so that errors cross processes."""
    made = error("what went wrong", **ATTRIBUTES[error.__name__])
    made.add_note("a note")
    again = duplicate(made)
    assert type(again) is error
    assert str(again) == "what went wrong"
    assert vars(again) == vars(made)
    assert again.__notes__ == ["a note"]


@pytest.mark.parametrize(
    ("source", "options"),
    [
        ("@cell\ndef a(b): ...\n@cell\ndef b(a): ...", {}),
        ("@cell\n@depends_on('zzz')\ndef a(): ...", {}),
        ("@cell\n@depends_on(zzz='a')\ndef a(): ...", {}),
        ("@cell\ndef a(): yield", {}),
        ("@cell\ndef a(x): ...", {}),
        ("@cell\ndef a(): ...", {"inputs": {"x": 1}}),
        ("@cell\ndef a(): ...", {"targets": ["b"]}),
        ("@cell(name='x')\ndef a(): ...\n@cell\ndef x(): ...", {"targets": ["x"]}),
        ("@cell\nasync def a(): ...", {}),
    ],
)
def test_errors_as_raised_can_be_pickled(
    modules: Modules, source: str, options: Any
) -> None:
    """What they hold of the graph is found again by its name."""
    modules.make("trip", source)
    with pytest.raises(GraphException) as caught:
        compute_sequential(Graph.from_module("trip"), **options)
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is type(caught.value)
    assert str(again) == str(caught.value)
    assert vars(again) == vars(caught.value)


def test_a_cycle_has_a_message_of_its_own() -> None:
    """1.x code that raises `CircularDependency()` finds the text it knows."""
    assert str(aiocells.CircularDependency()) == "Circular dependency detected in graph"


def test_a_value_that_is_not_there_is_a_key_error(modules: Modules) -> None:
    """`KeyError` puts its text in quotes; this one does not, pickled or not."""
    trip = modules.make("trip", "@cell\ndef a(): ...\n@cell\ndef b(): ...")
    results = compute_sequential(Graph.from_module("trip"), targets=["a"])
    with pytest.raises(KeyError) as caught:
        results[trip.b]
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)
    assert str(again).startswith("'b' (trip.py:4) was not computed")


def test_a_place_is_told_from_the_current_folder(
    modules: Modules, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Short below it, whole elsewhere, also where the folder is gone."""
    source = "@cell\ndef a(): yield"
    trip = modules.make("sub.trip", source)
    folder = modules.folder / "gone"
    folder.mkdir()
    whole = str(modules.folder / "sub" / "trip.py")
    for current, place in [(".", "sub/trip.py"), ("sub", "trip.py"), (folder, whole)]:
        monkeypatch.chdir(modules.folder)
        monkeypatch.chdir(current)
        if current is folder and not IN_BROWSER:  # where nobody can take it away
            folder.rmdir()
        with pytest.raises(DeclarationError, match="generator") as caught:
            Graph.from_cells(trip.a)
        assert str(caught.value).startswith(f"'a' ({place}:2) is ")
    monkeypatch.chdir(modules.folder)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("a = functools.partial(len, ())", "'len'"),
        ("a = functools.partial(lambda: 1)", "'<lambda>' (trip.py:3)"),
        (
            "class Adder:\n    def __call__(self): ...\na = Adder()",
            "'Adder' (trip.py:4)",
        ),
        ("class a: ...", "'a'"),
        ("a = functools.lru_cache(lambda: 1)", "'<lambda>' (trip.py:3)"),
        ("a = mock.Mock()", "'Mock' ("),
        ("a = mock.AsyncMock()", "'AsyncMock' ("),
    ],
)
def test_any_callable_can_be_told_of(modules: Modules, source: str, told: str) -> None:
    """By the best name there is, with a place where there is one."""
    imports = "import functools; from unittest import mock\n"
    trip = modules.make("trip", imports + source)
    graph = Graph.from_cells()
    with pytest.raises(aiocells.UnknownCell) as caught:
        compute_sequential(graph, targets=[trip.a])
    assert str(caught.value).startswith(f"targets: {told}")
