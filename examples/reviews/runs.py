"""The same graph, run in three ways."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from aiocells import Cache, Graph, Results, async_compute_concurrent, compute_dask
from aiocells.observers import Event, Observer
from reviews import cells

GRAPH = Graph.from_module(cells)
PATH = str(Path(__file__).parents[1] / "data" / "reviews.txt")


def in_one_process(
    inputs: Mapping[str, Any], folder: Path, observers: Iterable[Observer] = ()
) -> Results:
    """Compute the report, with what was computed before."""
    return asyncio.run(
        async_compute_concurrent(
            GRAPH,
            targets=["report"],
            inputs=inputs,
            cache=Cache(folder),
            observers=observers,
        )
    )


def on_dask(inputs: Mapping[str, Any], workers: int = 2) -> Results:
    """Compute the report on a cluster of this machine, which a user has elsewhere."""
    # It takes a second to import.
    from distributed import Client, LocalCluster

    with ExitStack() as stack:
        cluster = stack.enter_context(
            LocalCluster(
                n_workers=workers, threads_per_worker=1, dashboard_address=":0"
            )
        )
        client = stack.enter_context(Client(cluster))
        return compute_dask(GRAPH, client=client, targets=["report"], inputs=inputs)


def show_progress(event: Event) -> None:
    """Show how many texts are rated, on a terminal."""
    if event.kind == "progress" and sys.stderr.isatty():
        print(f"{event.done:6,} of {event.total:,}", end="\r", file=sys.stderr)


class Dying:
    """Has the process killed when so many texts are rated, as nobody can prevent."""

    def __init__(self, count: int) -> None:
        """It lives until then."""
        self.count = count

    def __call__(self, event: Event) -> None:
        """Look at what happens."""
        if event.kind == "progress" and (event.done or 0) >= self.count:
            os.kill(os.getpid(), signal.SIGKILL)


def killed(inputs: Mapping[str, Any], folder: Path, count: int) -> None:
    """Compute the report in a process that is killed on the way."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\n"
        "from reviews import runs\n"
        "runs.in_one_process(eval(sys.argv[2]), Path(sys.argv[3]), "
        "[runs.Dying(int(sys.argv[4]))])"
    )
    examples = str(Path(__file__).parents[1])
    arguments = [examples, repr(dict(inputs)), str(folder), str(count)]
    done = subprocess.run([sys.executable, "-c", program, *arguments], check=False)
    assert done.returncode == -signal.SIGKILL


def count_of(address: str) -> int:
    """How many texts the model has rated."""
    with urlopen(f"{address}/count") as answer:
        return int(answer.read())
