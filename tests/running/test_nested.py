"""Computations within cells of others: how deep they may be, and what they tell."""

import asyncio
import gc
import sys
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import aiocells
from aiocells import Graph, cell
from tests.helpers import ASYNC_COMPUTERS
from tests.virtual_loop import run_virtually

CONCURRENT = {name: ASYNC_COMPUTERS[name] for name in ("concurrent", "simple")}
each_computer = pytest.mark.parametrize(
    "computer", ASYNC_COMPUTERS.values(), ids=ASYNC_COMPUTERS
)
each_concurrent = pytest.mark.parametrize(
    "computer", CONCURRENT.values(), ids=CONCURRENT
)


# Depth

DEPTH = 1000


def nested(computer: Any, innermost: Callable[[], Any], **options: Any) -> Graph:
    """A graph whose cell computes the graph, until the input is 0."""

    @cell
    async def level(number: int) -> Any:
        if number == 0:
            return innermost()
        inputs = {"number": number - 1}
        results = await computer(graph, inputs=inputs, **options)
        return results[level] + 1

    graph = Graph.from_cells(level)
    return graph


@each_computer
def test_computations_may_be_nested_deeper_than_the_stack_is(computer: Any) -> None:
    """Tasks that start at once do not pile up."""
    graph = nested(computer, lambda: 0)
    assert sys.getrecursionlimit() <= DEPTH
    [value] = run_virtually(computer(graph, inputs={"number": DEPTH})).values()
    assert value == DEPTH


@each_computer
def test_observed_and_limited_computations_may_be_nested_as_deep(computer: Any) -> None:
    """With what is put around a cell, too."""
    seen: list[Any] = []
    options: dict[str, Any] = {"observers": [seen.append]}
    if computer is not ASYNC_COMPUTERS["async_sequential"]:
        options["max_concurrency"] = 1
    graph = nested(computer, lambda: 0, **options)
    [value] = run_virtually(
        computer(graph, inputs={"number": DEPTH}, **options)
    ).values()
    assert value == DEPTH
    assert len(seen) == 2 * (DEPTH + 1)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="there are no eager tasks")
@each_computer
def test_an_eager_task_factory_nests_as_deep(computer: Any) -> None:
    """Be it asyncio's own, or another; what has to wait waits for the loop."""
    graph = nested(computer, lambda: 0)
    factory: Any = asyncio
    for made in (
        factory.eager_task_factory,
        factory.create_eager_task_factory(
            lambda *args, **kw: asyncio.Task(*args, **kw)
        ),
    ):

        async def main(made: Any = made) -> Any:
            asyncio.get_running_loop().set_task_factory(made)
            return await computer(graph, inputs={"number": DEPTH})

        assert list(run_virtually(main()).values()) == [DEPTH]


@each_computer
def test_a_failure_comes_out_of_any_depth(computer: Any) -> None:
    """Itself, with one note for the cell, however often that was run."""
    error = LookupError()

    def fail() -> None:
        raise error

    graph = nested(computer, fail)
    with pytest.raises(LookupError) as caught:
        run_virtually(computer(graph, inputs={"number": DEPTH}))
    assert caught.value is error
    assert list(aiocells.failures(error).values()) == [error]
    assert len(error.__notes__) == 1


@each_computer
def test_a_cancellation_reaches_any_depth(computer: Any) -> None:
    """Each level is cancelled by the one around it."""
    reached = asyncio.Event()

    @cell
    async def level(number: int) -> None:
        if number == 0:
            reached.set()
            await asyncio.Event().wait()
        await computer(graph, inputs={"number": number - 1})

    graph = Graph.from_cells(level)

    async def main() -> None:
        computing = asyncio.create_task(computer(graph, inputs={"number": DEPTH}))
        await reached.wait()
        computing.cancel("why")
        with pytest.raises(asyncio.CancelledError) as caught:
            await computing
        assert caught.value.args == ("why",)

    run_virtually(main())


