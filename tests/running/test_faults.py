"""Random graphs whose cells fail, hang, swallow, die, and are cancelled anywhere.

After each computation nothing is left running or open, no failure is lost or invented,
and what came out is right: `FaultRun.run` checks all of that.
"""

import contextlib
import functools
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import attrs
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from aiocells._running.tasks import scheduler
from aiocells.errors import WorkerDied
from tests.fault_runs import FaultRun
from tests.faults import (
    ACTS,
    COMPUTERS,
    PLACES,
    PLAIN_FAULTS,
    Case,
    Chooser,
    FaultyNode,
    make_case,
    make_declared,
    make_nodes,
    make_targets,
)
from tests.helpers import IN_BROWSER
from tests.worker_cells import OddError

ROOT = Path(__file__).parents[2]
DEADLY_PLACES = ("process", "process", "process", "async", "thread", "async_resource")


@functools.cache
def index(count: int) -> st.SearchStrategy[int]:
    """The place of one of so many things."""
    return st.integers(0, count - 1)


def chooser(draw: st.DrawFn) -> Chooser:
    """Has hypothesis choose; an index, since any list as a strategy costs more."""
    return lambda options: options[draw(index(len(options)))]


def many(count: int) -> settings:
    """So many examples, however long each takes."""
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    if IN_BROWSER:
        count //= 20
    return settings(max_examples=count, deadline=None, suppress_health_check=slow)


@pytest.fixture(autouse=True, scope="module")
def importable() -> Iterator[None]:
    """Lets worker processes import tests.worker_cells, and start quickly."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [*sys.path, str(ROOT)])
        # Their coverage is that of the tests of processes, with a few workers.
        patch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
        yield


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Any computation without process cells, which are slow."""
    return make_case(chooser(draw))


def make_calm_case(
    choose: Chooser, nodes: tuple[FaultyNode, ...], computer: str = "concurrent"
) -> Case:
    """Any computation that goes on after failures, and that nobody cancels."""
    return Case(
        nodes,
        make_declared(choose, len(nodes)),
        computer,
        on_error="continue",
        targets=make_targets(choose, nodes),
        max_concurrency=choose((None, 1, 2)),
        few=choose((None, 1)),
    )


@st.composite
def calm_cases(draw: st.DrawFn) -> Case:
    """Computations that go on after failures, and that nobody cancels."""
    choose = chooser(draw)
    return make_calm_case(choose, make_nodes(choose, faults=PLAIN_FAULTS))


@st.composite
def single_failures(draw: st.DrawFn) -> Case:
    """Computations in which one cell fails, and no other."""
    choose = chooser(draw)
    # The other two fail in ways of their own only.
    places = [place for place in PLACES if place not in ("group_resource", "nested")]
    nodes = list(make_nodes(choose, places, frozenset({"return"}), fallbacks=("",)))
    faults = {*PLAIN_FAULTS, "exit", "interrupt"} - {"return"}
    failing = choose([node for node in nodes if faults.intersection(ACTS[node.place])])
    acts = sorted(faults.intersection(ACTS[failing.place]))
    nodes[failing.rank] = attrs.evolve(failing, act=choose(acts))
    declared = make_declared(choose, len(nodes))
    return Case(tuple(nodes), declared, computer="concurrent", on_error="raise")


def told(error: BaseException) -> tuple[type[BaseException], str, Sequence[str]]:
    """What a user sees of an exception."""
    text = "" if isinstance(error, OddError) else str(error)
    return type(error), text, error.__notes__


def told_in_any_order(
    error: BaseException,
) -> tuple[type[BaseException], str, Sequence[str]]:
    """The same, where cells that did not wait for each other may have let it out.

    The note of the cell that raised it is the first. The others came as they happened,
    which is another order in another computer.
    """
    kind, text, (first, *others) = told(error)
    return kind, text, (first, *sorted(others))


def one_failure_let_out_twice() -> Case:
    """Two cells decline one failure: in their order, unless the first has to wait."""

    def node(rank: int, act: str, *values: int, **more: Any) -> FaultyNode:
        return FaultyNode(
            rank,
            "async",
            act,
            "",
            0,
            values=values,
            orders=(),
            is_limited=False,
            **more,
        )

    nodes = (
        node(0, "raise", seconds=0),
        node(1, "return", seconds=1),
        node(2, "return", 0, 1, seconds=0, fallback="decline"),
        node(3, "return", 0, seconds=0, fallback="decline"),
    )
    return Case(nodes, (0, 1, 2, 3), "concurrent", on_error="continue")


