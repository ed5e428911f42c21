"""Objects: which methods make up the graph of an object, and what they see."""

import functools
from typing import Any

import pytest

from aiocells import (
    DeclarationError,
    Graph,
    UnknownCell,
    cell,
    compute_sequential,
    depends_on,
    resource,
)
from tests.helpers import Modules, described, names, value_of


class Base:
    """Declares the cells that the tests below override."""

    def __init__(self, days: int = 2) -> None:
        """Take down what the cells use."""
        self.days = days

    @cell
    def price(self) -> int:
        """A plain method."""
        return 10

    @property
    def broken(self) -> int:
        """Must not be evaluated."""
        raise AssertionError

    @cell(name="sum")
    @depends_on(cost=price)
    def total(self, cost: int) -> int:
        """Depends on another method, by reference."""
        return cost * self.days

    def helper(self) -> None:
        """Not marked."""


def test_methods_are_collected_bound() -> None:
    """Decorated methods, in definition order, bound to the object."""
    order = Base(3)
    graph = Graph.from_object(order)
    assert list(graph.dependency_dict) == [order.price, order.total]
    results = compute_sequential(graph)
    assert results[order.total] == results["sum"] == 30


def test_an_override_inherits_the_mark() -> None:
    """An override is a cell with the options and edges of what it overrides."""

    class Cheap(Base):
        def price(self) -> int:
            return 1

        def total(self, cost: int) -> int:
            return -cost

        @cell
        def extra(self, sum: int) -> int:
            return sum

    order = Cheap()
    graph = Graph.from_object(order)
    assert names(graph) == ["price", "total", "extra"]
    assert compute_sequential(graph)["extra"] == -1


def test_a_reference_follows_the_method_not_its_alias() -> None:
    """`depends_on(tax)` means what the object has as `tax`, whatever else is."""

    class Aliased(Base):
        @cell
        def tax(self) -> int:
            return 1

        alias = tax

        @cell
        @depends_on(t=tax)
        def taxed(self, t: int) -> int:
            return t

    class Cheap(Aliased):
        def tax(self) -> int:
            return 5

    order = Cheap()
    assert compute_sequential(Graph.from_object(order))[order.taxed] == 5


def test_an_override_can_be_marked_anew() -> None:
    """Its own mark goes before what it would inherit."""

    class Other(Base):
        @cell(name="other")
        def total(self, days_off: int) -> int:
            return days_off

    order = Other()
    graph = Graph.from_object(order)
    assert graph.dependency_dict[order.total] == frozenset()
    assert compute_sequential(graph, inputs={"days_off": 1})["other"] == 1


def test_cells_come_through_all_bases() -> None:
    """A diamond gives each method once, as the object has it."""

    class Left(Base):
        @cell
        def left(self) -> str:
            return "left"

    class Right(Base):
        def price(self) -> int:
            return 7

    class Both(Left, Right):
        pass

    order = Both()
    graph = Graph.from_object(order)
    assert sorted(names(graph)) == ["left", "price", "total"]
    assert compute_sequential(graph)[order.total] == 14


@pytest.mark.parametrize(
    "instead",
    [
        None,
        3,
        property(lambda self: pytest.fail("evaluated")),
        functools.cached_property(lambda self: pytest.fail("evaluated")),
    ],
)
def test_a_subclass_switches_a_cell_off(instead: Any) -> None:
    """`name = None` takes a cell out; so does a property, which is not evaluated."""
    less = type("Less", (Base,), {"total": instead})
    assert names(Graph.from_object(less())) == ["price"]


def test_an_object_switches_a_cell_off() -> None:
    """An attribute of the object itself that is None does the same."""
    order = Base()
    order.total = None  # type: ignore[method-assign,assignment]
    assert names(Graph.from_object(order)) == ["price"]


def test_a_cell_that_others_need_cannot_be_switched_off() -> None:
    """The error names who depends on it, and the remedy."""

    class Less(Base):
        price = None  # type: ignore[assignment]

        def __repr__(self) -> str:
            return "Less()"

    with pytest.raises(UnknownCell) as caught:
        Graph.from_object(Less())
    assert str(caught.value) == (
        f"{described('sum', Base.total)} depends on 'price', but what Less() has by "
        "that name is no method that can be called. Override 'sum' too, or make "
        "'price' a method."
    )
    assert caught.value.name == "price"


def test_an_attribute_of_the_object_replaces_a_cell() -> None:
    """What is set on the object in place of a method is the cell, as in a test."""
    order = Base()
    order.price = lambda: 100  # type: ignore[method-assign]
    assert compute_sequential(Graph.from_object(order))[order.total] == 200


def test_methods_depend_on_cells_of_their_module(modules: Modules) -> None:
    """A function, or its name, that the object does not have is the module's."""
    trip = modules.make(
        "trip",
        """
        @cell
        def price(): return 3

        class Trip:
            @cell
            @depends_on(price, x="late")
            def total(self, x, price): return x * price

        @cell
        def late(): return 2
        """,
    )
    order = trip.Trip()
    graph = Graph.from_object(order)
    assert len(graph) == 3
    assert value_of(order.total, graph) == 6


