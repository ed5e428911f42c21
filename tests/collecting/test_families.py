"""Families: lists, tuples and dicts of cells at the top of a module."""

from typing import Any

import pytest

from aiocells import (
    AmbiguousCell,
    CircularDependency,
    DeclarationError,
    Graph,
    UnknownCell,
    compute_sequential,
)
from aiocells.drawing import draw
from tests.collecting.test_modules import labels
from tests.helpers import COMPUTERS, Modules

LOADS = """
from functools import partial

def load(name): return name.upper()

listed = [cell(partial(load, name)) for name in ("a", "b")]
tupled = tuple(cell(partial(load, name), ) for name in "cd")
keyed = {name: cell(partial(load, name)) for name in ("x", "y")}
named = [cell(name="first")(partial(load, "n"))]
"""
TOTAL = """
@cell
def total(listed, tupled, keyed, named):
    return listed, tupled, keyed, named
"""
NAMES = ["listed[0]", "listed[1]", "tupled[0]", "tupled[1]", "keyed['x']", "keyed['y']"]


@pytest.mark.parametrize("name", COMPUTERS)
def test_a_parameter_gets_the_values_of_a_family(modules: Modules, name: str) -> None:
    """A list of a list or a tuple, a dict of a dict, in every computer."""
    trip = modules.make("trip", LOADS + TOTAL)
    for graph in (Graph.from_module(trip), Graph.from_cells(trip.total)):
        results = COMPUTERS[name](graph)
        assert results[trip.total] == (
            ["A", "B"],
            ["C", "D"],
            {"x": "X", "y": "Y"},
            ["N"],
        )
        assert sorted(labels(graph)) == sorted([*NAMES, "first", "total"])


@pytest.mark.parametrize("name", COMPUTERS)
def test_a_member_goes_by_its_place(modules: Modules, name: str) -> None:
    """In results, targets and overrides; it can be asked for with itself as well."""
    trip = modules.make("trip", LOADS + TOTAL)
    graph = Graph.from_module(trip)
    results = COMPUTERS[name](graph, targets=["keyed['x']", trip.listed[1]])
    assert results["keyed['x']"] == results[trip.keyed["x"]] == "X"
    assert list(results) == [trip.keyed["x"], trip.listed[1]]
    changed = {"listed[0]": 1, "keyed['y']": 2, trip.tupled[0]: 3}
    results = COMPUTERS[name](graph, overrides=changed, targets=[trip.total])
    assert results[trip.total] == ([1, "B"], [3, "D"], {"x": "X", "y": 2}, ["N"])


@pytest.mark.parametrize("style", ["tree", "mermaid", "dot"])
def test_a_family_is_drawn_by_its_names(modules: Modules, style: Any) -> None:
    """As the results have them."""
    graph = Graph.from_module(modules.make("trip", LOADS + TOTAL))
    drawn = draw(graph, style)
    for letter in "\"'[]":
        drawn = drawn.replace(f"#{ord(letter)};", letter)
    assert all(name in drawn for name in NAMES)


@pytest.mark.parametrize(
    ("decorator", "value"),
    [
        ("@depends_on(family='listed')", ["A", "B"]),
        ("@depends_on(family='trip:keyed')", {"x": "X", "y": "Y"}),
        ('@depends_on(family="listed[1]")', "B"),
        ("@depends_on(family=\"trip:keyed['y']\")", "Y"),
        ("@depends_on(family=['listed[1]', 'first'])", ["B", "N"]),
        ("@depends_on('listed')\n@depends_on(family='listed[0]')", "A"),
    ],
)
def test_a_string_can_name_a_family_or_a_member(
    modules: Modules, decorator: str, value: Any
) -> None:
    """As it does a cell."""
    trip = modules.make(
        "trip", f"{LOADS}\n{decorator}\ndef total(family): return family"
    )
    assert compute_sequential(Graph.from_cells(trip.total))[trip.total] == value


def test_a_family_can_be_given_by_position(modules: Modules) -> None:
    """All its cells come first, and a parameter of its name gets their values."""
    trip = modules.make("trip", LOADS)
    asking = modules.make(
        "asking",
        """
        @cell
        @depends_on("trip:listed", "trip:tupled")
        def total(listed): return listed
        """,
    )
    graph = Graph.from_module(asking)
    assert graph.dependency_dict[asking.total] == {*trip.listed, *trip.tupled}
    assert compute_sequential(graph)[asking.total] == ["A", "B"]


