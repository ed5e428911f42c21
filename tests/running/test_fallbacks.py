"""What falls back, what that covers, and in which turn."""

import asyncio
import functools
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

import aiocells
from aiocells import Graph, Results, cell, depends_on, resource
from aiocells._planning.compiling import plan_of
from aiocells._planning.covering import covering_of
from aiocells._running.loops import generated
from aiocells.observers import Recorder
from tests.helpers import ASYNC_COMPUTERS, COMPUTERS

MODES = ("raise", "group", "continue")
every_computer = pytest.mark.parametrize("name", COMPUTERS)
every_async = pytest.mark.parametrize("name", ASYNC_COMPUTERS)
every_mode = pytest.mark.parametrize("mode", MODES)


class Trouble(Exception):
    """Raised by the cells of this module."""


def raising(error: BaseException) -> Callable[[], Any]:
    """A function that raises."""

    def broken() -> Any:
        raise error

    return broken


def raised(name: str, graph: Graph, **options: Any) -> BaseException:
    """What a computer raises."""
    with pytest.raises(BaseException) as caught:  # noqa: PT011
        COMPUTERS[name](graph, **options)
    return caught.value


def events(name: str, graph: Graph, **options: Any) -> list[tuple[str, str]]:
    """What observers are told, without times."""
    recorder = Recorder()
    results = COMPUTERS[name](graph, observers=[recorder], **options)
    recorder.check_order(graph)
    assert isinstance(results, Results)
    return [(event.kind, event.name) for event in recorder.events]


# A cell that fails


@every_computer
@every_mode
def test_a_fallback_gives_the_value_of_a_cell_that_fails(name: str, mode: str) -> None:
    """It is called with the exception, and what it returns is the cell's value."""
    problem = Trouble("down")

    @cell(fallback=lambda error: [error])
    def offers() -> list[Any]:
        raise problem

    @cell
    def page(offers: list[Any]) -> int:
        return len(offers)

    results = COMPUTERS[name](Graph.from_cells(offers, page), on_error=mode)
    assert dict(results) == {offers: [problem], page: 1}
    assert results.fallbacks == {offers: problem}
    assert results.failures == {}
    assert results.skipped == frozenset()
    [note] = problem.__notes__
    assert note.startswith("in cell 'offers' (")


@every_computer
def test_a_fallback_that_is_not_needed_is_not_called(name: str) -> None:
    """Where nothing fails, nothing falls back."""

    @cell(fallback=lambda error: 2)
    def one() -> int:
        return 1

    results = COMPUTERS[name](Graph.from_cells(one))
    assert results[one] == 1
    assert results.fallbacks == {}


@every_computer
@every_mode
def test_a_fallback_is_for_each_failure_that_continue_goes_on_from(
    name: str, mode: str
) -> None:
    """A CancelledError of the cell's own is one, and StopIteration a RuntimeError."""
    cancelled, stop = asyncio.CancelledError("mine"), StopIteration()
    own = cell(name="own", fallback=lambda error: error)(raising(cancelled))
    stopped = cell(name="stopped", fallback=lambda error: error)(raising(stop))
    results = COMPUTERS[name](Graph.from_cells(own, stopped), on_error=mode)
    assert results[own] is cancelled
    assert type(results[stopped]) is RuntimeError
    assert results[stopped].__cause__ is stop


@every_async
def test_a_fallback_is_for_a_timeout(name: str) -> None:
    """What cannot be caught in the cell itself, its own time limit, falls back."""

    @cell(timeout=0.001, fallback=lambda error: type(error))
    async def slow() -> Any:
        await asyncio.Event().wait()

    results = COMPUTERS[name](Graph.from_cells(slow))
    assert results[slow] is TimeoutError


@every_computer
@every_mode
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, BaseException])
def test_an_exit_does_not_fall_back(
    name: str, mode: str, kind: type[BaseException]
) -> None:
    """What is no Exception leaves the computer, and the fallback is not called."""
    asked: list[BaseException] = []
    leaving = cell(name="leaving", fallback=asked.append)(raising(kind("now")))
    user = cell(name="user", fallback=asked.append)(depends_on(leaving)(lambda: 1))
    error = raised(name, Graph.from_cells(user), on_error=mode, targets=[user])
    assert type(error) is kind
    assert aiocells.failures(error) == {leaving: error}
    assert not asked


