"""Options that fit no computer: refused when the graph is made, by name.

What the value of an option may be is checked at decoration; test_cell.py pins that.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from aiocells import DeclarationError, Graph, cell, depends_on, resource


def plain() -> None:
    """A plain function."""


async def awaited() -> None:
    """An async function."""


def generator() -> Iterator[None]:
    """A generator function."""
    yield


async def async_generator() -> AsyncIterator[None]:
    """An async generator function."""
    yield


FUNCTIONS = (plain, awaited, generator, async_generator)

# For each way of marking, the functions that it fits.
FITTING = [
    (cell, {}, {plain, awaited}),
    (resource, {}, {generator, async_generator}),
    (cell, {"limit": "backend"}, {plain, awaited}),
    (resource, {"limit": "backend"}, {generator, async_generator}),
    (cell, {"timeout": 2}, {awaited}),
    (resource, {"timeout": 0.5}, {async_generator}),
    (cell, {"run_in": "thread"}, {plain}),
    (cell, {"run_in": "process"}, {plain}),
    (cell, {"run_in": "mine"}, {plain}),
    (resource, {"run_in": "thread"}, {generator}),
    (resource, {"run_in": "process"}, set()),
    (resource, {"run_in": "mine"}, set()),
    (cell, {"run_in": "thread", "timeout": 2}, set()),
    (resource, {"run_in": "thread", "timeout": 2}, set()),
]


def fresh(function: Callable[..., Any]) -> Any:
    """The same function, without a mark."""
    kind = type(function)
    return kind(function.__code__, function.__globals__, function.__name__)  # type: ignore[call-arg]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(("decorator", "options", "fitting"), FITTING)
def test_an_option_is_accepted_exactly_where_it_can_work(
    decorator: Any,
    options: dict[str, Any],
    fitting: set[Callable[..., Any]],
    function: Callable[..., Any],
) -> None:
    """Decorating always succeeds; making a graph refuses what no computer can do."""
    marked = decorator(**options)(fresh(function))
    if function in fitting:
        assert len(Graph.from_cells(marked)) == 1
        return
    with pytest.raises(DeclarationError) as caught:
        Graph.from_cells(marked)
    assert caught.value.cell is marked
    assert str(caught.value).startswith(f"{function.__name__!r} (")


def test_an_option_is_checked_where_a_cell_is_only_needed() -> None:
    """A cell that comes in as a dependency is checked like the others."""
    needed = cell(timeout=1)(fresh(plain))

    @cell
    @depends_on(needed)
    def last() -> None: ...

    with pytest.raises(DeclarationError, match="has timeout=1, but is a plain"):
        Graph.from_cells(last)


def test_an_option_is_checked_on_methods() -> None:
    """The methods of an object are checked like functions."""

    class Shop:
        @cell(run_in="thread")
        async def open_doors(self) -> None: ...

    with pytest.raises(DeclarationError) as caught:
        Graph.from_object(Shop())
    assert str(caught.value).startswith("'open_doors' (")
    assert "has run_in='thread', but is an async function" in str(caught.value)


def test_the_kind_is_that_of_the_outermost_callable() -> None:
    """A plain object that is called may run in a thread, an async one has a timeout."""

    class Plain:
        def __call__(self) -> None: ...

    class Awaited:
        async def __call__(self) -> None: ...

    assert len(Graph.from_cells(cell(run_in="thread")(Plain()))) == 1
    assert len(Graph.from_cells(cell(timeout=1)(Awaited()))) == 1
    with pytest.raises(DeclarationError, match="has timeout=1, but is a plain"):
        Graph.from_cells(cell(timeout=1)(Plain()))
