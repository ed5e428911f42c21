"""What workers do: resources, limits, failures, deaths, and what is left."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

import aiocells
from aiocells import (
    Graph,
    Input,
    Lazy,
    UnsupportedCell,
    WorkerDied,
    cell,
    compute_dask,
    depends_on,
    each,
    resource,
)
from tests.cluster.noting import note, noted

pytestmark = [pytest.mark.needs_threads, pytest.mark.needs_processes]

XS = Input("xs")


@cell
def double(x: int) -> int:
    """A plain cell of this module, which goes by name."""
    return 2 * x


# Resources


@resource
def plain(x: int) -> Iterator[int]:
    """A plain resource."""
    note("plain opens")
    yield x
    note("plain closes")


@resource
@depends_on(plain)
async def inner(plain: int) -> AsyncIterator[int]:
    """An async one, which needs it."""
    note("inner opens")
    yield plain + 1
    note("inner closes")


def needing(number: int) -> Any:
    """A cell that needs both, plain or async."""
    if number % 2:

        @cell(name=f"c{number}")
        async def later(inner: int, plain: int) -> int:
            note(number)
            return inner + plain

        return later

    @cell(name=f"c{number}")
    def now(inner: int, plain: int) -> int:
        note(number)
        return inner + plain

    return now


def test_resources_are_opened_once_on_each_worker(client: Any, log: list[Any]) -> None:
    """When they are first needed; and closed when all is done, the last one first."""
    cells = [needing(number) for number in range(8)]
    graph = Graph.from_cells(plain, inner, *cells)
    results = compute_dask(graph, client=client, inputs={"x": 1}, targets=cells)
    assert [results[each_cell] for each_cell in cells] == [3] * 8
    opened = log.count("plain opens")
    assert opened in (1, 2)
    for what in ("inner opens", "plain closes", "inner closes"):
        assert log.count(what) == opened
    assert log.index("plain opens") < log.index("inner opens") < log.index(0)
    assert log[-1] == "plain closes"


def test_a_resource_that_nobody_needs(client: Any, log: list[Any]) -> None:
    """It is opened all the same, where all cells are asked for."""
    graph = Graph.from_cells(plain, double)
    assert compute_dask(graph, client=client, inputs={"x": 1})[double] == 2
    assert log == ["plain opens", "plain closes"]


def test_a_resource_that_is_only_waited_for(client: Any, log: list[Any]) -> None:
    """It is open while the cell runs."""

    @cell
    @depends_on(plain)
    def beside() -> None:
        note("runs")

    graph = Graph.from_cells(plain, beside)
    compute_dask(graph, client=client, targets=[beside], inputs={"x": 1})
    assert log == ["plain opens", "runs", "plain closes"]


def test_a_resource_that_fails_to_open(client: Any, log: list[Any]) -> None:
    """It is the failure of the resource, and what was opened before is closed."""

    @resource
    def broken(plain: int) -> Iterator[int]:
        if plain:
            raise OSError(plain)
        yield 0

    @cell
    def uses(broken: int) -> int:
        return broken

    graph = Graph.from_cells(plain, broken, uses)
    with pytest.raises(OSError, match="1") as caught:
        compute_dask(graph, client=client, inputs={"x": 1})
    assert [*aiocells.failures(caught.value)] == [broken]
    assert "called with plain=1" in caught.value.__notes__[0]
    assert log == ["plain opens", "plain closes"]


def test_what_needs_a_resource_that_fails_is_skipped(client: Any) -> None:
    """Resources and cells, plain ones and async ones."""

    @resource
    def broken(x: int) -> Iterator[int]:
        if x:
            raise OSError(x)
        yield 0

    @resource
    def above(broken: int) -> Iterator[int]:
        yield broken

    @cell
    def uses(above: int) -> int:
        return above

    @cell
    async def uses_too(above: int) -> int:
        return above

    graph = Graph.from_cells(broken, above, uses, uses_too)
    results = compute_dask(graph, client=client, inputs={"x": 1}, on_error="continue")
    assert [*results.failures] == [broken]
    assert results.skipped == {above, uses, uses_too}


def test_a_resource_that_needs_what_failed(client: Any) -> None:
    """It is not opened."""

    @cell
    def broken(x: int) -> int:
        raise KeyError(x)

    @resource
    def above(broken: int) -> Iterator[int]:
        yield broken

    @cell
    def uses(above: int) -> int:
        return above

    graph = Graph.from_cells(broken, above, uses)
    results = compute_dask(graph, client=client, inputs={"x": 1}, on_error="continue")
    assert [*results.failures] == [broken]
    assert results.skipped == {above, uses}


def test_a_resource_that_fails_to_close(client: Any, log: list[Any]) -> None:
    """The others are closed all the same."""

    @resource
    def sticky(plain: int) -> Iterator[int]:
        yield plain
        raise BrokenPipeError

    @cell
    def uses(sticky: int) -> int:
        return sticky

    graph = Graph.from_cells(plain, sticky, uses)
    with pytest.raises(BrokenPipeError) as caught:
        compute_dask(graph, client=client, inputs={"x": 1}, targets=[uses])
    assert caught.value.__notes__[0].startswith("in cell 'sticky' (")
    assert log == ["plain opens", "plain closes"]
    results = compute_dask(
        graph, client=client, inputs={"x": 1}, targets=[uses], on_error="continue"
    )
    assert results[uses] == 1
    assert [*results.failures] == [sticky]


def test_a_resource_is_open_while_a_cell_uses_it(client: Any, log: list[Any]) -> None:
    """Also where another has failed meanwhile."""

    @cell
    def slow(plain: int) -> None:
        note("slow begins")
        while "failing" not in seen():
            pass
        note("slow ends")

    @cell
    def failing() -> None:
        while "slow begins" not in seen():
            pass
        note("failing")
        raise KeyError

    with pytest.raises(KeyError):
        compute_dask(
            Graph.from_cells(plain, slow, failing), client=client, inputs={"x": 1}
        )
    assert log.index("slow ends") < log.index("plain closes")


def seen() -> list[Any]:
    """What was noted, where this runs in the process of the tests."""
    from tests.cluster.noting import LOG

    return LOG


# Failures


def test_async_cells_are_cancelled(client: Any, log: list[Any]) -> None:
    """When another fails."""

    @cell
    async def waits() -> None:
        note("waits")
        try:
            await asyncio.Event().wait()
        finally:
            note("ended")

    @cell
    async def failing() -> None:
        while not noted():  # noqa: ASYNC110 - it may be in another thread
            await asyncio.sleep(0)
        raise KeyError

    with pytest.raises(KeyError):
        compute_dask(Graph.from_cells(waits, failing), client=client)
    assert log == ["waits", "ended"]


def test_async_items_are_cancelled(client: Any, log: list[Any]) -> None:
    """When a cell beside them fails."""

    async def waits(x: int) -> None:
        note("begun")
        try:
            await asyncio.Event().wait()
        finally:
            note("ended")

    @cell
    async def failing() -> None:
        while not noted():  # noqa: ASYNC110 - it may be in another thread
            await asyncio.sleep(0)
        raise KeyError

    cells = each(waits, x=XS, name="made")
    with pytest.raises(KeyError):
        compute_dask(
            Graph.from_cells(cells, failing), client=client, inputs={"xs": range(20)}
        )
    assert log.count("begun") == log.count("ended")


def test_what_a_cell_raises_comes_whole(far: Any) -> None:
    """Its type, its attributes, its notes, and where it was raised."""

    @cell
    def failing(x: int) -> None:
        error = OSError(2, "gone", "a.txt")
        error.add_note("look for it")
        raise error

    with pytest.raises(FileNotFoundError) as caught:
        compute_dask(Graph.from_cells(failing), client=far, inputs={"x": 3})
    error = caught.value
    assert (error.errno, error.filename) == (2, "a.txt")
    assert error.__notes__[0] == "look for it"
    assert error.__notes__[1].endswith("called with x=3")
    assert "in failing" in str(error.__cause__)


def test_an_exit_leaves_the_computer(client: Any) -> None:
    """Whatever `on_error` says, and whatever falls back."""

    @cell(fallback=lambda error: 1)
    def leaving() -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit) as caught:
        compute_dask(Graph.from_cells(leaving), client=client, on_error="continue")
    assert caught.value.code == 3


def test_stop_iteration_is_a_runtime_error(client: Any) -> None:
    """As in every computer."""

    @cell
    def stops() -> None:
        raise StopIteration

    with pytest.raises(RuntimeError, match="cell raised StopIteration"):
        compute_dask(Graph.from_cells(stops), client=client)


def test_what_cannot_be_sent_is_a_failure_of_its_cell(far: Any) -> None:
    """Between cells of one worker it may go."""

    @cell
    def lock() -> Any:
        return threading.Lock()

    @cell
    def kind(lock: Any) -> str:
        return type(lock).__name__

    graph = Graph.from_cells(lock, kind)
    assert compute_dask(graph, client=far, targets=[kind])[kind] == "lock"
    with pytest.raises(Exception, match="cannot be sent to another process") as caught:
        compute_dask(graph, client=far)
    assert [*aiocells.failures(caught.value)] == [lock]


def test_what_cannot_be_read_is_a_failure_of_its_cell(far: Any) -> None:
    """It says so, and not only that something was wrong."""

    @cell
    def odd() -> Any:
        return Unreadable()

    with pytest.raises(Exception, match="cannot be read: KeyError"):
        compute_dask(Graph.from_cells(odd), client=far)


class Unreadable:
    """It can be sent, and not be read."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Ask for what fails."""
        return unread, ()


