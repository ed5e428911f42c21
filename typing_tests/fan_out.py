"""What a fan-out gives is known to type checkers. Checked, never run."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from collections.abc import Mapping
from typing import assert_type

from aiocells import Graph, Input, cell, compute_sequential, each


@cell
def paths(folder: str) -> list[str]:
    """A cell of which each item is taken."""
    return [folder]


@cell
def sizes() -> Mapping[str, int]:
    """A cell that gives a mapping."""
    return {}


@cell
async def later() -> dict[str, int]:
    """An async one."""
    return {}


def length(path: str, factor: int = 1) -> int:
    """A plain function."""
    return len(path) * factor


async def fetched(path: str, limit: float = 1) -> bytes:
    """An async function."""
    return path.encode()


def named(size: int) -> str:
    """A function for the values of a mapping."""
    return str(size)


async def named_later(size: int) -> str:
    """The same, async."""
    return str(size)


lengths = each(length, path=paths, limit=3)
pages = each(fetched, path=paths, timeout=3)
kept_lengths = each(length, path=paths, on_error="keep")
kept_pages = each(fetched, path=paths, on_error="keep")
names = each(named, size=sizes)
names_later = each(named_later, size=later, limit="api")
over_names = each(length, {"path": Input("paths")}, product=True)
over_pages = each(fetched, {"path": paths, "limit": Input("limits")})
kept_over_names = each(length, {"path": paths}, on_error="keep")
kept_over_pages = each(fetched, {"path": paths}, on_error="keep")
by_input = each(length, path=Input("paths"), factor="factors")

results = compute_sequential(Graph.from_cells(lengths, pages))

assert_type(results[lengths], list[int])
assert_type(results[pages], list[bytes])
assert_type(results[kept_lengths], list[int | Exception])
assert_type(results[kept_pages], list[bytes | Exception])
assert_type(results[names], dict[str, str])
assert_type(results[names_later], dict[str, str])
assert_type(results[over_names], list[int])
assert_type(results[over_pages], list[bytes])
assert_type(results[kept_over_names], list[int | Exception])
assert_type(results[kept_over_pages], list[bytes | Exception])
assert_type(results[by_input], list[int])

# Called by itself.

assert_type(lengths(path=["a"]), list[int])


async def call() -> None:
    """An async one is awaited."""
    assert_type(await pages(path=["a"]), list[bytes])


each(length, path=paths, on_error="ignore")  # type: ignore[call-overload]
each(3, path=paths)  # type: ignore[call-overload]
