"""Computing a target: which computer, and what the terminal shows meanwhile."""

import asyncio
import contextlib
import sys
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from aiocells import (
    Results,
    async_compute_concurrent,
    async_compute_concurrent_simple,
    async_compute_sequential,
    compute_sequential,
)
from aiocells._cli.target import Target

COMPUTERS: dict[str, Any] = {
    "concurrent": async_compute_concurrent,
    "sequential": compute_sequential,
    "async-sequential": async_compute_sequential,
    "simple": async_compute_concurrent_simple,
}

# Seconds after which a computation shows that it is alive.
_PATIENCE = 0.5


def compute(target: Target, inputs: Mapping[str, Any], computer: str) -> Results:
    """Compute a target.

    Args:
        target: the cells to compute.
        inputs: values of the inputs, by name.
        computer: a key of `COMPUTERS`.

    Raises:
        GraphException: something is wrong with the target or the inputs.
        BaseException: what a cell raised.
    """
    with _progress(f"Computing {target.text}"):
        made = COMPUTERS[computer](target.graph, targets=target.cells, inputs=inputs)
        results: Results = asyncio.run(made) if asyncio.iscoroutine(made) else made
    return results


@contextlib.contextmanager
def _progress(text: str) -> Iterator[None]:
    """Show on a terminal that something goes on, once that takes long."""
    # rich would take a file for a terminal where FORCE_COLOR is set.
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not console.is_interactive:
        yield
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
        yield
    finally:
        timer.cancel()
        timer.join()
        progress.stop()
