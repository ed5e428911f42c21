"""Preparing: what is chosen, given and checked before a cell runs."""

import types
from collections.abc import Callable
from typing import Any

import pytest

import aiocells
from aiocells import (
    AmbiguousCell,
    DependencyGraph,
    Graph,
    MissingInput,
    MissingValue,
    UnknownCell,
    UnknownInput,
    UnsupportedCell,
    cell,
    compute_sequential,
    depends_on,
)
from tests.helpers import COMPUTERS, Modules, text

# Each cell takes down that it ran.
TRIP = """
RAN = []

@cell
def forecast(city):
    RAN.append("forecast")
    return f"sun in {city}"

@cell
def plan(forecast, days):
    RAN.append("plan")
    return f"{days} days of {forecast}"

@resource
def connection():
    RAN.append("connection")
    yield "connection"

@cell
def stored(plan, connection):
    RAN.append("stored")
    return f"{plan} stored"

@cell
@depends_on(stored)
def audit(auditor="ann"):
    RAN.append("audit")
    return auditor

@cell(name="plan")
def other(unrelated):
    RAN.append("other")

def outside():
    RAN.append("outside")
"""
ALL = {"city": "Oslo", "days": 3, "unrelated": None}

Compute = Callable[..., Any]


@pytest.fixture(params=sorted(COMPUTERS))
def compute(request: pytest.FixtureRequest) -> Compute:
    """Each computer in turn."""
    return COMPUTERS[request.param]


@pytest.fixture
def trip(modules: Modules) -> Any:
    """The module of the tests below."""
    return modules.make("trip", TRIP)


# Targets


@pytest.mark.parametrize("by", ["cell", "name"])
def test_targets_are_computed_with_what_they_need(
    trip: Any, compute: Compute, by: str
) -> None:
    """A cell or its name; what it does not need does not run, nor need inputs."""
    target = trip.stored if by == "cell" else "stored"
    graph = Graph.from_module(trip)
    results = compute(graph, targets=[target], inputs={"city": "Oslo", "days": 3})
    assert dict(results) == {trip.stored: "3 days of sun in Oslo stored"}
    assert sorted(trip.RAN) == ["connection", "forecast", "plan", "stored"]


def test_order_only_dependencies_are_needed_too(trip: Any, compute: Compute) -> None:
    """What a target only has to come after is run."""
    results = compute(Graph.from_module(trip), targets=["audit"], inputs=ALL)
    assert dict(results) == {trip.audit: "ann"}
    assert "stored" in trip.RAN


def test_targets_keep_their_order_and_count_once(trip: Any, compute: Compute) -> None:
    """The results come in the order in which the targets were asked for."""
    targets = iter(["audit", trip.forecast, trip.audit, "forecast"])
    results = compute(Graph.from_module(trip), targets=targets, inputs=ALL)
    assert list(results) == [trip.audit, trip.forecast]


def test_no_targets_is_not_all_targets(trip: Any, compute: Compute) -> None:
    """An empty list computes nothing; leaving it out computes all."""
    graph = Graph.from_module(trip)
    assert dict(compute(graph, targets=[])) == {}
    assert trip.RAN == []
    results = compute(graph, inputs=ALL)
    cells = [trip.forecast, trip.plan, trip.stored, trip.audit, trip.other]
    assert list(results) == cells
    assert len(trip.RAN) == 6


def test_many_choices_of_targets_can_be_computed(compute: Compute) -> None:
    """A graph can be asked for more than it keeps the answers to."""
    cells = [text(f"cell_{number}") for number in range(100)]
    graph = Graph.from_cells(*cells)
    for _ in range(2):
        for target in cells:
            assert compute(graph, targets=[target])[target] == target()


def test_a_graph_that_has_changed_is_prepared_anew(compute: Compute) -> None:
    """What is added by hand after a computation takes part in the next."""
    seen: list[str] = []
    first = cell(name="first")(lambda: seen.append("first"))
    graph = Graph.from_cells(first)
    compute(graph, targets=["first"])
    graph.add_precedence(lambda: seen.append("before"), first)
    compute(graph, targets=["first"])
    assert seen == ["first", "before", "first"]


# Inputs


def test_inputs_of_unchosen_cells_are_accepted(trip: Any, compute: Compute) -> None:
    """An input that a cell of the graph wants is no error, chosen or not."""
    results = compute(Graph.from_module(trip), targets=["forecast"], inputs=ALL)
    assert results[trip.forecast] == "sun in Oslo"


