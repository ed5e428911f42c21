"""Nodes that work only where something changed."""

import pytest

from aiocells import (
    DependencyGraph,
    ModAdder,
    ModClock,
    ModPlace,
    ModPrinter,
    compute_sequential,
)


@pytest.fixture
def clock() -> ModClock:
    """The clock that the nodes of a test share."""
    return ModClock()


class TestModClock:
    """A clock that counts."""

    def test_each_look_gives_a_later_time(self, clock: ModClock) -> None:
        """The times are 1, 2, 3, and so on."""
        assert [clock.now() for _ in range(3)] == [1, 2, 3]

    def test_shows_the_last_time_without_moving_on(self, clock: ModClock) -> None:
        """current_value is the time that was given out last, 0 before the first."""
        seen = [clock.current_value]
        clock.now()
        seen += [clock.current_value, clock.current_value]

        assert seen == [0, 1, 1]


class TestModPlace:
    """A place that changes when it is computed."""

    def test_was_never_changed_at_first(self, clock: ModClock) -> None:
        """A place that was never set has no value, no mod time, and is clean."""
        place = ModPlace(clock)
        place()

        assert (place.value, place.mod_time, place.is_dirty) == (None, None, False)
        assert clock.current_value == 0

    def test_set_value_waits_for_the_computation(self, clock: ModClock) -> None:
        """A value that was set is new_value, until the place is computed."""
        place = ModPlace(clock)
        place.value = 7

        assert (place.value, place.new_value, place.is_dirty) == (None, 7, True)
        assert place.mod_time is None

    def test_computing_takes_the_new_value_and_the_time(self, clock: ModClock) -> None:
        """Computing a place that was set makes the value current, and says when."""
        place = ModPlace(clock)
        place.value = 7
        place()

        assert (place.value, place.new_value, place.is_dirty) == (7, 7, False)
        assert place.mod_time == 1

    def test_an_equal_value_is_no_change(self, clock: ModClock) -> None:
        """Setting an equal value leaves the mod time alone."""
        place = ModPlace(clock)
        place.value = 7
        place()
        place.value = 7.0
        place()

        assert (place.mod_time, clock.current_value) == (1, 1)

    def test_set_back_in_time_is_no_change(self, clock: ModClock) -> None:
        """Only the value set last counts, so setting the old one undoes the new."""
        place = ModPlace(clock)
        place.value = 7
        place()
        place.value = 8
        place.value = 7
        place()

        assert (place.value, place.mod_time) == (7, 1)

    def test_none_is_a_change_after_a_value(self, clock: ModClock) -> None:
        """A place that had a value can be set to None."""
        place = ModPlace(clock)
        place.value = 7
        place()
        place.value = None
        place()

        assert (place.value, place.mod_time) == (None, 2)


class TestModPrinter:
    """A node that prints what changed."""

    def test_prints_each_change_once(
        self, clock: ModClock, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """It prints after a change of its place, and not again until the next."""
        place = ModPlace(clock)
        graph = DependencyGraph()
        graph.add_precedence(place, ModPrinter(clock, place, "now {value}"))

        compute_sequential(graph)
        for value in (1, 1, 2):
            place.value = value
            compute_sequential(graph)
            compute_sequential(graph)

        assert capsys.readouterr().out == "now 1\nnow 2\n"

    def test_says_when_it_printed_last(self, clock: ModClock) -> None:
        """Its mod time is later than the change that it printed, None before."""
        place = ModPlace(clock)
        printer = ModPrinter(clock, place, "now {value}")
        place.value = 1
        seen = [printer.mod_time]
        place()
        printer()
        seen += [place.mod_time, printer.mod_time]

        assert seen == [None, 1, 2]


class TestModAdder:
    """A node that sums its inputs when one changed."""

    def test_sums_again_after_a_change(self, clock: ModClock) -> None:
        """The output holds the sum of the inputs as they are now."""
        a, b, total = ModPlace(clock), ModPlace(clock), ModPlace(clock)
        adder = ModAdder(clock, [a, b], total)
        graph = DependencyGraph()
        for place in (a, b):
            graph.add_precedence(place, adder)
        graph.add_precedence(adder, total)
        a.value, b.value = 1, 2
        compute_sequential(graph)
        sums = [total.value]
        b.value = 20
        compute_sequential(graph)
        sums.append(total.value)

        assert sums == [3, 21]

    def test_does_nothing_without_a_change(self, clock: ModClock) -> None:
        """Where no input changed since the last sum, the output is left alone."""
        a, total = ModPlace(clock), ModPlace(clock)
        adder = ModAdder(clock, [a], total)
        a.value = 1
        a()
        adder()
        total.value = "changed by hand"
        adder()

        assert total.new_value == "changed by hand"
        assert adder.mod_time == 2

    def test_waits_for_an_input_that_was_never_set(self, clock: ModClock) -> None:
        """There is no sum before each input has changed for a first time."""
        a, b, total = ModPlace(clock), ModPlace(clock), ModPlace(clock)
        adder = ModAdder(clock, [a, b], total)
        a.value = 1
        a()
        adder()
        before = (total.new_value, adder.mod_time)
        b.value = 2
        b()
        adder()

        assert before == (None, None)
        assert total.new_value == 3

    def test_of_nothing_is_zero(self, clock: ModClock) -> None:
        """An adder without inputs gives 0, once."""
        total = ModPlace(clock)
        ModAdder(clock, [], total)()

        assert total.new_value == 0
