"""Places: nodes that hold a value, and helpers that read and fill them.

They are how a graph that is built by hand passes values along. Cells that
are collected with `Graph` need none of this: they take parameters.
"""

import asyncio
from collections.abc import Callable, Collection
from typing import Any, Protocol

from aiocells._declaring.kinds import Kind, kind_of


class Readable(Protocol):
    """Anything with a `value` to read."""

    @property
    def value(self) -> Any:
        """The value."""


class Writable(Protocol):
    """Anything with a `value` to read and to set."""

    value: Any


class Place:
    """A node that holds a value and does nothing when it is computed.

    Nodes that fill it go before it in the graph, nodes that read it after.

    Args:
        value: what it holds to begin with.
        name: what `str()` shows. Without it, `str()` is `repr()`.

    >>> from aiocells import Place
    >>> price = Place(value=3, name="price")
    >>> price.value = 4
    >>> print(price, price.value)
    price 4
    """

    def __init__(self, *, value: Any = None, name: str | None = None) -> None:
        self.value = value
        self.name = name

    def __call__(self) -> None:
        """Do nothing: computing a place leaves its value alone."""

    def __str__(self) -> str:
        return repr(self) if self.name is None else self.name


def print_value(input_cell: Readable, message: str) -> Callable[[], None]:
    """Make a node that prints the value of a place.

    Args:
        input_cell: read each time the node is computed.
        message: what to print; `{value}` in it is replaced by the value.

    Returns:
        A function without parameters, to be added to a graph.

    >>> from aiocells import Place, print_value
    >>> print_value(Place(value=4), "The price is {value}")()
    The price is 4
    """

    def printer() -> None:
        print(message.format(value=input_cell.value))

    return printer


def assign(
    destination: Writable, function: Callable[..., Any], *arguments: Any
) -> Callable[[], Any]:
    """Make a node that calls a function and puts the result in a place.

    Args:
        destination: the place that gets the result.
        function: a plain or a coroutine function.
        arguments: what to call it with. An object that has a `value` stands
            for that value at the time of the call. Lists and tuples are
            looked into. Anything else is passed as it is.

    Returns:
        A function without parameters, to be added to a graph. It is a
        coroutine function where `function` is one.

    Raises:
        TypeError: an argument is a set, a mapping or another collection,
            which is not looked into.

    >>> from aiocells import Place, assign
    >>> width, height, area = Place(value=3), Place(value=4), Place()
    >>> assign(area, lambda a, b: a * b, width, height)()
    >>> area.value
    12
    """
    readers = [_reader(argument) for argument in arguments]

    if kind_of(function) is Kind.ASYNC:

        async def async_assigner() -> None:
            destination.value = await function(*[read() for read in readers])

        return async_assigner

    def assigner() -> None:
        destination.value = function(*[read() for read in readers])

    return assigner


async def timer(seconds: float, result_variable: Writable) -> None:
    """Sleep, then put the time of day in a place.

    As a node it is `functools.partial(timer, seconds, place)`.

    Args:
        seconds: how long to sleep.
        result_variable: the place that gets the local time, a `datetime`.

    >>> import asyncio
    >>> from aiocells import Place, timer
    >>> now = Place()
    >>> asyncio.run(timer(0, now))
    >>> type(now.value)
    <class 'datetime.datetime'>
    """
    # Who asks for no time should not wait for the import.
    import datetime

    await asyncio.sleep(seconds)
    result_variable.value = datetime.datetime.now()


def _reader(argument: Any) -> Callable[[], Any]:
    """Return a function that gives the argument's value when it is called."""
    if hasattr(argument, "value"):
        return lambda: argument.value
    if isinstance(argument, list | tuple):
        readers = [_reader(element) for element in argument]
        kind = type(argument)
        # A named tuple takes its fields one by one, except through _make.
        make = getattr(kind, "_make", kind)
        return lambda: make([read() for read in readers])
    if isinstance(argument, Collection) and not isinstance(argument, str | bytes):
        msg = (
            f"assign() cannot look for places in a {type(argument).__name__}: "
            f"{argument!r}. Give it places, lists, tuples or single values, or "
            "put the collection in a Place."
        )
        raise TypeError(msg)
    return lambda: argument
