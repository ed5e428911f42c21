"""Results that are pickled and copied: they can be always, and stay small."""

import copy
import functools
import gc
import pickle
import sys
import threading
import types
import weakref
from collections.abc import Iterator
from typing import Any

import attrs
import pytest

import aiocells
from aiocells import (
    DependencyGraph,
    Graph,
    Results,
    cell,
    compute_sequential,
    depends_on,
    resource,
)
from aiocells._planning.compiling import plan_of
from aiocells._running.loops import generated
from tests.helpers import COMPUTERS, Modules, text

TRIP = """
import functools

@cell
def forecast(): return ["sun"]

@cell
def plan(forecast): return {"go": forecast}

@cell
def unrelated(): return 1

@resource
def connection(): yield "connection"

@cell
def stored(plan, connection): return len(plan)

@cell
def both(plan, forecast): return [plan, forecast]

@cell
def broken(plan): raise ValueError("no")

@cell
def after(broken): ...

@cell
@depends_on(broken)
def last(after): ...

class Trip:
    @cell
    def day(self): return "Mon"

    def __call__(self): return "called"

def size(word): return len(word)

length = cell(functools.partial(size, "four"), name="length")
called = cell(Trip())
short = cell(lambda: "short", name="brief")
"""


@pytest.fixture
def trip(modules: Modules) -> Any:
    """The module of the tests below."""
    return modules.make("trip", TRIP)


def pickled(results: Results) -> Results:
    """What comes back."""
    found = pickle.loads(pickle.dumps(results))
    assert type(found) is Results
    return found


def message(results: Results, key: Any) -> str:
    """Why there is no value."""
    with pytest.raises(aiocells.errors.MissingValue) as caught:
        results[key]
    return str(caught.value)


# What is kept


@pytest.mark.parametrize("name", COMPUTERS)
def test_values_are_found_by_cell_and_by_name(name: str, trip: Any) -> None:
    """What is read is the same mapping, in the same order."""
    results = COMPUTERS[name](Graph.from_cells(trip.stored, trip.unrelated))
    found = pickled(results)
    assert list(found.items()) == list(results.items())
    assert found == results
    assert found[trip.stored] == found["stored"] == 1
    assert trip.stored in found
    assert "connection" not in found
    assert (len(found), repr(found)) == (len(results), repr(results))
    assert found.by_name() == results.by_name()
    assert found.failures == {}
    assert found.skipped == frozenset()