@pytest.mark.parametrize("inputs", [None, {}])
def test_no_inputs_can_be_given_in_two_ways(compute: Compute, inputs: Any) -> None:
    """None and an empty mapping are the same."""
    graph = Graph.from_cells(text("x"))
    assert list(compute(graph, inputs=inputs, overrides=inputs).values()) == ["x"]


@pytest.mark.parametrize("value", [None, 0, False, [], float("nan")])
def test_any_value_can_be_given(compute: Compute, value: Any) -> None:
    """What is false or None is a value as well, as input and as override."""

    @cell
    def same(x: Any = "default") -> Any:
        return x

    @cell
    def again(y: Any) -> Any:
        return y

    graph = Graph.from_cells(same, depends_on(y=same)(again))
    assert compute(graph, inputs={"x": value})[same] is value
    assert compute(graph, overrides={same: value})[again] is value


# Overrides


@pytest.mark.parametrize("by", ["cell", "name"])
def test_an_override_replaces_a_cell(trip: Any, compute: Compute, by: str) -> None:
    """The cell does not run, nor what only it needs; its inputs are not missed."""
    overrides = {trip.forecast if by == "cell" else "forecast": "rain"}
    graph = Graph.from_module(trip)
    targets = [trip.stored, "forecast"]
    results = compute(graph, targets=targets, inputs={"days": 2}, overrides=overrides)
    assert dict(results) == {
        trip.stored: "2 days of rain stored",
        trip.forecast: "rain",
    }
    assert "forecast" not in trip.RAN


def test_without_targets_an_override_spares_what_fed_it(
    trip: Any, compute: Compute
) -> None:
    """Run is what a cell needs that nobody depends on; the override is a result."""
    graph = Graph.from_module(trip)
    results = compute(graph, overrides={trip.stored: "old", trip.other: None})
    assert dict(results) == {trip.stored: "old", trip.audit: "ann", trip.other: None}
    assert trip.RAN == ["audit"]


def test_a_resource_can_be_overridden(trip: Any, compute: Compute) -> None:
    """As in a test: the resource is not opened, and its value is the one given."""
    graph = Graph.from_module(trip)
    results = compute(
        graph,
        targets=["stored"],
        overrides={trip.connection: "fake", trip.plan: "a plan"},
    )
    assert dict(results) == {trip.stored: "a plan stored"}
    assert trip.RAN == ["stored"]


# Errors, before a cell has run


@pytest.mark.parametrize(
    ("given", "error", "told"),
    [
        (
            {"inputs": {"city": "Oslo", "unrelated": 1}},
            MissingInput,
            "Missing input: 'days' is needed by 'plan' (trip.py:9). Give it as "
            "inputs={'days': ...}. Given: 'city', 'unrelated'.",
        ),
        (
            {"targets": ["stored"], "inputs": None},
            MissingInput,
            "Missing inputs: 'city' is needed by 'forecast' (trip.py:4). 'days' is "
            "needed by 'plan' (trip.py:9). Give them as inputs={'city': ..., "
            "'days': ...}.",
        ),
        (
            {"inputs": ALL | {"citty": "Oslo"}},
            UnknownInput,
            "inputs: no cell wants an input 'citty'. Did you mean 'city'?",
        ),
        (
            {"inputs": {"zzz": 1, "day": 2}},
            UnknownInput,
            "inputs: no cell wants an input 'zzz'. No cell wants an input 'day'. Did "
            "you mean 'days'?",
        ),
        (
            {"inputs": {"zzz": 1}},
            UnknownInput,
            "inputs: no cell wants an input 'zzz'. The inputs of this graph: city, "
            "days, auditor, unrelated.",
        ),
        (
            {"inputs": ALL | {"forecast": "rain"}},
            UnknownInput,
            "inputs: no cell wants an input 'forecast'. It is a cell, 'forecast' "
            "(trip.py:4): replace its value with overrides=. The inputs of this graph: "
            "city, days, auditor, unrelated.",
        ),
        (
            {"inputs": ALL | {3: 4}},
            UnknownInput,
            "inputs: no cell wants an input 3. The inputs of this graph: city, days, "
            "auditor, unrelated.",
        ),
        (
            {"targets": ["forecast", "forcast"]},
            UnknownCell,
            "targets: there is no cell 'forcast' in the graph. Did you mean "
            "'forecast'?",
        ),
        (
            {"targets": ["zzz"]},
            UnknownCell,
            "targets: there is no cell 'zzz' in the graph.",
        ),
        (
            {"targets": [3]},
            UnknownCell,
            "targets: 3 is no cell of the graph. Is it among the modules or cells that "
            "the graph was made from?",
        ),
        (
            {"targets": [["forecast"]]},
            UnknownCell,
            "targets: ['forecast'] is no cell of the graph. Is it among the modules or "
            "cells that the graph was made from?",
        ),
        (
            {"overrides": {"forcast": 1}},
            UnknownCell,
            "overrides: there is no cell 'forcast' in the graph. Did you mean "
            "'forecast'?",
        ),
        (
            {"targets": ["plan"]},
            AmbiguousCell,
            "targets: 'plan' is the name of 'plan' (trip.py:9) and 'plan' "
            "(trip.py:30). Give the cell itself.",
        ),
        (
            {"overrides": {"plan": 1}},
            AmbiguousCell,
            "overrides: 'plan' is the name of 'plan' (trip.py:9) and 'plan' "
            "(trip.py:30). Give the cell itself.",
        ),
        (
            {"targets": ["forecast", "connection"]},
            UnsupportedCell,
            "'connection' (trip.py:14) is a resource, which is no target: its value is "
            "closed when the computation ends. Ask for a cell that uses it.",
        ),
        (
            {"targets": ["connection"], "overrides": {"connection": 1}},
            UnsupportedCell,
            "'connection' (trip.py:14) is a resource, which is no target: its value is "
            "closed when the computation ends. Ask for a cell that uses it.",
        ),
        (
            {"targets": "forecast"},
            TypeError,
            "targets= takes a list of cells or names: targets=['forecast'].",
        ),
        (
            {"targets": 3},
            TypeError,
            "targets= takes a list of cells or names: targets=[3].",
        ),
        (
            {"on_error": "ignore"},
            ValueError,
            "on_error='ignore': expected 'raise', 'group' or 'continue'.",
        ),
    ],
)
def test_wrong_arguments_are_refused_before_a_cell_runs(
    trip: Any, compute: Compute, given: Any, error: type[Exception], told: str
) -> None:
    """Every computer raises the same error, and no cell has run."""
    with pytest.raises(error) as caught:
        compute(Graph.from_module(trip), **({"inputs": ALL} | given))
    assert type(caught.value) is error
    assert trip.RAN == []
    assert str(caught.value) == told


