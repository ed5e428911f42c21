"""Random graphs whose cells ask for others: the same under every computer."""

import asyncio
from typing import Any
from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import aiocells
from aiocells._running.loops import generated
from tests.asking import (
    AskingCase,
    AskingCells,
    AskingNode,
    AskingReference,
    CellError,
    make_asking_case,
    told,
)
from tests.asking_runs import Disturbed, DisturbedRun, make_disturbed
from tests.factories import FACTORIES
from tests.fault_sharing import SharedLimit
from tests.running.test_faults import chooser, many
from tests.virtual_loop import run_virtually

# What cells raise, and what is raised for them; and for the timeout around it all.
RAISED = (
    *(CellError, RuntimeError, asyncio.CancelledError, BaseExceptionGroup),
    TimeoutError,
)
WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "sequential": ("compute_sequential", {}),
    "async_sequential": ("async_compute_sequential", {}),
    "concurrent": ("async_compute_concurrent", {}),
    "one": ("async_compute_concurrent", {"max_concurrency": 1}),
    "two": ("async_compute_concurrent", {"max_concurrency": 2}),
    "simple": ("async_compute_concurrent_simple", {}),
    "simple one": ("async_compute_concurrent_simple", {"max_concurrency": 1}),
}


@st.composite
def cases(draw: st.DrawFn) -> AskingCase:
    """Graphs whose cells wait for all that they ask for."""
    return make_asking_case(chooser(draw), limited=(False, False, True))


@st.composite
def impatient_cases(draw: st.DrawFn) -> AskingCase:
    """Graphs whose cells give up waiting."""
    return make_asking_case(chooser(draw), is_patient=False)


def outcome_of(way: str, cells: AskingCells, factory: str = "", **options: Any) -> Any:
    """What a computer gives, or raises."""
    name, more = WAYS[way]
    computer = getattr(aiocells, name)

    async def awaited() -> Any:
        loop = asyncio.get_running_loop()
        loop.set_task_factory(FACTORIES.get(factory))
        try:
            return await computer(cells.graph, **options, **more)
        finally:
            loop.set_task_factory(None)

    try:
        if way == "sequential":
            return computer(cells.graph, **options)
        return run_virtually(awaited())
    except RAISED as error:
        return error


def limits_of(way: str, case: AskingCase, few: int, turns: int | None) -> Any:
    """The limit "few", as a number or a limiter, where it is to be given."""
    if way == "sequential" or not any(node.is_limited for node in case.nodes):
        return {}
    return {"limits": {"few": few if turns is None else SharedLimit(few, turns)}}


@pytest.mark.parametrize("way", WAYS)
@given(
    case=cases(),
    is_chosen=st.booleans(),
    turns=st.sampled_from([None, 0, 2]),
    factory=st.sampled_from(["", "", *FACTORIES]),
)
@many(150)
def test_every_computer_gives_what_the_reference_gives(
    way: str, case: AskingCase, is_chosen: bool, turns: int | None, factory: str
) -> None:
    """The same values, failures and skipped cells; each cell has run at most once."""
    cells = AskingCells(case)
    if way == "sequential" and any(node.is_async for node in case.nodes):
        return
    targets = None
    if is_chosen:
        last = case.nodes[-1].rank
        targets = () if case.nodes[last].is_resource else (last,)
    reference = AskingReference(case, targets)
    chosen = None if targets is None else [cells.cells[rank] for rank in targets]
    limits = limits_of(way, case, 1, turns)
    results = outcome_of(
        way, cells, factory, targets=chosen, on_error="continue", **limits
    )
    assert cells.problems == []
    assert sorted(cells.started) == sorted(reference.ended.keys() - reference.lost)
    ranks = cells.ranks
    assert {ranks[each]: v for each, v in results.items()} == reference.values
    failures = {ranks[each]: told(error) for each, error in results.failures.items()}
    assert failures == reference.failures
    skipped = {ranks[each] for each in results.skipped}
    lost = reference.lost - reference.fallbacks.keys() - reference.covered
    assert skipped == lost & reference.is_eager
    fell_back = {ranks[each]: told(error) for each, error in results.fallbacks.items()}
    assert fell_back == reference.fallbacks
    for rank in reference.ended.keys() - reference.is_eager:
        if isinstance(reference.ended[rank], str):
            with pytest.raises(RAISED) as raised:
                results[cells.cells[rank]]
            assert told(raised.value) == reference.ended[rank][1:]
    for rank in {*cells.cells} - reference.ended.keys():
        with pytest.raises(aiocells.MissingValue):
            results[cells.cells[rank]]
    cells.check_resources()
    if way in ("one", "simple one", "async_sequential"):
        assert cells.most_active <= 1
    if way == "two":
        assert cells.most_active <= 2