@every_async
def test_nothing_falls_back_once_the_computation_is_cancelled(name: str) -> None:
    """What fails while it is cancelled is a failure, covered or not."""
    asked: list[BaseException] = []
    problem = Trouble()

    @cell
    async def covered() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise problem

    @cell(fallback=asked.append)
    async def user(covered: None) -> None: ...

    async def main() -> None:
        made = ASYNC_COMPUTERS[name](Graph.from_cells(covered, user), targets=[user])
        task = asyncio.ensure_future(made)
        for _ in range(3):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        assert aiocells.failures(caught.value) == {covered: problem}

    asyncio.run(main())
    assert not asked


@pytest.mark.parametrize("name", ["concurrent", "simple"])
def test_nothing_falls_back_once_another_failure_has_stopped_it(name: str) -> None:
    """A cell that raises while it is cancelled for another failure has failed."""
    asked: list[BaseException] = []
    late = Trouble("late")

    @cell(fallback=asked.append)
    async def waiting() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise late

    @cell
    async def broken() -> None:
        await asyncio.sleep(0)
        raise Trouble

    error = raised(name, Graph.from_cells(waiting, broken))
    assert aiocells.failures(error) == {broken: error, waiting: late}
    assert not asked


@every_async
def test_a_cell_that_cancels_its_own_computation_does_not_fall_back(name: str) -> None:
    """A cancellation counts from when it is asked for, not from when it arrives."""
    asked: list[BaseException] = []

    @cell
    async def broken() -> None:
        main.cancel()
        raise Trouble

    @cell(fallback=asked.append)
    def user(broken: None) -> None: ...

    async def compute() -> None:
        nonlocal main
        main = asyncio.current_task()
        await ASYNC_COMPUTERS[name](Graph.from_cells(broken, user), targets=[user])

    main: Any = None
    with pytest.raises(asyncio.CancelledError) as caught:
        asyncio.run(compute())
    assert list(aiocells.failures(caught.value)) == [broken]
    assert not asked


@every_computer
@pytest.mark.needs_threads
@pytest.mark.parametrize("run_in", [None, "thread"])
def test_a_fallback_runs_inline(name: str, run_in: str | None) -> None:
    """It runs on the thread of the computation, wherever its cell runs."""
    problem = Trouble()

    @cell(run_in=run_in, fallback=lambda error: threading.get_ident())
    def broken() -> int:
        raise problem

    @cell(run_in=run_in, fallback=lambda error: threading.get_ident())
    @depends_on(broken)
    def fine() -> int:
        return 0

    results = COMPUTERS[name](Graph.from_cells(fine))
    assert results[broken] == threading.get_ident()
    assert results[fine] == 0


@pytest.mark.needs_processes
@every_async
def test_a_process_cell_falls_back_in_the_program(name: str) -> None:
    """Its fallback stays here: it need not be sent anywhere."""
    seen: list[BaseException] = []
    function = functools.partial(divmod, 1, 0)
    broken = cell(name="broken", run_in="process", fallback=seen.append)(function)
    results = COMPUTERS[name](Graph.from_cells(broken))
    assert results[broken] is None
    assert list(map(type, seen)) == [ZeroDivisionError]


# What a fallback raises


@every_computer
@every_mode
def test_what_a_fallback_raises_is_the_failure(name: str, mode: str) -> None:
    """The first exception is its context, and the note names the cell."""
    first, second = Trouble("first"), Trouble("second")

    def decline(error: BaseException) -> Any:
        raise second

    broken = cell(name="broken", fallback=decline)(raising(first))
    graph = Graph.from_cells(broken)
    if mode == "continue":
        results = COMPUTERS[name](graph, on_error=mode)
        assert results.failures == {broken: second}
        assert results.fallbacks == {}
    else:
        error = raised(name, graph, on_error=mode)
        assert aiocells.failures(error) == {broken: second}
        assert error is second or error.exceptions == (second,)  # type: ignore[attr-defined]
    assert second.__context__ is first
    assert second.__cause__ is None
    assert [note.split(" (")[0] for note in second.__notes__] == ["in cell 'broken'"]