def unread() -> None:
    """Fail."""
    raise KeyError


def test_cells_of_the_main_module_go_along(far: Any, tmp_path: Path) -> None:
    """With what they use, and without the cells that they name."""
    code = f"""
import logging, sys
from distributed import Client
from aiocells import Graph, cell, compute_dask, depends_on

def helper(x): return x + 1

@cell
def first(x: int) -> int: return helper(x)

@cell(timeout=10)
@depends_on(first=first)
async def second(first: int) -> int: return first * 2

if __name__ == "__main__":
    with Client({far.scheduler.address!r}) as client:
        graph = Graph.from_cells(first, second)
        print(compute_dask(graph, client=client, inputs={{"x": 1}})[second])
"""
    path = tmp_path / "program.py"
    path.write_text(code, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, str(path)], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "4\n"


# Deaths


def test_a_worker_that_dies_is_missed(far: Any, tmp_path: Path) -> None:
    """What it ran and held is computed again elsewhere."""

    @cell
    def base() -> int:
        return 20

    @cell
    def dies_once(base: int) -> int:
        marker = tmp_path / "died"
        if not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return base + 1

    graph = Graph.from_cells(base, dies_once)
    assert compute_dask(graph, client=far)[dies_once] == 21


def test_a_cell_that_kills_its_workers(far: Any) -> None:
    """After a few of them it is given up; others have their values."""

    @cell
    @depends_on(double)
    def kills() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    @cell
    @depends_on(kills)
    def after() -> int:
        return 1

    graph = Graph.from_cells(kills, after, double)
    results = compute_dask(graph, client=far, inputs={"x": 2}, on_error="continue")
    assert isinstance(results.failures[kills], WorkerDied)
    assert results.failures[kills].cells == (kills,)
    assert results.skipped == {after}
    assert results[double] == 4