def test_a_family_does_not_stand_in_a_list(modules: Modules) -> None:
    """There its values would be a list within a list."""
    trip = modules.make(
        "trip", LOADS + "@depends_on(parts=['listed', 'first'])\ndef total(parts): ..."
    )
    with pytest.raises(DeclarationError) as caught:
        Graph.from_cells(trip.total)
    assert str(caught.value) == (
        "@depends_on(parts=...) of 'total' (trip.py:10): 'listed' is a family of "
        "cells, which cannot stand in a list. Bind it alone, or list its cells."
    )


def test_two_families_of_one_name_are_ambiguous(modules: Modules) -> None:
    """The error names all their cells."""
    modules.make("trip", LOADS)
    modules.make("other", LOADS)
    asking = modules.make(
        "asking",
        "@depends_on('trip:keyed', 'other:keyed')\ndef total(keyed): return keyed",
    )
    with pytest.raises(AmbiguousCell, match=r"keyed\['x'\].* and .*keyed\['y'\]"):
        Graph.from_cells(asking.total)


def test_a_cell_and_a_name_come_before_a_family(modules: Modules) -> None:
    """What `name=` calls so is meant where a family has that key too."""
    trip = modules.make(
        "trip",
        LOADS + "@cell(name='listed')\ndef other(): return 3\n" + TOTAL,
    )
    assert compute_sequential(Graph.from_module(trip))[trip.total][0] == 3


@pytest.mark.parametrize(
    "made", ["[]", "()", "{}", "[load]", "[one, load]", "{'a': one, 'b': 1}", "{one}"]
)
def test_what_holds_other_things_is_no_family(modules: Modules, made: str) -> None:
    """Nor is what holds nothing."""
    trip = modules.make(
        "trip",
        f"""
        def load(): ...
        @cell
        def one(): ...
        family = {made}
        @cell
        def total(family): ...
        """,
    )
    graph = Graph.from_module(trip)
    assert labels(graph) == ["one", "total"]
    assert list(graph.inputs) == ["family"]


def test_a_family_of_cells_with_names_of_their_own(modules: Modules) -> None:
    """Those that the module knows keep theirs; imported ones come if needed."""
    modules.make("far", "@cell\ndef far_off(): return 1\n@cell\ndef other(): ...")
    trip = modules.make(
        "trip",
        """
        from far import far_off, other
        import collections

        @cell
        def near(): return 2

        both = collections.OrderedDict(n=near, f=far_off)
        unused = (other, near)

        made = []
        for each in "ab":
            @cell
            def loop(each=each): return each
            made.append(loop)

        @cell
        def total(both, made): return both, made
        """,
    )
    graph = Graph.from_module(trip)
    assert labels(graph) == ["near", "made[0]", "loop", "total", "far_off"]
    assert compute_sequential(graph)[trip.total] == ({"n": 2, "f": 1}, ["a", "b"])


def test_a_member_cannot_ask_for_its_family(modules: Modules) -> None:
    """It would need itself."""
    modules.make("trip", "@cell\ndef one(family): ...\nfamily = [one]")
    with pytest.raises(CircularDependency, match=r"'one' .*needs 'one'"):
        Graph.from_module("trip")


def test_all_brings_an_imported_family(modules: Modules) -> None:
    """As it does a cell."""
    modules.make(
        "far", "@cell\ndef one(): ...\n@cell\ndef two(): ...\nboth = [one, two]"
    )
    modules.make("trip", "from far import both\n__all__ = ['both']")
    modules.make("bare", "from far import both\n@cell\ndef own(): ...")
    assert labels(Graph.from_module("trip")) == ["one", "two"]
    assert labels(Graph.from_module("bare")) == ["own"]


@pytest.mark.needs_processes
def test_a_family_goes_to_a_process(modules: Modules) -> None:
    """Lists and dicts are put together there."""
    trip = modules.make(
        "trip", LOADS + TOTAL.replace("@cell", "@cell(run_in='process')")
    )
    results = COMPUTERS["concurrent"](Graph.from_module(trip))
    assert results[trip.total][2] == {"x": "X", "y": "Y"}


def test_a_failure_shows_the_values_of_a_family(modules: Modules) -> None:
    """As the cell got them."""
    trip = modules.make(
        "trip", LOADS + "@cell\ndef total(listed, *, keyed): raise ValueError(1)"
    )
    with pytest.raises(ValueError, match="1") as caught:
        compute_sequential(Graph.from_module(trip))
    assert caught.value.__notes__[0].endswith(
        "\n  called with listed=['A', 'B'], keyed={'x': 'X', 'y': 'Y'}"
    )


def test_a_mistyped_family_is_suggested(modules: Modules) -> None:
    """Families are among the near names."""
    trip = modules.make("trip", LOADS + "@depends_on('lsted')\ndef total(): ...")
    with pytest.raises(UnknownCell, match="Did you mean 'listed'"):
        Graph.from_cells(trip.total)
