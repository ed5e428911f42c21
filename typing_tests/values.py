"""An `Any` in a cell's signature makes none of its value. Checked, never run.

`assert_type` does not take `Any` for the type that it names, so that a value that has
silently become `Any` is an error here. No line is meant to be wrong, since ty does not
read the `type: ignore` of mypy.
"""

# mypy: disable-error-code="type-arg, explicit-any"

import asyncio
import concurrent.futures
import functools
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterator,
    Mapping,
)
from typing import Any, Generic, ParamSpec, Protocol, Self, TypeVar, assert_type

from aiocells import (
    DependencyGraph,
    Graph,
    Results,
    cell,
    depends_on,
    resource,
)

P = ParamSpec("P")
Value = TypeVar("Value")


# Functions


@cell
def plain(url: Any) -> float:
    """Takes anything."""
    return len(url)


@cell
def bare(options: dict, *more: list, **named: Any) -> int:
    """Has generic types without arguments, which hold an Any each."""
    return len(options) + len(more) + len(named)


@cell(name="records")
def find_records(url: Any) -> dict[str, Any]:
    """Returns a type that holds an Any."""
    return {"url": url}


@cell
def choice(url: Any) -> int | str | None:
    """Returns one of several types."""
    return url if isinstance(url, int | str) else None


@cell
def nothing(url: Any) -> None:
    """Returns nothing."""


@depends_on(plain)
@cell(run_in="thread")
def marked(plain: Any) -> Mapping[str, float]:
    """Marked by both."""
    return {"plain": plain}


# Async functions


@cell
async def fetched(url: Any) -> float:
    """Takes anything."""
    return len(url)


@cell(limit="api", timeout=2)
async def fetched_bare(options: dict, *more: list) -> int:
    """Has generic types without arguments."""
    return len(options) + len(more)


@depends_on(plain)
async def fetched_records(plain: Any) -> dict[str, Any]:
    """Returns a type that holds an Any, and is marked by depends_on alone."""
    return {"plain": plain}


@cell
async def fetched_choice(url: Any) -> int | str | None:
    """Returns one of several types."""
    return url if isinstance(url, int | str) else None


@cell
async def fetched_nothing(url: Any) -> None:
    """Returns nothing."""


@cell
async def fetched_future(url: Any) -> asyncio.Future[int]:
    """Returns a future when it is awaited: that is the value."""
    return asyncio.get_running_loop().create_future()


def functions(results: Results) -> None:
    """What a function returns, and what awaiting it gives."""
    assert_type(results[plain], float)
    assert_type(results[bare], int)
    assert_type(results[find_records], dict[str, Any])
    assert_type(results[choice], int | str | None)
    assert_type(results[nothing], None)
    assert_type(results[marked], Mapping[str, float])
    assert_type(results[fetched], float)
    assert_type(results[fetched_bare], int)
    assert_type(results[fetched_records], dict[str, Any])
    assert_type(results[fetched_choice], int | str | None)
    assert_type(results[fetched_nothing], None)
    assert_type(results[fetched_future], asyncio.Future[int])


# Plain functions that return what can be awaited: it is the value


@cell
def future(url: Any) -> asyncio.Future[int]:
    """Returns a future."""
    return asyncio.get_running_loop().create_future()


@cell
def task(work: Coroutine[Any, Any, int]) -> asyncio.Task[int]:
    """Returns a task."""
    return asyncio.get_running_loop().create_task(work)


@cell
def future_or_none(url: Any) -> asyncio.Future[int] | None:
    """Returns a future at times."""
    return None


@cell
def threaded(pool: concurrent.futures.Executor, url: Any) -> Any:
    """Returns what it likes."""
    return pool.submit(len, url)


@cell
def submitted(url: Any) -> concurrent.futures.Future[int]:
    """Returns a future that nobody awaits."""
    return concurrent.futures.Future()


def futures(results: Results) -> None:
    """A future is a value like any other."""
    assert_type(results[future], asyncio.Future[int])
    assert_type(results[task], asyncio.Task[int])
    assert_type(results[future_or_none], asyncio.Future[int] | None)
    assert_type(results[submitted], concurrent.futures.Future[int])
    assert_type(results[threaded], Any)
    assert_type(results[functools.partial(future, "/")], asyncio.Future[int])


# Partials


def scaled(value: Any, factor: int) -> complex:
    """Has a parameter to fix."""
    return complex(value) * factor


async def sent(value: Any, url: str) -> bytes:
    """Has a parameter to fix, and is async."""
    return url.encode()


double = cell(name="double")(functools.partial(scaled, factor=2))
page = cell(functools.partial(sent, url="/"))