@each_computer
def test_cancelled_while_a_deep_computation_waits_for_its_turn(computer: Any) -> None:
    """Nothing of it has begun, and nothing of it is left."""
    computing: list[asyncio.Task[Any]] = []

    @cell
    async def level(number: int) -> None:
        if number == 0:
            await asyncio.Event().wait()
        if number % 3 == 0:
            computing[0].cancel("why")
        await computer(graph, inputs={"number": number - 1})

    graph = Graph.from_cells(level)

    async def main() -> None:
        computing.append(asyncio.create_task(computer(graph, inputs={"number": 100})))
        with pytest.raises(asyncio.CancelledError):
            await computing[0]

    run_virtually(main())


# Failures


class Failing:
    """A graph whose cells all wait, and fail when they are told to, or are cancelled.

    Args:
        computer: what `compute` computes it with.
        names: those of its cells.
        options: of the computer.
    """

    def __init__(self, computer: Any, *names: str, **options: Any) -> None:
        """Make the graph."""
        self.errors: dict[Any, BaseException] = {}
        self.all_errors: list[BaseException] = []
        self.runs = asyncio.Event()
        self.may_fail = asyncio.Event()
        self._computer, self._options = computer, options
        self.cells = [self._cell(name) for name in names]
        self.graph = Graph.from_cells(*self.cells)

    def _cell(self, name: str) -> Any:
        @cell(name=name)
        async def fails() -> None:
            self.runs.set()
            try:
                await asyncio.sleep(0)
                await self.may_fail.wait()
            finally:
                error = self.errors[fails] = ValueError(f"{name} failed")
                self.all_errors.append(error)
                raise error

        return fails

    async def compute(self) -> None:
        """Compute the graph, as a cell of another one does."""
        await self._computer(self.graph, **self._options)


def also(error: BaseException) -> list[str]:
    """The names and texts of what the notes of an exception say failed as well."""
    told = []
    for note in error.__notes__:
        if note.startswith("also failed: cell "):
            name, _, text = note.removeprefix("also failed: cell ").partition(" (")
            told.append(f"{name} {text.partition('): ')[2]}")
    return told


@each_computer
def test_what_fails_within_a_cancelled_computation_is_told(computer: Any) -> None:
    """By the cancellation of the outer one, which the inner one's is dropped for."""
    inner = Failing(computer, "inner")

    @cell
    async def outer() -> None:
        await inner.compute()

    async def main() -> None:
        computing = asyncio.create_task(computer(Graph.from_cells(outer)))
        await inner.runs.wait()
        computing.cancel("why")
        with pytest.raises(asyncio.CancelledError) as caught:
            await computing
        assert caught.value.args == ("why",)
        assert aiocells.failures(caught.value) == inner.errors
        assert also(caught.value) == ["'inner' ValueError: inner failed"]

    run_virtually(main())


@pytest.mark.parametrize("on_error", ["raise", "group"])
@each_concurrent
def test_what_fails_within_a_cell_that_is_cancelled_for_another_is_told(
    computer: Any, on_error: str
) -> None:
    """By the failure of the other cell, or as one of a group."""
    inner = Failing(computer, "inner")

    @cell
    async def outer() -> None:
        await inner.compute()

    @cell
    async def sibling() -> None:
        await inner.runs.wait()
        raise LookupError

    graph = Graph.from_cells(outer, sibling)
    with pytest.raises((LookupError, ExceptionGroup)) as caught:
        run_virtually(computer(graph, on_error=on_error))
    found = aiocells.failures(caught.value)
    assert list(found) == [sibling, *inner.cells]
    assert found[inner.cells[0]] is inner.errors[inner.cells[0]]
    if on_error == "raise":
        assert also(caught.value) == ["'inner' ValueError: inner failed"]
    else:
        assert str(caught.value) == "2 cells failed (2 sub-exceptions)"
        assert caught.value.exceptions == tuple(found.values())


