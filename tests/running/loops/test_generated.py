"""Plans that are computed often run as generated code, with the same meaning."""

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import aiocells
from aiocells import (
    DependencyGraph,
    Graph,
    Lazy,
    cell,
    compute_sequential,
    depends_on,
)
from aiocells._planning.compiling import plan_of
from aiocells._running.loops import generated
from tests.computers.test_computers import check_order, inputs_for, some_ranks
from tests.strategies import Built, Node, Reference, Shape, shapes


@pytest.fixture(autouse=True, scope="module")
def _at_once() -> Iterator[None]:
    """Generate code for the second run of a plan."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generated, "WORTH_COMPILING", 2)
        yield


def is_generated(graph: DependencyGraph) -> bool:
    """Whether all of a graph is run by generated code."""
    return generated.kept.get(plan_of(graph)) is not None


def error_of(graph: Graph, inputs: dict[str, int]) -> ValueError | None:
    """What computing a graph raises, which is its one failure."""
    try:
        compute_sequential(graph, inputs=inputs)
    except ValueError as error:
        found = error
    else:
        return None
    assert list(aiocells.failures(found).values()) == [found]
    return found


@given(shapes(plain=True), st.data())
def test_it_computes_what_the_loops_compute(shape: Shape, data: st.DataObject) -> None:
    """Same values, same order, whatever the targets and overrides."""
    targets = data.draw(st.none() | some_ranks(shape))
    overridden = data.draw(some_ranks(shape))
    built = Built(shape)
    options: dict[str, Any] = {
        "targets": None if targets is None else [built.cells[rank] for rank in targets],
        "inputs": inputs_for(shape),
        "overrides": {built.cells[rank]: -rank - 1 for rank in overridden},
    }
    seen = []
    for _ in range(3):
        built.log.clear()
        seen.append((dict(compute_sequential(built.graph, **options)), [*built.log]))
        check_order(built)
    assert seen[0] == seen[1] == seen[2]


@given(shapes(plain=True), st.data())
def test_a_failing_cell_is_named_as_in_the_loops(
    shape: Shape, data: st.DataObject
) -> None:
    """The same exception, with the same notes."""
    fails = data.draw(some_ranks(shape))

    def act(node: Node) -> None:
        if node.rank in fails:
            msg = f"cell {node.rank}"
            raise ValueError(msg)

    built = Built(shape, act)
    reference = Reference(shape, 7)
    for rank in shape.declared:
        reference.compute(rank)
    told = []
    for _ in range(3):
        error = error_of(built.graph, inputs_for(shape))
        if error is not None:
            told.append((str(error), error.__notes__))
    assert told == told[:1] * (3 if fails else 0)


def test_it_comes_with_the_runs() -> None:
    """The first runs are quick to start; code is generated when it has paid."""

    @cell
    def one(x: int) -> int:
        return x

    graph = Graph.from_cells(one)
    assert compute_sequential(graph, inputs={"x": 1})[one] == 1
    assert not is_generated(graph)
    for x in (2, 3):
        assert compute_sequential(graph, inputs={"x": x})[one] == x
        assert is_generated(graph)
    other = cell(lambda one: one + 1)
    graph.add_node(other)
    assert not is_generated(graph)


@pytest.mark.parametrize("options", [{"on_error": "continue"}, {"observers": [print]}])
def test_runs_that_need_more_stay_with_the_loops(
    options: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """What must go on after a failure, or is watched, is not generated."""

    @cell
    def one(x: int) -> int:
        return x

    graph = Graph.from_cells(one)
    for _ in range(4):
        compute_sequential(graph, inputs={"x": 1}, **options)
    assert not is_generated(graph)


def test_cells_that_pass_nothing_on_stay_with_the_loops() -> None:
    """Where there are no values, there is nothing to gain."""
    graph = DependencyGraph()
    graph.add_precedence(lambda: None, lambda: None)
    for _ in range(4):
        compute_sequential(graph)
    assert not is_generated(graph)


def test_values_are_let_go_after_their_last_use() -> None:
    """A variable is written over, or emptied, at the last use of its value."""

    class Big:
        pass

    alive: list[weakref.ref[Big]] = []
    seen: list[list[bool]] = []

    def look() -> None:
        gc.collect()
        seen.append([reference() is not None for reference in alive])

    @cell
    def big() -> Big:
        made = Big()
        alive.append(weakref.ref(made))
        return made

    @cell
    def other() -> Big:
        made = Big()
        alive.append(weakref.ref(made))
        return made

    @cell
    def both(big: Big, other: Big) -> int:
        look()
        return 1

    @cell
    def unused(both: int) -> Big:
        look()
        made = Big()
        alive.append(weakref.ref(made))
        return made

    @cell
    @aiocells.depends_on(unused)
    def last(both: int, x: int) -> int:
        look()
        return both

    graph = Graph.from_cells(last, unused, both, other, big)
    for _ in range(4):
        alive.clear()
        seen.clear()
        results = compute_sequential(graph, targets=[last], inputs={"x": 1})
        assert results[last] == 1
        assert seen == [[True, True], [False, False], [False, False, False]]


@pytest.mark.parametrize("asks", [False, True])
def test_an_error_outside_of_the_cells_is_no_cells(*, asks: bool) -> None:
    """What is raised before the first cell, or after the last, is raised as it is."""

    @cell
    def one(x: int) -> int:
        return x

    @cell
    @depends_on(one=Lazy(one))
    def two(one: Any) -> int:
        return 2

    graph = Graph.from_cells(one, two) if asks else Graph.from_cells(one)
    for _ in range(3):
        compute_sequential(graph, inputs={"x": 1})
    made = generated.kept.get(plan_of(graph))
    assert made is not None

    def interrupted(*values: Any) -> list[Any]:
        raise KeyboardInterrupt

    generated.kept.set(plan_of(graph), made._replace(function=interrupted))
    with pytest.raises(KeyboardInterrupt) as caught:
        compute_sequential(graph, inputs={"x": 1})
    assert not hasattr(caught.value, "__notes__")
