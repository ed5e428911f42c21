"""Nodes that know when they changed, and work only where something did.

A clock that counts gives every change a number, its *mod time*. A node
compares the mod time of what it reads with its own, and does nothing where
there is nothing new.
"""

from collections.abc import Collection
from typing import Any, Protocol

from aiocells._first_version.places import Readable, Writable


class Tracked(Readable, Protocol):
    """A value that says when it last changed."""

    @property
    def mod_time(self) -> int | None:
        """When it last changed; `None` if it never did."""


class ModClock:
    """A clock that counts: each look at it gives a later time.

    >>> from aiocells import ModClock
    >>> clock = ModClock()
    >>> clock.now(), clock.now(), clock.current_value
    (1, 2, 2)
    """

    def __init__(self) -> None:
        self._now = 0

    def now(self) -> int:
        """Move on by one and return the new time."""
        self._now += 1
        return self._now

    @property
    def current_value(self) -> int:
        """The time that was given out last; 0 at first."""
        return self._now


class ModPlace:
    """A place that takes a new value when it is computed, not before.

    Whoever reads `value` during a computation sees the old value until the
    place itself was computed, and the new one from then on.

    Args:
        clock: the clock that all nodes of the graph share.

    >>> from aiocells import ModClock, ModPlace
    >>> place = ModPlace(ModClock())
    >>> place.value = 7
    >>> place.value, place.new_value, place.is_dirty, place.mod_time
    (None, 7, True, None)
    >>> place()
    >>> place.value, place.is_dirty, place.mod_time
    (7, False, 1)
    """

    def __init__(self, clock: ModClock) -> None:
        self._clock = clock
        self._value: Any = None
        self._new_value: Any = None
        self.mod_time: int | None = None

    @property
    def value(self) -> Any:
        """The value as of the last computation. Setting it is for the next."""
        return self._value

    @value.setter
    def value(self, value: Any) -> None:
        self._new_value = value

    @property
    def new_value(self) -> Any:
        """The value that the next computation will bring."""
        return self._new_value

    @property
    def is_dirty(self) -> bool:
        """Whether the next computation will change the value."""
        return bool(self._value != self._new_value)

    def __call__(self) -> None:
        """Take the new value, and the time, if it differs from the old."""
        if not self.is_dirty:
            return
        self.mod_time = self._clock.now()
        self._value = self._new_value


class ModAdder:
    """A node that sums its inputs when one of them changed.

    It waits until each input has changed for a first time, since a place
    that was never set has nothing to add.

    Args:
        clock: the clock that all nodes of the graph share.
        input_cells: the places to sum.
        output_cell: the place that gets the sum.

    >>> from aiocells import ModAdder, ModClock, ModPlace
    >>> clock = ModClock()
    >>> a, b, total = ModPlace(clock), ModPlace(clock), ModPlace(clock)
    >>> add = ModAdder(clock, [a, b], total)
    >>> a.value, b.value = 1, 2
    >>> for node in (a, b, add, total):
    ...     node()
    >>> total.value
    3
    """

    def __init__(
        self,
        clock: ModClock,
        input_cells: Collection[Tracked],
        output_cell: Writable,
    ) -> None:
        self.clock = clock
        self.input_cells = input_cells
        self.output_cell = output_cell
        self.mod_time: int | None = None

    def __call__(self) -> None:
        """Sum the inputs if one is newer than the last sum."""
        if not self._has_news():
            return
        self.output_cell.value = sum(place.value for place in self.input_cells)
        self.mod_time = self.clock.now()

    def _has_news(self) -> bool:
        times = [place.mod_time for place in self.input_cells]
        known = [time for time in times if time is not None]
        if len(known) < len(times):
            return False
        return self.mod_time is None or any(time > self.mod_time for time in known)


class ModPrinter:
    """A node that prints a value when it changed.

    Args:
        clock: the clock that all nodes of the graph share.
        input_cell: the place to print.
        message: what to print; `{value}` in it is replaced by the value.

    >>> from aiocells import ModClock, ModPlace, ModPrinter
    >>> clock = ModClock()
    >>> place = ModPlace(clock)
    >>> printer = ModPrinter(clock, place, "now {value}")
    >>> place.value = 7
    >>> for node in (printer, place, printer, printer):
    ...     node()
    now 7
    """

    def __init__(self, clock: ModClock, input_cell: Tracked, message: str) -> None:
        self.clock = clock
        self.input_cell = input_cell
        self.message = message
        self.mod_time: int | None = None

    def __call__(self) -> None:
        """Print the value if it is newer than the last print."""
        changed = self.input_cell.mod_time
        if changed is None or (self.mod_time is not None and changed <= self.mod_time):
            return
        print(self.message.format(value=self.input_cell.value))
        self.mod_time = self.clock.now()