def decline(error: BaseException) -> Any:
    """A fallback that wants the failure after all."""
    raise error


def decline_bare(error: BaseException) -> Any:
    """The same, as in an except clause."""
    raise


@every_computer
@pytest.mark.parametrize("fallback", [decline, decline_bare])
def test_raising_the_exception_itself_declines(name: str, fallback: Any) -> None:
    """`raise error` leaves the failure as it is, with nothing of ours around it."""
    problem = Trouble("down")
    before = problem.__context__
    broken = cell(name="broken", fallback=fallback)(raising(problem))
    error = raised(name, Graph.from_cells(broken))
    assert error is problem
    assert error.__context__ is before
    assert len(error.__notes__) == 1
    assert aiocells.failures(error) == {broken: problem}


@every_computer
def test_one_that_cannot_be_called_may_decline_too(name: str) -> None:
    """Then it has failed itself, with the failure of what it needs."""
    problem = Trouble("down")
    broken = cell(name="broken")(raising(problem))
    user = cell(name="user", fallback=decline)(depends_on(broken)(lambda: 1))
    after = cell(name="after", fallback=lambda error: error)(
        depends_on(user)(lambda: 1)
    )
    graph = Graph.from_cells(after)
    assert COMPUTERS[name](graph, targets=[after])[after] is problem
    error = raised(name, graph, targets=[user])
    assert error is problem
    assert aiocells.failures(error) == {user: problem}
    assert [note.split(" (")[0] for note in problem.__notes__][:2] == [
        "in cell 'broken'",
        "in cell 'user'",
    ]


@every_computer
def test_an_exit_out_of_a_fallback_leaves_the_computer(name: str) -> None:
    """It is the cell's failure, and nothing goes on from it."""

    def leave(error: BaseException) -> Any:
        raise SystemExit(3)

    broken = cell(name="broken", fallback=leave)(raising(Trouble()))
    user = cell(name="user", fallback=lambda error: 1)(depends_on(broken)(lambda: 1))
    error = raised(name, Graph.from_cells(user), targets=[user])
    assert type(error) is SystemExit
    assert list(aiocells.failures(error)) == [broken]


@every_computer
def test_a_fallback_that_returns_a_coroutine_has_failed(name: str) -> None:
    """Nobody would await it, and a value that is none would be passed on."""

    async def never() -> None: ...

    broken = cell(name="broken", fallback=lambda error: never())(raising(Trouble()))
    error = raised(name, Graph.from_cells(broken))
    assert type(error) is TypeError
    assert str(error).startswith("the fallback returned a coroutine, which nobody awa")
    assert type(error.__context__) is Trouble


# What is covered


def shop(problem: BaseException) -> dict[str, Any]:
    """An optional branch: `page` needs `offers`, which falls back, and `city`.

    `offers` needs `ranked`, after `audited`; both need `client`, which fails.
    """
    city = cell(name="city")(lambda: "Oslo")
    client = cell(name="client")(raising(problem))
    ranked = cell(name="ranked")(depends_on(x=client)(lambda x: x))
    audited = cell(name="audited")(depends_on(client)(lambda: 1))
    offers = cell(name="offers", fallback=lambda error: "none")(
        depends_on(audited, x=ranked)(lambda x: x)
    )
    page = cell(name="page")(depends_on(a=city, b=offers)(lambda a, b: (a, b)))
    names = ("city", "client", "ranked", "audited", "offers", "page")
    return dict(zip(names, (city, client, ranked, audited, offers, page), strict=True))


@every_computer
@every_mode
def test_a_fallback_covers_what_only_it_needs(name: str, mode: str) -> None:
    """An optional branch is optional as a whole, by value and by order."""
    problem = Trouble("down")
    cells = shop(problem)
    results = COMPUTERS[name](
        Graph.from_cells(cells["page"]), targets=["page"], on_error=mode
    )
    assert dict(results) == {cells["page"]: ("Oslo", "none")}
    assert results.fallbacks == {cells["offers"]: problem}
    assert results.failures == {}
    assert results.skipped == frozenset()


