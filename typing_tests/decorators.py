"""The decorators give a function back with its own type. Checked, never run."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from typing import Any, Generic, TypeVar, assert_type

from aiocells import Cached, Input, Lazy, cell, depends_on, resource

Value = TypeVar("Value")


@cell
def spot(symbol: str, *, scale: float = 1.0) -> float:
    """Bare."""
    return len(symbol) * scale


assert_type(spot("ACME"), float)
assert_type(spot("ACME", scale=2.0), float)
spot(1)  # type: ignore[arg-type]
spot("ACME", size=2)  # type: ignore[call-arg]


@cell()
def empty(symbol: str, /) -> str:
    """With empty parentheses, and a positional-only parameter."""
    return symbol


assert_type(empty("ACME"), str)
empty(symbol="ACME")  # type: ignore[call-arg]


@cell(name="vol", limit="quotes", timeout=2.5, secret=True, cache=False)
async def volatility(symbol: str) -> list[float]:
    """With options, and async."""
    return [len(symbol)]


@cell(limit=("quotes", "rate"))
def both_limits() -> int:
    """With several limits."""
    return 1


cell(limit=["quotes"])  # type: ignore[call-overload]
a_coroutine: Callable[[str], Coroutine[Any, Any, list[float]]] = volatility


async def awaited() -> None:
    """An async cell is awaited like the function that it is."""
    assert_type(await volatility("ACME"), list[float])


@cell
@depends_on(spot, "later", values=[spot, volatility], url=Input("quotes_url"))
def price(spot: float, values: list[Any], url: str) -> str:
    """Marked by both, in one order."""
    return f"{spot} {values} {url}"


@depends_on("package.module:name")
@depends_on(price)
@cell(name="other", run_in="thread")
def report(price: str) -> None:
    """Marked by both, in the other order, and more than once."""


assert_type(price(1.0, [], "http://localhost"), str)
report(1)  # type: ignore[arg-type]


@depends_on(price)
async def archive(price: str) -> bytes:
    """Marked by depends_on alone."""
    return price.encode()


another_coroutine: Callable[[str], Coroutine[Any, Any, bytes]] = archive


@cell
def first(items: list[Value]) -> Value:
    """Generic."""
    return items[0]


assert_type(first([1]), int)
assert_type(first(["one"]), str)


# The call form, on all that can be called


def length(text: str) -> int:
    """Not decorated."""
    return len(text)


assert_type(cell(length)("four"), int)
assert_type(cell(name="length")(length)("four"), int)
assert_type(depends_on(spot)(length)("four"), int)
assert_type(cell(depends_on(text=price)(length))("four"), int)
cell(length)(4)  # type: ignore[arg-type]

assert_type(cell(functools.partial(length, "four")), functools.partial[int])
assert_type(cell(functools.partial(length, "four"))(), int)


@cell
class Box(Generic[Value]):
    """A class."""

    def __init__(self, value: Value) -> None:
        """Take down the value."""
        self.value = value

    def __call__(self, other: Value) -> list[Value]:
        """Give both."""
        return [self.value, other]


assert_type(Box(1), Box[int])
assert_type(Box(1).value, int)
assert_type(cell(Box(1)), Box[int])
assert_type(cell(Box(1))(2), list[int])
Box()  # type: ignore[call-arg]


# Methods


class Trip:
    """Has cells of each kind of method."""

    @cell
    def forecast(self, city: str) -> str:
        """A method."""
        return city

    @cell(name="hotels")
    async def find_hotels(self, city: str) -> list[str]:
        """An async method."""
        return [city]

    @classmethod
    @cell
    def rate(cls, city: str) -> float:
        """A class method."""
        return len(city)

    @staticmethod
    @cell
    @depends_on(forecast, a=forecast)
    def fee(a: str) -> int:
        """A static method, which depends on another."""
        return len(a)

    @cell
    @staticmethod
    def tax(a: str) -> int:
        """A static method, decorated in the other order."""
        return len(a)


trip = Trip()
assert_type(trip.forecast("Oslo"), str)
assert_type(Trip.forecast(trip, "Oslo"), str)
assert_type(Trip.rate("Oslo"), float)
assert_type(trip.fee("Oslo"), int)
assert_type(trip.tax("Oslo"), int)
trip.forecast(3)  # type: ignore[arg-type]
Trip.rate(3)  # type: ignore[arg-type]


# Resources


@resource
def connection(path: str) -> Iterator[bytes]:
    """A resource."""
    yield path.encode()


@resource(name="session", timeout=3, secret=False)
async def make_session() -> AsyncIterator[bytes]:
    """An async resource, with options."""
    yield b""


assert_type(connection("/tmp"), Iterator[bytes])
assert_type(make_session(), AsyncIterator[bytes])
connection(3)  # type: ignore[arg-type]


# Fallbacks


@cell(fallback=lambda error: [])
async def offers(symbol: str) -> list[str]:
    """One that falls back keeps its own type."""
    return [symbol]


def no_price(error: Exception) -> float:
    """A fallback."""
    raise error


@cell(fallback=no_price)
def quoted(symbol: str) -> float:
    """With a function that is annotated."""
    return len(symbol)


@resource(fallback=lambda error: None)
def optional(path: str) -> Iterator[bytes | None]:
    """A resource that others can do without."""
    yield path.encode()


assert_type(quoted("ACME"), float)
assert_type(optional("/tmp"), Iterator[bytes | None])
also_a_coroutine: Callable[[str], Coroutine[Any, Any, list[str]]] = offers


# What depends_on takes

some_cells: list[Callable[..., Any]] = [spot, empty]
some_parts: list[Callable[..., float]] = [spot]
depends_on(*some_cells, parts=some_parts)
depends_on(parts=(spot, "name", Input("url")), one="name", two=Input("url"), three=spot)
depends_on(3)  # type: ignore[arg-type]
depends_on(x=3)  # type: ignore[arg-type]
depends_on(x=[3])  # type: ignore[list-item]
depends_on(Input("url"))  # type: ignore[arg-type]
Input(3)  # type: ignore[arg-type]


# What the others take

cell(3)  # type: ignore[call-overload]
cell(length, name="both")  # type: ignore[call-overload]
cell(name=3)  # type: ignore[call-overload]
cell(fallback=[])  # type: ignore[call-overload]
cell(fallback=lambda: 1)  # type: ignore[misc, arg-type]
resource(fallback=3)  # type: ignore[call-overload]
cell(color="red")  # type: ignore[call-overload]
resource(timeout="3")  # type: ignore[call-overload]
cell(secret="yes")  # type: ignore[call-overload]


@cell
@depends_on(spot=Lazy(spot), volatility=Lazy(volatility), later=[Lazy("later"), spot])
async def asking(
    spot: Callable[[], float],
    volatility: Callable[[], Awaitable[list[float]]],
    later: list[Any],
) -> float:
    """May ask for others."""
    assert_type(spot(), float)
    assert_type(await volatility(), list[float])
    return spot()


depends_on(Lazy(spot))  # type: ignore[arg-type]
Lazy(3)  # type: ignore[arg-type]


@cell(cache=Cached(version="2", ttl=60, ignore=("session",)))
def kept(day: str, session: object) -> dict[str, float]:
    """Kept, with a word on how."""
    return {}


assert_type(kept("monday", None), dict[str, float])
cell(cache="yes")  # type: ignore[call-overload]
Cached(ttl="1")  # type: ignore[arg-type]
