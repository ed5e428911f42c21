"""One graph computed many times at once: by tasks, by threads, and within itself."""

import asyncio
import functools
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given

import aiocells
from aiocells import DependencyGraph, Graph, cell, resource
from aiocells._collecting.bound import Bound
from aiocells._graphs.dependency_graph import structure_of
from aiocells._graphs.structure import Structure
from aiocells._planning import compiling
from tests.helpers import ASYNC_COMPUTERS, COMPUTERS
from tests.strategies import Built, Reference, Shape, shapes

each_computer = pytest.mark.parametrize("name", COMPUTERS)
each_async = pytest.mark.parametrize(
    "computer", ASYNC_COMPUTERS.values(), ids=ASYNC_COMPUTERS
)

THREADS = 8


@pytest.fixture
def hasty() -> Iterator[None]:
    """Threads take turns far more often than they would."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


def in_threads(act: Callable[[int], Any]) -> list[Any]:
    """What `act` gives in several threads, which all begin at once."""
    barrier = threading.Barrier(THREADS)

    def begin(number: int) -> Any:
        barrier.wait(timeout=60)
        return act(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(begin, range(THREADS)))


def squares(is_async: bool) -> tuple[Any, Graph]:
    """A graph whose last cell gives the square of its input."""

    @cell
    def base(number: int) -> int:
        return number

    @cell
    async def awaited(base: int) -> int:
        await asyncio.sleep(0)
        return base

    @cell
    def plain(base: int) -> int:
        return base

    @cell
    def total(base: int, other: int) -> int:
        return base * other

    other = awaited if is_async else plain
    aiocells.depends_on(other=other)(total)
    return total, Graph.from_cells(total, other, base)


def wants_input(shape: Shape) -> bool:
    """Whether a cell of the graph takes the input."""
    return any(node.wants_input for node in shape.nodes)


@given(shapes())
def test_tasks_of_one_loop_compute_a_random_graph_at_once(shape: Shape) -> None:
    """Each computation of a graph has the inputs and the values that are its own."""
    built = Built(shape)

    async def compute(computer: Any, extra: int) -> None:
        inputs = {"extra": extra} if wants_input(shape) else {}
        results = await computer(built.graph, inputs=inputs)
        reference = Reference(shape, extra)
        values = {built.ranks[function]: value for function, value in results.items()}
        assert values == {rank: reference.compute(rank) for rank in shape.declared}

    async def compute_all() -> None:
        async with asyncio.TaskGroup() as group:
            for extra, computer in enumerate([*ASYNC_COMPUTERS.values()] * 3):
                group.create_task(compute(computer, extra))

    asyncio.run(compute_all())


@each_async
async def test_one_failing_computation_of_many_hurts_no_other(computer: Any) -> None:
    """Failures, cancellations and values belong to one computation."""
    ready = 0
    all_ready = asyncio.Event()

    @resource
    async def own(number: int) -> AsyncIterator[list[int]]:
        opened = [number]
        yield opened
        opened.clear()

    @cell
    async def waits(own: list[int], number: int) -> int:
        nonlocal ready
        ready += 1
        if ready == 10:
            all_ready.set()
        await all_ready.wait()
        if number == 3:
            raise ValueError(number)
        if number == 4:
            await asyncio.Event().wait()
        assert own == [number]
        return number

    graph = Graph.from_cells(own, waits)
    tasks = [
        asyncio.create_task(computer(graph, inputs={"number": number}))
        for number in range(10)
    ]
    await all_ready.wait()
    tasks[4].cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(done[3], ValueError)
    assert list(aiocells.failures(done[3])) == [waits]
    assert isinstance(done[4], asyncio.CancelledError)
    for number, results in enumerate(done):
        if number not in (3, 4):
            assert dict(results) == {waits: number}


@pytest.mark.needs_threads
@pytest.mark.usefixtures("hasty")
@each_computer
def test_threads_compute_one_graph_at_once(name: str) -> None:
    """Each thread, with a loop of its own, gets its own values, again and again."""
    total, graph = squares(is_async=name != "sequential")

    def compute(number: int) -> list[int]:
        numbers = range(number, number + 50)
        inputs = [{"number": each} for each in numbers]
        return [COMPUTERS[name](graph, inputs=each)[total] for each in inputs]

    for number, found in enumerate(in_threads(compute)):
        assert found == [each * each for each in range(number, number + 50)]


@pytest.mark.needs_threads
@pytest.mark.usefixtures("hasty")
def test_all_computers_in_threads_at_once() -> None:
    """Whatever computer each thread uses, with targets and overrides of its own."""
    total, graph = squares(is_async=False)
    names = [*COMPUTERS] * 2

    def compute(number: int) -> tuple[int, int]:
        computer, inputs = COMPUTERS[names[number]], {"number": number}
        full = computer(graph, inputs=inputs, targets=[total])[total]
        overridden = computer(graph, inputs=inputs, overrides={"plain": 100})[total]
        return full, overridden

    assert in_threads(compute) == [(n * n, n * 100) for n in range(THREADS)]


@pytest.mark.needs_threads
@pytest.mark.usefixtures("hasty")
def test_a_plan_is_built_once_by_all_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that compute a new graph at once share one plan."""
    built: list[Structure] = []
    compile_graph = compiling._compile

    def counted(structure: Structure, bound: Bound | None) -> Any:
        built.append(structure)
        return compile_graph(structure, bound)

    monkeypatch.setattr(compiling, "_compile", counted)
    total, graph = squares(is_async=False)

    def compute(number: int) -> int:
        results = aiocells.compute_sequential(graph, inputs={"number": number})
        return int(results[total])

    assert in_threads(compute) == [number * number for number in range(THREADS)]
    assert built == [structure_of(graph)]


