"""A graph on a cluster, against Dask's own graph of the same functions."""

import logging
import sys
import uuid
from collections.abc import Iterator
from time import perf_counter, process_time
from typing import Any

from dask._task_spec import Task, TaskRef
from distributed import Client, LocalCluster

from aiocells import Graph, Input, cell, compute_dask, each
from benchmarks.effort import Effort
from benchmarks.layered import layered
from benchmarks.measure import compare_plain
from benchmarks.row import Row, at_most, compared

GROUP = "cluster"
WIDTH = 10
# Above that many cells, modules stand for names; so they do in what it is held against.
MOST_NAMES = 200
THREADS = 2


def rows(effort: Effort) -> Iterator[Row]:
    """Measure graphs of three sizes, and a fan-out."""
    with (
        LocalCluster(
            n_workers=1,
            threads_per_worker=THREADS,
            # In this process, whose processor time is that of all of them.
            processes=False,
            dashboard_address=":0",
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):
        for count in effort.cluster:
            yield graph_row(client, count, effort)
        yield items_row(client, effort.items[1] * 2)


def graph_row(client: Client, count: int, effort: Effort) -> Row:
    """Cells in layers, of which the last layer is wanted."""
    made = layered(count // WIDTH, WIDTH, decorate=cell)
    # They go by the names of a module, as functions do.
    sys.modules[made.module.__name__] = made.module
    graph = Graph.from_module(made.module)
    targets = [*made.last]

    def ours() -> list[Any]:
        results = compute_dask(
            graph, client=client, targets=targets, inputs=made.inputs
        )
        return [results[each_target] for each_target in targets]

    found = compare_plain(
        GROUP,
        lambda: by_hand(client, made, targets),
        ours,
        pairs=effort.pairs if count < MOST_NAMES else effort.few_pairs,
        least=0.0,
        clock=process_time,
    )
    return compared(
        GROUP,
        f"{count:,} cells, floor: Dask's own graph of the same functions",
        found,
        count=count,
        target=at_most(1.15 if count < MOST_NAMES else 1.1),
        note="processor time of client, scheduler and worker together",
    )


def by_hand(client: Client, made: Any, targets: list[Any]) -> list[Any]:
    """The graph as one would write it for Dask."""
    token = uuid.uuid4().hex
    functions, named = made.functions, len(made.functions) <= MOST_NAMES

    def key(number: int) -> tuple[str, int]:
        name = functions[number].__name__ if named else "cells"
        return (f"{name}-{token}", number)

    given: dict[Any, Any] = {
        name: Task((f"{name}-{token}", 0), float, value)
        for name, value in made.inputs.items()
    }
    graph = {task.key: task for task in given.values()}
    for number, function in enumerate(functions):
        needs = [TaskRef(key(each_need)) for each_need in made.needs[number]]
        needs = needs or [TaskRef(task.key) for task in given.values()]
        graph[key(number)] = Task(key(number), function, *needs)
    wanted = range(len(functions) - len(targets), len(functions))
    return list(client.get(graph, [key(number) for number in wanted]))


def tiny(x: int) -> int:
    """An item that does next to nothing."""
    return x + 1


def items_row(client: Client, count: int) -> Row:
    """Many tiny items, once."""
    cells = each(tiny, x=Input("xs"), name="items")
    graph = Graph.from_cells(cells)
    began = perf_counter()
    results = compute_dask(graph, client=client, inputs={"xs": range(count)})
    seconds = perf_counter() - began
    assert len(results[cells]) == count
    return Row(
        group=GROUP,
        workload=f"{count:,} tiny items",
        unit="us/item",
        ours=seconds / count * 1e6,
        note="once, on the wall",
    )
