"""Random failures and cancellations where limits are shared, and where all is held.

What must hold for any computation holds for these: `FaultRun.run` checks all of it.
"""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fault_runs import FaultRun
from tests.fault_sharing import HeldRun, SharedCase, shared
from tests.faults import PLAIN_FAULTS, Case, make_case, make_nodes, some
from tests.running.test_faults import chooser, make_calm_case, many


@st.composite
def shared_cases(draw: st.DrawFn) -> SharedCase:
    """Any computation, some of whose cells enter a limiter."""
    choose = chooser(draw)
    case = make_case(choose)
    case = attrs.evolve(case, few=choose((1, 2)))
    return shared(case, choose((0, 0, 1, 2)))


@st.composite
def calm_shared_cases(draw: st.DrawFn) -> SharedCase:
    """One that goes on after failures, and that nobody cancels."""
    choose = chooser(draw)
    case = make_calm_case(choose, make_nodes(choose, faults=PLAIN_FAULTS))
    case = attrs.evolve(case, few=choose((1, 2)))
    return shared(case, choose((0, 0, 1, 2)))


@st.composite
def held_cases(draw: st.DrawFn) -> Case:
    """One that may be held: the first failure ends it."""
    choose = chooser(draw)
    case = attrs.evolve(make_case(choose), computer="concurrent", on_error="raise")
    ranks = range(len(case.nodes))
    targets = choose((tuple(ranks), some(choose, ranks, 3)))
    case = attrs.evolve(case, max_concurrency=None, targets=targets)
    return choose((lambda: case, lambda: shared(case, choose((0, 1)))))()


@pytest.mark.parametrize("part", range(2))
@given(case=shared_cases())
@many(200)
def test_shared_limits_are_kept_and_left_whatever_happens(
    part: int, case: SharedCase
) -> None:
    """Nothing is left running or entered, and no failure is lost."""
    run = FaultRun(case)
    run.run()
    case.check()
    run.forget()


@given(case=calm_shared_cases())
@many(200)
def test_shared_limits_change_no_value_and_no_failure(case: SharedCase) -> None:
    """With "continue" every computer gives, fails and skips the same as without."""
    outcomes = []
    for computer in case.computers:
        run = FaultRun(attrs.evolve(case, computer=computer))
        run.run()
        case.check()
        outcomes.append((run.values, {*run.failures}, run.skipped))
    assert all(outcome == outcomes[0] for outcome in outcomes)


@pytest.mark.parametrize("part", range(2))
@given(case=held_cases())
@many(200)
def test_a_hold_leaves_nothing_open_whatever_happens(part: int, case: Case) -> None:
    """Nothing is left running or open, and no failure is lost."""
    run = HeldRun(case)
    run.run()
    if isinstance(case, SharedCase):
        case.check()
    run.forget()