def partials(results: Results) -> None:
    """A partial is as the function inside."""
    assert_type(results[double], complex)
    assert_type(results[page], bytes)


# Methods, classes and objects


class Trip:
    """Has cells of each kind of method."""

    @cell
    def forecast(self, city: Any) -> str:
        """A method."""
        return str(city)

    @cell
    async def hotels(self, options: dict) -> list[str]:
        """An async method."""
        return list(options)

    @classmethod
    @cell
    def rate(cls, city: Any) -> float:
        """A class method."""
        return len(city)

    @classmethod
    @cell
    async def again(cls, city: Any) -> Self:
        """An async class method."""
        return cls()

    @staticmethod
    @cell
    async def fee(city: Any) -> int:
        """An async static method."""
        return len(city)

    def __call__(self, city: Any) -> bytes:
        """Make the object a callable."""
        return bytes(city)


class LongTrip(Trip):
    """Inherits all of them."""


class Client:
    """An object that is async when it is called."""

    async def __call__(self, city: Any) -> bytes:
        """Make the object an async callable."""
        return bytes(city)


@cell
class Box(Generic[Value]):
    """A class, whose instance is the value; or its instance, which can be called."""

    def __init__(self, value: Value, note: Any = None) -> None:
        """Keep the value."""
        self.value = value

    def __call__(self, other: Any) -> list[Value]:
        """Give the value."""
        return [self.value]

    @cell
    def taken(self, other: Any) -> Value:
        """A method whose type is the object's."""
        return self.value

    @cell
    async def awaited(self, other: Any) -> Value:
        """An async one."""
        return self.value


@cell
class Plan:
    """A class that is not generic."""

    def __init__(self, forecast: Any) -> None:
        """Keep the forecast."""
        self.forecast = forecast


trip = LongTrip()
box = Box(1)
box_cell = cell(Box("text"))
client = cell(Client())


def objects(results: Results) -> None:
    """Methods, through an object and through the class; classes; callable objects."""
    assert_type(results[trip.forecast], str)
    assert_type(results[Trip.forecast], str)
    assert_type(results[trip.hotels], list[str])
    assert_type(results[Trip.hotels], list[str])
    assert_type(results[trip.rate], float)
    assert_type(results[trip.again], LongTrip)
    assert_type(results[trip.fee], int)
    assert_type(results[trip], bytes)
    assert_type(results[client], bytes)
    assert_type(results[Plan], Plan)
    assert_type(results[box_cell], list[str])
    assert_type(results[box.taken], int)
    assert_type(results[box.awaited], int)


# Generic functions


@cell
def count(items: list[Value], note: Any) -> int:
    """Generic, and returns one type."""
    return len(items)


@cell
async def counted(items: list[Value], note: Any) -> int:
    """Generic, async, and returns one type."""
    return len(items)


@cell
def promised(items: list[Value], note: Any) -> asyncio.Future[int]:
    """Generic, and returns a future."""
    return asyncio.get_running_loop().create_future()


def generics(results: Results) -> None:
    """What does not depend on the argument is known."""
    assert_type(results[count], int)
    assert_type(results[counted], int)
    assert_type(results[promised], asyncio.Future[int])


# Behind other decorators


def traced(function: Callable[P, Value]) -> Callable[P, Value]:
    """Keep the signature."""

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> Value:
        return function(*args, **kwargs)

    return wrapper


def retried(
    function: Callable[P, Coroutine[Any, Any, Value]],
) -> Callable[P, Coroutine[Any, Any, Value]]:
    """Keep the signature of an async function."""

    @functools.wraps(function)
    async def wrapper(*args: P.args, **kwargs: P.kwargs) -> Value:
        return await function(*args, **kwargs)

    return wrapper


def retried_loosely(
    function: Callable[P, Awaitable[Value]],
) -> Callable[P, Awaitable[Value]]:
    """Say only that the wrapper can be awaited."""

    @functools.wraps(function)
    async def wrapper(*args: P.args, **kwargs: P.kwargs) -> Value:
        return await function(*args, **kwargs)

    return wrapper


@cell
@traced
def traced_plain(url: Any) -> bytes:
    """A plain function in a wrapper."""
    return bytes(url)


@cell(name="traced")
@traced
async def traced_async(url: Any) -> bytes:
    """An async function in a wrapper that passes its coroutine on."""
    return bytes(url)


@cell
@retried
async def retried_async(options: dict) -> bytes:
    """An async function in an async wrapper."""
    return bytes(options)


@cell
@retried_loosely
async def retried_any(url: Any) -> bytes:
    """An async function in a wrapper that says little."""
    return bytes(url)


@cell
@retried_loosely
async def retried_str(url: str) -> bytes:
    """The same without any Any."""
    return url.encode()


