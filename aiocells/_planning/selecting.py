"""The part of a plan that computes some targets, where some values are given."""

from collections.abc import Iterable

from aiocells._graphs.toposort import topological_order
from aiocells._planning.asking import NO_CELLS, roots_of, unneeded
from aiocells._planning.plan import Plan


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
    roots: Iterable[int] = targets or ()
    if targets is None:
        roots = roots_of(program.edges, plan.cells)
    needs = program.edges
    if overridden:
        needs = list(needs)
        for number in overridden:
            needs[number] = ()
    needed = set(topological_order(needs, roots))
    cells = [n for n in program.order if n in needed and n not in overridden]
    lazy = NO_CELLS
    if program.asks:
        lazy = unneeded(program.needs, cells, roots)
    if targets is None:
        everything = needed | overridden
        targets = tuple(each for each in plan.targets if each in everything)
        return Plan(program, cells, overridden, targets, frees=False, lazy=lazy)
    return Plan(program, cells, overridden, targets, frees=True, lazy=lazy)
