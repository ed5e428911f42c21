"""Places, and the helpers that read and fill them."""

import asyncio
import datetime
import functools
from typing import NamedTuple

import pytest

from aiocells import (
    DependencyGraph,
    Place,
    assign,
    async_compute_sequential,
    compute_sequential,
    print_value,
    timer,
)


class Point(NamedTuple):
    """Two places under names."""

    x: Place
    y: Place


class TestPlace:
    """A node that holds a value."""

    def test_is_empty_and_nameless_at_first(self) -> None:
        """Without arguments, a place holds None and has no name."""
        place = Place()

        assert (place.value, place.name) == (None, None)

    def test_holds_what_it_was_given_last(self) -> None:
        """The value can be given at the start and set later."""
        place = Place(value=1)
        at_first = place.value
        place.value = 2

        assert (at_first, place.value) == (1, 2)

    def test_takes_its_arguments_by_keyword_only(self) -> None:
        """A value given by position is refused."""
        with pytest.raises(TypeError):
            Place(1)

    def test_computing_it_changes_nothing(self) -> None:
        """A place is a node that does nothing."""
        place = Place(value=1)
        graph = DependencyGraph()
        graph.add_node(place)

        compute_sequential(graph)

        assert place.value == 1

    def test_shows_its_name(self) -> None:
        """str() is the name where there is one."""
        assert str(Place(value=1, name="price")) == "price"

    def test_shows_its_repr_without_a_name(self) -> None:
        """str() is repr() where there is no name."""
        place = Place(value=1)

        assert str(place) == repr(place)

    def test_two_places_with_equal_values_are_two_nodes(self) -> None:
        """Places are told apart by identity, so a graph holds both."""
        graph = DependencyGraph()
        graph.add_node(Place(value=1))
        graph.add_node(Place(value=1))

        assert len(graph) == 2


class TestPrintValue:
    """A node that prints a place."""

    def test_prints_the_value_of_the_moment(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The value is read each time the node is computed."""
        place = Place(value=1)
        printer = print_value(place, "it is {value}")

        printer()
        place.value = 2
        printer()

        assert capsys.readouterr().out == "it is 1\nit is 2\n"


class TestAssign:
    """A node that calls a function and keeps the result in a place."""

    def test_reads_places_when_it_is_called(self) -> None:
        """An argument with a value stands for that value at the time of the call."""
        a, b, total = Place(value=1), Place(value=2), Place()
        add = assign(total, lambda x, y: x + y, a, b)
        a.value = 10

        add()

        assert total.value == 12

    @pytest.mark.parametrize("argument", [3, "text", b"bytes", None, len])
    def test_passes_single_values_as_they_are(self, argument: object) -> None:
        """What has no value, and is no collection, is passed unchanged."""
        result = Place()

        assign(result, lambda x: x, argument)()

        assert argument is result.value

    def test_looks_into_lists_and_tuples(self) -> None:
        """Places inside lists and tuples are read, however deep, kinds kept."""
        a, b, result = Place(value=1), Place(value=2), Place()

        assign(result, lambda x: x, [a, (b, 3), []])()

        assert result.value == [1, (2, 3), []]

    def test_looks_into_named_tuples(self) -> None:
        """A named tuple of places becomes a named tuple of values."""
        result = Place()

        assign(result, lambda p: (type(p), p.x, p.y), Point(Place(value=1), Place()))()

        assert result.value == (Point, 1, None)

    @pytest.mark.parametrize("argument", [{1}, {"a": 1}, frozenset(), range(3)])
    def test_refuses_other_collections(self, argument: object) -> None:
        """A collection that is not looked into is refused when the node is made."""
        with pytest.raises(TypeError, match=r"cannot look for places in a \w+: .*Give"):
            assign(Place(), len, argument)

    def test_of_a_coroutine_function_is_a_coroutine_function(self) -> None:
        """The result of a coroutine function is awaited before it is kept."""

        async def double(x: int) -> int:
            return 2 * x

        x, result = Place(value=2), Place()
        graph = DependencyGraph()
        graph.add_node(assign(result, double, x))

        asyncio.run(async_compute_sequential(graph))

        assert result.value == 4

    def test_awaits_partials_and_objects_that_are_called_with_await(self) -> None:
        """A partial of an object whose __call__ is async is awaited, too."""

        class Adder:
            async def __call__(self, x: int, y: int) -> int:
                return x + y

        result = Place()
        node = assign(result, functools.partial(Adder(), 1), Place(value=2))

        asyncio.run(node())

        assert result.value == 3

    def test_keeps_the_old_value_after_a_failure(self) -> None:
        """Where the function fails, the place is left alone."""
        result = Place(value="old")

        with pytest.raises(ZeroDivisionError):
            assign(result, lambda x: 1 / x, 0)()

        assert result.value == "old"


class TestTimer:
    """Sleep, then put the time in a place."""

    def test_puts_the_local_time_in_the_place(self) -> None:
        """The place gets a datetime, of local time and without a zone."""
        place = Place()

        asyncio.run(timer(0, place))

        assert isinstance(place.value, datetime.datetime)
        assert place.value.tzinfo is None

    def test_sleeps_first(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It sleeps for the seconds that it was given, and sets the place after."""
        place = Place()
        seen: list[tuple[float, object]] = []

        async def sleep(seconds: float) -> None:
            seen.append((seconds, place.value))

        monkeypatch.setattr(asyncio, "sleep", sleep)
        asyncio.run(timer(1.5, place))

        assert seen == [(1.5, None)]
        assert place.value is not None
