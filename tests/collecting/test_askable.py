"""Lazy: what may be asked for, and by whom, is known when a graph is assembled."""

import copy
import functools
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from aiocells import (
    CircularDependency,
    DeclarationError,
    Graph,
    Input,
    Lazy,
    MissingInput,
    UnbindableParameter,
    UnknownCell,
    cell,
    compute_sequential,
    depends_on,
    resource,
)
from tests.helpers import Modules, described, value_of


@cell
def offers() -> str:
    """Asked for."""
    return "tea"


def test_a_cell_is_named_by_a_string_or_a_family(modules: Modules) -> None:
    """`Lazy` stands wherever a cell may: by name, in a list, for a family."""
    shop = modules.make(
        "shop",
        """
        from aiocells import Lazy

        @cell
        @depends_on(tea=Lazy("tea"), far=Lazy("stock:cake"), rest=["milk", Lazy("tea")],
                    days=Lazy("days"), levels=Lazy("levels"))
        def page(tea, far, rest, days, levels, /, *, name):
            asked = [day() for day in days], {n: each() for n, each in levels.items()}
            return tea(), far(), rest[0], rest[1](), asked, name

        @cell
        def tea(): return "tea"

        @cell
        def milk(): return "milk"

        days = [cell(lambda: "Mon"), cell(lambda: "Tue")]
        levels = {"a": cell(lambda: 1), "b": cell(lambda: 2)}
        """,
    )
    modules.write("stock", "@cell\ndef cake(): return 'cake'\n")
    asked = ["Mon", "Tue"], {"a": 1, "b": 2}
    expected = ("tea", "cake", "milk", "tea", asked, "Bo")
    assert value_of(shop.page, name="Bo") == expected


def test_a_method_asks_for_another() -> None:
    """In a class, `Lazy` means the object's own method, as any reference does."""

    class Shop:
        @cell
        def offers(self) -> str:
            return "tea"

        @cell
        @depends_on(offers=Lazy(offers))
        def page(self, offers: Any) -> str:
            return f"{offers()}!"

    shop = Shop()
    assert compute_sequential(Graph.from_object(shop))[shop.page] == "tea!"


def test_what_is_only_asked_for_must_bind_a_parameter() -> None:
    """It orders nothing."""
    with pytest.raises(DeclarationError) as raised:
        depends_on(Lazy("offers"))  # type: ignore[arg-type]
    assert str(raised.value) == (
        "depends_on(Lazy(cell='offers')): what is only asked for orders nothing, so it "
        "must be bound to a parameter: depends_on(parameter=Lazy(cell='offers'))."
    )
    function = depends_on(nothing=Lazy(offers))(lambda: None)
    with pytest.raises(UnbindableParameter, match="there is no parameter 'nothing'"):
        Graph.from_cells(function)


@pytest.mark.parametrize("within", [Input("city"), Lazy("offers")])
def test_markers_do_not_nest(within: Any) -> None:
    """What is lazy is a cell."""
    with pytest.raises(DeclarationError, match="is no cell, so that there is nothing"):
        depends_on(page=Lazy(within))


def test_only_a_cell_can_be_lazy() -> None:
    """A list is asked for cell by cell; other things are refused as anywhere."""
    with pytest.raises(DeclarationError) as raised:
        depends_on(page=Lazy(["tea"]))  # type: ignore[arg-type]
    assert str(raised.value) == (
        "depends_on(page=Lazy(cell=['tea'])): each cell of a list is asked for by "
        "itself: depends_on(page=[Lazy(...), ...])."
    )
    with pytest.raises(DeclarationError, match="expected a cell, another callable, or"):
        depends_on(page=Lazy(3))  # type: ignore[arg-type]
    with pytest.raises(UnknownCell, match="Did you mean 'offers'"):
        Graph.from_cells(depends_on(x=Lazy("offerz"))(lambda x: x), offers)


def test_asking_counts_for_cycles_and_inputs() -> None:
    """No cell can ask for what needs it; the inputs of what may be asked for count."""

    @cell
    @depends_on(second=Lazy("second"))
    def first(second: Any) -> None: ...

    @cell
    def second(first: Any, city: str) -> None: ...

    with pytest.raises(CircularDependency, match=r"'first' .* needs 'second'"):
        Graph.from_cells(first, second)

    @cell
    def offers(city: str) -> None: ...

    page = cell(depends_on(offers=Lazy(offers))(lambda offers: 3))
    graph = Graph.from_cells(page)
    assert dict(graph.inputs) == {"city": (offers,)}
    with pytest.raises(MissingInput, match="'city' is needed by 'offers'"):
        compute_sequential(graph, targets=[page])


# Who cannot ask


@cell
async def client() -> str:
    """Takes longer than a call."""
    return "client"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"limit": "db"}, "has limit='db', of which it would hold a place while it "),
        ({"run_in": "thread"}, "has run_in='thread': who is elsewhere cannot ask. "),
        ({"run_in": "process"}, "has run_in='process': who is elsewhere cannot ask. "),
        ({"run_in": "gpu"}, "has run_in='gpu': who is elsewhere cannot ask. "),
    ],
)
def test_who_has_a_limit_or_is_elsewhere_cannot_ask(options: Any, why: str) -> None:
    """It is refused, with both names."""

    @cell(**options)
    @depends_on(offers=Lazy(offers))
    def page(offers: Any) -> None: ...

    with pytest.raises(DeclarationError) as raised:
        Graph.from_cells(page)
    text = str(raised.value)
    start = (
        f"{described('page', page)} may ask for {described('offers', offers)} (Lazy)"
    )
    assert text.startswith(f"{start}, but {why}")
    assert text.endswith("; or let it need 'offers' without Lazy.")
    assert raised.value.cell is page


