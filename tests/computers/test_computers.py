"""All computers against a reference, on random graphs."""

import asyncio
import copy
import functools
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import aiocells
from aiocells import Graph, cell
from tests.strategies import Built, Reference, Shape, shapes

COMPUTERS: dict[str, Callable[..., Any]] = {
    "sequential": aiocells.compute_sequential,
    "async_sequential": lambda *args, **kwargs: asyncio.run(
        aiocells.async_compute_sequential(*args, **kwargs)
    ),
    "concurrent": lambda *args, **kwargs: asyncio.run(
        aiocells.async_compute_concurrent(*args, **kwargs)
    ),
    "simple": lambda *args, **kwargs: asyncio.run(
        aiocells.async_compute_concurrent_simple(*args, **kwargs)
    ),
}
ASYNC = sorted(set(COMPUTERS) - {"sequential"})


def computers_for(shape: Shape) -> list[str]:
    """The computers that can run a graph."""
    return ASYNC if any(node.is_async for node in shape.nodes) else sorted(COMPUTERS)


def some_ranks(shape: Shape) -> st.SearchStrategy[list[int]]:
    """Some of a graph's cells, in any order."""
    ranks = range(len(shape.nodes))
    return st.lists(st.sampled_from(ranks), unique=True) if ranks else st.just([])


def inputs_for(shape: Shape) -> dict[str, int]:
    """The input, where a cell wants it."""
    wanted = any(node.wants_input for node in shape.nodes)
    return {"extra": 7} if wanted else {}


def check_order(built: Built) -> None:
    """Every cell started after all that it needs had ended, and only once."""
    assert len(built.log) == len(set(built.log))
    position = {event: number for number, event in enumerate(built.log)}
    for rank in built.started:
        for needed in built.shape.nodes[rank].needs:
            if ("start", needed) in position:
                assert position["end", needed] < position["start", rank]


@given(shapes() | shapes(plain=True))
def test_all_computers_give_the_values_of_the_reference(shape: Shape) -> None:
    """Every computer gives each cell's value, and keeps the order of the edges."""
    reference = Reference(shape, extra=7)
    for rank in shape.declared:
        reference.compute(rank)
    for name in computers_for(shape):
        built = Built(shape)
        results = COMPUTERS[name](built.graph, inputs=inputs_for(shape))
        values = {built.ranks[function]: value for function, value in results.items()}
        assert values == reference.values
        assert list(values) == list(shape.declared)
        check_order(built)
        if "sequential" in name:
            assert built.started == reference.order


@given(shapes() | shapes(plain=True), st.data())
def test_all_computers_run_only_what_the_targets_need(
    shape: Shape, data: st.DataObject
) -> None:
    """Targets and overrides choose the same cells under every computer."""
    targets = data.draw(some_ranks(shape))
    overridden = data.draw(some_ranks(shape))
    reference = Reference(shape, 7, {rank: -rank - 1 for rank in overridden})
    expected = {rank: reference.compute(rank) for rank in targets}
    for name in computers_for(shape):
        built = Built(shape)
        results = COMPUTERS[name](
            built.graph,
            targets=[built.cells[rank] for rank in targets],
            inputs=inputs_for(shape),
            overrides={built.cells[rank]: -rank - 1 for rank in overridden},
        )
        values = {built.ranks[function]: value for function, value in results.items()}
        assert values == expected
        assert list(values) == targets
        assert set(built.started) == set(reference.values)
        check_order(built)


@given(shapes() | shapes(plain=True), st.data())
def test_without_targets_nothing_runs_that_only_overridden_cells_need(
    shape: Shape, data: st.DataObject
) -> None:
    """Overrides alone: what feeds no cell that nobody depends on is not run."""
    overridden = data.draw(some_ranks(shape))
    reference = Reference(shape, 7, {rank: -rank - 1 for rank in overridden})
    needed = {rank for node in shape.nodes for rank in node.needs}
    for rank in set(range(len(shape.nodes))) - needed:
        reference.compute(rank)
    for name in computers_for(shape):
        built = Built(shape)
        results = COMPUTERS[name](
            built.graph,
            inputs=inputs_for(shape),
            overrides={built.cells[rank]: -rank - 1 for rank in overridden},
        )
        values = {built.ranks[function]: value for function, value in results.items()}
        given_values = reference.overrides if overridden else {}
        assert values == reference.values | given_values
        assert set(built.started) == set(reference.values)
        check_order(built)


