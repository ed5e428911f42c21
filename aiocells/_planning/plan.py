"""A graph compiled for running.

Everything goes by the number of a cell in its graph. A run keeps its values in one
list: first those of the cells, then those of the inputs in reverse, so that the
source ~k of an argument, Python's k-th index from the end, is the k-th input.
"""

import functools
import operator
import threading
import types
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from aiocells._collecting.binding import InputSlot, Shape
from aiocells._collecting.graph import Graph
from aiocells._declaring.kinds import Kind, kind_of
from aiocells._declaring.spec import PLAIN, Options
from aiocells._graphs.dependency_graph import DependencyGraph
from aiocells._graphs.toposort import topological_order
from aiocells._planning.timeouts import with_timeout
from aiocells._planning.unawaited import checked
from aiocells.errors import UnsupportedCell


class Program:
    """The cells of a graph, ready to be called.

    Attributes:
        graph: asked only for names.
        nodes: the cells.
        functions: what to call, with the values of `args` by position.
        args: where those values come from.
        needs: for each cell the cells that must be computed before it.
        kinds: what calling each gives.
        options: what `cell` or `resource` said.
        inputs: what the caller may give.
        shapes: how the caller's function takes the arguments, where not one by one.
    """

    # Written out, here and in Plan: attrs would take a millisecond of every import.
    def __init__(
        self,
        *,
        graph: DependencyGraph,
        nodes: list[Any],
        functions: list[Callable[..., Any]],
        args: list[tuple[int, ...]],
        needs: list[Collection[int]],
        kinds: list[Kind],
        options: list[Options],
        inputs: list[InputSlot],
        shapes: dict[int, Shape],
    ) -> None:
        self.graph = graph
        self.nodes = nodes
        self.functions = functions
        self.args = args
        self.needs = needs
        self.kinds = kinds
        self.options = options
        self.inputs = inputs
        self.shapes = shapes

    @functools.cached_property
    def arguments(self) -> list[Callable[[list[Any]], Iterable[Any]]]:
        """For each cell what takes its arguments out of the values of a run."""
        return [_taking(sources) for sources in self.args]

    @functools.cached_property
    def names(self) -> list[str]:
        """The name of each cell."""
        return [
            node.__name__
            if type(node) is types.FunctionType
            and self.options[number] is PLAIN
            and node.__name__ != "<lambda>"
            else self.name(number)
            for number, node in enumerate(self.nodes)
        ]

    def name(self, number: int) -> str:
        return self.graph._name_of(self.nodes[number])

    def described(self, number: int) -> str:
        return self.graph._described(self.nodes[number])

    def is_resource(self, number: int) -> bool:
        return self.options[number].is_resource


_TAKING_NONE: Callable[[list[Any]], list[Any]] = operator.itemgetter(slice(0))


def _taking(sources: tuple[int, ...]) -> Callable[[list[Any]], Iterable[Any]]:
    """What gives the items of a list that stand at `sources`.

    An itemgetter is the quickest there is, but gives a bare item for one source, and
    does not exist for none: a slice stands in for these.
    """
    if len(sources) > 1:
        return operator.itemgetter(*sources)
    if not sources:
        return _TAKING_NONE
    source = sources[0]
    return operator.itemgetter(slice(source, source + 1 or None))


