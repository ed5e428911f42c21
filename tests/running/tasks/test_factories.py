"""Task factories that users set on their loops: whatever they do, nothing hangs."""

import asyncio
import contextvars
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any

import pytest

import aiocells
from aiocells import Graph, cell, resource
from tests.factories import (
    FACTORIES,
    Body,
    Factory,
    FactoryError,
    Loop,
    Made,
    failing_at,
    of_keywords,
    of_two_arguments,
    waiting_after,
    waiting_before,
)
from tests.helpers import ASYNC_COMPUTERS
from tests.virtual_loop import VirtualLoop

each_computer = pytest.mark.parametrize(
    "computer", ASYNC_COMPUTERS.values(), ids=ASYNC_COMPUTERS
)
each_mode = pytest.mark.parametrize("on_error", ["raise", "group", "continue"])

each_factory = pytest.mark.parametrize("factory", FACTORIES.values(), ids=FACTORIES)


def run(main: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run on a loop that knows when nothing can happen; checks that nothing is left."""
    loop = VirtualLoop()

    async def checked() -> Any:
        try:
            return await main()
        finally:
            loop.set_task_factory(None)
            assert asyncio.all_tasks() == {asyncio.current_task()}

    try:
        return loop.run_until_complete(checked())
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


class Everything:
    """A graph with a cell of each kind; what happens is in `log`.

    Args:
        last: what the last cell does.
    """

    def __init__(self, last: Callable[[], Any] = lambda: None) -> None:
        """Make the graph."""
        self.log: list[str] = []
        log = self.log

        @resource
        async def opened() -> AsyncIterator[int]:
            log.append("opened open")
            yield 1
            await asyncio.sleep(0)
            log.append("opened closed")

        @resource
        def plainly(opened: int) -> Iterator[int]:
            log.append("plainly open")
            yield opened + 1
            log.append("plainly closed")

        @cell
        async def waits(plainly: int) -> int:
            await asyncio.sleep(1)
            return plainly + 1

        @cell
        async def quick() -> int:
            return 10

        @cell
        def plain(quick: int, waits: int) -> int:
            return quick + waits

        @cell
        async def lingers(opened: int) -> None:
            try:
                await asyncio.sleep(2)
            finally:
                log.append("lingers ended")

        @cell
        async def ends(plain: int) -> int:
            await asyncio.sleep(0)
            last()
            return plain + 1

        self.ends = ends
        self.graph = Graph.from_cells(
            opened, plainly, waits, quick, plain, lingers, ends
        )

    def check_end(self) -> None:
        """Check that what was opened has been closed, after the cells have ended."""
        opened = [each.split()[0] for each in self.log if each.endswith("open")]
        closed = [each.split()[0] for each in self.log if each.endswith("closed")]
        assert closed == opened[::-1]
        if closed and "lingers ended" in self.log:
            ended = self.log.index("lingers ended")
            assert ended < self.log.index(f"{closed[0]} closed")


@each_factory
@each_computer
def test_cells_are_made_with_the_factory(computer: Any, factory: Factory) -> None:
    """Whatever the factory puts around a cell, the values are right."""
    made = Everything()

    async def main() -> Any:
        asyncio.get_running_loop().set_task_factory(factory)
        return await computer(made.graph)

    assert run(main)[made.ends] == 14
    made.check_end()


@each_mode
@each_factory
@each_computer
def test_a_failure_ends_what_the_factory_made(
    computer: Any, factory: Factory, on_error: str
) -> None:
    """What runs beside a failing cell is cancelled and awaited."""

    def fail() -> None:
        raise LookupError

    made = Everything(fail)

    async def main() -> Any:
        asyncio.get_running_loop().set_task_factory(factory)
        return await computer(made.graph, on_error=on_error)

    if on_error == "continue":
        assert list(run(main).failures) == [made.ends]
    else:
        error = {"raise": LookupError, "group": ExceptionGroup}[on_error]
        with pytest.raises(error) as caught:
            run(main)
        assert list(aiocells.failures(caught.value)) == [made.ends]
    made.check_end()


@pytest.mark.parametrize("turns", range(8))
@each_factory
@each_computer
def test_a_cancellation_ends_what_the_factory_made(
    computer: Any, factory: Factory, turns: int
) -> None:
    """In whatever turn of the loop it comes, also before a cell has begun."""
    made = Everything()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        computing = loop.create_task(computer(made.graph))
        loop.set_task_factory(factory)
        for _ in range(turns):
            await asyncio.sleep(0)
        computing.cancel("why")
        with pytest.raises(asyncio.CancelledError) as caught:
            await computing
        assert caught.value.args == ("why",)
        assert aiocells.failures(caught.value) == {}

    run(main)
    made.check_end()


@each_factory
@each_computer
def test_each_cell_has_a_context_of_its_own(computer: Any, factory: Factory) -> None:
    """It sees the caller's variables, and sets none for others."""
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
        asyncio.get_running_loop().set_task_factory(factory)
        variable.set("by the caller")
        return await computer(Graph.from_cells(sets, reads))

    assert set(run(main).values()) == {"by the caller"}


@pytest.mark.parametrize("factory", [of_two_arguments, of_keywords, waiting_before])
def test_tasks_that_a_factory_makes_bear_names(factory: Factory) -> None:
    """The names of their cells."""

    @cell(name="plan")
    async def first() -> str:
        await asyncio.sleep(0)
        task = asyncio.current_task()
        assert task is not None
        return task.get_name()

    async def main() -> Any:
        asyncio.get_running_loop().set_task_factory(factory)
        return await aiocells.async_compute_concurrent(Graph.from_cells(first))

    assert run(main)[first] == "plan"


# Factories that fail


@pytest.mark.parametrize("makes", [False, True])
@pytest.mark.parametrize("call", range(1, 6))
@each_mode
@each_computer
def test_what_a_factory_raises_leaves_the_computer(
    computer: Any, on_error: str, call: int, makes: bool
) -> None:
    """At whichever task, whatever `on_error` says; all is stopped and closed before."""
    made = Everything()
    factory, raised = failing_at(call, of_two_arguments, makes=makes)

    async def main() -> None:
        asyncio.get_running_loop().set_task_factory(factory)
        await computer(made.graph, on_error=on_error)

    with pytest.raises(FactoryError) as caught:
        run(main)
    assert caught.value is raised[0]
    assert aiocells.failures(caught.value) == {}
    made.check_end()


@each_computer
def test_what_a_factory_has_wrapped_before_it_raises_never_runs(computer: Any) -> None:
    """Nothing could stop it: which of all tasks it is, nobody knows."""
    ran: list[str] = []

    @cell
    async def waits() -> None:
        ran.append("waits")
        await asyncio.get_running_loop().create_future()

    async def main() -> None:
        factory, raised = failing_at(1, waiting_after, makes=True)
        asyncio.get_running_loop().set_task_factory(factory)
        with pytest.raises(FactoryError) as caught:
            await computer(Graph.from_cells(waits))
        assert caught.value is raised[0]

    run(main)
    assert ran == []


def of_nothing(loop: Loop, body: Body) -> Any:
    """Make no future at all."""
    return


def running_nothing(loop: Loop, body: Body) -> Made:
    """Make a task that never looks at its coroutine."""

    async def nothing() -> None:
        await asyncio.sleep(0)

    return asyncio.Task(nothing(), loop=loop)


def ended_already(loop: Loop, body: Body) -> Made:
    """Make a future that is done."""
    future = loop.create_future()
    future.set_result(None)
    return future


def raising_before(loop: Loop, body: Body) -> Made:
    """Make a task that raises in place of its coroutine."""

    async def wrapper() -> None:
        await asyncio.sleep(0)
        raise FactoryError

    return asyncio.Task(wrapper(), loop=loop)


def raising_after(loop: Loop, body: Body) -> Made:
    """Make a task that raises when its coroutine has ended."""

    async def wrapper() -> None:
        await body
        raise FactoryError

    return asyncio.Task(wrapper(), loop=loop)


def raising_at_once(loop: Loop, body: Body) -> Made:
    """Make a future that has failed already."""
    future = loop.create_future()
    future.set_exception(FactoryError())
    return future


@pytest.mark.parametrize(
    ("factory", "error"),
    [
        (of_nothing, AttributeError),
        (running_nothing, RuntimeError),
        (ended_already, RuntimeError),
        (raising_before, FactoryError),
        (raising_after, FactoryError),
        (raising_at_once, FactoryError),
    ],
)
@each_mode
@each_computer
def test_a_factory_that_is_wrong_is_told(
    computer: Any, on_error: str, factory: Factory, error: type[Exception]
) -> None:
    """No value is made up for a cell that did not run, and nobody waits for it."""
    made = Everything()

    async def main() -> None:
        asyncio.get_running_loop().set_task_factory(factory)
        await computer(made.graph, on_error=on_error)

    with pytest.raises(error) as caught:
        run(main)
    made.check_end()
    if error is RuntimeError:
        assert str(caught.value).endswith(
            ") has neither run nor failed, but its turn is over. Either the task "
            "factory of the event loop does not run what it is given, or this is a "
            "fault of aiocells: please report it."
        )


@each_computer
def test_a_wrapper_that_never_ends_is_cancelled_with_the_rest(computer: Any) -> None:
    """What a factory puts after a cell is awaited, and cancelled with the computation.

    It is cancelled when the cells are over, so that they are cancelled once.
    """
    reached = asyncio.Event()
    log: list[str] = []

    def factory(loop: Loop, body: Body) -> Made:
        async def wrapper() -> None:
            await body
            reached.set()
            try:
                await asyncio.Event().wait()
            finally:
                log.append("wrapper ended")

        return asyncio.Task(wrapper(), loop=loop)

    @cell
    async def answer() -> int:
        return 42

    async def main() -> None:
        loop = asyncio.get_running_loop()
        computing = loop.create_task(computer(Graph.from_cells(answer)))
        loop.set_task_factory(factory)
        await reached.wait()
        await asyncio.sleep(10)
        assert not computing.done()
        computing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await computing

    run(main)
    assert log == ["wrapper ended"]