@pytest.mark.parametrize("where", ["targets", "overrides"])
def test_a_function_outside_of_the_graph_is_refused(
    trip: Any, compute: Compute, where: str
) -> None:
    """The error names it with its place, and one of the same name, if there is one."""
    graph = Graph.from_module(trip)
    with pytest.raises(UnknownCell) as caught:
        compute(graph, inputs=ALL, **{where: {trip.outside: 1}})
    assert str(caught.value) == (
        f"{where}: 'outside' (trip.py:34) is no cell of the graph. Is it among the "
        "modules or cells that the graph was made from?"
    )
    assert caught.value.name is trip.outside
    trip.outside.__name__ = "audit"
    with pytest.raises(UnknownCell) as caught:
        compute(graph, inputs=ALL, **{where: {trip.outside: 1}})
    assert str(caught.value) == (
        f"{where}: 'audit' (trip.py:34) is no cell of the graph. It has another cell "
        "of that name: 'audit' (trip.py:24)."
    )
    assert trip.RAN == []


def test_an_error_can_be_examined(trip: Any) -> None:
    """The attributes tell what the text tells."""
    graph = Graph.from_module(trip)
    with pytest.raises(MissingInput) as missing:
        compute_sequential(graph)
    assert missing.value.missing == {
        "city": (trip.forecast,),
        "days": (trip.plan,),
        "unrelated": (trip.other,),
    }
    with pytest.raises(UnknownInput) as unknown:
        compute_sequential(graph, inputs={"citty": 1, "zzz": 2})
    assert unknown.value.names == ("citty", "zzz")
    assert unknown.value.suggestions == {"citty": ["city"], "zzz": []}
    with pytest.raises(UnknownCell) as unknown_cell:
        compute_sequential(graph, targets=["forcast"])
    assert unknown_cell.value.name == "forcast"
    assert unknown_cell.value.suggestions == ("forecast",)
    with pytest.raises(AmbiguousCell) as ambiguous:
        compute_sequential(graph, targets=["plan"])
    assert ambiguous.value.name == "plan"
    assert ambiguous.value.candidates == (trip.plan, trip.other)
    with pytest.raises(UnsupportedCell) as unsupported:
        compute_sequential(graph, targets=["connection"])
    assert unsupported.value.cell is trip.connection


