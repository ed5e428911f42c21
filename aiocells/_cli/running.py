"""Computing a target: which computer, and what the terminal shows meanwhile."""

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import click

from aiocells import (
    MissingValue,
    Results,
    async_compute_concurrent,
    async_compute_concurrent_simple,
    async_compute_sequential,
    compute_sequential,
)
from aiocells._cli.stopping import Signals, Stopper
from aiocells._cli.target import Target
from aiocells._cli.watching import Watch
from aiocells._declaring.names import described
from aiocells._graphs.dependency_graph import structure_of
from aiocells._outcome.exceptions import text_of

COMPUTERS: dict[str, Any] = {
    "concurrent": async_compute_concurrent,
    "sequential": compute_sequential,
    "async-sequential": async_compute_sequential,
    "simple": async_compute_concurrent_simple,
}

# Seconds after which a computation shows that it is alive.
_PATIENCE = 0.5


def compute(
    target: Target,
    inputs: Mapping[str, Any],
    computer: str,
    watchdog: float | None,
    cache: str | None,
    signals: Signals,
) -> Results:
    """Compute a target.

    Args:
        target: the cells to compute.
        inputs: values of the inputs, by name.
        computer: a key of `COMPUTERS`.
        watchdog: seconds that a plain cell may hold up others; None for any.
        cache: the folder in which values are found and kept; None for none.
        signals: what ends the computation from outside.

    Raises:
        GraphException: something is wrong with the target or the inputs.
        KeyboardInterrupt: a signal ended it.
        BaseException: what a cell raised.
    """
    options: dict[str, Any] = {"targets": target.cells, "inputs": inputs}
    if cache is not None:
        # What few computations use, they should load.
        from aiocells import Cache

        options["cache"] = Cache(cache)
    with _progress(f"Computing {target.text}") as end_progress:
        if computer == "sequential":
            return compute_sequential(target.graph, **options)
        watch = Watch(watchdog)
        options["observers"] = [watch]
        if computer != "async-sequential":
            options["watchdog"] = None  # ours knows that the loop is our own
        made = COMPUTERS[computer](target.graph, **options)
        results: Results = Stopper(signals, watch, end_progress).run(made)
    return results


def tell_fallbacks(target: Target, results: Results) -> None:
    """Say on standard error which cells fell back, and from what."""
    structure = structure_of(target.graph)
    for cell, error in results.fallbacks.items():
        name = structure.name(structure.index[cell])
        click.echo(
            f"{described(name, cell)} fell back: {text_of(error)}", file=sys.stderr
        )


def tell_whys(target: Target, results: Results) -> None:
    """Say on standard error why each cell ran, or that it was found."""
    structure = structure_of(target.graph)
    for number, cell in enumerate(structure.nodes):
        with contextlib.suppress(MissingValue):
            why = results.why(cell)
            where = described(structure.name(number), cell)
            click.echo(f"{where}: {why}", file=sys.stderr)


@contextlib.contextmanager
def _progress(text: str) -> Iterator[Callable[[], object]]:
    """Show on a terminal that something goes on, once that takes long.

    Yields:
        What takes it from the terminal before the block ends.
    """
    # rich would take a file for a terminal where FORCE_COLOR is set.
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not console.is_interactive:
        yield lambda: None
        return
    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        # What cells print goes above it, if it goes to this terminal.
        redirect_stdout=sys.stdout.isatty(),
    )
    progress.add_task(text, total=None)
    timer = threading.Timer(_PATIENCE, progress.start)
    timer.daemon = True
    timer.start()
    try:
        yield progress.stop
    finally:
        timer.cancel()
        timer.join()
        progress.stop()
