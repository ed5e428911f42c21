"""From a graph to the plan that computes all of it."""

import threading
from typing import Any

from aiocells._collecting.bound import Bound, Shape
from aiocells._collecting.graph import bound_of
from aiocells._declaring.kinds import Kind, kind_of
from aiocells._declaring.spec import PLAIN
from aiocells._graphs.dependency_graph import DependencyGraph, order_of, structure_of
from aiocells._graphs.roster import Roster
from aiocells._graphs.structure import Attached, Structure
from aiocells._graphs.toposort import topological_order
from aiocells._planning.calls import called
from aiocells._planning.plan import Plan
from aiocells._planning.program import Program
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
    replaced = bound.replaced if bound is not None else None
    nodes = list(structure.nodes)
    options = [PLAIN] * len(nodes)
    args: list[tuple[int, ...]] = []
    kinds: list[Kind] = []
    functions: list[Any] = list(nodes)
    shapes: dict[int, Shape] = {}
    by_hand: list[int] = []
    if bound is not None:
        args.extend(bound.args)
        kinds.extend(bound.kinds)
        shapes = bound.shapes
        for number, function in structure.stand_ins.items():
            functions[number] = function
        for number, spec in enumerate(bound.specs):
            if spec is None:
                by_hand.append(number)
                continue
            if spec.options is not None:
                options[number] = spec.options
            functions[number] = called(
                functions[number], kinds[number], options[number], shapes.get(number)
            )
    by_hand.extend(range(len(args), len(nodes)))
    for node in map(nodes.__getitem__, by_hand):
        if not callable(node):
            msg = (
                f"The node {node!r} is not callable, so the graph cannot be computed. "
                "Nodes can be anything hashable, but those of a graph that is to be "
                "computed must be callable."
            )
            raise UnsupportedCell(msg, cell=node)
    kinds.extend(map(kind_of, nodes[len(args) :]))
    args.extend([()] * (len(nodes) - len(args)))
    program = Program(
        roster=Roster(
            nodes,
            structure.index,
            structure.names,
            options,
            bound.inputs if bound is not None else [],
            structure.stand_ins,
        ),
        functions=functions,
        args=args,
        needs=list(structure.needs),
        order=order,
        kinds=kinds,
        shapes=shapes,
        optional=bound.optional if bound is not None else {},
        retired=replaced.retired if replaced is not None else (),
        secret=bound.secret if bound is not None else {},
    )
    if replaced is not None:
        run = set(topological_order(program.needs, replaced.ends_of(len(nodes))))
        order = [number for number in order if number in run]
    targets = tuple(n for n in sorted(order) if not options[n].is_resource)
    return Plan(program, order, frozenset(), targets, frees=False)
