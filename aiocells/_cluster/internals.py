"""What is used of Dask that it does not call public.

A graph of calls that is submitted at once has no public form; neither has leaving a
worker's slot from a coroutine. All of it is in this file.
"""

from time import time
from typing import Any

from dask._task_spec import DataNode, Task, TaskRef
from dask.base import normalize_token
from distributed import Worker
from distributed.worker_state_machine import SecedeEvent

__all__ = ["DataNode", "Task", "TaskGraph", "TaskRef", "leave_slot"]


class TaskGraph(dict[Any, Any]):
    """The tasks of a computation by key.

    Dask would pickle each function and value once more, to tell the graph from others,
    and refuse those that are not pickled the same way each time.

    Args:
        token: tells it from others.
    """

    def __init__(self, token: str) -> None:
        super().__init__()
        self.token = token


@normalize_token.register(TaskGraph)  # type: ignore[no-untyped-call, untyped-decorator]
def _token_of(graph: TaskGraph) -> str:
    return graph.token


def leave_slot(worker: Worker, key: Any) -> None:
    """Let another task have the slot of one that runs on the worker's event loop.

    Of those Dask lets only as many run as there are threads, which they do not use: 8
    that slept .5 s took 2.1 s on 2 threads, and .57 s so.

    Args:
        worker: where it runs.
        key: that of the task.
    """
    worker.handle_stimulus(
        SecedeEvent(key=key, compute_duration=0.0, stimulus_id=f"secede-{time()}")
    )
