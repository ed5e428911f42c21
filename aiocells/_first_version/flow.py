"""Flows of 1.x: a graph that is computed whenever one of its input nodes returns."""

import asyncio
from typing import Any

from aiocells._declaring.kinds import Kind
from aiocells._graphs.dependency_graph import DependencyGraph, structure_of
from aiocells._graphs.structure import Attached
from aiocells._outcome import failures as _failures
from aiocells._planning.plan import Plan
from aiocells._planning.selecting import select
from aiocells._running.prepare import choose, lay_out, without_absent
from aiocells._running.run import Run
from aiocells._running.tasks.computing import ordered_scheduler
from aiocells.errors import GraphException, UnsupportedCell


class _Flow:
    """A flow that has been started.

    Attributes:
        plan: of the whole graph.
        round: the part of it that is computed when an input has returned.
        values: what is known, by source.
        loop: where the inputs run.
        tasks: the running inputs, each with its number.
        is_ended: whether it was cancelled, or failed.
    """

    def __init__(self, plan: Plan, round_: Plan, values: list[Any]) -> None:
        self.plan = plan
        self.round = round_
        self.values = values
        self.loop = asyncio.get_running_loop()
        self.tasks: dict[asyncio.Task[Any], int] = {}
        self.is_ended = False

    def start(self, number: int) -> None:
        program, values = self.plan.program, self.values
        arguments = [values[source] for source in program.args[number]]
        try:
            coroutine = program.functions[number](*arguments)
        except BaseException as error:
            _failures.note_cell(error, self.plan, number, values)
            raise
        self.tasks[self.loop.create_task(coroutine)] = number

    async def end(self) -> dict[int, BaseException]:
        """Cancel the inputs, and wait until none of them runs.

        Returns:
            What they raised, by the number of the input.
        """
        self.is_ended = True
        tasks = self.tasks.copy()
        self.tasks.clear()
        for task in tasks:
            task.cancel()
        cancelled = None
        while not all(task.done() for task in tasks):
            try:
                await asyncio.wait(tasks)
            except asyncio.CancelledError as error:
                cancelled = error
        failures: dict[int, BaseException] = {}
        for task, number in tasks.items():
            raised = None if task.cancelled() else task.exception()
            if raised is not None:
                failures[number] = raised
        if cancelled is not None:
            raise cancelled
        return failures


_flows: Attached[_Flow] = Attached()


async def compute_flow(graph: DependencyGraph) -> int:
    """Wait for an input node to return, then compute the other nodes.

    The first call starts every input node, that is, every node which needs no other;
    they must be coroutine functions. An input that returned is started again. The
    inputs go on running between the calls, until `cancel_flow`.

    Args:
        graph: the graph.

    Returns:
        How many inputs are running; 0 when the flow has ended.

    Raises:
        UnsupportedCell: an input is not a coroutine function.
        BaseException: what a node raised; then the inputs have been cancelled.

    >>> import asyncio
    >>> import aiocells
    >>> async def tick():
    ...     await asyncio.sleep(0)
    >>> graph = aiocells.DependencyGraph()
    >>> graph.add_precedence(tick, lambda: print("tick"))
    >>> async def main():
    ...     running = await aiocells.compute_flow(graph)
    ...     await aiocells.cancel_flow(graph)
    ...     return running, await aiocells.compute_flow(graph)
    >>> asyncio.run(main())
    tick
    (1, 0)
    """
    flow = _flow_of(graph)
    if flow is None:
        flow = await _started(graph)
    if flow.is_ended or not flow.tasks:
        return 0
    try:
        await _next_round(flow)
    except BaseException as error:
        _tell_also(error, await flow.end(), flow)
        raise
    return len(flow.tasks)


async def cancel_flow(graph: DependencyGraph) -> None:
    """End a flow: cancel its inputs, and wait until they have ended.

    Args:
        graph: a graph that `compute_flow` was called with.

    Raises:
        GraphException: no flow was started on this graph.
    """
    flow = _flow_of(graph)
    if flow is None:
        msg = (
            f"No flow was started on {_graph_name(graph)}, so that there is none to "
            "cancel. Call compute_flow(graph) first."
        )
        raise GraphException(msg)
    await flow.end()


def _graph_name(graph: DependencyGraph) -> str:
    return "the graph" if graph.name is None else f"the graph {graph.name!r}"


def _flow_of(graph: DependencyGraph) -> _Flow | None:
    """The flow that runs on this event loop; one of a loop that is gone is none."""
    flow = _flows.get(structure_of(graph))
    if flow is not None and flow.loop is asyncio.get_running_loop():
        return flow
    return None


async def _started(graph: DependencyGraph) -> _Flow:
    plan, given = choose(graph, None, None)
    plan = without_absent(plan, None)
    program = plan.program
    numbers = [number for number in plan.order if not program.edges[number]]
    for number in numbers:
        if program.kinds[number] is not Kind.ASYNC:
            msg = (
                f"The input node {program.described(number)} of {_graph_name(graph)} "
                f"is {program.kinds[number].value}. The input nodes of a flow must be "
                "coroutine functions (async def)."
            )
            raise UnsupportedCell(msg, cell=program.nodes[number])
    values = lay_out(plan, None, given)
    round_ = select(plan, None, frozenset(numbers))
    flow = _Flow(plan, round_, values)
    _flows.set(structure_of(graph), flow)
    try:
        for number in sorted(numbers):
            flow.start(number)
    except BaseException:
        await flow.end()
        raise
    return flow


async def _next_round(flow: _Flow) -> None:
    done, _ = await asyncio.wait(flow.tasks, return_when=asyncio.FIRST_COMPLETED)
    if flow.is_ended:  # by cancel_flow, from another task
        return
    returned = [task for task in flow.tasks if task in done]
    numbers = [flow.tasks.pop(task) for task in returned]
    failures: dict[int, BaseException] = {}
    for number, task in zip(numbers, returned, strict=True):
        try:
            flow.values[number] = task.result()
        except BaseException as error:
            _failures.note_cell(error, flow.plan, number, flow.values)
            failures[number] = error
    if failures:
        first = next(iter(failures.values()))
        _tell_also(first, failures, flow)
        raise first
    for number in numbers:
        flow.start(number)
    run = Run(flow.round, flow.values.copy())
    await ordered_scheduler(run.plan, None)(run).compute()
    run.conclude()


def _tell_also(
    error: BaseException, found: dict[int, BaseException], flow: _Flow
) -> None:
    """Have an exception tell what inputs raised, beside what it tells already."""
    own = _failures.failures_told(error) + _failures.failures_of(flow.plan, found)
    if own:
        _failures.note_others(error, own)
        _failures.attach_failures(error, own, [])
