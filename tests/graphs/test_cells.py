"""The cells of a graph by name, and a graph in a line."""

import copy
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiocells import DependencyGraph, Graph, cell
from tests.helpers import Modules, text


def test_cells_are_found_by_name_in_order() -> None:
    """`graph.cells` is a mapping from name to cell, in the order of declaration."""
    last, first = text("last"), text("first")

    @cell
    def between(last: str) -> str:
        return last

    graph = Graph.from_cells(first, between, last)
    assert isinstance(graph.cells, Mapping)
    assert list(graph.cells.items()) == [
        ("first", first),
        ("between", between),
        ("last", last),
    ]
    assert graph.cells["between"] is between
    assert "zzz" not in graph.cells
    assert graph.cells.get("zzz") is None
    with pytest.raises(KeyError, match="zzz"):
        graph.cells["zzz"]


def test_cells_that_share_a_name_are_told_apart(modules: Modules) -> None:
    """By the place in the source, and where they share that as well, by a number."""
    trip = modules.make(
        "trip",
        """
        from functools import partial

        @cell
        def plan(): ...

        @cell(name="plan")
        def other(): ...

        @cell
        def audit(): ...

        family = [cell(partial(lambda city: city, city), name="city") for city in "ab"]
        """,
    )
    graph = Graph.from_cells(trip.plan, trip.other, trip.audit, *trip.family)
    assert dict(graph.cells) == {
        "plan (trip.py:4)": trip.plan,
        "plan (trip.py:7)": trip.other,
        "audit": trip.audit,
        "city (trip.py:13)": trip.family[0],
        "city (trip.py:13) #2": trip.family[1],
    }


@given(st.lists(st.sampled_from(["a", "a #2", "b"])))
def test_no_cell_is_lost(names: list[str]) -> None:
    """However names are shared, each cell has an entry of its own."""
    cells = [text(name) for name in names]
    graph = Graph.from_cells(*cells)
    assert list(graph.cells.values()) == cells


def test_cells_are_those_of_now() -> None:
    """What is added by hand is there, and what was looked at before does not change."""
    graph = Graph.from_cells(text("first"))
    before = graph.cells
    assert graph.cells is before
    second = graph.add_node(text("second"))
    assert list(before) == ["first"]
    assert graph.cells["second"] is second
    copied = copy.deepcopy(graph)
    copied.add_node("third")
    assert list(copied.cells) == ["first", "second", "third"]
    assert list(graph.cells) == ["first", "second"]


def test_cells_by_name_cannot_be_changed() -> None:
    """They are read only."""
    cells: Any = Graph.from_cells(text("first")).cells
    with pytest.raises(TypeError):
        cells["first"] = None
    with pytest.raises(TypeError):
        del cells["first"]
    with pytest.raises(AttributeError):
        cells.anything = 3


def test_cells_of_a_graph_built_by_hand() -> None:
    """Nodes that are no functions have the name that str() gives them."""
    graph = DependencyGraph(initial_dependencies={"a": [3], print: []})
    assert dict(graph.cells) == {"a": "a", "3": 3, "print": print}


def test_cells_are_shown_by_their_names() -> None:
    """The repr has the first few, and IPython completes all."""
    graph = Graph.from_cells(*(text(f"cell_{number}") for number in range(30)))
    shown = repr(graph.cells)
    assert shown.startswith("<Cells: 'cell_0', 'cell_1', ")
    assert shown.endswith(", ... 20 more>")
    assert repr(Graph().cells) == "<Cells: none>"
    completed: Any = graph.cells
    assert completed._ipython_key_completions_() == list(graph.cells)


def test_cells_are_no_property() -> None:
    """IPython calls no property to complete the keys of what it would give."""
    assert not isinstance(vars(DependencyGraph)["cells"], property)
    assert "cells:" in (DependencyGraph.__doc__ or "")


def test_a_graph_built_by_hand_in_a_line() -> None:
    """The repr counts the nodes, and has the name if there is one."""
    graph = DependencyGraph()
    assert repr(graph) == "<DependencyGraph: 0 nodes>"
    graph.add_node(print)
    assert repr(graph) == "<DependencyGraph: 1 node>"
    named = DependencyGraph(initial_dependencies={"a": ["b"]}, name="letters")
    assert repr(named) == "<DependencyGraph 'letters': 2 nodes>"


class Unshowable:
    """Cannot be shown."""

    def __repr__(self) -> str:
        """Fail."""
        raise ValueError

    def __call__(self) -> None:
        """Do nothing."""


def test_the_repr_of_a_graph_never_fails() -> None:
    """Neither where a node cannot be shown, nor where the graph is only half made."""
    graph = DependencyGraph()
    graph.add_node(Unshowable())
    assert repr(graph) == "<DependencyGraph: 1 node>"
    collected = Graph.from_cells(Unshowable())
    assert repr(collected) == f"<Graph: 1 cell of {__name__}>"
    odd: Any = Unshowable()
    for cls in (DependencyGraph, Graph):
        assert repr(cls.__new__(cls)).startswith("<aiocells.")
        assert repr(cls(name=odd)).startswith("<aiocells.")