@every_computer
@every_mode
def test_a_target_is_not_covered(name: str, mode: str) -> None:
    """Who asks for a cell wants to hear of its failure."""
    problem = Trouble("down")
    cells = shop(problem)
    graph = Graph.from_cells(cells["page"])
    for targets in (["page", "client"], None):
        if mode != "continue":
            error = raised(name, graph, targets=targets, on_error=mode)
            assert aiocells.failures(error) == {cells["client"]: problem}
            continue
        results = COMPUTERS[name](graph, targets=targets, on_error=mode)
        assert results["page"] == ("Oslo", "none")
        assert results.failures == {cells["client"]: problem}
        covered = set() if targets is None else {"ranked", "audited"}
        skipped = {cells["ranked"], cells["audited"]} if not covered else set()
        assert results.skipped == skipped


@every_computer
def test_what_another_needs_is_not_covered(name: str) -> None:
    """One that has no fallback, and is not covered, makes the failure count."""
    problem = Trouble("down")
    cells = shop(problem)
    other = cell(name="other")(depends_on(cells["ranked"])(lambda: 1))
    graph = Graph.from_cells(cells["page"], other)
    error = raised(name, graph, targets=["page", "other"])
    assert error is problem
    assert aiocells.failures(error) == {cells["client"]: problem}
    assert COMPUTERS[name](graph, targets=["page"])["page"] == ("Oslo", "none")


def test_covering_is_what_the_definition_says() -> None:
    """No target; somebody needs it; all who do have a fallback or are covered."""
    cells = shop(Trouble())
    graph = Graph.from_cells(cells["page"])
    plan = plan_of(graph)
    names = plan.program.names
    fallbacks, covered = covering_of(plan)
    assert [names[number] for number in fallbacks] == ["offers"]
    assert covered == frozenset()


@every_computer
@every_mode
def test_a_resource_is_covered_where_all_cells_are_targets(
    name: str, mode: str
) -> None:
    """It is never a target."""
    problem = Trouble("down")

    @resource
    def client() -> Iterator[int]:
        raise problem
        yield 1

    @cell(fallback=lambda error: error)
    def offers(client: int) -> Any: ...

    results = COMPUTERS[name](Graph.from_cells(client, offers), on_error=mode)
    assert results[offers] is problem
    assert results.failures == {}


# Each in its turn


@every_computer
@every_mode
def test_each_comes_in_its_turn_without_a_start(name: str, mode: str) -> None:
    """Observers hear of the failure, of what is skipped, and of what falls back."""
    cells = shop(Trouble())
    told = events(
        name, Graph.from_cells(cells["page"]), targets=["page"], on_error=mode
    )
    of_branch = [each for each in told if each[1] not in ("city", "page")]
    assert sorted(of_branch[:4]) == sorted(
        [
            ("start", "client"),
            ("failure", "client"),
            ("skip", "ranked"),
            ("skip", "audited"),
        ]
    )
    assert of_branch[4:] == [("fallback", "offers")]
    assert told[-2:] == [("start", "page"), ("end", "page")]


@every_computer
def test_a_cell_that_ran_has_a_start(name: str) -> None:
    """Its fallback stands in place of its end, with the error."""
    problem = Trouble()
    broken = cell(name="broken", fallback=lambda error: 1)(raising(problem))
    recorder = Recorder()
    COMPUTERS[name](Graph.from_cells(broken), observers=[recorder])
    told = [(event.kind, event.error) for event in recorder.events]
    assert told == [("start", None), ("fallback", problem)]


@every_computer
@every_mode
def test_a_failure_reaches_a_cell_when_all_that_it_needs_has_ended(
    name: str, mode: str
) -> None:
    """So the order that was asked for holds, whatever fails."""
    problem = Trouble()
    broken = cell(name="broken")(raising(problem))

    @cell
    async def prepared() -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    if name == "sequential":
        prepared = cell(name="prepared")(lambda: None)
    user = cell(name="user", fallback=lambda error: 1)(
        depends_on(broken, prepared)(lambda: 2)
    )
    told = events(name, Graph.from_cells(user), targets=[user], on_error=mode)
    assert ("failure", "broken") in told
    assert told[-2:] == [("end", "prepared"), ("fallback", "user")]