def test_a_missing_input_may_be_a_misspelt_cell(
    modules: Modules, compute: Compute
) -> None:
    """The error suggests the cell, and does not list all that want the input."""
    trip = modules.make(
        "trip",
        "@cell\ndef forecast(): ...\n"
        + "\n".join(f"@cell\ndef cell_{number}(forcast): ..." for number in range(5)),
    )
    with pytest.raises(MissingInput) as caught:
        compute(Graph.from_module(trip))
    assert str(caught.value) == (
        "Missing input: 'forcast' is needed by 'cell_0' (trip.py:4), 'cell_1' "
        "(trip.py:6), 'cell_2' (trip.py:8) and 2 more. Or did you mean the cell "
        "'forecast'? Give it as inputs={'forcast': ...}."
    )
    assert len(caught.value.missing["forcast"]) == 5


def test_a_graph_of_1_x_wants_no_inputs(compute: Compute) -> None:
    """Nodes added by hand take nothing, so that every input is unknown."""
    graph = DependencyGraph()
    ran: list[int] = []
    graph.add_node(lambda: ran.append(1))
    with pytest.raises(UnknownInput) as caught:
        compute(graph, inputs={"x": 1})
    assert str(caught.value) == (
        "inputs: no cell wants an input 'x'. The inputs of this graph: none."
    )
    assert ran == []


def test_a_node_that_is_not_callable_is_refused(compute: Compute) -> None:
    """Such a graph can be ordered, but not computed."""
    graph = DependencyGraph(initial_dependencies={"b": ["a"]})
    ran: list[int] = []
    graph.add_node(lambda: ran.append(1))
    assert graph.topological_ordering[:2] == ["a", "b"]
    with pytest.raises(UnsupportedCell) as caught:
        compute(graph)
    assert str(caught.value) == (
        "The node 'b' is not callable, so the graph cannot be computed. Nodes can be "
        "anything hashable, but those of a graph that is to be computed must be "
        "callable."
    )
    assert caught.value.cell == "b"
    assert ran == []


@pytest.mark.parametrize("graph", [None, test_an_error_can_be_examined, {}])
def test_what_is_no_graph_is_refused(compute: Compute, graph: Any) -> None:
    """A module or a function must be collected first."""
    with pytest.raises(TypeError) as caught:
        compute(graph)
    assert str(caught.value) == (
        f"Expected a graph, got {graph!r}. Make one with Graph.from_module(...)."
    )


async def test_a_flow_is_prepared_as_well() -> None:
    """`compute_flow` checks what the computers check, before an input starts."""
    ran: list[str] = []

    @cell
    async def tick(source: str) -> None:
        ran.append("tick")

    with pytest.raises(MissingInput, match="'source' is needed by 'tick'"):
        await aiocells.compute_flow(Graph.from_cells(tick))
    graph = DependencyGraph(initial_dependencies={"b": [tick]})
    with pytest.raises(UnsupportedCell, match="The node 'b' is not callable"):
        await aiocells.compute_flow(graph)
    assert ran == []


# Async cells in compute_sequential

ASYNC = """
RAN = []

@cell
def first():
    RAN.append("first")

{mark}
async def later(first):
    RAN.append("later")
    {body}

@cell
def last(later):
    RAN.append("last")
    return later
"""


@pytest.mark.parametrize(
    ("mark", "body", "told"),
    [
        ("@cell", "return 1", "an async function"),
        ("@resource", "yield 1", "an async generator function"),
    ],
)
def test_compute_sequential_refuses_async_cells(
    modules: Modules, mark: str, body: str, told: str
) -> None:
    """Among those chosen; the error names the computers to use."""
    trip = modules.make("trip", ASYNC.format(mark=mark, body=body))
    graph = Graph.from_module(trip)
    with pytest.raises(UnsupportedCell) as caught:
        compute_sequential(graph)
    assert str(caught.value) == (
        f"'later' (trip.py:8) is {told}, which compute_sequential cannot await. Use "
        "async_compute_sequential or async_compute_concurrent; or give its value with "
        "overrides=."
    )
    assert caught.value.cell is trip.later
    assert trip.RAN == []
    compute_sequential(graph, targets=[trip.first])
    assert trip.RAN == ["first"]
    results = compute_sequential(graph, targets=["last"], overrides={trip.later: 2})
    assert results[trip.last] == 2


def test_compute_sequential_refuses_async_nodes_added_by_hand() -> None:
    """In 1.x they were left un-awaited."""

    async def later() -> None: ...

    graph = DependencyGraph()
    graph.add_node(later)
    with pytest.raises(UnsupportedCell, match="which compute_sequential cannot await"):
        compute_sequential(graph)


