"""One contestant against the code written by hand, in an interpreter of its own.

Each has a process to itself, so that none of them fills the memory of another, and so
that one which fails takes none along.
"""

import asyncio
import functools
import importlib
import importlib.metadata
import json
import sys
from collections.abc import Awaitable, Callable
from time import process_time
from typing import Any

from benchmarks import by_hand, layered, page
from benchmarks.effort import NAMED, Effort
from benchmarks.measure import Comparison, async_timer, check_same, compare, timer
from benchmarks.peers import KINDS

ABSENT = "not installed"


def main(kind: str, name: str, effort_name: str) -> None:
    """Print what a contestant takes, as JSON; or that it is not installed."""
    contestants, _ = KINDS[kind]
    file, function = contestants[name]
    try:
        module: Any = importlib.import_module(f"benchmarks.peers.{file}")
    except ImportError as error:
        print(json.dumps({"name": name, "error": f"{ABSENT}: {error}"}))
        return
    found = MEASURES[kind](getattr(module, function), NAMED[effort_name])
    print(json.dumps({"name": name, "version": _version(module.DISTRIBUTION), **found}))


def _sequential(prepare: Any, effort: Effort) -> dict[str, Any]:
    made = layered.layered(*effort.layered[0])
    floor = by_hand.straight_line(made, range(len(made.functions)))
    start = process_time()
    compute, values = prepare(made)
    preparing = process_time() - start
    check_same("sequential", floor(), values(compute()))
    found = compare(
        # A library may have threads of its own.
        timer(floor, process_time),
        timer(compute, process_time),
        pairs=effort.pairs,
        least=effort.least,
    )
    return _figures(found, preparing, len(made.functions))


def _items(prepare: Any, effort: Effort) -> dict[str, Any]:
    items = list(range(effort.items[0]))

    def floor() -> list[int]:
        return list(map(plain_item, items))

    start = process_time()
    compute, values = prepare(plain_item, items)
    preparing = process_time() - start
    check_same("items", floor(), values(compute()))
    found = compare(
        timer(floor, process_time),
        timer(compute, process_time),
        pairs=effort.pairs,
        least=effort.least,
    )
    return _figures(found, preparing, len(items))


def plain_item(x: int) -> int:
    """What is called for each item."""
    return x + 1


def _concurrent(prepare: Any, effort: Effort) -> dict[str, Any]:
    made = layered.layered(*effort.layered[0], bodies=(layered.sleeps,))
    floor = functools.partial(by_hand.awaiting_a_list, by_hand.steps_of(made))
    return _awaited(floor, prepare, made, len(made.functions), effort)


def _page(get: page.Get, prepare: Any, effort: Effort) -> dict[str, Any]:
    shop = page.shop(get)
    floor = functools.partial(page.as_tasks, shop, **page.INPUTS)
    return _awaited(floor, prepare, shop, 1, effort)


def _awaited(
    floor: Callable[[], Awaitable[Any]],
    prepare: Any,
    made: Any,
    count: int,
    effort: Effort,
) -> dict[str, Any]:
    with asyncio.Runner() as runner:
        start = process_time()
        compute, values = runner.run(prepare(made))
        preparing = process_time() - start
        check_same(
            "concurrent", runner.run(_once(floor)), values(runner.run(_once(compute)))
        )
        found = compare(
            async_timer(floor, runner, process_time),
            async_timer(compute, runner, process_time),
            pairs=effort.pairs,
            least=effort.least,
        )
    return _figures(found, preparing, count)


async def _once(compute: Any) -> Any:
    return await compute()


MEASURES: dict[str, Callable[[Any, Effort], dict[str, Any]]] = {
    "page, sleep(0)": functools.partial(_page, page.answers_later),
    "page, never suspending": functools.partial(_page, page.answers_at_once),
    "sequential": _sequential,
    "concurrent": _concurrent,
    "items": _items,
}


def _figures(found: Comparison, preparing: float, count: int) -> dict[str, float]:
    scale = 1e6 / count
    return {
        "floor": found.floor * scale,
        "us": found.ours * scale,
        "ratio": found.ratio,
        "preparing": preparing * scale,
    }


def _version(distribution: str) -> str:
    if not distribution:
        return ""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


if __name__ == "__main__":
    main(*sys.argv[1:])
