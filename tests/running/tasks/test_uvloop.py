"""Computations on uvloop, an event loop that is none of asyncio's."""

import asyncio
import contextvars
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any

import anyio
import pytest

import aiocells
from aiocells import Graph, cell, resource
from tests.factories import FACTORIES, Factory, FactoryError, failing_at
from tests.helpers import ASYNC_COMPUTERS

uvloop = pytest.importorskip("uvloop")

each_computer = pytest.mark.parametrize(
    "computer", ASYNC_COMPUTERS.values(), ids=ASYNC_COMPUTERS
)


def run(main: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run on uvloop; checks that nothing is left."""

    async def checked() -> Any:
        try:
            return await main()
        finally:
            asyncio.get_running_loop().set_task_factory(None)
            assert asyncio.all_tasks() == {asyncio.current_task()}

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(checked())


class Mixed:
    """A graph with cells of several kinds, and two resources; `log` tells of ends."""

    def __init__(self, last: Callable[[], Any] = lambda: None) -> None:
        """Make the graph; its last cell calls `last`."""
        self.log: list[str] = []
        self.runs = asyncio.Event()
        log, runs = self.log, self.runs

        @resource
        async def opened() -> AsyncIterator[int]:
            yield 1
            await asyncio.sleep(0)
            log.append("opened closed")

        @resource
        def plainly(opened: int) -> Iterator[int]:
            yield opened + 1
            log.append("plainly closed")

        @cell
        async def waits(plainly: int) -> int:
            await asyncio.sleep(0.001)
            return plainly + 1

        @cell(run_in="thread")
        def in_thread(plainly: int) -> int:
            return plainly

        @cell
        def plain(waits: int, in_thread: int) -> int:
            return waits + in_thread

        @cell
        async def final(plain: int) -> int:
            runs.set()
            await asyncio.sleep(0)
            result = last()
            if result is not None:
                await result
            return plain + 1

        self.final = final
        self.graph = Graph.from_cells(opened, plainly, waits, in_thread, plain, final)


CLOSED = ["plainly closed", "opened closed"]


@each_computer
def test_values(computer: Any) -> None:
    """All kinds of cells work as on asyncio's own loops."""
    made = Mixed()
    assert run(lambda: computer(made.graph))[made.final] == 6
    assert made.log == CLOSED


@each_computer
def test_failures(computer: Any) -> None:
    """A failing cell ends the computation, and everything is closed."""
    problem = LookupError()

    def fail() -> None:
        raise problem

    made = Mixed(fail)
    with pytest.raises(LookupError) as caught:
        run(lambda: computer(made.graph))
    assert caught.value is problem
    assert aiocells.failures(problem) == {made.final: problem}
    assert made.log == CLOSED


@pytest.mark.parametrize("scoped", [False, True])
@each_computer
def test_cancellations(computer: Any, scoped: bool) -> None:
    """From a task or a scope of anyio: cells end, resources close, it goes on."""
    made = Mixed(lambda: asyncio.Event().wait())

    async def main() -> None:
        scope = anyio.CancelScope()

        async def compute() -> None:
            with scope:
                await computer(made.graph)

        task = asyncio.create_task(compute())
        await made.runs.wait()
        if scoped:
            scope.cancel()
            await task
        else:
            task.cancel("why")
            with pytest.raises(asyncio.CancelledError, match="why"):
                await task

    run(main)
    assert made.log == CLOSED


@each_computer
def test_contexts(computer: Any) -> None:
    """Each cell sees the caller's variables, and sets none for others."""
    variable = contextvars.ContextVar("variable", default="unset")

    @cell
    async def sets() -> str:
        before = variable.get()
        variable.set("by a cell")
        return before

    @cell
    async def reads(sets: str) -> str:
        return variable.get()

    async def main() -> Any:
        variable.set("by the caller")
        return await computer(Graph.from_cells(sets, reads))

    assert set(run(main).values()) == {"by the caller"}


@pytest.mark.parametrize("factory", FACTORIES.values(), ids=FACTORIES)
@each_computer
def test_factories(computer: Any, factory: Factory) -> None:
    """Task factories are asked, whatever they put around a cell."""
    made = Mixed()

    async def main() -> Any:
        asyncio.get_running_loop().set_task_factory(factory)
        return await computer(made.graph)

    assert run(main)[made.final] == 6
    assert made.log == CLOSED


@pytest.mark.parametrize("call", [1, 2, 3])
@each_computer
def test_a_factory_that_raises(computer: Any, call: int) -> None:
    """It ends the computation."""
    made = Mixed()
    factory, raised = failing_at(call, FACTORIES["of_two_arguments"], makes=False)

    async def main() -> Any:
        asyncio.get_running_loop().set_task_factory(factory)
        return await computer(made.graph)

    with pytest.raises(FactoryError) as caught:
        run(main)
    assert caught.value is raised[0]


@each_computer
def test_depth(computer: Any) -> None:
    """Computations within cells of others may be nested as deep as they like."""

    @cell
    async def level(number: int) -> int:
        if number == 0:
            return 0
        results = await computer(graph, inputs={"number": number - 1})
        return int(results[level]) + 1

    graph = Graph.from_cells(level)
    assert run(lambda: computer(graph, inputs={"number": 1000}))[level] == 1000