@cell
@functools.lru_cache
def remembered(url: Any) -> bytes:
    """A function in an object."""
    return bytes(url)


def decorated(results: Results) -> None:
    """What the wrapper returns, or gives when it is awaited."""
    assert_type(results[traced_plain], bytes)
    assert_type(results[traced_async], bytes)
    assert_type(results[retried_async], bytes)
    assert_type(results[retried_any], bytes)
    assert_type(results[retried_str], bytes)
    assert_type(results[remembered], bytes)


# The decorators leave a function its own signature


async def signatures() -> None:
    """A marked function is called like the one that was written."""
    assert_type(plain("/"), float)
    assert_type(await fetched(url="/"), float)
    assert_type(bare({}, [], named=1), int)
    assert_type(trip.forecast("Oslo"), str)
    assert_type(await trip.hotels({"city": "Oslo"}), list[str])
    assert_type(count(["one"], note=None), int)
    assert_type(Box(1).taken("other"), int)
    assert_type(await retried_async({}), bytes)
    assert_type(double(1), complex)


# Resources


@resource
def connection(url: Any) -> Iterator[str]:
    """A resource."""
    yield str(url)


@resource(name="session")
async def make_session(options: dict) -> AsyncIterator[str]:
    """An async resource, with options."""
    yield str(options)


def resources(results: Results) -> None:
    """A resource is no target; only as an override it has a value, of any type."""
    assert_type(results[connection], Iterator[str])
    assert_type(results[make_session], AsyncIterator[str])


# What only says how it is called


class Fetch(Protocol):
    """Something plain that can be called."""

    def __call__(self, url: Any) -> bytes:
        """Give bytes."""
        ...


class AsyncFetch(Protocol):
    """Something async that can be called."""

    async def __call__(self, url: Any) -> bytes:
        """Give bytes."""
        ...


def declared(
    results: Results,
    fetch: Fetch,
    async_fetch: AsyncFetch,
    made: Callable[..., int],
    made_async: Callable[..., Coroutine[Any, Any, int]],
    made_loosely: Callable[..., Awaitable[int]],
) -> None:
    """Cells that come as arguments."""
    assert_type(results[fetch], bytes)
    assert_type(results[async_fetch], bytes)
    assert_type(results[made], int)
    assert_type(results[made_async], int)
    assert_type(results[made_loosely], int)


# get


def gotten(results: Results, text: str) -> None:
    """The value or None, or the value or the default."""
    assert_type(results.get(plain), float | None)
    assert_type(results.get(bare, text), int | str)
    assert_type(results.get(find_records, None), dict[str, Any] | None)
    assert_type(results.get(choice), int | str | None)
    assert_type(results.get(fetched), float | None)
    assert_type(results.get(fetched, text), float | str)
    assert_type(results.get(fetched_records), dict[str, Any] | None)
    assert_type(results.get(future), asyncio.Future[int] | None)
    assert_type(results.get(future, text), asyncio.Future[int] | str)
    assert_type(results.get(double), complex | None)
    assert_type(results.get(page, text), bytes | str)
    assert_type(results.get(trip.hotels), list[str] | None)
    assert_type(results.get(Plan), Plan | None)
    assert_type(results.get(client, text), bytes | str)
    assert_type(results.get(retried_any), bytes | None)
    assert_type(results.get(retried_any, text), bytes | str)
    assert_type(results.get(count), int | None)
    assert_type(results.get("plain"), Any)
    assert_type(results.get("plain", text), Any)
    hotels: list[str] = results.get(trip.hotels, [])
    print(hotels)


# The rest of what results are


def others(results: Results) -> None:
    """What is keyed by cell, and what is keyed by name."""
    assert_type(results["plain"], Any)
    assert_type(results.failures, dict[Any, BaseException])
    assert_type(results.skipped, frozenset[Any])
    assert_type(results.by_name(), dict[str, Any])


# Graphs


def nodes(graph: DependencyGraph, text: str) -> None:
    """A node that is added is given back as it is."""
    assert_type(graph.add_node(plain)("/"), float)
    assert_type(graph.add_node(double)(1), complex)
    assert_type(graph.add_node(trip), LongTrip)
    assert_type(graph.add_node(text), str)
    collected: DependencyGraph = Graph.from_cells(plain, fetched, double, trip.hotels)
    assert_type(collected.add_node(box), Box[int])


def cells(graph: Graph, by_hand: DependencyGraph) -> None:
    """The cells by name."""
    assert_type(graph.cells, Mapping[str, Any])
    assert_type(by_hand.cells, Mapping[str, Any])
    assert_type(graph.cells["plain"], Any)
    assert_type(list(graph.cells), list[str])
