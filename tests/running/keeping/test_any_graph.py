"""Random graphs with a cache, cold and warm: the values and failures are the same."""

import asyncio
import os
import tempfile
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aiocells import Cache, Cached, Graph, Results, cell, depends_on
from tests.helpers import ASYNC_COMPUTERS, COMPUTERS
from tests.strategies import Node, Shape, shapes

# What is written there is soon gone, and need not come to a disk.
MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else None


def made(node: Node, before: dict[int, Any], fails: bool, kept: bool | None) -> Any:
    """A cell of a random graph, which may fail."""

    def plain(values: list[int]) -> list[int]:
        return [node.rank // (not fails), *values]

    async def awaited(values: list[int]) -> list[int]:
        for _ in range(node.turns):
            await asyncio.sleep(0)
        return plain(values)

    mark = cell(name=f"c{node.rank}", cache=Cached(version="1") if kept else kept)
    function = mark(awaited if node.is_async else plain)
    order = [before[rank] for rank in node.orders]
    return depends_on(*order, values=[before[rank] for rank in node.values])(function)


def told(results: Results) -> dict[str, Any]:
    """What is to be the same."""
    return {
        "values": results.by_name(),
        "failures": {f.__name__: repr(e) for f, e in results.failures.items()},
        "skipped": {each.__name__ for each in results.skipped},
    }


@settings(deadline=None, max_examples=40)
@given(shapes(max_cells=7), st.data())
def test_a_cache_changes_no_value_and_no_failure(
    shape: Shape, data: st.DataObject
) -> None:
    """Whatever is marked, asked for, or fails, in every computer and from any other."""
    if not shape.nodes:
        return
    ranks = st.sampled_from(range(len(shape.nodes)))
    failing = data.draw(st.sets(ranks, max_size=2))
    kept = data.draw(st.dictionaries(ranks, st.booleans()))
    cells: dict[int, Any] = {}
    for node in shape.nodes:
        fails, keeps = node.rank in failing, kept.get(node.rank)
        cells[node.rank] = made(node, cells, fails, keeps)
    graph = Graph.from_cells(*cells.values())
    targets = data.draw(st.none() | st.sets(ranks, min_size=1))
    options: dict[str, Any] = {"on_error": "continue"}
    if targets is not None:
        options["targets"] = [cells[rank] for rank in targets]
    is_async = any(node.is_async for node in shape.nodes)
    names = data.draw(st.permutations([*(ASYNC_COMPUTERS if is_async else COMPUTERS)]))
    expected = told(COMPUTERS[names[0]](graph, **options))
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        cache = Cache(os.path.join(folder, "cache"), everything=True)
        for name in names:
            results = COMPUTERS[name](graph, cache=cache, **options)
            assert told(results) == expected
            again = COMPUTERS[name](graph, cache=cache, **options)
            assert told(again) == expected
            assert results.cached <= again.cached
            del cache
            cache = Cache(os.path.join(folder, "cache"), everything=True)
        del cache
