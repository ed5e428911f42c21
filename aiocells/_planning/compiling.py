"""From a graph to the plan that computes all of it."""

import threading
from typing import Any

from aiocells._collecting.binding import Bound, Shape
from aiocells._collecting.graph import bound_of
from aiocells._declaring.kinds import Kind, kind_of
from aiocells._declaring.spec import PLAIN
from aiocells._graphs.dependency_graph import DependencyGraph, order_of, structure_of
from aiocells._graphs.structure import Attached, Structure
from aiocells._planning.calls import called
from aiocells._planning.plan import Plan
from aiocells._planning.program import Program
from aiocells._planning.roster import Roster
from aiocells.errors import UnsupportedCell

_plans: Attached[tuple[int, Plan]] = Attached()  # each with the version of its graph
# Not one a graph, so that graphs can be copied; building is short.
_building = threading.RLock()


def plan_of(graph: DependencyGraph) -> Plan:
    """The plan that computes all of a graph; built once until the graph changes."""
    structure = structure_of(graph)
    known = _plans.get(structure)
    if known is not None and known[0] == structure.version:
        return known[1]
    with _building:
        known = _plans.get(structure)
        if known is None or known[0] != structure.version:
            version = structure.version
            plan = _compile(structure, bound_of(graph))
            known = _plans.set(structure, (version, plan))
        return known[1]


def _compile(structure: Structure, bound: Bound | None) -> Plan:
    order = list(order_of(structure))
    nodes = list(structure.nodes)
    options = [PLAIN] * len(nodes)
    args: list[tuple[int, ...]] = []
    kinds: list[Kind] = []
    functions: list[Any] = list(nodes)
    shapes: dict[int, Shape] = {}
    if bound is not None:
        args.extend(bound.args)
        kinds.extend(bound.kinds)
        shapes = bound.shapes
        for number, spec in enumerate(bound.specs):
            if spec is not None and spec.options is not None:
                options[number] = spec.options
        for number, kind in enumerate(kinds):
            functions[number] = called(
                nodes[number], kind, options[number], shapes.get(number)
            )
    by_hand = nodes[len(args) :]
    for node in by_hand:
        if not callable(node):
            msg = (
                f"The node {node!r} is not callable, so the graph cannot be computed. "
                "Nodes can be anything hashable, but those of a graph that is to be "
                "computed must be callable."
            )
            raise UnsupportedCell(msg, cell=node)
    kinds.extend(map(kind_of, by_hand))
    args.extend([()] * len(by_hand))
    program = Program(
        roster=Roster(
            nodes,
            structure.index,
            structure.names,
            options,
            bound.inputs if bound is not None else [],
        ),
        functions=functions,
        args=args,
        needs=list(structure.needs),
        kinds=kinds,
        shapes=shapes,
        optional=bound.optional if bound is not None else {},
    )
    targets = tuple(n for n in range(len(nodes)) if not options[n].is_resource)
    return Plan(program, order, frozenset(), targets, frees=False)
