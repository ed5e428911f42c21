"""What a plain callable passes on: coroutines and generators that nobody would run."""

import functools
import gc
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from aiocells import Graph, cell, compute_sequential
from tests.helpers import COMPUTERS, Modules

every = pytest.mark.parametrize("name", COMPUTERS)

COROUTINE = (
    "the cell returned a coroutine, which nobody awaits: the function inside is "
    "async, but the decorator's wrapper around it is plain. Make the wrapper async "
    "def, and have it await."
)
GENERATOR = (
    "the cell returned a generator, which nobody runs: the function inside is a "
    "generator function, but the decorator's wrapper around it is plain. Have the "
    "wrapper return a list of what it yields. A resource must be a generator function "
    "itself."
)


async def rate() -> float:
    """An async function."""
    return 1.5


def rows() -> Iterator[int]:
    """A generator function."""
    yield 1


async def later() -> AsyncIterator[int]:
    """An async generator function."""
    yield 1


class Dotted:
    """A decorator that is a class, and says what it wraps."""

    def __init__(self, function: Any) -> None:
        """Wrap it."""
        functools.update_wrapper(self, function)

    def __call__(self) -> Any:
        """Call it."""
        return self.__wrapped__()  # type: ignore[attr-defined]


class Held:
    """A decorator that is a class, and just holds what it wraps."""

    def __init__(self, function: Any) -> None:
        """Wrap it."""
        self.function = function

    def __call__(self) -> Any:
        """Call it."""
        return self.function()


class Slotted(Held):
    """The same with slots."""

    __slots__ = ("function",)


class Packed(Held):
    """One that keeps it with its settings."""

    def __init__(self, function: Any) -> None:
        """Wrap it."""
        self.settings = {"calls": [function]}

    def __call__(self) -> Any:
        """Call it."""
        return self.settings["calls"][0]()


def wrapped(function: Any) -> Any:
    """A plain wrapper."""

    @functools.wraps(function)
    def wrapper() -> Any:
        return function()

    return wrapper


def bare(function: Any) -> Any:
    """A plain wrapper that does not say what it wraps."""

    def wrapper(*args: Any) -> Any:
        return function(*args)

    return wrapper


def wrapped_method(function: Any) -> Any:
    """A plain wrapper of a method."""

    @functools.wraps(function)
    def wrapper(self: Any) -> Any:
        return function(self)

    return wrapper


FORMS: dict[str, Callable[[Any], Any]] = {
    "wraps": wrapped,
    "twice": lambda function: wrapped(wrapped(function)),
    "bare": bare,
    "cache": functools.cache,
    "partial": lambda function: functools.partial(wrapped(function)),
    "partial given it": lambda function: functools.partial(
        Held.__call__, Held(function)
    ),
    "class": Dotted,
    "holding class": Held,
    "class with slots": Slotted,
    "class with settings": Packed,
    "class around a wrapper": lambda function: Held(wrapped(function)),
    "partial of a class": lambda function: functools.partial(Held(function)),
    "cached class": lambda function: functools.cache(Held(function)),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("inside", "message"), [(rate, COROUTINE), (rows, GENERATOR), (later, GENERATOR)]
)
def test_what_nobody_would_run_is_refused(form: str, inside: Any, message: str) -> None:
    """Whatever kind of callable it is that passes it on."""
    function = cell(FORMS[form](inside))
    for name in COMPUTERS:
        with pytest.raises(TypeError) as caught:
            COMPUTERS[name](Graph.from_cells(function))
        assert str(caught.value) == message
    gc.collect()  # an awaited one would be warned of


@pytest.mark.parametrize("decorator", [functools.cache, wrapped_method, Held])
@pytest.mark.parametrize("inside", ["async", "generator"])
def test_methods_are_refused_too(decorator: Any, inside: str) -> None:
    """Under from_object as elsewhere."""

    class Rates:
        @cell
        @decorator
        async def rate(self: Any = None) -> float:
            return 1.5

        @cell
        @decorator
        def rows(self: Any = None) -> Iterator[int]:
            yield 1

    target = {"async": "rate", "generator": "rows"}[inside]
    with pytest.raises(TypeError, match=r"^the cell returned a"):
        compute_sequential(Graph.from_object(Rates()), targets=[target])


@pytest.mark.parametrize(
    "place",
    [
        pytest.param("thread", marks=pytest.mark.needs_threads),
        pytest.param("process", marks=pytest.mark.needs_processes),
    ],
)
def test_it_is_refused_elsewhere_too(modules: Modules, place: str) -> None:
    """In a thread and in a process."""
    far = modules.make(
        "far",
        f"""
        import functools

        def wrapped(function):
            @functools.wraps(function)
            def wrapper():
                return function()
            return wrapper

        @cell(run_in={place!r})
        @wrapped
        async def rate(): ...

        @cell(run_in={place!r})
        @wrapped
        def rows(): yield 1
        """,
    )
    for function, message in [(far.rate, COROUTINE), (far.rows, GENERATOR)]:
        with pytest.raises(TypeError) as caught:
            COMPUTERS["concurrent"](Graph.from_cells(function))
        assert str(caught.value) == message


class Reports:
    """An object whose call makes a generator of its own, on purpose."""

    def __call__(self) -> Iterator[int]:
        """Rows."""
        return (each for each in self._rows())

    def _rows(self) -> Iterator[int]:
        yield 1


@every
def test_what_runs_it_is_a_plain_cell(name: str) -> None:
    """So is a function that returns a generator of its own choice."""

    @cell
    @lambda function: functools.wraps(function)(lambda: list(function()))
    def listed() -> Iterator[int]:
        yield from (1, 2)

    @cell
    def chosen() -> Any:
        return (each for each in (1, 2))

    @cell
    def made() -> Any:
        return rows()

    @cell
    def enclosed() -> Any:
        return inner()

    def inner() -> Iterator[int]:
        yield 1

    report = cell(name="report")(Reports())
    cells = (listed, chosen, made, enclosed, report)
    results = COMPUTERS[name](Graph.from_cells(*cells))
    assert [list(results[each]) for each in cells] == [[1, 2], [1, 2], [1], [1], [1]]


def test_what_a_callable_holds_is_not_woken() -> None:
    """It is looked at from outside, and not without end."""

    class Lazy:
        def __getattribute__(self, name: str) -> Any:
            raise AssertionError(name)

        def __call__(self) -> None: ...

    class Holder:
        def __init__(self) -> None:
            self.many = dict.fromkeys(range(1000), len)
            self.lazy = Lazy()
            self.itself = self

        def __call__(self) -> int:
            return 3

    lazy = Lazy()

    @cell
    def plain() -> Any:
        return lazy

    holder = cell(name="holder")(Holder())
    crowd = cell(name="crowd")(Held(Packed(len)))
    crowd.others = tuple(functools.partial(len) for _ in range(200))
    results = compute_sequential(Graph.from_cells(plain, holder))
    assert results[plain] is lazy
    assert results["holder"] == 3
    with pytest.raises(TypeError, match="exactly one argument"):
        compute_sequential(Graph.from_cells(crowd))
