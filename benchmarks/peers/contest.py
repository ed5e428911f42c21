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
from time import perf_counter
from typing import Any

from benchmarks import by_hand, layered
from benchmarks.effort import NAMED, Effort
from benchmarks.measure import Comparison, async_timer, compare, timer
from benchmarks.peers import CONCURRENT, SEQUENTIAL
from benchmarks.row import check_same

ABSENT = "not installed"


def main(kind: str, name: str, effort_name: str) -> None:
    """Print what a contestant takes, as JSON; or that it is not installed."""
    contestants = SEQUENTIAL if kind == "sequential" else CONCURRENT
    file, function = contestants[name]
    try:
        module: Any = importlib.import_module(f"benchmarks.peers.{file}")
    except ImportError as error:
        print(json.dumps({"name": name, "error": f"{ABSENT}: {error}"}))
        return
    effort = NAMED[effort_name]
    measure = _sequential if kind == "sequential" else _concurrent
    found = measure(getattr(module, function), effort)
    print(json.dumps({"name": name, "version": _version(module.DISTRIBUTION), **found}))


def _sequential(prepare: Any, effort: Effort) -> dict[str, Any]:
    made = layered.layered(*effort.layered[0])
    floor = by_hand.straight_line(made, range(len(made.functions)))
    start = perf_counter()
    compute, values = prepare(made)
    preparing = perf_counter() - start
    check_same("sequential", floor(), values(compute()))
    found = compare(
        timer(floor), timer(compute), pairs=effort.pairs, least=effort.least
    )
    return _figures(found, preparing, len(made.functions))


def _concurrent(prepare: Any, effort: Effort) -> dict[str, Any]:
    made = layered.layered(*effort.layered[0], bodies=(layered.sleeps,))
    floor = functools.partial(by_hand.awaiting_a_list, by_hand.steps_of(made))
    with asyncio.Runner() as runner:
        start = perf_counter()
        compute, values = runner.run(prepare(made))
        preparing = perf_counter() - start
        check_same(
            "concurrent", runner.run(floor()), values(runner.run(_once(compute)))
        )
        found = compare(
            async_timer(floor, runner),
            async_timer(compute, runner),
            pairs=effort.pairs,
            least=effort.least,
        )
    return _figures(found, preparing, len(made.functions))


async def _once(compute: Any) -> Any:
    return await compute()


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
