"""A hold with a cache: what is held is found, or kept."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from aiocells import Cache, Graph, cell, hold, resource

RAN: list[str] = []


@resource
def folder() -> Iterator[str]:
    """A resource, which is never kept."""
    RAN.append("folder")
    yield "here"


@resource
async def pool() -> AsyncIterator[str]:
    """One that needs an event loop."""
    RAN.append("pool")
    yield "pool"


@cell(cache=True)
def model(size: int) -> list[int]:
    """What takes long."""
    RAN.append("model")
    return list(range(size))


@cell
def broken(model: list[int]) -> None:
    """What fails when the model is there."""
    raise ValueError(model)


@cell
def unmarked(size: int) -> int:
    """What is not to be kept."""
    RAN.append("unmarked")
    return size


@pytest.fixture(autouse=True)
def nothing_has_run() -> None:
    """Forget what other tests did."""
    RAN.clear()


def held_in_order(cells: list[Any], **options: Any) -> dict[Any, Any]:
    """The values that a plain `with` holds."""
    with hold(Graph.from_cells(*cells), cells, inputs={"size": 3}, **options) as held:
        return dict(held)


def held_on_a_loop(cells: list[Any], **options: Any) -> dict[Any, Any]:
    """The values that `async with` holds."""

    async def main() -> dict[Any, Any]:
        graph = Graph.from_cells(*cells)
        async with hold(graph, cells, inputs={"size": 3}, **options) as held:
            return dict(held)

    return asyncio.run(main())


both = pytest.mark.parametrize("held", [held_in_order, held_on_a_loop])


@both
def test_what_is_held_is_kept_and_found(held: Any, tmp_path: Path) -> None:
    """The next start finds it; a resource is opened each time."""
    opened = folder if held is held_in_order else pool
    for ran in (["model"], []):
        RAN.clear()
        values = held([model, opened], cache=Cache(tmp_path / "cache"))
        assert values[model] == [0, 1, 2]
        assert sorted(RAN) == sorted([*ran, opened.__name__])


@both
def test_what_was_computed_before_a_failure_is_kept(held: Any, tmp_path: Path) -> None:
    """Nothing is lost where the hold does not open."""
    with pytest.raises(ValueError, match=r"\[0, 1, 2\]"):
        held([model, broken], cache=Cache(tmp_path / "cache"))
    RAN.clear()
    assert held([model], cache=Cache(tmp_path / "cache"))[model] == [0, 1, 2]
    assert RAN == []


@both
def test_a_hold_refuses_what_is_no_cache(held: Any, tmp_path: Path) -> None:
    """Nothing has run or was opened; so it is where no cell is to be kept."""
    with pytest.raises(TypeError, match=r"cache='here': expected Cache\("):
        held([model, folder], cache="here")
    with pytest.raises(ValueError, match="no cell has cache="):
        held([unmarked], cache=Cache(tmp_path / "cache"))
    assert RAN == []