@pytest.mark.needs_threads
@pytest.mark.usefixtures("hasty")
def test_a_wide_graph_in_threads_at_once() -> None:
    """What is prepared for a graph at its first runs is whole when another uses it."""

    @cell
    def base(number: int) -> int:
        return number

    def plus(base: int, amount: int) -> int:
        return base + amount

    cells = [
        cell(functools.partial(plus, amount=amount), name=f"plus_{amount}")
        for amount in range(200)
    ]
    graph = Graph.from_cells(base, *cells)

    def compute(number: int) -> bool:
        for each in range(number, number + 20):
            results = aiocells.compute_sequential(graph, inputs={"number": each})
            assert [results[one] for one in cells] == [*range(each, each + 200)]
        return True

    assert all(in_threads(compute))


# Within itself


@each_async
async def test_an_async_cell_computes_its_own_graph(computer: Any) -> None:
    """A graph computed by a cell of it, with another input, gives its own values."""

    @cell
    async def factorial(number: int) -> int:
        if number == 0:
            return 1
        inputs = {"number": number - 1}
        inner = await computer(graph, inputs=inputs)
        await asyncio.sleep(0)
        return int(inner[factorial]) * number

    @cell
    def doubled(factorial: int) -> int:
        return 2 * factorial

    graph = Graph.from_cells(factorial, doubled)
    results = await computer(graph, inputs={"number": 5})
    assert dict(results) == {factorial: 120, doubled: 240}


@each_computer
def test_a_plain_cell_computes_its_own_graph(name: str) -> None:
    """compute_sequential works within itself, and within a running loop."""

    @cell
    def factorial(number: int) -> int:
        if number == 0:
            return 1
        inputs = {"number": number - 1}
        return number * aiocells.compute_sequential(graph, inputs=inputs)[factorial]

    @cell
    def doubled(factorial: int) -> int:
        return 2 * factorial

    graph = Graph.from_cells(factorial, doubled)
    for _ in range(5):
        results = COMPUTERS[name](graph, inputs={"number": 5})
        assert dict(results) == {factorial: 120, doubled: 240}


@pytest.mark.needs_threads
@each_async
async def test_a_cell_in_a_thread_computes_its_own_graph(computer: Any) -> None:
    """A thread has a loop of its own, and so a computation of its own."""

    @cell(run_in="thread")
    def count(number: int) -> int:
        if number == 0:
            return 0
        inner = asyncio.run(computer(graph, inputs={"number": number - 1}))
        return int(inner[count]) + 1

    graph = Graph.from_cells(count)
    threads = threading.enumerate()
    results = await computer(graph, inputs={"number": 3})
    assert results[count] == 3
    assert threading.enumerate() == threads


@each_async
async def test_a_failure_within_keeps_its_type_and_names_both_cells(
    computer: Any,
) -> None:
    """A failure of the inner computation is one of the outer cell, noted for both."""

    @cell
    async def inner() -> None:
        msg = "deep"
        raise ValueError(msg)

    @cell
    async def outer() -> None:
        await computer(Graph.from_cells(inner))

    with pytest.raises(ValueError, match="deep") as caught:
        await computer(Graph.from_cells(outer))
    first, second = caught.value.__notes__
    assert first.startswith("in cell 'inner' (")
    assert second.startswith("in cell 'outer' (")
    assert aiocells.failures(caught.value) == {outer: caught.value}


@each_async
async def test_a_cancellation_reaches_what_is_computed_within(computer: Any) -> None:
    """The inner computation is ended before the outer one is."""
    ready = asyncio.Event()
    log: list[str] = []

    @resource
    async def held() -> AsyncIterator[None]:
        yield
        log.append("inner closed")

    @cell
    async def inner(held: None) -> None:
        ready.set()
        await asyncio.Event().wait()

    @cell
    async def outer() -> None:
        try:
            await computer(Graph.from_cells(inner, held))
        finally:
            log.append("outer ended")

    task = asyncio.create_task(computer(Graph.from_cells(outer)))
    await ready.wait()
    task.cancel("why")
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert caught.value.args == ("why",)
    assert log == ["inner closed", "outer ended"]
    assert asyncio.all_tasks() == {asyncio.current_task()}


@each_computer
def test_a_graph_that_changes_while_it_is_computed(name: str) -> None:
    """A computation goes by the plan that it began with; the next has the new cells."""
    log: list[str] = []
    graph = DependencyGraph()

    def second() -> None:
        log.append("second")

    def late() -> None:
        log.append("late")

    def first() -> None:
        log.append("first")
        graph.add_precedence(first, late)

    graph.add_precedence(first, second)
    COMPUTERS[name](graph)
    assert log == ["first", "second"]
    COMPUTERS[name](graph)
    assert sorted(log[2:]) == ["first", "late", "second"]