@st.composite
def plain_cases(draw: st.DrawFn) -> AskingCase:
    """Graphs of plain cells."""
    return make_asking_case(chooser(draw), is_plain=True)


def seen_of(
    cells: AskingCells, on_error: str, targets: tuple[int, ...] | None, runs: int
) -> Any:
    """All that a user sees of a plan that was computed so often."""
    chosen = None if targets is None else [cells.cells[rank] for rank in targets]
    for _ in range(runs):
        cells.log.clear()
        found = outcome_of("sequential", cells, targets=chosen, on_error=on_error)
    ranks = cells.ranks
    if isinstance(found, BaseException):
        errors = {ranks[each]: e for each, e in aiocells.failures(found).items()}
        values = absent = fallbacks = {}
        notes = found.__notes__ if on_error == "raise" else []
    else:
        errors, notes = {}, []
        values = {ranks[each]: value for each, value in found.items()}
        fallbacks = {ranks[each]: told(e) for each, e in found.fallbacks.items()}
        absent = {}
        for rank, cell in cells.cells.items():
            if rank not in values:
                with pytest.raises((*RAISED, aiocells.MissingValue)) as raised:
                    found[cell]
                absent[rank] = told(raised.value)
    failures = [(rank, told(e), e.__notes__) for rank, e in errors.items()]
    return cells.log, values, failures, notes, fallbacks, absent


@given(
    case=plain_cases(),
    on_error=st.sampled_from(["raise", "group"]),
    is_chosen=st.booleans(),
)
@many(200)
def test_generated_code_does_what_the_loops_do(
    case: AskingCase, on_error: str, is_chosen: bool
) -> None:
    """In the same order the same cells, and all that is told of them."""
    targets = (case.nodes[-1].rank,) if is_chosen else None
    by_loops = seen_of(AskingCells(case), on_error, targets, 1)
    with mock.patch.object(generated, "WORTH_COMPILING", 2):
        assert seen_of(AskingCells(case), on_error, targets, 3) == by_loops


@pytest.mark.parametrize("way", WAYS)
@given(
    case=impatient_cases(),
    on_error=st.sampled_from(["raise", "group", "continue"]),
    cancel_after=st.sampled_from([None, None, 0.0, 0.7, 1.0, 2.2]),
)
@many(150)
def test_nothing_is_left_of_what_was_asked_for(
    way: str, case: AskingCase, on_error: str, cancel_after: float | None
) -> None:
    """However the waiting ends: all has ended, what was opened is closed."""
    cells = AskingCells(case)
    if way == "sequential":
        if not any(node.is_async for node in case.nodes):
            outcome_of(way, cells, on_error=on_error)
            cells.check_resources()
        return
    name, more = WAYS[way]

    async def bounded() -> Any:
        async with asyncio.timeout(cancel_after):
            return await getattr(aiocells, name)(cells.graph, on_error=on_error, **more)

    found = ""
    try:
        run_virtually(bounded())
    except RAISED as error:
        found = str(error)
    assert "please report" not in found
    assert not cells.active
    cells.check_resources()


@st.composite
def disturbed_cases(draw: st.DrawFn) -> Disturbed:
    """Any computation, with anything that may come in between."""
    return make_disturbed(chooser(draw))


def hold_cancelled_after_giving_up() -> Disturbed:
    """A hold whose first cell waits too little, and that is cancelled as it ends."""

    def node(rank: int, asked: tuple[int, ...], seconds: int) -> AskingNode:
        return AskingNode(
            rank,
            values=(),
            orders=(),
            asked=asked,
            plan=("catch",) * len(asked),
            is_together=False,
            seconds=seconds,
            patience=0.5,
            act="return",
            is_async=True,
            is_resource=False,
            falls_back=False,
        )

    return Disturbed(
        AskingCase((node(0, (), 1), node(1, (0,), 2)), (0, 1)),
        computer="hold",
        on_error="raise",
        cancel_at=(3,),
    )


@pytest.mark.parametrize("part", range(2))
@example(disturbed=hold_cancelled_after_giving_up())
@given(disturbed=disturbed_cases())
@many(200)
def test_nothing_is_left_running_or_held_whatever_happens(
    part: int, disturbed: Disturbed
) -> None:
    """Cancelled anywhere, with limits, holds, factories: all has ended, and closed."""
    DisturbedRun(disturbed).run()
