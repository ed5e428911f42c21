"""A collected graph in a line."""

import functools
import types
from typing import Any

import pytest

from aiocells import Graph, Input, cell, depends_on
from aiocells._declaring.source import origin_of
from tests.helpers import Modules, text

TRIP = """
import rates

@cell
def forecast(city): ...

@cell
def hotels(city, nights=2): ...

@cell
@depends_on(rates.rate)
def plan(forecast, hotels): ...
"""


@pytest.fixture
def trip(modules: Modules) -> Any:
    """A module with two inputs, that needs a cell of another."""
    modules.make("rates", "@cell\ndef rate(): ...")
    return modules.make("trip", TRIP)


def test_a_graph_says_what_it_has(trip: Any) -> None:
    """How many cells, of which module, and which inputs; str() says the same."""
    graph = Graph.from_module(trip)
    shown = "<Graph: 4 cells of trip, inputs: city, nights>"
    assert repr(graph) == str(graph) == f"{graph}" == shown


def test_a_graph_of_several_modules(trip: Any, modules: Modules) -> None:
    """It names those that were given, the first few of many."""
    import rates  # type: ignore[import-not-found]

    assert repr(Graph.from_module(rates, trip)).startswith(
        "<Graph: 4 cells of rates and trip, inputs: "
    )
    assert repr(Graph.from_module(trip, "trip")) == repr(Graph.from_module(trip))
    more = [modules.make(name, f"@cell\ndef {name}(): ...") for name in "abc"]
    three = Graph.from_module(*more)
    assert repr(three) == "<Graph: 3 cells of a, b and c>"
    five = Graph.from_module(*more, "rates", trip)
    assert repr(five).startswith("<Graph: 7 cells of a, b, c and 2 more, inputs: ")


def test_a_graph_of_cells(trip: Any) -> None:
    """It names the modules where they, and what they need, are at home."""
    assert repr(Graph.from_cells(trip.hotels)) == (
        "<Graph: 1 cell of trip, inputs: city, nights>"
    )
    assert repr(Graph.from_cells(trip.plan)).startswith("<Graph: 4 cells of trip and ")
    family = [cell(functools.partial(trip.hotels, city)) for city in ("Oslo", "Rome")]
    assert repr(Graph.from_cells(*family)) == "<Graph: 2 cells of trip, inputs: nights>"
    assert repr(Graph.from_cells(cell(functools.partial(len, "four")), dict)) == (
        "<Graph: 2 cells of builtins>"
    )


class Order:
    """Has cells."""

    @cell
    def price(self) -> int:
        """A cell."""
        return 3

    @classmethod
    @cell
    def rate(cls) -> float:
        """A cell of the class."""
        return 1.0

    @cell
    def total(self, price: int, rate: float, count: int) -> float:
        """A cell with an input."""
        return price * count * rate

    def __call__(self) -> None:
        """Make the object a callable."""


def test_a_graph_of_an_object() -> None:
    """It names the class."""
    order = Order()
    shown = "<Graph: 3 cells of Order, inputs: count>"
    assert repr(Graph.from_object(order)) == shown
    assert (
        repr(Graph.from_cells(order.price, order.rate)) == "<Graph: 2 cells of Order>"
    )
    assert repr(Graph.from_cells(order)) == f"<Graph: 1 cell of {__name__}>"


def test_the_inputs_of_a_graph_are_shown_once(trip: Any) -> None:
    """In the order in which they are met, and the first few of many."""

    @depends_on(url=Input("city"))
    def page(url: str, nights: int = 3) -> None: ...

    assert repr(Graph.from_cells(trip.hotels, page)).endswith("inputs: city, nights>")
    names = [f"input_{number}" for number in range(30)]
    many: dict[str, Any] = {}
    exec(f"def wants({', '.join(names)}): ...", many)
    shown = repr(Graph.from_cells(many["wants"]))
    assert ", inputs: input_0, input_1, " in shown
    assert shown.endswith(", input_9, ... 20 more>")


def test_an_empty_graph_says_so() -> None:
    """There is nothing that it could be of."""
    assert repr(Graph()) == repr(Graph.from_cells()) == "<Graph: 0 cells>"


def test_a_graph_to_which_nodes_were_added(trip: Any) -> None:
    """They are counted; only they leave str() as it was in 1.x."""
    graph = Graph.from_cells(trip.forecast)
    graph.add_precedence(trip.forecast, print)
    assert str(graph) == "<Graph: 2 cells of trip, inputs: city>"
    by_hand = Graph()
    by_hand.add_precedence("a", "b")
    assert str(by_hand) == str({"b": {"a"}, "a": set()})
    assert repr(by_hand) == "<Graph: 2 cells>"
    assert repr(Graph(name="letters")) == "<Graph 'letters': 0 cells>"


def test_a_subclass_is_shown_as_itself() -> None:
    """The repr begins with the name of the class."""

    class Trip(Graph): ...

    assert repr(Trip.from_cells(text("a"))).startswith("<Trip: 1 cell of ")


class Lazy:
    """Must not be looked into."""

    def __getattribute__(self, name: str) -> Any:
        """Wake up."""
        pytest.fail(f"{name} was looked up")

    def __call__(self) -> None:
        """Make it a callable."""


def test_where_a_cell_is_at_home_is_seen_from_outside() -> None:
    """A cell, or the object whose method it is, may be lazy, and is not woken."""
    lazy = Lazy()
    assert origin_of(lazy) == __name__
    assert origin_of(functools.partial(functools.partial(lazy), 1)) == __name__
    assert origin_of(types.MethodType(print, lazy)) == "Lazy"