def test_results_of_any_run_can_be_pickled(
    trip: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when code was generated for the plan, and under whatever options."""
    monkeypatch.setattr(generated, "WORTH_COMPILING", 2)
    graph = Graph.from_cells(trip.both)
    for _ in range(4):
        assert pickled(compute_sequential(graph)) == compute_sequential(graph)
    assert generated.kept.get(plan_of(graph)) is not None

    @cell(timeout=60, limit="few")
    async def limited(plan: Any, times: int) -> Any:
        return times

    graph = Graph.from_cells(trip.plan, limited)
    results = COMPUTERS["concurrent"](
        graph,
        inputs={"times": 2},
        overrides={trip.forecast: "rain"},
        limits={"few": 1},
        observers=[lambda event: None],
    )
    assert pickled(results).by_name() == {
        "forecast": "rain",
        "plan": {"go": "rain"},
        "limited": 2,
    }


def test_what_fell_back_is_kept() -> None:
    """Also of cells that are no target; one exception stays one."""

    @resource(fallback=lambda error: 1)
    def client() -> Iterator[int]:
        raise problem
        yield 1

    problem = KeyError("down")
    broken = cell(name="broken", fallback=lambda error: 2)(lambda: 1)
    user = cell(name="user", fallback=lambda error: 3)(
        depends_on(client)(lambda: 1 / 0)
    )
    results = compute_sequential(Graph.from_cells(client, broken, user))
    assert results.fallbacks.keys() == {client, user}
    assert repr(results) == "<Results: 'broken', 'user'; fell back: 'client', 'user'>"
    for found in (pickled(results), copy.copy(results), copy.deepcopy(results)):
        assert repr(found) == repr(results)
        assert [repr(each) for each in found.fallbacks.values()] == [
            "KeyError('down')",
            "ZeroDivisionError('division by zero')",
        ]
    state = results.__getstate__()
    before = Results.__new__(Results)  # of a version that knew of none
    before.__setstate__(type(state)(*state[:-4]))
    assert before.fallbacks == {}


def test_what_is_one_value_stays_one(trip: Any) -> None:
    """Values that hold each other hold each other afterwards."""
    found = pickled(compute_sequential(Graph.from_cells(trip.plan)))
    assert found["plan"]["go"] is found["forecast"]


def test_a_cell_that_cannot_be_found_goes_by_its_name(trip: Any) -> None:
    """Lambdas and local functions, methods, partials: by what tells them apart."""
    one, two = text("same"), text("same")

    @cell
    def local() -> int:
        return 3

    local_partial = cell(functools.partial(len, "four"), name="partial")
    cells = [local, local_partial, one, two, trip.plan]
    results = compute_sequential(Graph.from_cells(*cells))
    found = pickled(results)
    labels = list(results.by_name())
    assert list(found) == [*labels[:-2], trip.plan, trip.forecast]
    assert found.by_name() == results.by_name()
    assert found["local"] == 3
    assert found["partial"] == 4
    assert [found[label] for label in labels] == list(results.values())
    assert message(found, "same") == message(results, "same")
    # A function is known by its name and place all the same; of two that share both,
    # nobody can tell which was meant.
    assert found[local] == 3
    assert found[local_partial] == 4
    assert message(found, one).endswith("is not in the graph.")
    assert pickled(found) == found

    results = compute_sequential(Graph.from_object(trip.Trip()))
    assert pickled(results).by_name() == {"day": "Mon"}


def test_what_a_module_holds_is_found_there(trip: Any) -> None:
    """Partials and instances too, by the name that they have in it."""
    graph = Graph.from_cells(trip.length, trip.called)
    found = pickled(compute_sequential(Graph.from_module(trip), targets=["length"]))
    assert list(found) == [trip.length]
    found = pickled(compute_sequential(graph))
    assert found[trip.length] == 4
    # The other is known by another name than that of its class, if it was collected
    # with its module.
    assert found["Trip"] == "called"
    found = pickled(
        compute_sequential(Graph.from_module(trip), targets=[trip.called, trip.short])
    )
    assert list(found) == [trip.called, "brief"]
    assert found[trip.called] == "called"


def test_what_is_gone_when_it_is_read_goes_by_its_name(trip: Any) -> None:
    """As in another process, or after a change; nothing else is lost by it."""
    data = pickle.dumps(compute_sequential(Graph.from_cells(trip.plan)))
    plan = trip.plan
    del trip.plan
    found = pickle.loads(data)
    assert list(found) == ["plan", trip.forecast]
    assert found["plan"] == found[plan] == {"go": ["sun"]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "trip", types.ModuleType("trip"))
        assert pickle.loads(data).by_name() == found.by_name()


def test_results_of_a_graph_of_1_x(trip: Any) -> None:
    """Nodes added by hand are kept as well."""
    graph = DependencyGraph()
    graph.add_precedence(trip.forecast, text("last"))
    found = pickled(compute_sequential(graph))
    assert found[trip.forecast] == ["sun"]
    assert found["last"] == "last"


# Why a value is not there


def test_messages_are_kept(trip: Any) -> None:
    """By cell and by name, those of cells that are no target as well."""
    results = compute_sequential(
        Graph.from_module(trip),
        targets=["stored", "after", "last"],
        on_error="continue",
    )
    found = pickled(results)
    assert found.skipped == {trip.after, trip.last}
    keys: list[Any] = ["unrelated", "forecast", "connection", "after", "last"]
    for key in (*keys, *(getattr(trip, name) for name in keys)):
        assert message(found, key) == message(results, key)
        assert key not in found
        assert found.get(key, 5) == 5
    for key in ("fster", "zzz", 3, [3], print):
        assert message(found, key) == message(results, key)
    assert message(found, "last") == (
        "'last' (trip.py:28) was skipped, because what it needs failed: 'broken' "
        "(trip.py:22)."
    )


@pytest.mark.parametrize("times", [1, 2])
def test_failures_are_kept_with_their_notes(times: int, trip: Any) -> None:
    """They are raised as before; where that was is their cause."""
    results = compute_sequential(Graph.from_module(trip), on_error="continue")
    found = results
    for _ in range(times):
        found = pickled(found)
    assert list(found.failures) == [trip.broken]
    for key in (trip.broken, "broken"):
        with pytest.raises(ValueError, match="no") as caught:
            found[key]
        assert caught.value is found.failures[trip.broken]
        assert caught.value.__notes__ == results.failures[trip.broken].__notes__
    assert "trip.py" in str(caught.value.__cause__)


class TwoArguments(Exception):
    """Cannot be made from its args."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


@attrs.frozen
class Frozen(Exception):
    """Takes no attributes."""

    code: int
    lock: Any = None


def test_any_failure_can_be_pickled() -> None:
    """What cannot be is replaced by a RuntimeError with its type, text and notes."""
    shared = Frozen(3)

    def failing(name: str, error: Exception) -> Any:
        def fail() -> None:
            raise error

        return cell(name=name)(fail)

    cells = [
        failing("frozen", shared),
        failing("again", shared),
        failing("two", TwoArguments(1, 2)),
        failing("lock", Frozen(4, threading.Lock())),
    ]
    results = compute_sequential(Graph.from_cells(*cells), on_error="continue")
    found = pickled(results).failures
    assert list(found) == ["frozen", "again", "two", "lock"]
    assert found["frozen"] is found["again"]
    assert type(found["frozen"]) is Frozen
    assert found["frozen"].code == 3  # type: ignore[attr-defined]
    assert len(found["frozen"].__notes__) == 2
    for name in ("two", "lock"):
        assert type(found[name]) is RuntimeError
        assert "it cannot be sent whole: TypeError: " in str(found[name])
        assert found[name].__notes__[0].startswith(f"in cell '{name}' (")


# How much is kept


def test_a_pickle_has_cells_and_values_only(trip: Any) -> None:
    """No plan, no graph; and of a partial that stands for a cell not what it fixes."""
    large = cell(functools.partial(len, "x" * 1_000_000), name="large")
    many = [text(f"cell_{number}") for number in range(500)]
    graph = Graph.from_cells(trip.plan, large, *many)
    data = pickle.dumps(compute_sequential(graph))
    assert len(data) < 30_000
    for module in (b"_planning", b"_graphs", b"_running", b"_collecting"):
        assert module not in data
    # Of cells that are no targets a few letters are kept, to say why.
    assert len(pickle.dumps(compute_sequential(graph, targets=[large]))) < 5000


@pytest.mark.parametrize("name", COMPUTERS)
def test_results_keep_neither_graph_nor_plan_alive(name: str) -> None:
    """Who keeps results keeps cells and values."""

    @cell
    def one() -> int:
        return 1

    graph = Graph.from_cells(one)
    references = [weakref.ref(graph), weakref.ref(plan_of(graph))]
    references.append(weakref.ref(plan_of(graph).program))
    results = COMPUTERS[name](graph)
    del graph
    gc.collect()
    assert [reference() for reference in references] == [None] * 3
    assert results[one] == results["one"] == 1
    assert pickled(results) == {"one": 1}


# Copies


@pytest.mark.parametrize("mode", ["raise", "continue"])
def test_a_deep_copy_has_values_of_its_own(mode: str, trip: Any) -> None:
    """Cells, and what they raised, are the same."""
    cells = [trip.plan, cell(lambda: 1, name="local")]
    cells += [trip.after] if mode == "continue" else []
    results = compute_sequential(Graph.from_cells(*cells), on_error=mode)
    copied = copy.deepcopy(results)
    assert type(copied) is Results
    assert copied == results
    assert list(copied) == list(results)
    assert copied["plan"] is not results["plan"]
    assert copied["plan"]["go"] is copied["forecast"]
    assert copied.failures == results.failures
    assert copied.skipped == results.skipped
    results["forecast"].append(results)
    for each in (copy.deepcopy(results), pickled(results)):
        assert each["forecast"][1] is each


def test_a_copy_shares_the_values(trip: Any) -> None:
    """As that of a dict does; a failure's traceback does not grow by copying."""
    results = compute_sequential(Graph.from_cells(trip.after), on_error="continue")
    lengths = set()
    for _ in range(3):
        with pytest.raises(ValueError, match="no") as caught:
            results["broken"]
        lengths.add(len(caught.traceback))
        results = copy.copy(results)
    assert len(lengths) == 1
    assert copy.copy(results)["plan"] is results["plan"]
    assert copy.copy(results) == results


@pytest.mark.needs_processes
def test_a_cell_in_a_process_may_give_results(modules: Modules) -> None:
    """They are found by cell there and here."""
    work = modules.make(
        "work",
        """
        import aiocells

        @cell
        def answer(): return 42

        @cell
        def failing(): raise ValueError

        @cell(run_in="process")
        def computed():
            graph = aiocells.Graph.from_cells(answer, failing)
            return aiocells.compute_sequential(graph, on_error="continue")
        """,
    )
    results = COMPUTERS["concurrent"](Graph.from_cells(work.computed))
    inner = results[work.computed]
    assert inner[work.answer] == 42
    assert type(inner.failures[work.failing]) is ValueError