@pytest.mark.parametrize("name", sorted(COMPUTERS))
def test_an_empty_graph_has_no_results(name: str) -> None:
    """An empty graph is computed to nothing."""
    assert dict(COMPUTERS[name](Graph())) == {}
    assert dict(COMPUTERS[name](aiocells.DependencyGraph(), targets=[])) == {}


@pytest.mark.parametrize("name", sorted(COMPUTERS))
def test_a_chain_of_100_000_cells(name: str) -> None:
    """Depth is no problem: nothing recurses."""
    graph = aiocells.DependencyGraph()
    count = 0

    def step() -> None:
        nonlocal count
        count += 1

    async def async_step() -> None:
        step()

    bodies = [step] if name == "sequential" else [step, async_step]

    def node(number: int) -> Any:
        body = bodies[number % len(bodies)]
        if body is step:
            return lambda: body()

        async def wrapped() -> None:
            await async_step()

        return wrapped

    nodes = [node(number) for number in range(100_000)]
    for before, after in itertools.pairwise(nodes):
        graph.add_precedence(before, after)
    COMPUTERS[name](graph)
    assert count == 100_000


@pytest.mark.parametrize("name", sorted(COMPUTERS))
def test_a_graph_100_000_wide(name: str) -> None:
    """Width is no problem: one cell that needs 100,000 others."""
    graph = aiocells.DependencyGraph()
    order: list[int] = []

    def last() -> None:
        order.append(-1)

    for number in range(100_000):
        graph.add_precedence(lambda number=number: order.append(number), last)
    COMPUTERS[name](graph)
    assert order == [*range(100_000), -1]


@pytest.mark.parametrize("name", sorted(COMPUTERS))
def test_the_values_that_are_no_target_are_let_go(name: str) -> None:
    """A value that is no target lives no longer than its last use."""
    import gc
    import weakref

    class Big:
        pass

    seen: list[bool] = []
    references: list[weakref.ref[Big]] = []

    @cell
    def big() -> Big:
        made = Big()
        references.append(weakref.ref(made))
        return made

    @cell
    def size(big: Big) -> int:
        return 3

    @cell
    def later(size: int) -> int:
        gc.collect()
        seen.append(references[-1]() is None)
        return size

    graph = Graph.from_cells(big, size, later)
    results = COMPUTERS[name](graph, targets=[later])
    assert results[later] == 3
    assert seen == [True]
    assert COMPUTERS[name](graph)[big] is not None
    assert seen == [True, False]


@pytest.mark.parametrize("name", sorted(COMPUTERS))
def test_one_cell_overridden_twice_is_refused(name: str) -> None:
    """By cell and by name: nobody could say which value is meant."""

    @cell
    def one() -> int:
        return 1

    with pytest.raises(ValueError, match=r"'one' .*is given twice"):
        COMPUTERS[name](Graph.from_cells(one), overrides={one: 1, "one": 2})


@pytest.mark.parametrize("name", sorted(COMPUTERS))
def test_views_of_results_hold_what_has_a_value(name: str) -> None:
    """`keys`, `values`, `items` and `get` leave failed and skipped cells out."""

    @cell
    def good() -> int:
        return 1

    @cell
    def bad() -> int:
        raise ValueError

    @cell
    def after(bad: int) -> int:
        return bad

    graph = Graph.from_cells(after, bad, good)
    results = COMPUTERS[name](graph, on_error="continue")
    assert list(results) == list(results.keys()) == [good]
    assert list(results.values()) == [1]
    assert list(results.items()) == [(good, 1)]
    assert [results.get(key) for key in (good, bad, after, "zzz")] == [1] + [None] * 3
    assert results.get(bad, "default") == "default"


