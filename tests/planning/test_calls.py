"""How cells are called: what is not given is left out, as in a call by hand."""

import copy
import functools
import inspect
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiocells import (
    DependencyGraph,
    Graph,
    Input,
    MissingInput,
    Results,
    cell,
    depends_on,
    resource,
)
from tests.helpers import COMPUTERS, Modules, value_of
from tests.strategies import Parameter, signatures, written

every = pytest.mark.parametrize("name", COMPUTERS)


def filling(function: Any) -> Any:
    """A decorator that gives `session`, where the caller does not."""

    @functools.wraps(function)
    def wrapper(*args: Any, **named: Any) -> Any:
        named.setdefault("session", "filled in")
        return function(*args, **named)

    return wrapper


# Every signature


class Calls:
    """Functions of a random signature, and the calls that reached them."""

    def __init__(self, parameters: tuple[Parameter, ...]) -> None:
        """Write the function down."""
        self.default = object()
        self.args: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
        names = ", ".join(each.name for each in parameters)
        known: dict[str, Any] = {"DEFAULT": self.default}
        exec(f"def inner({written(parameters)}): return [{names}]", known)
        self.inner = known["inner"]

    def bare(self) -> Any:
        """The function as it is."""
        return functools.partial(self.inner)

    def wrapped(self) -> Any:
        """A wrapper that takes everything."""

        @functools.wraps(self.inner)
        def wrapper(*args: Any, **named: Any) -> Any:
            self.args.append((args, named))
            return self.inner(*args, **named)

        return wrapper

    def by_position(self) -> Any:
        """A wrapper that takes arguments by position only."""

        @functools.wraps(self.inner)
        def wrapper(*args: Any) -> Any:
            self.args.append((args, {}))
            return self.inner(*args)

        return wrapper

    def cached(self) -> Any:
        """A callable that is written in C."""
        return functools.lru_cache(self.inner)


def must_be_given(
    parameters: tuple[Parameter, ...], *, only_position: bool
) -> set[str]:
    """The parameters for which a call cannot but give a value."""
    given_names = {each.name for each in parameters if each.is_given}
    nameless = [each for each in parameters if only_position or each.kind == "/"]
    last = max((n for n, each in enumerate(nameless) if each.is_given), default=0)
    return given_names | {each.name for each in nameless[:last]}


@given(signatures(), st.data())
def test_a_call_gives_what_is_there_and_nothing_else(
    parameters: tuple[Parameter, ...], data: st.DataObject
) -> None:
    """Whatever its signature, a function gets what was given; its default else."""
    forms = ["bare", "wrapped", "cached"]
    if all(each.kind != "*" for each in parameters):
        forms.append("by_position")
    form = data.draw(st.sampled_from(forms))
    calls = Calls(parameters)
    inputs = {each.name: object() for each in parameters if each.source == "input"}
    cells = {
        each.name: cell(functools.partial(str, each.name), name=each.name)
        for each in parameters
        if each.source == "cell"
    }
    function = depends_on(**cells)(cell(getattr(calls, form)(), name="asking"))
    graph = Graph.from_cells(function)
    name = data.draw(st.sampled_from(list(COMPUTERS)))
    results = COMPUTERS[name](graph, inputs=inputs)
    assert results[function] == [
        inputs.get(each.name, each.name if each.is_given else calls.default)
        for each in parameters
    ]
    for args, named in calls.args:
        bound = inspect.signature(calls.inner).bind(*args, **named).arguments
        only_position = form == "by_position"
        assert set(bound) == must_be_given(parameters, only_position=only_position)


# A default that nobody gave


@every
@pytest.mark.parametrize(
    "place", [None, pytest.param("thread", marks=pytest.mark.needs_threads)]
)
def test_an_input_that_is_not_given_is_left_out(name: str, place: str | None) -> None:
    """A wrapper that fills in what is absent sees that it is."""

    @cell(run_in=place)
    @filling
    def more(*, session: Any = None) -> Any:
        return session

    graph = Graph.from_cells(more)
    assert COMPUTERS[name](graph)[more] == "filled in"
    assert COMPUTERS[name](graph, inputs={"session": 3})[more] == 3
    assert COMPUTERS[name](graph)[more] == "filled in"