@every_async
def test_with_continue_a_cell_is_skipped_in_its_turn(name: str) -> None:
    """It is told when all that it needs has ended, not when the first has failed."""
    broken = cell(name="broken")(raising(Trouble()))

    @cell
    async def slow() -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    user = cell(name="user")(depends_on(broken, slow)(lambda: 2))
    told = events(name, Graph.from_cells(user), on_error="continue")
    assert told[-2:] == [("end", "slow"), ("skip", "user")]


@every_computer
@every_mode
def test_it_gets_the_failure_of_the_first_declared(name: str, mode: str) -> None:
    """Its notes name the others, also those behind what was skipped."""
    errors = [Trouble(f"number {n}") for n in range(4)]
    broken = [cell(name=f"broken_{n}")(raising(errors[n])) for n in range(4)]
    first = cell(name="first")(depends_on(broken[3], broken[1])(lambda: 1))
    last = cell(name="last")(depends_on(first, broken[2])(lambda: 1))
    chain = cell(name="chain")(depends_on(first)(lambda: 1))
    user = cell(name="user", fallback=lambda error: (error, [*error.__notes__]))(
        depends_on(last, chain)(lambda: 1)
    )
    graph = Graph.from_cells(*broken, first, last, chain, user)
    results = COMPUTERS[name](graph, targets=[user], on_error=mode)
    error, notes = results[user]
    assert error is results.fallbacks[user] is errors[1]
    also = [note.split(" (")[0] for note in notes if note.startswith("also")]
    assert also == ["also failed: cell 'broken_2'", "also failed: cell 'broken_3'"]


@every_computer
def test_with_continue_what_is_not_covered_is_told_as_before(name: str) -> None:
    """A fallback takes the failure of a cell that counts, and that still counts."""
    problem = Trouble()
    broken = cell(name="broken")(raising(problem))
    between = cell(name="between")(depends_on(broken)(lambda: 1))
    user = cell(name="user", fallback=lambda error: error)(
        depends_on(between)(lambda: 1)
    )
    other = cell(name="other")(depends_on(broken)(lambda: 1))
    graph = Graph.from_cells(user, other)
    results = COMPUTERS[name](graph, targets=[user, other], on_error="continue")
    assert dict(results) == {user: problem}
    assert results.failures == {broken: problem}
    assert results.skipped == {other}  # what is covered is in none of them
    assert results.fallbacks == {user: problem}
    with pytest.raises(KeyError, match=r"'other' .* was skipped, because .*'broken'"):
        results[other]


# The quick ways of the computer without an event loop


def numbers(count: int, broken: int) -> list[Any]:
    """Cells of three arguments, each with a value of its own; one of them fails."""
    made: list[Any] = []
    for number in range(count):

        def function(a: int = 0, b: int = 0, c: int = 0, number: int = number) -> int:
            if number == broken:
                raise Trouble
            return a + b + c + number

        before = made[max(0, number - 3) : number]
        bound = dict(zip("abc", before, strict=False))
        options: dict[str, Any] = {"name": f"cell_{number}"}
        if number == broken:
            options["fallback"] = lambda error: 1000
        made.append(cell(**options)(depends_on(**bound)(function)))
    return made


def sums(count: int, broken: int) -> list[int]:
    """What they give."""
    made: list[int] = []
    for number in range(count):
        value = sum(made[max(0, number - 3) : number]) + number
        made.append(1000 if number == broken else value)
    return made


@pytest.mark.parametrize("broken", range(12))
@pytest.mark.parametrize("targets", [None, [11], [5, 11], [11, 0]])
@pytest.mark.parametrize("runs", [1, generated.WORTH_COMPILING + 1])
def test_a_plain_computation_goes_on_from_where_it_was(
    broken: int, targets: list[int] | None, runs: int
) -> None:
    """Whether values are written over, and whether code was generated for it."""
    cells = numbers(12, broken)
    graph = Graph.from_cells(*cells)
    asked = None if targets is None else [cells[each] for each in targets]
    for _ in range(runs):
        results = aiocells.compute_sequential(graph, targets=asked)
    expected = sums(12, broken)
    there = range(12) if targets is None else targets
    assert dict(results) == {cells[each]: expected[each] for each in there}
    used = max(there) >= broken
    assert set(results.fallbacks) == ({cells[broken]} if used else set())