class Plan:
    """The cells that one kind of computation runs.

    Attributes:
        program: the graph's cells.
        order: the numbers of the cells to run, in topological order.
        overridden: the numbers of the cells whose values are given.
        targets: the numbers of the cells whose values are asked for.
        frees: whether values that are no target are let go after their last use.
        prepared: what computers have derived from the plan, by their own keys.
    """

    def __init__(
        self,
        program: Program,
        order: list[int],
        overridden: frozenset[int],
        targets: tuple[int, ...],
        *,
        frees: bool,
    ) -> None:
        self.program = program
        self.order = order
        self.overridden = overridden
        self.targets = targets
        self.frees = frees
        self.prepared: dict[str, Any] = {}

    @functools.cached_property
    def dependents(self) -> list[Sequence[int]]:
        """For each cell the cells of this plan that need it, in declaration order."""
        dependents: list[Any] = [()] * len(self.program.nodes)
        for number in sorted(self.order):
            for needed in self.program.needs[number]:
                if dependents[needed]:
                    dependents[needed].append(number)
                else:
                    dependents[needed] = [number]
        return dependents

    @functools.cached_property
    def counts(self) -> list[int]:
        """For each cell how many cells of this plan it waits for."""
        needs = self.program.needs
        counts = [0] * len(needs)
        overridden = self.overridden
        for number in self.order:
            needed = needs[number]
            counts[number] = (
                sum(each not in overridden for each in needed)
                if overridden
                else len(needed)
            )
        return counts

    @functools.cached_property
    def uses(self) -> list[int]:
        """For each cell how many arguments its value becomes; a target is kept."""
        uses = [0] * len(self.program.nodes)
        for number in self.order:
            for source in self.program.args[number]:
                if source >= 0:
                    uses[source] += 1
        for number in self.targets:
            uses[number] += 1
        return uses

    @functools.cached_property
    def last_uses(self) -> dict[int, tuple[int, ...]]:
        """For each cell the values that nobody after it in the order uses."""
        seen = set(self.targets)
        last: dict[int, tuple[int, ...]] = {}
        for number in reversed(self.order):
            used = dict.fromkeys((number, *self.program.args[number]))
            gone = tuple(each for each in used if each >= 0 and each not in seen)
            if gone:
                last[number] = gone
                seen.update(gone)
        return last

    @functools.cached_property
    def wanted_inputs(self) -> dict[int, list[int]]:
        """For each input slot that this plan uses, the cells that want it."""
        wanted: dict[int, list[int]] = {}
        for number in self.order:
            for source in self.program.args[number]:
                if source < 0:
                    wanted.setdefault(~source, []).append(number)
        return wanted

    @functools.cached_property
    def target_set(self) -> frozenset[int]:
        return frozenset(self.targets)

    @functools.cached_property
    def resources(self) -> dict[int, frozenset[int]]:
        """For each resource the resources that it needs, itself or through cells."""
        program = self.program
        found = [number for number in self.order if program.is_resource(number)]
        if not found:
            return {}
        bits = {number: 1 << bit for bit, number in enumerate(found)}
        reach = [0] * len(program.nodes)
        for number in self.order:
            reached = bits.get(number, 0)
            for needed in program.needs[number]:
                reached |= reach[needed]
            reach[number] = reached
        return {
            number: frozenset(
                other
                for other in found
                if other != number and reach[number] & bits[other]
            )
            for number in found
        }

    @functools.cached_property
    def first_async(self) -> int | None:
        """The first cell to run that cannot be run without an event loop."""
        kinds = self.program.kinds
        found = (Kind.ASYNC, Kind.ASYNC_GENERATOR)
        return next((each for each in self.order if kinds[each] in found), None)


# Not one a graph, so that graphs can be copied; building is short.
_building = threading.RLock()


def plan_of(graph: DependencyGraph) -> Plan:
    """The plan that computes all of a graph; built once until the graph changes."""
    version, plan = graph._derived.get("plan", (-1, None))
    if version == graph._version:
        return plan  # type: ignore[no-any-return]
    with _building:
        return graph._cached("plan", lambda: _compile(graph))  # type: ignore[no-any-return]


def _compile(graph: DependencyGraph) -> Plan:
    order = list(graph._order())
    bound = graph._bound if isinstance(graph, Graph) else None
    nodes = list(graph._nodes)
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
            if kind is Kind.PLAIN:
                functions[number] = checked(functions[number])
        for number, shape in shapes.items():
            functions[number] = functools.partial(call_shaped, functions[number], shape)
        for number, kind in enumerate(kinds):
            timeout = options[number].timeout
            if timeout is not None and kind is Kind.ASYNC:
                functions[number] = with_timeout(functions[number], timeout)
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
        graph=graph,
        nodes=nodes,
        functions=functions,
        args=args,
        needs=list(graph._needs),
        kinds=kinds,
        options=options,
        inputs=bound.inputs if bound is not None else [],
        shapes=shapes,
    )
    targets = tuple(n for n in range(len(nodes)) if not options[n].is_resource)
    return Plan(program, order, frozenset(), targets, frees=False)


def call_shaped(function: Callable[..., Any], shape: Shape, /, *values: Any) -> Any:
    """Call `function` with values that come one by one.

    It stands at the top of the module, so that it can be sent to a process.
    """
    left = iter(values)
    args = [
        next(left) if size is None else [next(left) for _ in range(size)]
        for size in shape.groups
    ]
    positional = len(args) - len(shape.keywords)
    named = dict(zip(shape.keywords, args[positional:], strict=True))
    return function(*args[:positional], **named)


def select(
    plan: Plan, targets: tuple[int, ...] | None, overridden: frozenset[int]
) -> Plan:
    """The part of `plan` that computes `targets`, where the overridden are given.

    Args:
        plan: of the whole graph.
        targets: the numbers of the cells asked for; None for all that is useful:
            what nobody depends on, and what that needs.
        overridden: the numbers of the cells that are not to be run.
    """
    program = plan.program
    dependents = plan.dependents
    roots: Iterable[int] = (
        (number for number in plan.order if not dependents[number])
        if targets is None
        else targets
    )
    needs: list[Collection[int]] = list(program.needs)
    for number in overridden:
        needs[number] = ()
    needed = set(topological_order(needs, roots))
    order = [each for each in plan.order if each in needed and each not in overridden]
    if targets is None:
        everything = needed | overridden
        targets = tuple(each for each in plan.targets if each in everything)
        return Plan(program, order, overridden, targets, frees=False)
    return Plan(program, order, overridden, targets, frees=True)