async def test_a_cell_starts_when_its_last_dependency_is_done() -> None:
    """Never in waves: a chain goes on while a sibling of its first cell waits."""
    may_end = asyncio.Event()

    @cell
    async def slow() -> str:
        await may_end.wait()
        return "slow"

    @cell
    async def quick() -> str:
        return "quick"

    @cell
    async def after(quick: str) -> str:
        may_end.set()
        return f"after {quick}"

    graph = Graph.from_cells(slow, quick, after)
    async with asyncio.timeout(10):
        results = await aiocells.async_compute_concurrent(graph)
    assert dict(results) == {slow: "slow", quick: "quick", after: "after quick"}


async def test_io_starts_before_plain_cells_hold_up_the_loop() -> None:
    """A ready async cell gets its first step before a ready inline cell runs."""
    order: list[str] = []

    @cell
    def plain() -> None:
        order.append("plain")

    @cell
    async def first() -> None:
        order.append("first")
        await asyncio.sleep(0)

    @cell
    async def second(first: None) -> None:
        order.append("second")

    @cell
    def other(first: None) -> None:
        order.append("other")

    await aiocells.async_compute_concurrent(
        Graph.from_cells(plain, other, first, second)
    )
    assert order == ["first", "plain", "second", "other"]


async def test_among_ready_cells_declaration_order_decides() -> None:
    """Cells that become ready together start in the order of their declaration."""
    order: list[int] = []

    def make(number: int, is_async: bool) -> Any:
        def plain(gate: None) -> None:
            order.append(number)

        async def awaited(gate: None) -> None:
            order.append(number)

        return cell(awaited if is_async else plain, name=f"cell_{number}")

    @cell
    def gate() -> None: ...

    for is_async in (False, True):
        order.clear()
        cells = [make(number, is_async) for number in range(50)]
        await aiocells.async_compute_concurrent(Graph.from_cells(*cells, gate))
        assert order == list(range(50))


async def test_each_async_cell_has_a_task_and_a_context_of_its_own() -> None:
    """`current_task`, context variables and timeouts behave as in a task."""
    import contextvars

    variable = contextvars.ContextVar("variable", default="unset")
    variable.set("caller's")
    tasks: list[asyncio.Task[Any] | None] = []

    @cell
    async def one() -> str:
        tasks.append(asyncio.current_task())
        seen = variable.get()
        variable.set("one's")
        await asyncio.sleep(0)
        return seen

    @cell
    async def two(one: str) -> str:
        tasks.append(asyncio.current_task())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await asyncio.Event().wait()
        async with asyncio.TaskGroup() as group:
            inner = group.create_task(asyncio.sleep(0, "inner"))
        return variable.get() + inner.result()

    results = await aiocells.async_compute_concurrent(Graph.from_cells(one, two))
    assert results[one] == "caller's"
    assert results[two] == "caller'sinner"
    assert len({*tasks, asyncio.current_task()}) == 3
    assert variable.get() == "caller's"


async def test_compute_sequential_works_inside_a_running_loop() -> None:
    """The plain computer can be called from a coroutine, and from its cells."""

    @cell
    def inner() -> int:
        return 1

    @cell
    async def outer() -> int:
        return aiocells.compute_sequential(Graph.from_cells(inner))[inner] + 1

    results = await aiocells.async_compute_concurrent(Graph.from_cells(outer))
    assert results[outer] == 2