@every
def test_a_wrapper_that_gives_a_parameter_itself_may_be_given_it(name: str) -> None:
    """It looks for it among the keywords, so that it is given by keyword."""

    @cell
    def one() -> int:
        return 1

    def renaming(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(first: Any, *args: Any, **named: Any) -> Any:
            return function(first, *args, **named)

        return wrapper

    @cell
    @filling
    @depends_on(one=one)
    def more(one: int, session: Any = None, last: Any = None) -> Any:
        return one, session, last

    @cell
    @renaming
    def other(also: Any = None, session: Any = None) -> Any:
        return also, session

    graph = Graph.from_cells(more, other)
    results = COMPUTERS[name](graph, inputs={"session": 3, "also": 4})
    assert results[more] == (1, 3, None)
    assert results[other] == (4, 3)
    results = COMPUTERS[name](graph, targets=[more])
    assert results[more] == (1, "filled in", None)


@every
def test_what_follows_an_absent_input_is_given_by_keyword(name: str) -> None:
    """So that one in the middle can be left out too, and lists stay lists."""

    @cell
    def one() -> int:
        return 1

    @cell
    @filling
    @depends_on(parts=[one, Input("two")], last=one)
    def total(session: Any = None, parts: Any = (), *, last: int, also: int = 4) -> Any:
        return session, parts, last, also

    graph = Graph.from_cells(total)
    results = COMPUTERS[name](graph, inputs={"two": 2})
    assert results[total] == ("filled in", [1, 2], 1, 4)
    results = COMPUTERS[name](graph, inputs={"two": 2, "session": 5, "also": 6})
    assert results[total] == (5, [1, 2], 1, 6)


ASYNC = sorted(set(COMPUTERS) - {"sequential"})


@pytest.mark.parametrize("name", ASYNC)
def test_async_cells_and_resources_leave_inputs_out_too(name: str) -> None:
    """Whatever kind a cell is of, and with whatever options."""
    absent = object()

    @resource
    def opened(mode: Any = absent) -> Any:
        yield mode

    @cell(timeout=60)
    async def waiting(opened: Any, mode: Any = absent) -> Any:
        return opened is absent, mode is absent

    bound = depends_on(opened=opened)(waiting)
    graph = Graph.from_cells(bound)
    assert COMPUTERS[name](graph)[waiting] == (True, True)
    assert COMPUTERS[name](graph, inputs={"mode": "r"})[waiting] == (False, False)


@pytest.mark.needs_processes
def test_a_default_stays_in_the_process_of_its_function(modules: Modules) -> None:
    """It is not sent there, so that `is` still tells it from everything else."""
    module = modules.make(
        "far",
        """
        ABSENT = object()

        @cell
        def one(): return 1

        @cell(run_in="process")
        def asking(only=ABSENT, one=0, /, either=ABSENT, *, keyword=ABSENT):
            return only is ABSENT, one, either is ABSENT, keyword is ABSENT
        """,
    )
    graph = Graph.from_module(module)
    results = COMPUTERS["concurrent"](graph)
    assert results[module.asking] == (True, 1, True, True)
    results = COMPUTERS["concurrent"](graph, inputs={"either": 2})
    assert results[module.asking] == (True, 1, False, True)


@pytest.mark.parametrize("name", COMPUTERS)
def test_the_given_inputs_may_change_from_run_to_run(name: str) -> None:
    """Any set of them, with targets and without, and more often than plans are kept."""
    names = [f"i{number}" for number in range(7)]
    known: dict[str, Any] = {"cell": cell}
    asked = ", ".join(f"{each}=None" for each in names)
    exec(f"@cell\ndef asking({asked}): return [{', '.join(names)}]", known)
    asking = known["asking"]
    graph = Graph.from_cells(asking)
    for number in (*range(128), 5, 5):
        inputs = {each: n for n, each in enumerate(names) if number >> n & 1}
        for targets in (None, [asking])[: 1 + (number < 9)]:
            results = COMPUTERS[name](graph, targets=targets, inputs=inputs)
            assert results[asking] == [inputs.get(each) for each in names]


def test_a_plan_that_is_computed_often_leaves_inputs_out() -> None:
    """Generated code is made for each set of inputs."""
    unit = 2 * cell_runs()

    @cell
    def one(start: int = 1) -> int:
        return start

    @cell
    @depends_on(one=one)
    def total(one: int, factor: int = 10, *, plus: int = 0) -> int:
        return one * factor + plus

    graph = Graph.from_cells(total)
    found = {value_of(total, graph) for _ in range(unit)}
    found |= {value_of(total, graph, plus=5, start=2) for _ in range(unit)}
    assert found == {10, 25}


def cell_runs() -> int:
    """How often a plan runs before code is generated for it."""
    from aiocells._running.loops.generated import WORTH_COMPILING

    return WORTH_COMPILING


def test_an_input_is_required_where_one_parameter_has_no_default() -> None:
    """Of two cells, or of two parameters of one cell."""

    @cell
    def easy(city: str = "Oslo") -> str:
        return city

    @cell
    def strict(city: str) -> str:
        return city

    @cell
    @depends_on(one=Input("city"), other=Input("city"))
    def both(one: str, other: str = "Rome") -> Any:
        return one, other

    graph = Graph.from_cells(easy, strict, both)
    with pytest.raises(MissingInput) as caught:
        COMPUTERS["sequential"](graph)
    assert caught.value.missing == {"city": (strict, both)}
    assert COMPUTERS["sequential"](graph, targets=[easy])[easy] == "Oslo"
    assert value_of(both, graph, city="Bonn") == ("Bonn", "Bonn")


def test_a_list_of_inputs_has_no_default() -> None:
    """Its parts are required, whatever the default of the parameter is."""

    @cell
    @depends_on(parts=[Input("one"), Input("two")])
    def total(parts: Any = ()) -> Any:
        return parts

    graph = Graph.from_cells(total)
    with pytest.raises(MissingInput):
        value_of(total, graph, one=1)
    assert value_of(total, graph, one=1, two=2) == [1, 2]


def test_the_note_of_a_failure_shows_defaults() -> None:
    """Each argument is shown by name, also where some were left out of the call."""

    @cell
    def broken(one: int = 1, two: int = 2, /, three: int = 3, *, four: int = 4) -> None:
        msg = "broken"
        raise ValueError(msg)

    for inputs, told in [
        ({}, "one=1, two=2, three=3, four=4"),
        ({"two": 5}, "one=1, two=5, three=3, four=4"),
        ({"four": 5}, "one=1, two=2, three=3, four=5"),
    ]:
        with pytest.raises(ValueError, match="broken") as caught:
            value_of(broken, **inputs)
        assert caught.value.__notes__[0].endswith(f"\n  called with {told}")


# Copies


COPIES: dict[str, Callable[[Graph], Graph]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda graph: pickle.loads(pickle.dumps(graph)),
}
UNSET = object()


@cell
def strict(city: str) -> str:
    """A cell that wants an input."""
    return city


@cell
def lenient(mode: Any = UNSET) -> bool:
    """A cell that knows its default when it sees it."""
    return mode is UNSET


@every
@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
def test_a_copied_graph_knows_what_is_required(
    name: str, copied: Callable[[Graph], Graph]
) -> None:
    """And the defaults of functions are not copied with it."""
    graph = copied(Graph.from_cells(strict, lenient))
    with pytest.raises(MissingInput) as caught:
        COMPUTERS[name](graph)
    assert caught.value.missing == {"city": (strict,)}
    results: Results = COMPUTERS[name](graph, inputs={"city": "Oslo"})
    assert dict(results) == {strict: "Oslo", lenient: True}


@cell(fallback=lambda error: type(error))
def optional() -> Any:
    """A cell with what cannot be pickled."""
    raise KeyError


@every
@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
def test_a_copied_graph_falls_back(name: str, copied: Callable[[Graph], Graph]) -> None:
    """A lambda is no obstacle: what is found by its name has it."""
    graph = copied(copied(Graph.from_cells(strict, optional)))
    results: Results = COMPUTERS[name](graph, inputs={"city": "Oslo"})
    assert dict(results) == {strict: "Oslo", optional: KeyError}


@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
def test_a_long_chain_can_be_copied(copied: Callable[[Graph], Graph]) -> None:
    """Each cell names the one before; nothing recurs."""
    chain: Any = [cell(functools.partial(int, 0))]
    for number in range(1, 2000):
        bound = depends_on(chain[-1], value=[chain[-1]])
        chain.append(bound(functools.partial(_next, number)))
    graph = copied(Graph.from_cells(chain[-1]))
    results = COMPUTERS["sequential"](graph)
    assert max(results.values()) == 1999
    assert len(graph) == 2000


def _next(number: int, value: list[int]) -> int:
    assert value == [number - 1]
    return number


def test_a_graph_with_a_cycle_can_be_copied() -> None:
    """There is no order to keep."""
    graph = DependencyGraph(initial_dependencies={"a": ["b"], "b": ["a"]})
    assert copy.deepcopy(graph).dependency_dict == graph.dependency_dict
