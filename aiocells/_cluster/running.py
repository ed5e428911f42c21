"""A computation on a cluster, from its preparation to its results."""

import functools
import sys
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

import dask
from distributed import KilledWorker

from aiocells._cluster.accounting import Accounts
from aiocells._cluster.failed import CellFailed
from aiocells._cluster.internals import TaskGraph
from aiocells._cluster.opening import end_here
from aiocells._cluster.refusing import (
    check_client,
    refuse_what_cannot_be_sent,
    refuse_what_cannot_run,
)
from aiocells._cluster.tasks import Tasks, resources_of
from aiocells._graphs.dependency_graph import DependencyGraph
from aiocells._outcome.results import Results
from aiocells._running.options import OnError
from aiocells._running.prepare import lay_out, plan_for
from aiocells._running.run import Run

# Dask's own, which have next to no types.
Client: TypeAlias = Any
Future: TypeAlias = Any


def compute_on_cluster(
    graph: DependencyGraph,
    client: Client,
    targets: Iterable[Any] | None,
    inputs: Mapping[str, Any] | None,
    overrides: Mapping[Any, Any] | None,
    on_error: OnError,
) -> Results:
    """Run the cells of a graph on the workers of a cluster.

    Raises:
        TypeError: `client` is none, or one for coroutines.
        ValueError: it is not connected.
        UnsupportedCell: a cell cannot run on this cluster.
    """
    check_client(client)
    plan, given = plan_for(graph, targets, overrides, inputs, on_error)
    run = Run(plan, lay_out(plan, inputs, given), on_error)
    refuse_what_cannot_run(plan, client)
    token = uuid.uuid4().hex
    tasks = Tasks(run, token, sum(client.nthreads().values()) or 1)
    accounts = Accounts(run)
    submitted = Submitted(client, [], {}, {})
    try:
        submitted.submit(tasks)
        submitted.gather(accounts)
    finally:
        submitted.release()
        if plan.resources or accounts.is_over or sys.exc_info()[0] is not None:
            submitted.end(token, accounts)
    return accounts.results()


class Submitted(NamedTuple):
    """What a cluster has of a computation.

    Attributes:
        client: leads to the cluster.
        large: the values that were sent by themselves.
        targets: the targets that are computed.
        told: what is told of fallbacks, by the numbers of their cells.
    """

    client: Client
    large: list[Future]
    targets: dict[int, Future]
    told: dict[int, Future]

    def submit(self, tasks: Tasks) -> None:
        """Send all tasks at once."""
        if tasks.large:
            self.large.extend(self.client.scatter(tasks.large).values())
            tasks.large.clear()
        if not tasks.graph:
            return
        wanted = [*tasks.targets.values(), *tasks.fallbacks.values()]
        graph, tasks.graph = tasks.graph, TaskGraph("")
        more = (
            {"resources": functools.partial(resources_of, tasks.resources)}
            if tasks.resources
            else {}
        )
        with dask.annotate(**more):  # type: ignore[attr-defined]
            try:
                futures = iter(self.client.get(graph, wanted, sync=False))
            except Exception as error:
                refuse_what_cannot_be_sent(tasks.run.plan, error)
                raise
        self.targets.update(zip(tasks.targets, futures, strict=False))
        self.told.update(zip(tasks.fallbacks, futures, strict=True))

    def gather(self, accounts: Accounts) -> None:
        """Wait for all that was asked for, or for what ends the computation."""
        try:
            self._take(accounts, self.targets, self.told)
        except (CellFailed, KilledWorker) as error:
            accounts.add_failure(error)
            for future in self._futures():
                # If the others go on they are waited for.
                if future.status == "error" or not accounts.is_over:
                    found = future.exception()
                    if found is not None:
                        accounts.add_failure(found)
            if not accounts.is_over:
                there = map(_finished, (self.targets, self.told))
                self._take(accounts, *there)

    def _take(
        self, accounts: Accounts, targets: dict[int, Future], told: dict[int, Future]
    ) -> None:
        values = iter(self.client.gather([*targets.values(), *told.values()]))
        for number, value in zip(targets, values, strict=False):
            accounts.add_value(number, value)
        for number, behind in zip(told, values, strict=True):
            accounts.add_told(number, behind)

    def release(self) -> None:
        """Have the cluster forget all of it, and so begin nothing more of it.

        To cancel what is pending would be too much: what has just failed makes the
        scheduler stumble over an assertion, and the client lose its connection.
        """
        for future in (*self._futures(), *self.large):
            future.release()

    def end(self, token: str, accounts: Accounts) -> None:
        """Stop what still runs, and close the resources on every worker."""
        # A worker that has died meanwhile has closed nothing.
        answers = self.client.run(end_here, token, on_error="ignore")
        for failures in answers.values():
            for failure in failures:
                accounts.add_closing(failure)

    def _futures(self) -> list[Future]:
        return [*self.targets.values(), *self.told.values()]


def _finished(futures: dict[int, Future]) -> dict[int, Future]:
    return {n: each for n, each in futures.items() if each.status == "finished"}