@pytest.mark.parametrize("inner_mode", ["raise", "group"])
@pytest.mark.parametrize("on_error", ["raise", "group"])
@each_concurrent
def test_all_that_fails_within_a_failing_cell_is_told(
    computer: Any, on_error: str, inner_mode: str
) -> None:
    """The second failure of the inner computation is one of the outer one, too."""
    inner = Failing(computer, "one", "two", on_error=inner_mode)

    @cell
    async def outer() -> None:
        inner.may_fail.set()
        await inner.compute()

    with pytest.raises((ValueError, ExceptionGroup)) as caught:
        run_virtually(computer(Graph.from_cells(outer), on_error=on_error))
    found = aiocells.failures(caught.value)
    one, two = inner.cells
    first, second = inner.errors.values()
    if inner_mode == "raise":
        assert found == {outer: first, two: second}
        raised = (first, second)
    else:
        assert list(found) == [outer, one, two]
        assert isinstance(found[outer], ExceptionGroup)
        assert found[outer].exceptions == (first, second)
        raised = (found[outer],)
    if on_error == "group":
        assert caught.value.exceptions == raised
    else:
        assert caught.value is raised[0]
        told = ["'two' ValueError: two failed"] if inner_mode == "raise" else []
        assert also(caught.value) == told


@each_concurrent
def test_with_continue_they_are_found_at_the_cells_own_failure(computer: Any) -> None:
    """The failures of the results are those of the graph's own cells."""
    inner = Failing(computer, "one", "two")

    @cell
    async def outer() -> None:
        inner.may_fail.set()
        await inner.compute()

    results = run_virtually(computer(Graph.from_cells(outer), on_error="continue"))
    first = inner.errors[inner.cells[0]]
    assert dict(results.failures) == {outer: first}
    assert aiocells.failures(first) == inner.errors


@each_computer
def test_failures_are_told_through_any_number_of_computations(computer: Any) -> None:
    """What is dropped at one level is told at the next."""
    inner = Failing(computer, "inner")

    @cell
    async def middle() -> None:
        await inner.compute()

    @cell
    async def outer() -> None:
        await computer(Graph.from_cells(middle))

    async def main() -> None:
        async with asyncio.timeout(1):
            await computer(Graph.from_cells(outer))

    with pytest.raises(TimeoutError) as caught:
        run_virtually(main())
    cancelled = caught.value.__cause__
    assert cancelled is not None
    assert aiocells.failures(cancelled) == inner.errors
    assert also(cancelled) == ["'inner' ValueError: inner failed"]


@pytest.mark.parametrize("scope", ["option", "with"])
@each_computer
def test_what_fails_within_a_cell_whose_time_is_over_is_told(
    computer: Any, scope: str
) -> None:
    """The cancellation is then the cause of the cell's TimeoutError."""
    inner = Failing(computer, "inner")

    @cell(timeout=1 if scope == "option" else None)
    async def outer() -> None:
        async with asyncio.timeout(1 if scope == "with" else None):
            await inner.compute()

    with pytest.raises(TimeoutError) as caught:
        run_virtually(computer(Graph.from_cells(outer)))
    assert aiocells.failures(caught.value) == {outer: caught.value} | inner.errors
    assert also(caught.value) == ["'inner' ValueError: inner failed"]


@each_concurrent
def test_what_fails_within_a_task_group_of_a_cell_is_told(computer: Any) -> None:
    """The exceptions of a group are looked into."""
    made = [Failing(computer, f"{name} one", f"{name} two") for name in ("a", "b")]

    @cell
    async def outer() -> None:
        async with asyncio.TaskGroup() as group:
            for inner in made:
                inner.may_fail.set()
                group.create_task(inner.compute())

    with pytest.raises(ExceptionGroup) as caught:
        run_virtually(computer(Graph.from_cells(outer)))
    expected = {outer: caught.value} | made[0].errors | made[1].errors
    assert aiocells.failures(caught.value) == expected
    assert also(caught.value) == [
        "'a two' ValueError: a two failed",
        "'b two' ValueError: b two failed",
    ]


