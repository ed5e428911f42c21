"""What the fan-outs of these tests call, in each way that items run."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import pytest

from aiocells import Graph, Input, Results, each
from tests.helpers import COMPUTERS

XS = Input("xs")


class OddExecutor:
    """An executor of which nobody can tell what it runs things in."""

    def __init__(self) -> None:
        """Run them in threads."""
        self._pool = ThreadPoolExecutor(2)

    def submit(self, function: Callable[..., Any], /, *args: Any) -> "Future[Any]":
        """Run a function."""
        return self._pool.submit(function, *args)

    def shutdown(self) -> None:
        """End the threads."""
        self._pool.shutdown()


def plain(x: int) -> int:
    """A plain item; those that end with 3 fail."""
    if x % 10 == 3:
        raise ValueError(x)
    return 2 * x


async def waits(x: int) -> int:
    """The same, async; it suspends."""
    await asyncio.sleep(0)
    return plain(x)


async def quick(x: int) -> int:
    """The same, async; it never suspends."""
    return plain(x)


WAYS: dict[str, dict[str, Any]] = {
    "inline": {"function": plain},
    "async": {"function": waits},
    "never suspending": {"function": quick},
    "thread": {"function": plain, "run_in": "thread"},
    "thread pool": {"function": plain, "run_in": "threads"},
    "odd": {"function": plain, "run_in": "odd"},
    "process": {"function": plain, "run_in": "process"},
    "process pool": {"function": plain, "run_in": "processes"},
}
POOLS: dict[str, Callable[[], Any]] = {
    "threads": lambda: ThreadPoolExecutor(2),
    "odd": OddExecutor,
    "processes": lambda: ProcessPoolExecutor(2),
}


def made(way: str, function: Any = None, **options: Any) -> Any:
    """A fan-out whose items run in a way."""
    given = {"name": "made", **WAYS[way], **options}
    usual = given.pop("function")
    return each(function or usual, {"x": given.pop("over", XS)}, **given)


def compute(computer: str, graph: Graph, **options: Any) -> Results:
    """Compute with the executors that the cells of a graph name."""
    with contextlib.ExitStack() as stack:
        if computer != "sequential":
            options["executors"] = dict(_pools_of(graph, stack))
        results: Results = COMPUTERS[computer](graph, **options)
    return results


def _pools_of(graph: Graph, stack: contextlib.ExitStack) -> Iterator[tuple[str, Any]]:
    for each_cell in graph.topological_ordering:
        mark = getattr(each_cell, "__aiocells__", None)
        options = getattr(getattr(mark, "spec", None), "options", None)
        where = getattr(options, "run_in", None)
        if where in POOLS:
            pool = POOLS[where]()
            stack.callback(pool.shutdown)
            yield where, pool


def _cases(ways: Any) -> Iterator[Any]:
    for way in ways:
        where = "" if way in ("inline", "async", "never suspending") else way
        needed = "processes" if "process" in where else "threads"
        marks = [getattr(pytest.mark, f"needs_{needed}")] if where else []
        for computer in COMPUTERS:
            is_async = WAYS[way]["function"] is not plain
            # Processes take long to start, and all are started in the same way.
            is_needless = needed == "processes" and computer != "concurrent"
            if not (computer == "sequential" and is_async) and not is_needless:
                yield pytest.param(way, computer, marks=marks)


def every(*ways: str) -> Any:
    """Each of these ways, or of all, in each computer that can run it."""
    return pytest.mark.parametrize(("way", "computer"), [*_cases(ways or WAYS)])