def test_a_function_that_is_not_marked_is_told_of(
    modules: Modules, compute: Compute
) -> None:
    """Where a cell asks for it by name, it is not to be given as an input."""
    modules.write("far", "def far_off(): ...")
    mod = modules.make(
        "mod",
        """
        from far import far_off

        def a(): return 1

        @cell
        def b(a): return a

        @cell
        def c(far_off, city): return far_off

        class Shop:
            def price(self): return 1

            @staticmethod
            def rate(): return 2

            @cell
            def total(self, price, rate): ...
        """,
    )
    with pytest.raises(MissingInput) as caught:
        compute(Graph.from_cells(mod.b))
    assert str(caught.value) == (
        "Missing input: 'a' is needed by 'b' (mod.py:6). 'a' is a function of mod.py "
        "(line 4) without @cell: mark it."
    )
    assert caught.value.missing == {"a": (mod.b,)}
    with pytest.raises(MissingInput) as caught:
        compute(Graph.from_module(mod))
    assert str(caught.value) == (
        "Missing inputs: 'a' is needed by 'b' (mod.py:6). 'a' is a function of mod.py "
        "(line 4) without @cell: mark it. 'far_off' is needed by 'c' (mod.py:9). "
        "'far_off' is a function of far.py (line 2) without @cell: mark it. 'city' is "
        "needed by 'c' (mod.py:9). Give them as inputs={'far_off': ..., 'city': ...}."
    )
    with pytest.raises(MissingInput) as caught:
        compute(Graph.from_object(mod.Shop()))
    assert str(caught.value) == (
        "Missing inputs: 'price' is needed by 'total' (mod.py:18). 'price' is a "
        "function of mod.py (line 13) without @cell: mark it. 'rate' is needed by "
        "'total' (mod.py:18). 'rate' is a function of mod.py (line 15) without @cell: "
        "mark it."
    )
    assert compute(Graph.from_cells(mod.b), inputs={"a": 3})[mod.b] == 3


def test_a_function_of_no_file_is_told_of_too(
    modules: Modules, compute: Compute
) -> None:
    """What a notebook or a program made by text."""
    mod = modules.make("mod", "@cell\ndef b(a): return a")
    mod.a = types.FunctionType(compile("1", "", "eval"), vars(mod))
    with pytest.raises(MissingInput, match=r"'a' is a function.* without @cell"):
        compute(Graph.from_module(mod))


def test_a_cell_does_not_mean_itself(modules: Modules, compute: Compute) -> None:
    """A parameter of the cell's own name is an input, and no misspelt cell."""
    modules.make("mod", "@cell\ndef a(a): return a\n@cell\ndef other(): ...")
    with pytest.raises(MissingInput) as caught:
        compute(Graph.from_module("mod"))
    assert str(caught.value) == (
        "Missing input: 'a' is needed by 'a' (mod.py:2). Give it as inputs={'a': ...}."
    )


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("overrides", "It is an input: give it as inputs={'city': ...}."),
        ("targets", "It is an input, whose value is given and not computed."),
    ],
)
def test_an_input_is_no_cell(
    trip: Any, compute: Compute, where: str, told: str
) -> None:
    """Where a cell is expected, the error says that it is an input."""
    with pytest.raises(UnknownCell) as caught:
        compute(Graph.from_module(trip), inputs=ALL, **{where: {"city": 1}})
    assert str(caught.value) == f"{where}: there is no cell 'city' in the graph. {told}"
    assert caught.value.suggestions == ()
    results = compute(Graph.from_module(trip), inputs=ALL)
    with pytest.raises(MissingValue) as missing:
        results["city"]
    assert str(missing.value) == (
        "there is no cell 'city' in the graph. It is an input, whose value was given "
        "and not computed."
    )


class Column:
    """What pandas has: not a mapping, and neither true nor false."""

    def __bool__(self) -> bool:
        """Refuse to tell."""
        msg = "The truth value of a Series is ambiguous."
        raise ValueError(msg)

    def __repr__(self) -> str:
        """Many lines."""
        return "\n".join(f"{number} 1.0" for number in range(1000))


@pytest.mark.parametrize("option", ["inputs", "overrides"])
@pytest.mark.parametrize("given", [Column(), [], (), "", 0, {"city"}])
def test_what_is_no_mapping_is_refused(
    trip: Any, compute: Compute, option: str, given: Any
) -> None:
    """Whatever it is, empty or not; the message is short."""
    with pytest.raises(TypeError, match=f"^{option}= takes a mapping") as caught:
        compute(Graph.from_module(trip), **{option: given})
    assert len(str(caught.value)) < 120
    assert trip.RAN == []
