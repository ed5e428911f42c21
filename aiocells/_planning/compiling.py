"""From a graph to the plan that computes all of it."""

import threading
from collections.abc import Iterable
from typing import Any

from aiocells._collecting.bound import Bound
from aiocells._collecting.graph import bound_of
from aiocells._declaring.kinds import kind_of
from aiocells._graphs.dependency_graph import DependencyGraph, order_of, structure_of
from aiocells._graphs.structure import Attached, Structure
from aiocells._graphs.toposort import topological_order
from aiocells._planning.asking import (
    NO_CELLS,
    asker_of,
    asking_source,
    roots_of,
    unneeded,
)
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
            plan = _compile(structure, bound_of(graph) or Bound())
            known = _plans.set(structure, (version, plan))
        return known[1]


def _compile(structure: Structure, bound: Bound) -> Plan:
    order = list(order_of(structure))
    roster = bound.roster(structure)
    nodes = roster.nodes
    args = [*bound.args]
    kinds = [*bound.kinds]
    functions: list[Any] = list(nodes)
    by_hand: list[int] = []
    for number, function in structure.stand_ins.items():
        functions[number] = function
    asks = _split_args(bound, args)
    source = asking_source(bound.inputs)
    for number, spec in enumerate(bound.specs):
        if spec is None:
            by_hand.append(number)
            continue
        functions[number] = called(
            functions[number],
            kinds[number],
            roster.options[number],
            bound.shapes.get(number),
            asker_of(number, args[number], asks, source) if asks else None,
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
        roster=roster,
        functions=functions,
        args=args,
        needs=list(structure.needs),
        order=order,
        kinds=kinds,
        shapes=bound.shapes,
        optional=bound.optional,
        retired=bound.replaced.retired if bound.replaced is not None else (),
        secret=bound.secret,
        asks=asks,
        lazy=structure.lazy,
    )
    return _plan_of_all(program, structure, bound, order)


def _plan_of_all(
    program: Program, structure: Structure, bound: Bound, order: list[int]
) -> Plan:
    """What is run where no targets are given."""
    replaced = bound.replaced
    ends: Iterable[int] | None = None
    if replaced is not None:
        ends = replaced.ends_of(len(program.nodes))
        run = set(topological_order(program.edges, ends))
        order = [number for number in order if number in run]
    options = program.options
    targets = tuple(n for n in sorted(order) if not options[n].is_resource)
    lazy = NO_CELLS
    if program.asks:
        # What few programs use, they should load. Nodes may have come by hand since.
        from aiocells._collecting.asking import check_asking

        check_asking(structure, bound)
        if ends is None:
            ends = roots_of(program.edges, order)
        lazy = unneeded(program.needs, order, ends)
    return Plan(program, order, frozenset(), targets, frees=False, lazy=lazy)


def _split_args(
    bound: Bound, args: list[tuple[int, ...]]
) -> dict[int, tuple[int, ...]]:
    """Have cells that ask take what they ask with; tells what each may ask for."""
    asks = {}
    source = asking_source(bound.inputs)
    for number, places in bound.asking.items():
        taken = list(args[number])
        asks[number] = tuple(taken[place] for place in places)
        for place in places:
            taken[place] = source
        args[number] = tuple(taken)
    return asks