@pytest.mark.parametrize("part", range(3))
@pytest.mark.parametrize("eager", ["at best", "by hand", "never"])
@given(case=cases())
@many(250)
def test_nothing_is_left_running_and_no_failure_is_lost(
    part: int, eager: str, case: Case
) -> None:
    """Whatever cells do, whenever it is cancelled: all is closed, and all is told.

    When what was raised is dropped, no value is left, without the garbage collector.
    """
    run = FaultRun(case)
    with contextlib.ExitStack() as stack:
        if eager != "at best":  # as in Python 3.11
            stack.enter_context(mock.patch.object(scheduler, "_CAN_BE_EAGER", False))
        if eager == "never":  # as there in debug mode
            patch = mock.patch.object(scheduler, "eager_tasks", return_value=None)
            stack.enter_context(patch)
        run.run()
    run.forget()


@pytest.mark.parametrize("seed", range(12))
def test_hundreds_of_resources_close_as_few_do(seed: int) -> None:
    """Each is closed once, after all that need it, whatever else happens."""
    choose = random.Random(seed).choice
    places = ("resource", "resource", "async_resource", "inline", "async")
    faults = frozenset({"return"}) if seed % 2 else None
    case = make_case(choose, places)
    nodes = make_nodes(choose, places, faults, 600)
    declared = make_declared(choose, len(nodes))
    targets = make_targets(choose, nodes)
    case = attrs.evolve(case, nodes=nodes, declared=declared, targets=targets)
    run = FaultRun(attrs.evolve(case, cancel_at=()))
    if case.computer in run.case.computers:
        run.run()
        run.forget()


def check_all_computers_agree(case: Case) -> None:
    """The same failures, skips and values under every computer that can run a case."""
    seen = []
    for computer in case.computers:
        run = FaultRun(attrs.evolve(case, computer=computer))
        run.run()
        failures = {
            rank: told_in_any_order(error) for rank, error in run.failures.items()
        }
        fallbacks = {
            rank: told_in_any_order(error) for rank, error in run.fallbacks.items()
        }
        seen.append((failures, run.skipped, run.values, fallbacks))
    assert all(each == seen[0] for each in seen)


@example(one_failure_let_out_twice())
@given(calm_cases())
@many(250)
def test_continue_fails_skips_and_gives_the_same_under_every_computer(
    case: Case,
) -> None:
    """With "continue", every computer gives what the reference says."""
    check_all_computers_agree(case)


@st.composite
def covered_cases(draw: st.DrawFn) -> Case:
    """Computations in which all that may fail falls back, or is covered."""
    choose = chooser(draw)
    nodes = [
        attrs.evolve(node, closing="return" if node.is_resource else "")
        for node in make_nodes(choose, faults=PLAIN_FAULTS)
    ]
    case = make_calm_case(choose, tuple(nodes))
    asked = case.targets or [node.rank for node in nodes if not node.is_resource][-1:]
    for rank in asked:
        nodes[rank] = attrs.evolve(nodes[rank], fallback="value")
    on_error = choose(("raise", "group", "continue"))
    return attrs.evolve(
        case, nodes=tuple(nodes), targets=tuple(asked), on_error=on_error
    )


@given(covered_cases())
@many(250)
def test_what_is_covered_ends_no_computation(case: Case) -> None:
    """Whatever on_error says, each target has its value, under every computer."""
    seen = []
    for computer in case.computers:
        run = FaultRun(attrs.evolve(case, computer=computer))
        run.run()
        assert len(run.values) == len(case.targets or ())
        fallbacks = {
            rank: told_in_any_order(error) for rank, error in run.fallbacks.items()
        }
        seen.append((run.values, fallbacks))
        assert run.failures == {}
        assert run.skipped == set()
    assert all(each == seen[0] for each in seen)


@given(single_failures())
@many(250)
def test_one_failing_cell_raises_the_same_under_every_computer(case: Case) -> None:
    """The same type, text and notes, whichever computer runs it."""
    seen = []
    for computer in case.computers:
        run = FaultRun(attrs.evolve(case, computer=computer))
        run.run()
        seen.append((told(run.outcome), list(run.failures)))
    assert all(each == seen[0] for each in seen)


@pytest.mark.needs_processes
@pytest.mark.parametrize("seed", range(60))
def test_processes_are_gone_and_their_deaths_are_told(seed: int) -> None:
    """Process cells that fail, hang or die among others leave no process behind."""
    FaultRun(make_case(random.Random(seed).choice, DEADLY_PLACES, 4)).run()


@pytest.mark.needs_processes
@pytest.mark.parametrize("seed", range(100))
def test_a_dead_worker_fails_its_own_cell_only(seed: int) -> None:
    """With "continue", a worker's death is the failure of the cell that it ran."""
    choose = random.Random(seed).choice
    faults = frozenset({"return", "raise", "die"})
    places = (*("process",) * 5, "async")
    nodes = make_nodes(choose, places, faults, 4, fallbacks=("",))
    run = FaultRun(make_calm_case(choose, nodes, choose(COMPUTERS[1:])))
    run.run()
    for rank, error in run.failures.items():
        assert isinstance(error, WorkerDied) == (nodes[rank].act == "die")
        if isinstance(error, WorkerDied):
            assert error.cells == (run.made.cells[rank],)
