"""pydantic-graph: https://pypi.org/project/pydantic-graph

Its edges say which step comes next, and carry one value. Cells that take several leave
their values in the state, where the steps after them find them.
"""

import inspect
import itertools
import types
from typing import Any

from pydantic_graph import GraphBuilder, StepContext

from benchmarks.layered import Function
from benchmarks.page import INPUTS, cells_of
from benchmarks.peers import AsyncPrepared

DISTRIBUTION = "pydantic-graph"

State = dict[str, Any]


async def page(shop: types.ModuleType) -> AsyncPrepared:
    """The page as steps in a row: with forks and joins it takes twice as long."""
    builder = GraphBuilder(state_type=State, output_type=State)
    steps = [
        builder.step(_step(each), node_id=each.__name__) for each in cells_of(shop)
    ]
    nodes = [builder.start_node, *steps, builder.end_node]
    for before, after in itertools.pairwise(nodes):
        builder.add(builder.edge_from(before).to(after))
    graph = builder.build()

    async def compute() -> Any:
        state = dict(INPUTS)
        await graph.run(state=state)
        return state["page"]

    return compute, str


def _step(function: Function) -> Function:
    name, is_async = function.__name__, inspect.iscoroutinefunction(function)
    parameters = tuple(inspect.signature(function).parameters)

    async def step(context: StepContext[State, None, Any]) -> None:
        state = context.state
        value = function(*[state[each] for each in parameters])
        state[name] = await value if is_async else value

    return step
