"""Clusters on this machine, for the tests of this folder."""

import contextlib
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.noting import LOG

distributed: Any
try:
    import distributed
except ImportError:  # in a browser, which has neither threads nor sockets
    collect_ignore_glob = ["test_*.py"]

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Two workers in this process, of two threads each; they have two GPUs together."""
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=2,
            processes=False,
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
            resources={"gpu": 1},
        ) as cluster,
        distributed.Client(cluster) as found,
    ):
        yield found


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Two workers of one thread each, started as one would on machines of their own."""
    folder = tmp_path_factory.mktemp("far")
    # They find the tests, but not the checkout of what is tested.
    (folder / "tests").symlink_to(ROOT / "tests")
    # Their coverage is that of the workers in this process.
    env = {k: v for k, v in os.environ.items() if k != "COVERAGE_PROCESS_CONFIG"}
    env["PYTHONPATH"] = os.fspath(folder)
    file = folder / "scheduler.json"
    here = ("--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(file))
    worker = ("worker", "--scheduler-file", str(file), "--no-dashboard")
    commands = [
        ("scheduler", *here, "--port", "0"),
        *[(*worker, "--nthreads", "1", "--resources", "gpu=2")] * 2,
    ]
    with contextlib.ExitStack() as stack:
        for command in commands:
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", *command],
                env=env,
                cwd=folder,
                stderr=subprocess.DEVNULL,
            )
            stack.callback(end, process)
        found = distributed.Client(scheduler_file=str(file))
        found.wait_for_workers(2)
        yield found
        found.shutdown()


def end(process: "subprocess.Popen[bytes]") -> None:
    """Wait for a process that was told to end; not for ever."""
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


async def _without_tasks(dask_scheduler: Any) -> list[Any]:
    """The tasks that a scheduler knows, when it has heard of what was released."""
    import asyncio

    for _ in range(1000):
        if not dask_scheduler.tasks:
            break
        await asyncio.sleep(0.001)
    return list(dask_scheduler.tasks)


@pytest.fixture(autouse=True)
def nothing_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """No computation leaves anything on a scheduler."""
    yield
    if "executor" in request.fixturenames:
        return  # what Dask's own leaves there is Dask's
    for name in {"client", "far"}.intersection(request.fixturenames):
        found = request.getfixturevalue(name)
        assert found.run_on_scheduler(_without_tasks) == []


@pytest.fixture
def log() -> list[Any]:
    """What cells of workers in this process note."""
    LOG.clear()
    return LOG