@pytest.mark.parametrize("broken", range(6))
@pytest.mark.parametrize("gives", [None, "value"])
def test_quiet_cells_go_on(broken: int, gives: str | None) -> None:
    """Where no cell takes anything, nothing may have been kept yet."""
    problem = Trouble()
    cells = [
        cell(name=f"cell_{n}", fallback=lambda error: "back")(
            raising(problem) if n == broken else lambda: gives
        )
        for n in range(6)
    ]
    results = aiocells.compute_sequential(Graph.from_cells(*cells))
    expected = ["back" if n == broken else gives for n in range(6)]
    assert list(results.values()) == expected


@every_computer
def test_several_fall_back(name: str) -> None:
    """Each from its own failure, whatever failed before."""
    cells = [
        cell(name=f"cell_{n}", fallback=lambda error: str(error))(
            raising(Trouble(f"number {n}"))
        )
        for n in range(4)
    ]
    results = COMPUTERS[name](Graph.from_cells(*cells))
    assert list(results.values()) == [f"number {n}" for n in range(4)]


@every_computer
def test_inputs_and_overrides_are_there_after_a_failure(name: str) -> None:
    """What was given is passed on as before."""

    @cell(fallback=lambda error: 1)
    def broken(offset: int) -> int:
        raise Trouble

    @cell
    def known(factor: int) -> int:
        return factor

    @cell
    def total(broken: int, known: int, offset: int, factor: int) -> list[int]:
        return [broken, known, offset, factor]

    graph = Graph.from_cells(broken, known, total)
    for _ in range(generated.WORTH_COMPILING + 1 if name == "sequential" else 1):
        results = COMPUTERS[name](
            graph,
            targets=[total],
            overrides={known: 2},
            inputs={"offset": 3, "factor": 4},
        )
    assert results[total] == [1, 2, 3, 4]


@every_computer
def test_an_overridden_cell_needs_nothing(name: str) -> None:
    """What it would have needed neither covers nor is covered."""
    problem = Trouble()
    broken = cell(name="broken")(raising(problem))
    given = cell(name="given")(depends_on(broken)(lambda: 1))
    user = cell(name="user", fallback=lambda error: error)(
        depends_on(given, broken)(lambda: 2)
    )
    graph = Graph.from_cells(user)
    results = COMPUTERS[name](graph, targets=[user], overrides={given: 1})
    assert results[user] is problem


@pytest.mark.parametrize("name", ["concurrent", "simple"])
@pytest.mark.parametrize("options", [{"max_concurrency": 1}, {"limits": {"db": 1}}])
def test_limits_hold_where_cells_fall_back(name: str, options: Any) -> None:
    """Who falls back, or is skipped, gives its place to the next."""
    problem = Trouble()
    limit = "db" if "limits" in options else None
    broken = cell(name="broken", limit=limit)(raising(problem))
    between = cell(name="between", limit=limit)(depends_on(broken)(lambda: 1))
    users = [
        cell(name=f"user_{n}", limit=limit, fallback=lambda error: error)(
            depends_on(between)(lambda: 1)
        )
        for n in range(3)
    ]
    results = COMPUTERS[name](Graph.from_cells(*users), targets=users, **options)
    assert len(results) == len(results.fallbacks) == 3


# Resources


@every_computer
@every_mode
def test_a_resource_that_cannot_be_opened_falls_back(name: str, mode: str) -> None:
    """Its value is what the fallback gives; there is no clean-up."""
    problem, log = Trouble(), []

    @resource(fallback=lambda error: "none")
    def client() -> Iterator[str]:
        log.append("open")
        raise problem
        yield "client"
        log.append("close")

    @cell
    def page(client: str) -> str:
        return client

    results = COMPUTERS[name](Graph.from_cells(client, page), on_error=mode)
    assert results[page] == "none"
    assert results.fallbacks == {client: problem}
    assert log == ["open"]


