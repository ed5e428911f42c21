"""What a random computation must give where nothing ends it, worked out by hand.

It goes by the definitions, cell by cell, and knows nothing of how the library does it.
"""

from collections.abc import Collection

import attrs

from tests.faults import Case, FaultyNode
from tests.worker_cells import folded


def substitute(rank: int) -> int:
    """The value that the fallback of a cell gives."""
    return -1 - rank


@attrs.frozen
class Expected:
    """What a case must give.

    Attributes:
        values: of the targets, by rank.
        failed: the cells whose failure counts.
        skipped: the cells that are skipped, but for covered ones.
        fallbacks: for each cell that falls back the cell whose failure it is given.
        declined: for each cell whose fallback raises the same.
    """

    values: dict[int, int]
    failed: set[int]
    skipped: set[int]
    fallbacks: dict[int, int]
    declined: dict[int, int]


def chosen(case: Case) -> set[int]:
    """The cells that are computed."""
    targets = case.targets
    found = set(range(len(case.nodes)) if targets is None else targets)
    for node in reversed(case.nodes):
        if node.rank in found:
            found.update(node.needs)
    return found


def covered(case: Case) -> set[int]:
    """No target, and needed, and all that need it have a fallback or are covered."""
    ranks = chosen(case)
    users: dict[int, list[FaultyNode]] = {rank: [] for rank in ranks}
    for rank in ranks:
        for needed in case.nodes[rank].needs:
            users[needed].append(case.nodes[rank])
    found: set[int] = set()
    for rank in sorted(ranks, reverse=True):
        is_target = (
            not case.nodes[rank].is_resource
            if case.targets is None
            else rank in case.targets
        )
        makes_up = [user.fallback or user.rank in found for user in users[rank]]
        if not is_target and makes_up and all(makes_up):
            found.add(rank)
    return found


def expected(case: Case, failing: Collection[int]) -> Expected:
    """What must come of a case that goes on after every failure there is.

    Args:
        case: the case.
        failing: the cells whose own code fails, when they are run.
    """
    made = Expected({}, set(), set(), {}, {})
    all_values: dict[int, int] = {}
    causes: dict[int, set[int]] = {}
    without = covered(case)
    for rank in sorted(chosen(case)):
        node = case.nodes[rank]
        before = set().union(*(causes.get(needed, set()) for needed in node.needs))
        cause = min(before, key=case.declared.index) if before else rank
        if not before and rank not in failing:
            all_values[rank] = folded(rank, [all_values[each] for each in node.values])
        elif node.fallback == "value":
            all_values[rank] = substitute(rank)
            made.fallbacks[rank] = cause
        elif before and not node.fallback:
            causes[rank] = before
            if rank not in without:
                made.skipped.add(rank)
        else:
            causes[rank] = {rank}
            if node.fallback:
                made.declined[rank] = cause
            if rank not in without:
                made.failed.add(rank)
    targets = all_values if case.targets is None else case.targets
    for rank in targets:
        if rank in all_values and not case.nodes[rank].is_resource:
            made.values[rank] = all_values[rank]
    return made