class Kinds:
    """Has methods of every kind, each needing others."""

    @cell
    def price(self) -> int:
        """A plain method."""
        return 1

    @classmethod
    @cell
    def rate(cls) -> int:
        """A class method."""
        return 10

    @staticmethod
    @cell(name="fee")
    def make_fee() -> int:
        """A static method, with an option."""
        return 100

    @cell
    def all(self, price: int, rate: int, fee: int) -> int:
        """Needs all."""
        return price + rate + fee

    @classmethod
    @cell
    @depends_on(rate, a=price, b=make_fee)
    def by_class(cls, a: int, b: int, rate: int, price: int = 0) -> int:
        """Needs all, from a class method, by reference and by name."""
        return a + b + rate + price

    @cell(name="static")
    @staticmethod
    @depends_on(rate, a=price, b=make_fee)
    def by_static(a: int, b: int, rate: int, price: int = 0) -> int:
        """Needs all, from a static method, by reference and by name."""
        return a + b + rate + price

    shared = cell(staticmethod(functools.partial(int, 5)))


def test_methods_of_every_kind_bind_to_the_object() -> None:
    """Class and static methods are cells too, and see the object's other cells."""
    kinds = Kinds()
    graph = Graph.from_object(kinds)
    assert len(graph) == 7
    results = compute_sequential(graph)
    assert results[kinds.all] == 111
    assert results[kinds.by_class] == 112
    assert results["static"] == 112
    assert results[kinds.rate] == 10
    assert results["shared"] == 5
    assert dict(graph.inputs) == {}


def test_class_methods_can_be_given_to_from_cells() -> None:
    """A method bound to the class sees the class's own methods."""

    class Rates:
        @classmethod
        @cell
        def rate(cls) -> int:
            return 10

        @cell
        def price(self) -> int:
            return 1

        @classmethod
        @cell
        def doubled(cls, rate: int, price: int) -> int:
            return 2 * rate + price

    graph = Graph.from_cells(Rates.doubled)
    assert list(graph.inputs) == ["price"]
    assert value_of(Rates.doubled, graph, price=5) == 25


def test_a_partial_method_overrides_a_cell() -> None:
    """`functools.partialmethod` in place of a cell is a cell."""

    class Fixed(Base):
        def of(self, amount: int) -> int:
            return amount

        price = functools.partialmethod(of, 3)  # type: ignore[assignment]

    order = Fixed()
    assert compute_sequential(Graph.from_object(order))["sum"] == 6


def test_resources_can_be_methods() -> None:
    """A decorated generator method opens and closes with the computation."""
    seen: list[str] = []

    class Service:
        @resource
        def connection(self) -> Any:
            seen.append("open")
            yield "connected"
            seen.append("closed")

        @cell
        def answer(self, connection: str) -> str:
            return connection

    service = Service()
    graph = Graph.from_object(service)
    assert compute_sequential(graph)[service.answer] == "connected"
    assert seen == ["open", "closed"]


def test_objects_without_a_dict_collect() -> None:
    """Slots are no obstacle, nor is an object that compares or hashes oddly."""

    class Slotted:
        __slots__ = ("days",)
        __hash__ = None  # type: ignore[assignment]

        def __eq__(self, other: object) -> bool:
            raise AssertionError

        @cell
        def price(self, days: int) -> int:
            return days

    order = Slotted()
    results = compute_sequential(Graph.from_object(order), inputs={"days": 4})
    assert results[order.price] == 4


def test_strange_attributes_of_a_class_do_no_harm() -> None:
    """Objects that refuse to be looked at are no cells."""

    class Hostile:
        def __getattribute__(self, name: str) -> Any:
            raise RuntimeError(name)

    class Strange(Base):
        hostile = Hostile()

        def __getattr__(self, name: str) -> Any:
            raise RuntimeError(name)

    order = Strange()
    order.other = Hostile()  # type: ignore[attr-defined]
    assert compute_sequential(Graph.from_object(order))["sum"] == 20


def test_an_object_without_cells_is_an_empty_graph() -> None:
    """Nothing to collect is no error."""
    assert len(Graph.from_object(object())) == 0
    assert len(Graph.from_object(3)) == 0


def test_a_class_is_no_object_with_methods() -> None:
    """Its methods need an object: the error says how to give one."""
    with pytest.raises(DeclarationError) as caught:
        Graph.from_object(Base)
    assert str(caught.value) == (
        "Graph.from_object got the class 'Base'. Give it an object of that class: "
        "Graph.from_object(Base(...))."
    )
    assert caught.value.cell is Base