@every_async
@pytest.mark.parametrize(
    "run_in", [None, pytest.param("thread", marks=pytest.mark.needs_threads)]
)
def test_a_resource_whose_needs_failed_is_not_opened(
    name: str, run_in: str | None
) -> None:
    """It falls back or is skipped, and nobody is told that it started."""
    log = []
    broken = cell(name="broken")(raising(Trouble()))

    @resource(run_in=run_in, fallback=lambda error: "none")
    @depends_on(broken)
    def first() -> Iterator[str]:
        log.append("first")
        yield "first"

    @resource(run_in=run_in)
    @depends_on(broken)
    def second() -> Iterator[str]:
        log.append("second")
        yield "second"

    @resource
    async def third(second: str) -> AsyncIterator[str]:
        log.append("third")
        yield "third"

    @resource
    async def fourth(first: str) -> AsyncIterator[str]:
        log.append("fourth")
        yield first
        log.append("closed")

    @cell(fallback=lambda error: error)
    async def page(fourth: str, third: str) -> None: ...

    @cell
    async def other(fourth: str) -> str:
        return fourth

    graph = Graph.from_cells(first, second, third, fourth, page, other)
    told = events(name, graph, targets=[page, other])
    assert log == ["fourth", "closed"]
    assert [name for kind, name in told if kind == "fallback"] == ["first", "page"]
    assert [name for kind, name in told if kind == "skip"] == ["second", "third"]
    started = [name for kind, name in told if kind == "start"]
    assert started == ["broken", "fourth", "other"]


def test_a_plain_resource_whose_needs_failed_is_not_opened() -> None:
    """So it is without an event loop."""
    broken = cell(name="broken")(raising(Trouble()))

    @resource
    @depends_on(broken)
    def client() -> Iterator[str]:
        raise AssertionError
        yield "client"

    @cell(fallback=lambda error: "none")
    def page(client: str) -> str:
        return client

    told = events("sequential", Graph.from_cells(client, page), targets=[page])
    assert told == [
        ("start", "broken"),
        ("failure", "broken"),
        ("skip", "client"),
        ("fallback", "page"),
    ]


@every_async
def test_an_async_resource_that_takes_too_long_to_open_falls_back(name: str) -> None:
    """Its time limit is a failure like others."""

    @resource(timeout=0.001, fallback=lambda error: type(error))
    async def client() -> AsyncIterator[Any]:
        await asyncio.Event().wait()
        yield 1

    @cell
    async def page(client: Any) -> Any:
        return client

    assert COMPUTERS[name](Graph.from_cells(client, page))[page] is TimeoutError


@every_computer
def test_the_clean_up_of_a_resource_does_not_fall_back(name: str) -> None:
    """What fails there is a failure, though all that needs it has a fallback."""
    problem, asked = Trouble(), []

    @resource(fallback=asked.append)
    def client() -> Iterator[int]:
        yield 1
        raise problem

    @cell(fallback=asked.append)
    def page(client: int) -> int:
        return client

    error = raised(name, Graph.from_cells(client, page))
    assert error is problem
    assert aiocells.failures(error) == {client: problem}
    assert not asked


# An exit that an observer asks for


@every_computer
@pytest.mark.parametrize("kind", ["fallback", "skip", "failure"])
def test_an_exit_at_an_event_of_a_covered_branch(name: str, kind: str) -> None:
    """It ends the computation there, and nothing falls back after it."""

    def leave(event: aiocells.observers.Event) -> None:
        if event.kind == kind:
            raise KeyboardInterrupt

    asked: list[Any] = []
    broken = cell(name="broken")(raising(Trouble()))
    between = cell(name="between")(depends_on(broken)(lambda: 1))
    user = cell(name="user", fallback=asked.append)(depends_on(between)(lambda: 1))
    after = cell(name="after")(depends_on(user)(lambda: asked.append("after")))
    graph = Graph.from_cells(after)
    error = raised(name, graph, targets=[after], observers=[leave])
    assert type(error) is KeyboardInterrupt
    assert len(asked) == (kind == "fallback")


def test_fallbacks_are_read_only_and_there_in_any_results() -> None:
    """Nobody can write there what did not happen."""
    one = cell(name="one")(lambda: 1)
    results: Any = aiocells.compute_sequential(Graph.from_cells(one))
    assert dict(results.fallbacks) == {}
    with pytest.raises(TypeError):
        results.fallbacks[one] = Trouble()
