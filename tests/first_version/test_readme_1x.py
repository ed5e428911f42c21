"""What a user of aiocells 1.0.4 could write still works; what was wrong is mended."""

import asyncio
import datetime
import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import pytest

import aiocells

Computer = Callable[[Any], Coroutine[Any, Any, Any]]

ASYNC_COMPUTERS = [
    aiocells.async_compute_sequential,
    aiocells.async_compute_concurrent,
    aiocells.async_compute_concurrent_simple,
]
CONCURRENT_COMPUTERS = ASYNC_COMPUTERS[1:]


async def in_a_task(graph: Any) -> Any:
    """`compute_sequential` in the shape of the async computers."""
    return aiocells.compute_sequential(graph)


COMPUTERS = [in_a_task, *ASYNC_COMPUTERS]


def null() -> None:
    """Do nothing."""


@pytest.mark.parametrize(
    "name",
    [
        "CircularDependency",
        "DependencyGraph",
        "GraphException",
        "ModAdder",
        "ModClock",
        "ModPlace",
        "ModPrinter",
        "Place",
        "Stopwatch",
        "assign",
        "async_compute_concurrent",
        "async_compute_concurrent_simple",
        "async_compute_sequential",
        "cancel_flow",
        "compute_flow",
        "compute_sequential",
        "print_value",
        "timer",
    ],
)
def test_name_is_public(name: str) -> None:
    """Every public name of 1.0.4 is one of `aiocells`."""
    assert name in aiocells.__all__
    assert hasattr(aiocells, name)