def test_bare_depends_on_in_a_class_is_refused() -> None:
    """A method that `@depends_on` without parentheses replaced is not lost silently."""

    class Lost:
        @depends_on
        def plan(self) -> None: ...

    with pytest.raises(DeclarationError, match=r"^'.*Lost\.plan' \(.*\) was decorated"):
        Graph.from_object(Lost())


# What a class body means


class Redefining:
    """Defines a method anew after others have named it."""

    def price(self) -> int:
        """The one that decorators hold."""
        return 1

    @cell
    @depends_on(price)
    def total(self, price: int) -> int:
        """By position."""
        return price

    @cell
    @depends_on(cost=price, list=[price])
    def other(self, cost: int, list: Any) -> Any:
        """By keyword, and in a list."""
        return cost, list

    @staticmethod
    def rate() -> int:
        """A static one."""
        return 1

    @cell
    @depends_on(rate)
    def rated(self, rate: int) -> int:
        """By position."""
        return rate

    @cell
    def price(self) -> int:
        """The one that the object has."""
        return 2

    @staticmethod
    def rate() -> int:
        """A static one."""
        return 2


class Inheriting(Redefining):
    """A subclass, with another of its own."""

    @cell
    def price(self) -> int:
        """The one that the object has."""
        return 3


@pytest.mark.parametrize(("owner", "price"), [(Redefining(), 2), (Inheriting(), 3)])
def test_a_method_that_is_defined_anew_is_meant(owner: Any, price: int) -> None:
    """As the object has it, not as it was when the decorator was called."""
    graph = Graph.from_object(owner)
    assert dict(graph.inputs) == {}
    results = compute_sequential(graph)
    assert results[owner.total] == price
    assert results[owner.other] == (price, [price])
    assert results[owner.rated] == 2


class Other:
    """Another class."""

    @cell
    def price(self) -> int:
        """A method."""
        return 1

    @staticmethod
    def rate(number: int = 2) -> int:
        """No method."""
        return number

    def odd(this) -> int:
        """A method whose first parameter has another name."""
        return 1

    class Inner:
        """A class within."""

        def price(self) -> int:
            """A method."""
            return 1


@pytest.mark.parametrize("method", [Other.price, Other.odd, Other.Inner.price])
def test_a_method_of_another_class_is_refused(method: Any) -> None:
    """It would need an object, which would become an input."""

    class Trip:
        @cell
        @depends_on(method)
        def plan(self, price: int) -> int:
            return price

    with pytest.raises(DeclarationError) as caught:
        Graph.from_object(Trip())
    assert str(caught.value) == (
        f"{described('plan', Trip.plan)} depends on "
        f"{described(method.__qualname__, method)}, which is a method of another "
        "class, and would need an object of it. Depend on a method of the object "
        "itself, or on a bound one: depends_on(obj.method)."
    )
    with pytest.raises(DeclarationError, match="a method of another class"):
        Graph.from_cells(depends_on(method)(lambda: 1))


@pytest.mark.parametrize("is_local", [False, True])
def test_a_method_that_is_not_bound_is_refused(is_local: bool) -> None:
    """Its `self` is no input."""

    class Local:
        @cell
        def price(self) -> int:
            return 1

    method = Local.price if is_local else Other.price
    with pytest.raises(DeclarationError) as caught:
        Graph.from_cells(method)
    assert str(caught.value) == (
        f"{described(method.__qualname__, method)} is a method that is bound to no "
        "object, which it would want as an input. Collect the object's cells with "
        "Graph.from_object(obj), or give a bound method."
    )


def test_static_methods_and_functions_of_functions_need_no_object() -> None:
    """They are functions like others, whatever their parameters are called."""

    def inner(self: int = 3) -> int:
        return self

    class Trip:
        @cell
        @depends_on(inner, rate=Other.rate, price=Other().price)
        def plan(self, rate: int, inner: int, price: int) -> Any:
            return rate, inner, price

    results = compute_sequential(Graph.from_object(Trip()))
    assert results["plan"] == (2, 3, 1)


class Hiding:
    """Has names that Python mangles."""

    @cell
    def __hid(self) -> int:
        return 1

    @cell
    @depends_on(x="__hid")
    def by_string(self, x: int) -> int:
        """A string in the class means what a name would."""
        return x

    @cell
    def by_name(self, __hid: int) -> int:
        """A parameter is mangled by Python."""
        return __hid

    @cell
    @depends_on(__given="by_string")
    def by_keyword(self, __given: int) -> int:
        """A keyword is not."""
        return __given


class _Derived(Hiding):
    """The class in which a method was written counts."""


@pytest.mark.parametrize("kind", [Hiding, _Derived])
def test_private_names_are_read_as_in_the_class(kind: Any) -> None:
    """In strings, parameters and keywords of `depends_on`."""
    graph = Graph.from_object(kind())
    assert dict(graph.inputs) == {}
    results = compute_sequential(graph)
    names = ("__hid", "by_string", "by_name", "by_keyword")
    assert [results[name] for name in names] == [1, 1, 1, 1]