@pytest.mark.parametrize("is_resource", [False, True])
@pytest.mark.parametrize(
    ("options", "why"),
    [
        (None, "is an async function"),
        ({"limit": "db"}, "has limit='db'"),
        ({"run_in": "thread"}, "has run_in='thread'"),
    ],
)
def test_a_plain_cell_cannot_ask_for_what_must_be_awaited(
    options: Any, why: str, *, is_resource: bool
) -> None:
    """Nor for what needs, or may ask for, such a cell: all is computed at the call."""
    far = client if options is None else cell(**options)(lambda: "far")
    near = cell(name="near")(depends_on(far)(lambda: "near"))
    asking = cell(name="asking")(depends_on(near=Lazy(near))(lambda near: None))

    def plain(asked: Any) -> None: ...

    def opened(asked: Any) -> Iterator[None]:
        yield

    page: Any = resource(opened) if is_resource else cell(plain)
    depends_on(asked=Lazy(asking))(page)
    with pytest.raises(DeclarationError) as raised:
        Graph.from_cells(page)
    # Of the two that cannot ask, the first one is told.
    text = str(raised.value)
    assert "(Lazy), but is a " in text
    assert f"which is computed for it, {why}. Make '" in text
    assert text.endswith("without Lazy.")


def test_an_async_cell_may_ask_for_anything() -> None:
    """It can wait."""
    far = cell(limit="db", run_in="thread", name="far")(lambda: None)

    @resource
    @depends_on(far=Lazy(far), client=Lazy(client))
    async def opened(far: Any, client: Any) -> AsyncIterator[None]:
        yield

    @cell
    @depends_on(opened=Lazy(opened), offers=Lazy(offers))
    async def page(opened: Any, offers: Any) -> None: ...

    assert len(Graph.from_cells(page)) == 5


def test_what_a_plain_cell_needs_itself_is_there_when_it_asks() -> None:
    """It may be async, and be needed by what it asks for."""

    @cell
    def offers(client: str) -> str:
        return client

    @cell
    @depends_on(offers=Lazy(offers))
    def page(client: str, offers: Any) -> str:
        return str(offers())

    graph = Graph.from_cells(page)
    assert compute_sequential(graph, overrides={client: "mine"})[page] == "mine"


def test_nodes_that_come_by_hand_are_looked_at_when_it_is_computed() -> None:
    """What a plain cell asks for may not need an async one that was added since."""

    @cell
    @depends_on(offers=Lazy(offers))
    def page(offers: Any) -> None: ...

    async def late() -> None: ...

    graph = Graph.from_cells(page)
    graph.add_dependency(offers, late)
    with pytest.raises(DeclarationError, match=r"'late' .* is an async function"):
        compute_sequential(graph)


def test_an_edge_that_is_added_by_hand_is_no_lazy_one() -> None:
    """It has the cell computed in any case, also in a copy; the original stays."""
    ran: list[str] = []

    @cell
    def tea() -> None:
        ran.append("tea")

    @cell
    @depends_on(tea=Lazy(tea))
    def page(tea: Any) -> None:
        ran.append("page")

    graph = Graph.from_cells(page)
    other = copy.copy(graph)
    other.add_dependency(page, tea)
    compute_sequential(graph)
    assert ran == ["page"]
    compute_sequential(other)
    assert ran == ["page", "tea", "page"]


# Replaced


def test_every_edge_follows_a_replacement() -> None:
    """What stands for a cell is asked for in its place; what asks no more, does not."""
    ran: list[str] = []

    @cell
    def tea() -> str:
        ran.append("tea")
        return "tea"

    @cell
    @depends_on(tea=Lazy(tea))
    def page(tea: Any) -> str:
        return f"{tea()}!"

    graph = Graph.from_cells(page)
    assert compute_sequential(graph.replace({tea: lambda: "fake"}))[page] == "fake!"
    assert ran == []
    results = compute_sequential(graph.replace({page: lambda: "fake"}))
    assert dict(results) == {page: "fake"}
    asking = depends_on(made=Lazy(tea))(lambda made: f"{made()}?")
    assert compute_sequential(graph.replace({page: asking}))[page] == "tea?"
    with pytest.raises(DeclarationError, match=r"'tea' .* is an async function"):
        graph.replace({tea: client})


def test_an_edge_by_hand_outlives_a_replacement() -> None:
    """The cell is needed then, although the replacement only may ask for it."""
    page = cell(name="page")(lambda: None)
    graph = Graph.from_cells(page, offers)
    graph.add_dependency(page, offers)
    asking = depends_on(offers=Lazy(offers))(lambda offers: 3)
    results = compute_sequential(graph.replace({page: asking}), targets=[page])
    with pytest.raises(KeyError, match="was computed, but is no target"):
        results[offers]


def test_partials_and_defaults_go_together_with_asking() -> None:
    """What is fixed is not bound, and an input that is not given is left out."""

    def body(prefix: str, a: int = 1, offers: Any = None, b: int = 2) -> str:
        return f"{prefix}{offers()}{a}{b}"

    page = cell(functools.partial(body, "p"), name="page")
    depends_on(offers=Lazy(offers))(page)
    assert value_of(page) == "ptea12"
    assert value_of(page, b=3) == "ptea13"
    assert value_of(page, a=4) == "ptea42"