class TestReadme:
    """The calls that the README of 1.0.4 shows."""

    def test_hello_world(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A function that is added to a graph is called when it is computed."""

        def hello_world() -> None:
            print("Hello, world!")

        graph = aiocells.DependencyGraph()
        graph.add_node(hello_world)
        aiocells.compute_sequential(graph)

        assert capsys.readouterr().out == "Hello, world!\n"

    def test_precedence_between_lambdas(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Lambdas run in the order that add_precedence says, not as they were added."""
        graph = aiocells.DependencyGraph()
        last = graph.add_node(lambda: print("Woke up!"))
        second = graph.add_node(lambda: print("Zzz"))
        first = graph.add_node(lambda: print("Sleeping..."))
        graph.add_precedence(first, second)
        graph.add_precedence(second, last)
        aiocells.compute_sequential(graph)

        assert capsys.readouterr().out == "Sleeping...\nZzz\nWoke up!\n"

    def test_partial_of_a_coroutine_function_is_awaited(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A partial of asyncio.sleep is a node, and may be added by its precedence."""
        graph = aiocells.DependencyGraph()
        before = graph.add_node(lambda: print("Sleeping..."))
        sleep = partial(asyncio.sleep, 0)
        after = graph.add_node(lambda: print("Woke up!"))
        graph.add_precedence(before, sleep)
        graph.add_precedence(sleep, after)
        asyncio.run(aiocells.async_compute_sequential(graph))

        assert sleep in graph.dependency_dict
        assert capsys.readouterr().out == "Sleeping...\nWoke up!\n"

    @pytest.mark.parametrize(
        "compute",
        [aiocells.async_compute_sequential, aiocells.async_compute_concurrent],
    )
    def test_graph_of_demo_6(self, compute: Computer) -> None:
        """demo_6.create_graph gives a graph that starts and stops the stopwatch."""
        import aiocells.demo_6 as demo_6

        stopwatch = aiocells.Stopwatch()
        graph = demo_6.create_graph(stopwatch, scale=0)
        asyncio.run(compute(graph))

        assert len(graph) == 4
        assert not stopwatch.is_running
        assert isinstance(stopwatch.elapsed_time(), datetime.timedelta)

    def test_graph_of_demo_6_sleeps_for_1_and_2_seconds(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """demo_6.create_graph(stopwatch) sleeps between the start and the stop."""
        import aiocells.demo_6 as demo_6

        log: list[object] = []

        class Watch(aiocells.Stopwatch):
            def start(self) -> None:
                log.append("start")

            def stop(self) -> None:
                log.append("stop")

        async def sleep(seconds: float) -> None:
            log.append(seconds)

        monkeypatch.setattr(asyncio, "sleep", sleep)
        graph = demo_6.create_graph(Watch())
        asyncio.run(aiocells.async_compute_sequential(graph))

        assert log == ["start", 1, 2, "stop"]

    @pytest.mark.needs_processes
    def test_demo_is_imported_by_its_old_name(self) -> None:
        """`import aiocells.demo_6 as demo_6` works in a fresh interpreter."""
        program = "import aiocells.demo_6 as demo_6; print(demo_6.create_graph)"

        assert "create_graph" in run_python(program)


class TestDependencyGraph:
    """The methods and properties of DependencyGraph."""

    def test_is_empty_and_nameless_at_first(self) -> None:
        """A new graph has no nodes, no name, and computes to nothing."""
        graph = aiocells.DependencyGraph()
        aiocells.compute_sequential(graph)

        assert (len(graph), graph.name) == (0, None)
        assert graph.dependency_dict == {}

    def test_takes_dependencies_and_a_name(self) -> None:
        """initial_dependencies maps nodes to what they need; all become nodes."""
        graph = aiocells.DependencyGraph(
            initial_dependencies={"c": ["a", "b"], "d": []}, name="letters"
        )

        assert graph.name == "letters"
        assert graph.dependency_dict == {
            "a": set(),
            "b": set(),
            "c": {"a", "b"},
            "d": set(),
        }

    def test_takes_arguments_by_keyword_only(self) -> None:
        """Dependencies given by position are refused."""
        with pytest.raises(TypeError):
            aiocells.DependencyGraph({})

    def test_name_can_be_set(self) -> None:
        """The name is a plain attribute."""
        graph = aiocells.DependencyGraph()
        graph.name = "renamed"

        assert graph.name == "renamed"

    def test_add_node_returns_the_node(self) -> None:
        """add_node gives its argument back, new to the graph or not."""
        graph = aiocells.DependencyGraph()

        assert graph.add_node(null) is null
        assert graph.add_node(null) is null
        assert len(graph) == 1

    def test_add_dependency_puts_the_second_first(self) -> None:
        """add_dependency(a, b) means that b is computed before a."""
        graph = aiocells.DependencyGraph()
        graph.add_dependency("a", "b")

        assert graph.dependency_dict == {"a": {"b"}, "b": set()}
        assert graph.topological_ordering == ["b", "a"]

    def test_add_precedence_puts_the_first_first(self) -> None:
        """add_precedence(a, b) means that a is computed before b."""
        graph = aiocells.DependencyGraph()
        graph.add_precedence("a", "b")

        assert graph.dependency_dict == {"a": set(), "b": {"a"}}
        assert graph.topological_ordering == ["a", "b"]

    def test_adding_twice_changes_nothing(self) -> None:
        """An edge that is there already is not added again."""
        graph = aiocells.DependencyGraph()
        for _ in range(2):
            graph.add_precedence("a", "b")

        assert graph.precedence_dict == {"a": {"b"}, "b": set()}

    @pytest.mark.parametrize(
        "add",
        [
            lambda graph: graph.add_node(None),
            lambda graph: graph.add_dependency(None, "a"),
            lambda graph: graph.add_dependency("a", None),
            lambda graph: graph.add_precedence(None, "a"),
            lambda graph: graph.add_precedence("a", None),
        ],
    )
    def test_none_is_no_node(
        self, add: Callable[[aiocells.DependencyGraph], object]
    ) -> None:
        """None is refused with a ValueError, and nothing is added."""
        graph = aiocells.DependencyGraph()

        with pytest.raises(ValueError, match=r"Invalid argument: .*None"):
            add(graph)
        assert len(graph) == 0

    def test_none_is_no_initial_node(self) -> None:
        """None among the initial dependencies is refused as well."""
        with pytest.raises(ValueError, match="Invalid argument"):
            aiocells.DependencyGraph(initial_dependencies={"a": [None]})

    def test_precedence_dict_reads_the_edges_forwards(self) -> None:
        """precedence_dict maps each node to those that need it, as of now."""
        graph = aiocells.DependencyGraph(initial_dependencies={"b": ["a"], "c": ["a"]})
        before = graph.precedence_dict
        graph.add_precedence("c", "d")

        assert before == {"a": {"b", "c"}, "b": set(), "c": set()}
        assert graph.precedence_dict == {
            "a": {"b", "c"},
            "b": set(),
            "c": {"d"},
            "d": set(),
        }

    def test_ordering_follows_a_change(self) -> None:
        """topological_ordering is right again after an edge was added."""
        graph = aiocells.DependencyGraph()
        graph.add_node("a")
        graph.add_node("b")
        before = graph.topological_ordering
        graph.add_precedence("b", "a")

        assert before == ["a", "b"]
        assert graph.topological_ordering == ["b", "a"]

    def test_input_nodes_need_nothing(self) -> None:
        """input_nodes are those without dependencies, as of now."""
        graph = aiocells.DependencyGraph(initial_dependencies={"c": ["a", "b"]})
        before = graph.input_nodes
        graph.add_precedence("c", "a")

        assert before == {"a", "b"}
        assert graph.input_nodes == {"b"}

    def test_cycle_is_told(self) -> None:
        """The message begins as in 1.x, and goes on with the path."""
        graph = aiocells.DependencyGraph()
        graph.add_dependency("a", "b")
        graph.check_for_cycles()
        assert not graph.has_cycle

        graph.add_dependency("b", "a")
        assert graph.has_cycle
        expected = r"^Circular dependency detected in graph: 'a' needs 'b' needs 'a'"
        with pytest.raises(aiocells.CircularDependency, match=expected) as caught:
            graph.check_for_cycles()
        assert isinstance(caught.value, aiocells.GraphException)

    def test_node_that_needs_itself_is_a_cycle(self) -> None:
        """One node is enough for a cycle."""
        graph = aiocells.DependencyGraph()
        graph.add_dependency("a", "a")

        with pytest.raises(aiocells.CircularDependency):
            _ = graph.topological_ordering

    @pytest.mark.parametrize("compute", COMPUTERS)
    async def test_cycle_is_found_before_a_node_runs(self, compute: Computer) -> None:
        """Every computer refuses a graph with a cycle before it calls a node."""
        called: list[str] = []
        graph = aiocells.DependencyGraph()
        graph.add_node(lambda: called.append("a"))
        first, second = partial(null), partial(null)
        graph.add_precedence(first, second)
        graph.add_precedence(second, first)

        with pytest.raises(aiocells.CircularDependency):
            await compute(graph)
        assert called == []

    def test_decorate_replaces_the_nodes(self) -> None:
        """decorate gives a graph of the same edges, calling the factory once a node."""
        graph = aiocells.DependencyGraph(
            initial_dependencies={"c": ["a", "b"], "b": ["a"]}
        )
        seen: list[str] = []

        def upper(node: str) -> str:
            seen.append(node)
            return node.upper()

        decorated = graph.decorate(upper)

        assert type(decorated) is aiocells.DependencyGraph
        assert sorted(seen) == ["a", "b", "c"]
        assert decorated.dependency_dict == {"A": set(), "B": {"A"}, "C": {"A", "B"}}
        assert graph.dependency_dict == {"a": set(), "b": {"a"}, "c": {"a", "b"}}

    def test_len_counts_the_nodes(self) -> None:
        """len() is the number of nodes, those that only others name included."""
        graph = aiocells.DependencyGraph(initial_dependencies={"c": ["a", "b"]})

        assert len(graph) == 3

    def test_str_shows_the_dependencies(self) -> None:
        """str() is that of the dependencies as a dict of sets."""
        graph = aiocells.DependencyGraph()
        graph.add_precedence("a", "b")

        assert str(graph) == str({"b": {"a"}, "a": set()})


class TestMended:
    """What 1.x got wrong."""

    @pytest.mark.parametrize("compute", COMPUTERS)
    async def test_deep_graph(self, compute: Computer) -> None:
        """A chain of 20,000 nodes is computed in order, without recursion."""
        log: list[int] = []
        chain = [partial(log.append, number) for number in range(20_000)]
        graph = aiocells.DependencyGraph()
        for before, after in reversed(list(itertools.pairwise(chain))):
            graph.add_precedence(before, after)

        await compute(graph)

        assert log == list(range(20_000))

    def test_deep_graph_is_searched_for_cycles(self) -> None:
        """A cycle through 20,000 nodes is found, without recursion."""
        graph = aiocells.DependencyGraph()
        for number in range(20_000):
            graph.add_dependency(number, (number + 1) % 20_000)

        assert graph.has_cycle

    @pytest.mark.parametrize("compute", CONCURRENT_COMPUTERS)
    async def test_siblings_are_cancelled_after_a_failure(
        self, compute: Computer
    ) -> None:
        """When a node fails, the others are cancelled and awaited before it raises."""
        started = asyncio.Event()
        log: list[str] = []

        async def sibling() -> None:
            started.set()
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                log.append("cleaned up")

        async def failing() -> None:
            await started.wait()
            raise ZeroDivisionError

        graph = aiocells.DependencyGraph()
        graph.add_node(sibling)
        graph.add_node(failing)
        before = asyncio.all_tasks()

        with pytest.raises(ZeroDivisionError):
            await compute(graph)
        assert log == ["cleaned up"]
        assert asyncio.all_tasks() == before

    @pytest.mark.parametrize("compute", COMPUTERS)
    async def test_exception_is_the_one_of_the_node(self, compute: Computer) -> None:
        """What a node raises is what the computer raises, with a note of the node."""
        error = LookupError("no such thing")

        def failing() -> None:
            raise error

        graph = aiocells.DependencyGraph()
        graph.add_node(failing)

        with pytest.raises(LookupError, match="no such thing") as caught:
            await compute(graph)
        assert caught.value is error
        assert any(
            "'failing'" in note and "test_readme_1x.py" in note
            for note in error.__notes__
        )

    @pytest.mark.parametrize("compute", COMPUTERS)
    async def test_nothing_runs_behind_a_failure(self, compute: Computer) -> None:
        """What needs a failed node is not called."""
        called: list[str] = []

        def failing() -> None:
            raise ZeroDivisionError

        graph = aiocells.DependencyGraph()
        graph.add_precedence(failing, lambda: called.append("after"))

        with pytest.raises(ZeroDivisionError):
            await compute(graph)
        assert called == []

    def test_async_node_is_refused_by_compute_sequential(self) -> None:
        """No node runs, and the error names the node and a computer that takes it."""
        called: list[str] = []

        async def fetch() -> None:
            """Never called."""

        graph = aiocells.DependencyGraph()
        graph.add_node(lambda: called.append("plain"))
        graph.add_node(fetch)

        expected = r"'fetch'.*async_compute_sequential"
        with pytest.raises(aiocells.GraphException, match=expected):
            aiocells.compute_sequential(graph)
        assert called == []

    @pytest.mark.parametrize("compute", ASYNC_COMPUTERS)
    async def test_async_call_method_is_awaited(self, compute: Computer) -> None:
        """An object whose __call__ is a coroutine function is awaited."""
        log: list[str] = []

        class Node:
            async def __call__(self) -> None:
                log.append("awaited")

        graph = aiocells.DependencyGraph()
        graph.add_node(Node())

        await compute(graph)

        assert log == ["awaited"]

    @pytest.mark.needs_processes
    def test_order_does_not_depend_on_the_hash_seed(self) -> None:
        """The ordering and every computer go the same way under any hash seed."""
        seen = {run_python(ORDER_PROGRAM, hash_seed=seed) for seed in "0123"}
        orders = next(iter(seen)).splitlines()

        assert len(seen) == 1
        assert len(orders) == 5
        assert orders[:3] == [SEQUENTIAL_ORDER] * 3


# Ten middle nodes between two ends; the nodes hash as their names do, by the seed.
ORDER_PROGRAM = """
import asyncio
import aiocells

class Node:
    def __init__(self, name):
        self.name = name
    def __hash__(self):
        return hash(self.name)
    def __call__(self):
        log.append(self.name)

log = []
graph = aiocells.DependencyGraph()
first, last = Node("first"), Node("last")
graph.add_dependency(last, Node("lone"))
for letter in "hcaidbgefj":
    middle, late = Node(letter), Node(letter.upper())
    graph.add_precedence(first, late)
    graph.add_precedence(middle, late)
    graph.add_precedence(late, last)
print(*[node.name for node in graph.topological_ordering])
aiocells.compute_sequential(graph)
print(*log)
for compute in (
    aiocells.async_compute_sequential,
    aiocells.async_compute_concurrent,
    aiocells.async_compute_concurrent_simple,
):
    log.clear()
    asyncio.run(compute(graph))
    print(*log)
"""

# Depth first: each dependency in front of what needs it.
SEQUENTIAL_ORDER = "lone first h H c C a A i I d D b B g G e E f F j J last"


class TestFlow:
    """compute_flow and cancel_flow."""

    async def test_computes_the_others_after_an_input(self) -> None:
        """When an input has news, the other nodes are computed in order."""
        news: asyncio.Queue[str] = asyncio.Queue()
        log: list[str] = []

        async def source() -> None:
            log.append(await news.get())

        async def middle() -> None:
            log.append("middle")

        graph = aiocells.DependencyGraph()
        graph.add_precedence(middle, last := partial(log.append, "last"))
        graph.add_precedence(source, middle)
        graph.add_precedence(source, last)
        news.put_nowait("news")

        assert await aiocells.compute_flow(graph) == 1
        assert log == ["news", "middle", "last"]
        await aiocells.cancel_flow(graph)

    async def test_starts_the_input_again(self) -> None:
        """An input that has ended runs again, while the caller does other things."""
        news: asyncio.Queue[int] = asyncio.Queue()
        place = aiocells.Place()
        seen: list[int] = []

        graph = aiocells.DependencyGraph()
        graph.add_precedence(aiocells.assign(place, news.get), place)
        graph.add_precedence(place, lambda: seen.append(place.value))
        for number in range(3):
            news.put_nowait(number)
            await aiocells.compute_flow(graph)

        assert seen == [0, 1, 2]
        await aiocells.cancel_flow(graph)

    async def test_returns_how_many_inputs_are_running(self) -> None:
        """The result counts the inputs: those that wait, and the one started again."""
        news: asyncio.Queue[int] = asyncio.Queue()
        graph = aiocells.DependencyGraph()
        graph.add_node(news.get)
        graph.add_node(asyncio.Event().wait)
        news.put_nowait(1)

        assert await aiocells.compute_flow(graph) == 2
        await aiocells.cancel_flow(graph)

    async def test_waits_for_one_input_only(self) -> None:
        """An input that has no news yet holds nothing up, and is not started twice."""
        started: list[str] = []

        async def quick() -> None:
            started.append("quick")

        async def slow() -> None:
            started.append("slow")
            await asyncio.Event().wait()

        graph = aiocells.DependencyGraph()
        graph.add_node(quick)
        graph.add_node(slow)
        for _ in range(3):
            await aiocells.compute_flow(graph)
        await aiocells.cancel_flow(graph)

        assert started.count("slow") == 1

    async def test_is_over_after_cancel_flow(self) -> None:
        """After cancel_flow the inputs have ended, and compute_flow returns 0."""
        before = asyncio.all_tasks()
        graph = aiocells.DependencyGraph()
        graph.add_node(partial(asyncio.sleep, 0))
        graph.add_node(asyncio.Event().wait)
        await aiocells.compute_flow(graph)

        await aiocells.cancel_flow(graph)

        assert asyncio.all_tasks() == before
        assert await aiocells.compute_flow(graph) == 0

    async def test_loop_of_1x_ends(self) -> None:
        """`while await compute_flow(graph)` ends after cancel_flow in its body."""
        graph = aiocells.DependencyGraph()
        graph.add_precedence(partial(asyncio.sleep, 0), null)
        count = 0
        while await aiocells.compute_flow(graph):
            count += 1
            if count == 3:
                await aiocells.cancel_flow(graph)

        assert count == 3

    async def test_cancel_flow_ends_one_that_waits(self) -> None:
        """A compute_flow that waits in another task returns 0 when it is ended."""
        started = asyncio.Event()

        async def source() -> None:
            started.set()
            await asyncio.Event().wait()

        graph = aiocells.DependencyGraph()
        graph.add_node(source)
        waiting = asyncio.create_task(aiocells.compute_flow(graph))
        await started.wait()
        await aiocells.cancel_flow(graph)

        assert await waiting == 0

    async def test_cancel_flow_drops_what_a_cancelled_input_raises(self) -> None:
        """An input that fails in its own clean-up does not disturb the end."""
        before = asyncio.all_tasks()

        async def source() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                raise ZeroDivisionError

        graph = aiocells.DependencyGraph()
        graph.add_node(source)
        graph.add_node(partial(asyncio.sleep, 0))
        await aiocells.compute_flow(graph)
        await aiocells.cancel_flow(graph)

        assert asyncio.all_tasks() == before

    async def test_cancel_flow_that_is_cancelled_still_waits(self) -> None:
        """A cancelled cancel_flow waits for the clean-up of the inputs, then ends."""
        before = asyncio.all_tasks()
        cleaning, may_end = asyncio.Event(), asyncio.Event()

        async def source() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                cleaning.set()
                await may_end.wait()

        graph = aiocells.DependencyGraph()
        graph.add_node(source)
        graph.add_node(partial(asyncio.sleep, 0))
        await aiocells.compute_flow(graph)
        ending = asyncio.create_task(aiocells.cancel_flow(graph))
        await cleaning.wait()
        ending.cancel()
        may_end.set()

        with pytest.raises(asyncio.CancelledError):
            await ending
        assert asyncio.all_tasks() == before

    async def test_inner_flow_ends_with_the_outer(self) -> None:
        """A flow that is the input of another ends when the other is ended."""
        before = asyncio.all_tasks()
        started = asyncio.Event()

        async def source() -> None:
            started.set()
            await asyncio.Event().wait()

        inner, outer = aiocells.DependencyGraph(), aiocells.DependencyGraph()
        inner.add_node(source)
        outer.add_node(partial(aiocells.compute_flow, inner))
        outer.add_node(started.wait)
        await aiocells.compute_flow(outer)
        await aiocells.cancel_flow(outer)

        assert asyncio.all_tasks() == before

    @pytest.mark.parametrize("where", ["input", "inner node"])
    async def test_failure_ends_the_flow(self, where: str) -> None:
        """What an input or another node raises is raised, and all inputs end."""
        before = asyncio.all_tasks()

        async def failing() -> None:
            raise ZeroDivisionError

        graph = aiocells.DependencyGraph()
        graph.add_node(asyncio.Event().wait)
        if where == "input":
            graph.add_node(failing)
        else:
            graph.add_precedence(partial(asyncio.sleep, 0), failing)

        with pytest.raises(ZeroDivisionError):
            await aiocells.compute_flow(graph)
        assert asyncio.all_tasks() == before
        assert await aiocells.compute_flow(graph) == 0

    async def test_inputs_that_fail_together_are_all_told(self) -> None:
        """The first is raised, the others are in its notes and in `failures`."""
        errors = [ZeroDivisionError("first"), LookupError("second"), OSError("third")]

        def failing(error: Exception) -> Callable[[], Coroutine[Any, Any, None]]:
            async def source() -> None:
                raise error

            return source

        async def cleaning() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                raise KeyError

        graph = aiocells.DependencyGraph()
        sources = [*map(failing, errors), cleaning]
        for node in sources:
            graph.add_node(node)
        with pytest.raises(ZeroDivisionError) as caught:
            await aiocells.compute_flow(graph)
        assert caught.value is errors[0]
        found = aiocells.failures(errors[0])
        assert list(found) == sources
        assert list(found.values())[:3] == errors
        assert isinstance(found[cleaning], KeyError)
        also = [note for note in errors[0].__notes__ if note.startswith("also failed")]
        texts = [note.partition("): ")[2] for note in also]
        assert texts == [
            "LookupError: second",
            "OSError: third",
            "KeyError",
        ]
        assert await aiocells.compute_flow(graph) == 0

    async def test_what_inputs_raise_at_the_end_of_a_failed_round_is_told(self) -> None:
        """Beside the failure of the node that ended the flow."""

        async def cleaning() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                raise KeyError

        def failing() -> None:
            raise ZeroDivisionError

        graph = aiocells.DependencyGraph()
        graph.add_node(cleaning)
        graph.add_precedence(partial(asyncio.sleep, 0), failing)
        with pytest.raises(ZeroDivisionError) as caught:
            await aiocells.compute_flow(graph)
        assert list(aiocells.failures(caught.value)) == [failing, cleaning]

    async def test_cancelling_the_caller_ends_the_flow(self) -> None:
        """When the task that waits is cancelled, it ends so, and all inputs end."""
        before = asyncio.all_tasks()
        started = asyncio.Event()

        async def source() -> None:
            started.set()
            await asyncio.Event().wait()

        graph = aiocells.DependencyGraph()
        graph.add_node(source)
        waiting = asyncio.create_task(aiocells.compute_flow(graph))
        await started.wait()
        waiting.cancel()

        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert asyncio.all_tasks() == before

    async def test_without_inputs_is_over_at_once(self) -> None:
        """A graph without nodes has no inputs to wait for."""
        assert await aiocells.compute_flow(aiocells.DependencyGraph()) == 0

    async def test_an_input_that_cannot_be_started_leaves_none_running(self) -> None:
        """The others are cancelled, and the error names the one that could not."""
        before = asyncio.all_tasks()

        async def good() -> None:
            await asyncio.Event().wait()

        async def needs(argument: int) -> None: ...

        graph = aiocells.DependencyGraph()
        for node in (good, needs):
            graph.add_precedence(node, print)
        with pytest.raises(TypeError, match="argument") as caught:
            await aiocells.compute_flow(graph)
        assert caught.value.__notes__[0].startswith("in cell 'needs' (")
        assert asyncio.all_tasks() == before
        assert await aiocells.compute_flow(graph) == 0

    async def test_cancel_flow_before_the_start_is_refused(self) -> None:
        """There is nothing to cancel before compute_flow, and the error says so."""
        with pytest.raises(aiocells.GraphException, match=r"Call compute_flow"):
            await aiocells.cancel_flow(aiocells.DependencyGraph())

    def test_starts_anew_in_another_event_loop(self) -> None:
        """A graph whose flow ended with its event loop can flow again in the next."""
        graph = aiocells.DependencyGraph()
        graph.add_node(partial(asyncio.sleep, 0))

        assert asyncio.run(aiocells.compute_flow(graph)) == 1
        assert asyncio.run(aiocells.compute_flow(graph)) == 1

    async def test_inputs_must_be_coroutine_functions(self) -> None:
        """A plain function as an input is refused by name, before any input starts."""
        before = asyncio.all_tasks()
        graph = aiocells.DependencyGraph()
        graph.add_node(partial(asyncio.sleep, 0))
        graph.add_node(null)

        with pytest.raises(aiocells.GraphException, match="'null'"):
            await aiocells.compute_flow(graph)
        assert asyncio.all_tasks() == before


def run_python(program: str, hash_seed: str = "random") -> str:
    """What a program prints in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
