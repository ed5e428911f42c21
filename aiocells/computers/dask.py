"""The computer that runs cells on a cluster."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from aiocells._graphs.dependency_graph import DependencyGraph
from aiocells._outcome.results import Results
from aiocells._running.options import OnError

if TYPE_CHECKING:
    from distributed import Client

_NO_DASK = "compute_dask needs Dask: pip install 'aiocells[dask]'"


def compute_dask(
    graph: DependencyGraph,
    *,
    client: "Client",
    targets: Iterable[Any] | None = None,
    inputs: Mapping[str, Any] | None = None,
    overrides: Mapping[Any, Any] | None = None,
    on_error: OnError = "raise",
) -> Results:
    """Compute a graph on the workers of a Dask cluster.

    All cells are sent there at once, and run as soon as what they need is done: plain
    ones in the threads of the workers, async ones on their event loops. Values stay on
    the workers; only those of the targets come back, so name these. From a coroutine
    say `await asyncio.to_thread(compute_dask, graph, client=client)`.

    Args:
        graph: what to compute. Its modules must be importable on the workers; functions
            of the main module are sent along.
        client: leads to the cluster, and is not an asynchronous one.
        targets: as for the other computers; so are `inputs`, `overrides` and
            `on_error`.

    Returns:
        The values. Those of a fan-out of `each` were computed in parts, four for each
        thread of the cluster.

    Raises:
        ImportError: there is no Dask.
        TypeError: `client` is none, or an asynchronous one.
        ValueError: `client` is not connected.
        UnsupportedCell: a cell asks for others with `Lazy`; it has a `limit`, and no
            worker a resource of that name; or it cannot be sent.
        WorkerDied: the workers that ran a cell died, one after the other.
        BaseException: whatever else every computer raises.

    For what the options mean see `help(aiocells.computers)`; what differs on a cluster
    is told in the documentation, under "On a cluster".
    """
    try:
        # What few programs use, they should load.
        import distributed  # noqa: F401
    except ImportError as error:
        raise ImportError(_NO_DASK, name="distributed") from error
    from aiocells._cluster.running import compute_on_cluster

    return compute_on_cluster(graph, client, targets, inputs, overrides, on_error)