async def test_a_task_factory_of_the_loop_is_honoured() -> None:
    """Where the loop has a task factory, it makes the cells' tasks."""
    made: list[Any] = []
    loop = asyncio.get_running_loop()

    def factory(loop: Any, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
        made.append(coroutine)
        return asyncio.Task(coroutine, loop=loop, **options)

    @cell
    async def one() -> int:
        return 1

    loop.set_task_factory(factory)
    try:
        await aiocells.async_compute_concurrent(Graph.from_cells(one))
    finally:
        loop.set_task_factory(None)
    assert len(made) == 1


@pytest.mark.parametrize(
    "compute",
    [
        aiocells.async_compute_sequential,
        aiocells.async_compute_concurrent,
        aiocells.async_compute_concurrent_simple,
    ],
)
async def test_a_cancellation_requested_by_the_last_cell_leaves(
    compute: Callable[..., Any],
) -> None:
    """It leaves the computation, and does not strike at the caller's next await."""

    async def computation() -> None:
        task = asyncio.current_task()
        assert task is not None

        @cell
        def last() -> None:
            task.cancel("late")

        with pytest.raises(asyncio.CancelledError, match="late"):
            await compute(Graph.from_cells(last))
        task.uncancel()
        await asyncio.sleep(0)

    await asyncio.create_task(computation())


@pytest.mark.parametrize("name", sorted(COMPUTERS))
def test_the_context_of_an_exception_stays(name: str) -> None:
    """What the cell was handling when it raised, whatever the caller is handling."""

    @cell
    def fails() -> None:
        try:
            {}["first"]
        except KeyError:
            int("second")

    @cell
    def fails_alone() -> None:
        int("alone")

    for function, context in ((fails, "KeyError('first')"), (fails_alone, "None")):
        graph = Graph.from_cells(function)
        with pytest.raises(ValueError, match=r"second|alone") as caught:
            COMPUTERS[name](graph)
        assert repr(caught.value.__context__) == context
        results = COMPUTERS[name](graph, on_error="continue")
        try:
            raise LookupError
        except LookupError:
            with pytest.raises(ValueError, match=r"second|alone") as caught:
                results[function]
        assert repr(caught.value.__context__) == context


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copied_graph_shares_nothing(copied: Callable[..., Any]) -> None:
    """Neither nodes nor edges nor plans; both go on by themselves."""
    order: list[str] = []
    first, second, third = (
        functools.partial(order.append, text) for text in ("first", "second", "third")
    )
    graph = aiocells.DependencyGraph()
    graph.add_precedence(first, second)
    aiocells.compute_sequential(graph)
    other = copied(graph)
    added = other.topological_ordering[0]
    other.add_precedence(third, added)
    assert (len(graph), len(other)) == (2, 3)
    order.clear()
    aiocells.compute_sequential(graph)
    assert order == ["first", "second"]
    ran = [node.args[0] for node in aiocells.compute_sequential(other)]
    assert sorted(ran) == ["first", "second", "third"]


@pytest.mark.parametrize("name", sorted(COMPUTERS))
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"inputs": ["x"]}, r"inputs= takes a mapping, inputs={\"name\": value}, not"),
        ({"overrides": {1}}, r"overrides= takes a mapping, overrides={cell: value}"),
    ],
)
def test_what_is_no_mapping_is_refused(
    name: str, options: dict[str, Any], message: str
) -> None:
    """With the form that is wanted."""
    with pytest.raises(TypeError, match=message):
        COMPUTERS[name](Graph(), **options)


def test_an_input_that_is_a_cell_itself_is_an_override() -> None:
    """The message says so, for the cell as for its name."""

    @cell
    def one() -> int:
        return 1

    for key in (one, "one"):
        inputs: Any = {key: 2}
        with pytest.raises(aiocells.UnknownInput, match="replace its value with over"):
            aiocells.compute_sequential(Graph.from_cells(one), inputs=inputs)


@pytest.mark.parametrize("name", sorted(COMPUTERS))
@pytest.mark.parametrize("is_shaped", [False, True])
def test_a_coroutine_from_a_plain_wrapper_is_refused(
    name: str, is_shaped: bool
) -> None:
    """A cell that looks plain, and whose coroutine nobody would await, has failed."""

    def plain(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return wrapper

    def running(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            coroutine = function(*args, **kwargs)
            with pytest.raises(StopIteration) as caught:
                coroutine.send(None)
            return caught.value.value

        return wrapper

    if is_shaped:

        async def one(*, x: int = 1) -> int:
            return x
    else:

        async def one(x: int = 1) -> int:
            return x

    refused = Graph.from_cells(cell(plain(one)))
    with pytest.raises(TypeError, match="a coroutine, which nobody awaits") as caught:
        COMPUTERS[name](refused)
    assert caught.value.__notes__[0].startswith("in cell 'one' (")
    runs = cell(name="runs")(running(one))
    assert COMPUTERS[name](Graph.from_cells(runs))["runs"] == 1
