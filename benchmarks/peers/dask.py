"""dask, the scheduler that runs in one thread: https://pypi.org/project/dask"""

import functools
from typing import Any

from dask import get
from dask._task_spec import DataNode, Task, TaskRef

from benchmarks.layered import INPUTS, Layered
from benchmarks.peers import Prepared

DISTRIBUTION = "dask"


def sequential(made: Layered) -> Prepared:
    """A graph of `Task` objects, which dask otherwise makes of tuples in each run."""
    names = made.names
    graph: dict[str, Any] = {name: DataNode(name, INPUTS[name]) for name in INPUTS}
    for number, name in enumerate(names):
        taken = [TaskRef(each) for each in made.parameters(number)]
        graph[name] = Task(name, made.functions[number], *taken)
    return functools.partial(get, graph, names), list
