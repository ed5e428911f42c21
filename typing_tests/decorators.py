"""The decorators give a function back with its own type. Checked, never run."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, assert_type

from aiocells import Input, cell, depends_on, resource


@cell
def spot(symbol: str, *, scale: float = 1.0) -> float:
    """Bare."""
    return len(symbol) * scale


assert_type(spot("ACME"), float)
assert_type(spot("ACME", scale=2.0), float)
spot(1)  # type: ignore[arg-type]
spot("ACME", size=2)  # type: ignore[call-arg]


@cell(name="vol")
async def volatility(symbol: str) -> list[float]:
    """With options, and async."""
    return [len(symbol)]


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
@cell(name="other")
def report(price: str) -> None:
    """Marked by both, in the other order."""


assert_type(price(1.0, [], "http://localhost"), str)
report(1)  # type: ignore[arg-type]


def length(text: str) -> int:
    """Not decorated."""
    return len(text)


assert_type(cell(length)("four"), int)
assert_type(depends_on(spot)(length)("four"), int)


@resource
def connection(path: str) -> Iterator[bytes]:
    """A resource."""
    yield path.encode()


@resource(name="session")
async def make_session() -> AsyncIterator[bytes]:
    """An async resource, with an option."""
    yield b""


assert_type(connection("/tmp"), Iterator[bytes])
assert_type(make_session(), AsyncIterator[bytes])