# Limits


def test_a_limit_is_a_resource_of_the_workers(client: Any, log: list[Any]) -> None:
    """No more of them run on a worker than it has."""

    def made(number: int) -> Any:
        @cell(name=f"c{number}", limit="gpu")
        async def uses() -> None:
            worker = aiocells_worker()
            note(("begins", worker))
            for _ in range(5):
                await asyncio.sleep(0)
            note(("ends", worker))

        return uses

    compute_dask(Graph.from_cells(*map(made, range(8))), client=client)
    for worker in {where for _, where in log}:
        events = [what for what, where in log if where == worker]
        assert events == ["begins", "ends"] * (len(events) // 2)


def aiocells_worker() -> str:
    """The address of the worker that this runs on."""
    from distributed import get_worker

    return str(get_worker().address)


def test_a_limit_that_no_worker_has_is_refused(client: Any) -> None:
    """Dask would wait for ever."""

    @cell(limit="tpu")
    def train() -> None:
        """It never runs."""

    @cell(limit=("gpu", "tpu"))
    def both() -> None:
        """It never runs either."""

    message = (
        r"'train' \(.*\) has limit='tpu', but no worker of the cluster has that "
        r'resource. Start workers with --resources "tpu=...".'
    )
    with pytest.raises(UnsupportedCell, match=message) as caught:
        compute_dask(Graph.from_cells(train), client=client)
    assert caught.value.cell is train
    with pytest.raises(UnsupportedCell, match=r'these resources together.*"tpu=..."'):
        compute_dask(Graph.from_cells(both), client=client)


def test_workers_that_have_a_resource_run_what_asks_for_it(far: Any) -> None:
    """On the ones that were started with it."""

    @cell(limit="gpu")
    def train(x: int) -> int:
        return x + 1

    cells = each(train, x=XS, name="made", limit=None)
    graph = Graph.from_cells(train, cells)
    results = compute_dask(graph, client=far, inputs={"x": 1, "xs": range(10)})
    assert results[train] == 2
    assert results[cells] == [*range(1, 11)]


# Fan-outs


def item(x: int, y: int = 1) -> int:
    """A plain item; some fail."""
    if x % 10 == 3:
        raise ValueError(x)
    return x * y


async def later(x: int) -> int:
    """An async one."""
    await asyncio.sleep(0)
    return item(x)


def test_a_fan_out_of_many_items(client: Any) -> None:
    """A fixed number of parts, whatever their number."""
    cells = each(double, x=XS, name="made")
    results = compute_dask(
        Graph.from_cells(cells), client=client, inputs={"xs": range(200_000)}
    )
    assert results[cells] == [2 * x for x in range(200_000)]


@pytest.mark.parametrize("function", [item, later])
def test_the_failed_item_is_named(client: Any, function: Any) -> None:
    """By its number among all."""
    cells = each(function, x=XS, name="made")
    graph = Graph.from_cells(cells)
    xs = [*range(3), *range(4, 11), 13]
    with pytest.raises(ValueError, match="13") as caught:
        compute_dask(graph, client=client, inputs={"xs": xs})
    assert caught.value.__notes__[0].startswith("in item 10 of cell 'made' (")
    results = compute_dask(
        graph, client=client, inputs={"xs": range(100)}, on_error="continue"
    )
    notes = results.failures[cells].__notes__
    assert notes[0].startswith("in item 3 of cell 'made' (")
    assert "also failed: item 13: ValueError: 13" in notes
    assert notes[-1] == "also failed: item 93: ValueError: 93"


@pytest.mark.parametrize("function", [item, later])
def test_failed_items_may_be_kept(client: Any, function: Any) -> None:
    """In their places, with their notes."""
    cells = each(function, x=XS, name="made", on_error="keep")
    found = compute_dask(
        Graph.from_cells(cells), client=client, inputs={"xs": {"a": 2, "b": 3}}
    )[cells]
    assert found["a"] == 2
    assert found["b"].__notes__[0].startswith("in item 'b' of cell 'made' (")


def test_more_failures_than_are_told(client: Any) -> None:
    """The others are counted."""
    cells = each(item, x=XS, name="made")
    results = compute_dask(
        Graph.from_cells(cells),
        client=client,
        inputs={"xs": range(300)},
        on_error="continue",
    )
    assert results.failures[cells].__notes__[-1] == "and 19 more items failed"


async def numbers() -> AsyncIterator[int]:
    """Gives items one by one."""
    for x in (1, 2):
        yield x


def test_all_that_can_be_iterated(client: Any) -> None:
    """Side by side, each with each, and asynchronously."""

    @cell
    def pairs() -> list[int]:
        return [1, 2]

    @cell
    def pulled() -> Any:
        return numbers()

    beside = each(item, x=pairs, y=pairs, name="beside")
    product = each(item, x=pairs, y=pairs, product=True, name="product")
    one_by_one = each(item, x=pulled, name="one_by_one")
    graph = Graph.from_cells(pairs, beside, product, one_by_one, pulled)
    targets = [beside, product, one_by_one]
    results = compute_dask(graph, client=client, targets=targets)
    assert dict(results) == {
        beside: [1, 4],
        product: [1, 2, 2, 4],
        one_by_one: [1, 2],
    }


def test_no_more_items_run_than_the_limit_says(client: Any, log: list[Any]) -> None:
    """On all workers together."""

    async def counted(x: int) -> int:
        note(1)
        running = sum(seen())
        await asyncio.sleep(0)
        note(-1)
        return running

    for limit in (1, 3, 20):
        cells = each(counted, x=XS, name="made", limit=limit)
        found = compute_dask(
            Graph.from_cells(cells), client=client, inputs={"xs": range(60)}
        )[cells]
        assert max(found) <= limit


def test_items_use_resources(client: Any, log: list[Any]) -> None:
    """Which are opened where the items run."""

    def added(x: int, plain: int) -> int:
        return x + plain

    cells = each(depends_on(plain=plain)(added), x=XS, name="made")
    found = compute_dask(
        Graph.from_cells(plain, cells),
        client=client,
        targets=[cells],
        inputs={"xs": range(20), "x": 100},
    )[cells]
    assert found == [*range(100, 120)]
    assert log.count("plain opens") == log.count("plain closes")


def test_what_is_no_list_is_refused(client: Any) -> None:
    """As in every computer."""
    cells = each(item, x=XS, name="made")
    with pytest.raises(TypeError, match="'x' is to be taken item by item"):
        compute_dask(Graph.from_cells(cells), client=client, inputs={"xs": "text"})


def test_a_secret_is_not_shown(client: Any) -> None:
    """Neither of a cell nor of an item."""

    @cell
    def failing(password: str, x: int) -> None:
        raise ValueError

    def failing_item(x: int, password: str) -> None:
        raise ValueError

    cells = each(failing_item, x=XS, name="made")
    inputs = {"password": "xyzzy", "x": 1, "xs": [1]}
    results = compute_dask(
        Graph.from_cells(failing, cells),
        client=client,
        inputs=inputs,
        on_error="continue",
    )
    for error in results.failures.values():
        assert "password=•••" in error.__notes__[0]


# What cannot be done


def test_askers_are_refused(client: Any) -> None:
    """A worker cannot ask for other cells."""

    @cell
    @depends_on(value=Lazy(double))
    def asks(value: Any) -> int:
        """It never runs."""
        return 0

    graph = Graph.from_cells(double, asks)
    with pytest.raises(UnsupportedCell, match=r"'asks' .* with Lazy, which a cluster"):
        compute_dask(graph, client=client, inputs={"x": 1})


def test_a_cell_that_cannot_be_sent_is_named(client: Any) -> None:
    """A function of this place holds what it uses of it."""
    lock = threading.Lock()

    @cell
    def locked(double: int) -> int:
        with lock:
            return double

    graph = Graph.from_cells(double, locked)
    message = r"'locked' \(.*\) cannot be sent to a cluster: TypeError: cannot pickle"
    with pytest.raises(UnsupportedCell, match=message) as caught:
        compute_dask(graph, client=client, inputs={"x": 1})
    assert caught.value.cell is locked


def test_what_dask_refuses_is_raised_as_it_is(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no cell is to blame."""

    def refuse(*args: Any, **options: Any) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(client, "get", refuse)
    with pytest.raises(BrokenPipeError):
        compute_dask(Graph.from_cells(double), client=client, inputs={"x": 1})


def test_what_is_not_pickled_alike_each_time_is_sent(client: Any) -> None:
    """Dask would refuse it."""
    options = Unsteady()

    @cell
    def named() -> str:
        return options.name

    found = compute_dask(Graph.from_cells(named), client=client)[named]
    assert found.startswith("made")


class Unsteady:
    """An object that is pickled in another way each time."""

    def __init__(self, name: str = "made") -> None:
        """Bear a name."""
        self.name = name

    def __reduce__(self) -> tuple[Any, ...]:
        """Ask for the same, with a longer name."""
        self.name += "+"
        return Unsteady, (self.name,)


def test_what_is_no_client_is_refused(far: Any) -> None:
    """Before anything runs."""
    import distributed

    graph = Graph.from_cells(double)
    with pytest.raises(TypeError, match=r"takes a distributed\.Client, not 'here'"):
        compute_dask(graph, client="here", inputs={"x": 1})  # type: ignore[arg-type]

    async def within() -> None:
        async with distributed.Client(
            far.scheduler.address, asynchronous=True, set_as_default=False
        ) as asynchronous:
            with pytest.raises(TypeError, match=r"asyncio\.to_thread"):
                compute_dask(graph, client=asynchronous, inputs={"x": 1})

    asyncio.run(within())
    with distributed.Client(far.scheduler.address, set_as_default=False) as closed:
        pass
    with pytest.raises(ValueError, match="is closed: it has no cluster"):
        compute_dask(graph, client=closed, inputs={"x": 1})


def test_without_dask_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """When it is called."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    message = r"compute_dask needs Dask: pip install 'aiocells\[dask\]'"
    with pytest.raises(ImportError, match=message):
        compute_dask(Graph.from_cells(double), client=None)  # type: ignore[arg-type]


# Ctrl-C


def test_ctrl_c_leaves_nothing(client: Any, log: list[Any]) -> None:
    """Resources are closed, and async cells are cancelled."""

    @cell
    async def waits(plain: int) -> None:
        note("waits")
        os.kill(os.getpid(), signal.SIGINT)
        try:
            await asyncio.Event().wait()
        finally:
            note("ended")

    graph = Graph.from_cells(plain, waits)
    with pytest.raises(KeyboardInterrupt):
        compute_dask(graph, client=client, inputs={"x": 1})
    assert log == ["plain opens", "waits", "ended", "plain closes"]


def test_ctrl_c_in_a_program(far: Any, tmp_path: Path) -> None:
    """The cluster goes on, and closes what it opened for it."""
    marker = tmp_path / "closed"
    code = f"""
import os, signal
from pathlib import Path
from distributed import Client
from aiocells import Graph, cell, compute_dask, resource

@resource
def opened():
    yield 1
    Path({str(marker)!r}).touch()

@cell
def interrupts(opened, pid):
    os.kill(pid, signal.SIGINT)

@cell
async def waits(opened):
    import asyncio
    await asyncio.Event().wait()

if __name__ == "__main__":
    graph = Graph.from_cells(opened, interrupts, waits)
    with Client({far.scheduler.address!r}) as client:
        try:
            compute_dask(graph, client=client, inputs={{"pid": os.getpid()}})
        except KeyboardInterrupt:
            print("interrupted")
"""
    path = tmp_path / "program.py"
    path.write_text(code, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, str(path)], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "interrupted\n"
    assert marker.exists()


def test_from_a_coroutine(client: Any) -> None:
    """In a thread, since it waits."""

    async def main() -> aiocells.Results:
        return await asyncio.to_thread(
            compute_dask, Graph.from_cells(double), client=client, inputs={"x": 1}
        )

    assert asyncio.run(main())[double] == 2