@each_concurrent
def test_one_graph_that_fails_in_several_cells_is_told_for_each(computer: Any) -> None:
    """`failures` has them as a group, since they are failures of one cell."""
    inner = Failing(computer, "inner")

    def outer(number: int) -> Any:
        async def body() -> None:
            await inner.compute()

        return cell(body, name=f"outer_{number}")

    @cell
    async def sibling() -> None:
        await inner.runs.wait()
        raise LookupError

    with pytest.raises(LookupError) as caught:
        run_virtually(computer(Graph.from_cells(*map(outer, range(3)), sibling)))
    found = aiocells.failures(caught.value)
    assert list(found) == [sibling, inner.cells[0]]
    group = found[inner.cells[0]]
    assert isinstance(group, ExceptionGroup)
    assert str(group) == "the cell failed 3 times (3 sub-exceptions)"
    assert list(group.exceptions) == inner.all_errors


@each_concurrent
def test_a_cell_of_the_outer_graph_that_fails_within_as_well(computer: Any) -> None:
    """Its own failure counts; the other one is in the notes."""
    shared = Failing(computer, "shared")

    @cell
    async def outer() -> None:
        await shared.runs.wait()
        await shared.compute()

    async def main() -> None:
        graph = Graph.from_cells(outer, *shared.cells)
        computing = asyncio.create_task(computer(graph))
        for _ in range(10):
            await asyncio.sleep(0)
        computing.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await computing
        [error] = aiocells.failures(caught.value).values()
        assert isinstance(error, ValueError)
        assert also(caught.value) == ["'shared' ValueError: shared failed"]

    run_virtually(main())


@each_computer
def test_exceptions_that_hold_each_other_are_looked_into_once(computer: Any) -> None:
    """A cause may come from its effect, and a group may hold one twice."""
    inner = Failing(computer, "one", "two")
    effect = LookupError()

    @cell
    async def outer() -> None:
        inner.may_fail.set()
        try:
            await inner.compute()
        except ValueError as error:
            effect.__cause__, error.__cause__ = error, effect
            msg = "both"
            raise ExceptionGroup(msg, [effect, error, effect]) from error

    with pytest.raises(ExceptionGroup) as caught:
        run_virtually(computer(Graph.from_cells(outer), on_error="group"))
    assert aiocells.failures(caught.value).keys() == {outer, *inner.errors}


@each_computer
def test_a_cell_that_deals_with_a_failure_within_has_not_failed(computer: Any) -> None:
    """What it catches is its own affair."""
    inner = Failing(computer, "one", "two")

    @cell
    async def outer() -> str:
        inner.may_fail.set()
        try:
            await inner.compute()
        except ValueError:
            return "handled"
        return "computed"

    assert run_virtually(computer(Graph.from_cells(outer)))[outer] == "handled"


@each_computer
def test_dropped_cancellations_keep_no_value_alive(computer: Any) -> None:
    """What failed within is told without what was cancelled around it."""

    class Value:
        """Something that can be watched."""

    inner = Failing(computer, "inner")
    values: list[weakref.ref[Value]] = []

    @cell
    async def value() -> Value:
        made = Value()
        values.append(weakref.ref(made))
        return made

    @cell
    async def outer(value: Value) -> None:
        await inner.compute()

    async def main() -> None:
        computing = asyncio.create_task(computer(Graph.from_cells(outer, value)))
        await inner.runs.wait()
        computing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await computing

    gc.collect()
    gc.disable()
    try:
        run_virtually(main())
        inner.errors.clear()
        inner.all_errors.clear()
        assert [value() for value in values] == [None]
    finally:
        gc.enable()
