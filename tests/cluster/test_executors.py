"""Single cells on a cluster, by executors: the others run here."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from aiocells import Graph, Input, async_compute_concurrent, cell, each

pytestmark = [
    pytest.mark.needs_threads,
    pytest.mark.needs_processes,
    pytest.mark.usefixtures("sent_tests"),
]


class OnRay:
    """An executor for Ray."""

    def submit(self, function: Any, /, *args: Any) -> Any:
        """Run a function there."""
        ray = pytest.importorskip("ray")
        return ray.remote(function).remote(*args).future()


@pytest.fixture(params=["dask", "loky", "ray"])
def executor(request: pytest.FixtureRequest) -> Iterator[Any]:
    """An executor of a cluster, or of what is like one."""
    if request.param == "dask":
        with request.getfixturevalue("client").get_executor() as found:
            yield found
    elif request.param == "loky":
        loky = pytest.importorskip("loky")
        with loky.ProcessPoolExecutor(2) as found:
            yield found
    else:
        ray = pytest.importorskip("ray")
        ray.init(num_cpus=2, log_to_driver=False)
        yield OnRay()
        ray.shutdown()


@cell(run_in="cluster")
def heavy(x: int) -> int:
    """A cell that runs there."""
    if x < 0:
        raise ValueError(x)
    return x**2


@cell
def light(heavy: int) -> str:
    """One that runs here."""
    return f"it is {heavy}"


def test_a_cell_runs_on_an_executor(executor: Any) -> None:
    """Its value comes back; so does what it raises, with its note."""
    graph = Graph.from_cells(heavy, light)

    def compute(x: int) -> Any:
        computing = async_compute_concurrent(
            graph, inputs={"x": x}, executors={"cluster": executor}
        )
        return asyncio.run(computing)[light]

    assert compute(7) == "it is 49"
    with pytest.raises(ValueError, match="-1") as caught:
        compute(-1)
    assert "in cell 'heavy'" in caught.value.__notes__[0]


def test_items_run_on_an_executor(executor: Any) -> None:
    """Those of a fan-out as well."""
    cells = each(square, x=Input("xs"), run_in="cluster", name="made")
    computing = async_compute_concurrent(
        Graph.from_cells(cells),
        inputs={"xs": range(20)},
        executors={"cluster": executor},
    )
    assert asyncio.run(computing)[cells] == [x**2 for x in range(20)]


def square(x: int) -> int:
    """An item."""
    return x**2
