"""Computing without an event loop: what a run touches, and what it does not."""

import functools
import sys
import types
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from aiocells import (
    DependencyGraph,
    Graph,
    cell,
    compute_sequential,
    depends_on,
    failures,
)
from aiocells._running.loops import generated, segments

PACKAGE = generated.__name__.partition(".")[0]


@cell
def price(x: int) -> int:
    """One of three cells."""
    return x


@cell
def count(x: int) -> int:
    """Another."""
    return x + 1


@cell
def total(price: int, count: int) -> int:
    """The third, which takes the others."""
    return price * count


def touched(graph: Graph, **options: Any) -> list[str]:
    """The functions of the library that a run calls, of a plan that is known."""
    names: list[str] = []

    def note(frame: types.FrameType, event: str, _: Any) -> None:
        module = frame.f_globals.get("__name__", "")
        if event == "call" and module.partition(".")[0] == PACKAGE:
            names.append(frame.f_code.co_name)

    compute_sequential(graph, inputs={"x": 1}, **options)
    before = sys.getprofile()
    sys.setprofile(note)
    try:
        compute_sequential(graph, inputs={"x": 1}, **options)
    finally:
        sys.setprofile(before)
    return names


def test_a_plain_run_touches_nothing_that_it_does_not_use() -> None:
    """No limits, executors, observers, resources, or records of failures are looked at.

    Each of these functions is needed to find the plan, to lay the inputs out, to call
    the cells, or to hand the values over.
    """
    assert touched(Graph.from_cells(price, count, total)) == [
        "compute_sequential",
        "plan_for",
        "choose",
        "plan_of",
        "structure_of",
        "get",
        "compute_plain",
        "get",
        "lay_out",
        "checked_mapping",
        "_compute_straight",
        "_any",
        "__init__",
    ]


def test_targets_add_no_more_than_their_selection() -> None:
    """With `targets=` four more functions are called: they find what was selected."""
    graph = Graph.from_cells(price, count, total)
    more = touched(graph, targets=[total])
    for name in touched(graph):
        if name in more:
            more.remove(name)
    assert more == ["_selected", "is_iterable", "get", "checked_mapping", "_freeing"]


def joined(*values: str) -> str:
    """The body of every cell below."""
    return f"({','.join(values)})"


def row_of_cells(arities: list[int]) -> Graph:
    """Cells in a row, each of which takes so many of those before it."""
    cells = []
    for number, arity in enumerate(arities):
        names = ", ".join(f"c{each}" for each in range(max(number - arity, 0), number))
        body = eval(f"lambda {names}: joined({names})", {"joined": joined})
        cells.append(cell(name=f"c{number}")(body))
    return Graph.from_cells(*cells)


@pytest.mark.parametrize(
    "arities",
    [*([each] * 14 for each in range(6)), [0, 1, 2, 3, 4, 5] * 3],
    ids=[*map(str, range(6)), "mixed"],
)
def test_values_that_are_let_go_are_the_same(arities: list[int]) -> None:
    """Whatever the arity of its cells, a graph gives with `targets=` what it gave."""
    graph = row_of_cells(arities)
    everything = dict(compute_sequential(graph))
    for node, value in everything.items():
        assert dict(compute_sequential(graph, targets=[node])) == {node: value}
    some = list(everything)[::-3]
    found = compute_sequential(graph, targets=some)
    assert list(found.items()) == [(node, everything[node]) for node in some]


def test_many_values_that_go_at_once_are_let_go() -> None:
    """A cell that uses many values last leaves none of them behind."""
    alive: set[int] = set()

    class Value:
        def __init__(self, name: int) -> None:
            self.name = name
            alive.add(name)

        def __del__(self) -> None:
            alive.discard(self.name)

    def use(*values: Value) -> int:
        return len(values)

    sources = [cell(functools.partial(Value, each)) for each in range(12)]
    named = {f"a{each}": source for each, source in enumerate(sources)}
    users = []
    for count in (3, 3, 3, 3):
        taken = [named.popitem() for _ in range(count)]
        params = ", ".join(name for name, _ in taken)
        inner = eval(f"lambda {params}: use({params})", {"use": use})
        users.append(depends_on(**dict(taken))(inner))

    def look(a: int, b: int, c: int, d: int) -> list[int]:
        return sorted(alive)

    last = depends_on(**dict(zip("abcd", users, strict=True)))(look)
    graph = Graph.from_cells(last)
    assert compute_sequential(graph, targets=[last])[last] == []


def test_quiet_cells_may_find_something_to_say() -> None:
    """Nodes that take nothing mostly give None; each that does not keeps its value."""
    graph = DependencyGraph()
    given: list[int | None] = [None, None, 5, None, 7, None]
    nodes = [
        graph.add_node(functools.partial(lambda value: value, each)) for each in given
    ]
    results = compute_sequential(graph)
    assert [results[node] for node in nodes] == given
    silent = DependencyGraph()
    for _ in range(segments._WORTH_A_LOOP):
        silent.add_node(functools.partial(lambda: None))
    for _ in range(2):
        assert list(compute_sequential(silent).values()) == [None] * len(silent)


@pytest.mark.parametrize("place", range(5))
def test_a_failure_among_quiet_cells_is_that_cells(place: int) -> None:
    """Which of them failed is known, before and after one had something to say."""

    def fail() -> None:
        msg = "no"
        raise ValueError(msg)

    def speak() -> int:
        return 1

    nodes: list[Any] = [functools.partial(print, end="") for _ in range(5)]
    nodes[2] = speak
    nodes[place] = fail
    graph = DependencyGraph()
    for node in nodes:
        graph.add_node(node)
    with pytest.raises(ValueError, match="no") as caught:
        compute_sequential(graph)
    assert list(failures(caught.value)) == [fail]
    results = compute_sequential(graph, on_error="continue")
    assert list(results.failures) == [fail]
    assert results.get(speak, 1) == 1


@pytest.mark.parametrize("options", [{}, {"targets": ["total"]}])
def test_what_is_raised_before_a_cell_is_no_cells(
    options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interruption that comes before the first cell is called is raised as it is."""
    graph = Graph.from_cells(price, count, total)

    def interrupted(steps: Iterator[Any], values: list[Any]) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(segments, "_any", interrupted)
    monkeypatch.setattr(segments, "_freeing", interrupted)
    with pytest.raises(KeyboardInterrupt) as caught:
        compute_sequential(graph, inputs={"x": 1}, **options)
    assert not hasattr(caught.value, "__notes__")


def test_values_that_nobody_uses_are_let_go() -> None:
    """With targets, the values of cells that only come before are dropped at once."""
    dropped: list[weakref.ref[Value]] = []

    @cell
    def start() -> Value:
        return Value()

    def made(start: Value) -> Value:
        assert all(reference() is None for reference in dropped)
        value = Value()
        dropped.append(weakref.ref(value))
        return value

    parts = [cell(name=f"part{n}")(functools.partial(made)) for n in range(6)]

    @cell
    @depends_on(*parts)
    def last(start: Value) -> int:
        return len(dropped)

    assert compute_sequential(Graph.from_cells(last, start), targets=[last])[last] == 6


class Value:
    """What can be seen to go."""
