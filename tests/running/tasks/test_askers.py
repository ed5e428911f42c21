"""Lazy on an event loop: who asks waits, without its place, and may give up."""

import asyncio
import contextlib
import contextvars
import functools
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from unittest import mock

import pytest

import aiocells
from aiocells import Graph, Lazy, MissingValue, cell, depends_on, resource
from aiocells._planning.compiling import plan_of
from aiocells._running.tasks import asking_places, scheduler
from aiocells.observers import Recorder
from tests.factories import FACTORIES
from tests.helpers import ASYNC_COMPUTERS
from tests.virtual_loop import run_virtually

CONCURRENT = {name: ASYNC_COMPUTERS[name] for name in ("concurrent", "simple")}
each_computer = pytest.mark.parametrize(
    "computer", ASYNC_COMPUTERS.values(), ids=ASYNC_COMPUTERS
)
each_concurrent = pytest.mark.parametrize(
    "computer", CONCURRENT.values(), ids=CONCURRENT
)


@pytest.fixture(params=["eager", "later"], autouse=True)
def eagerness(request: pytest.FixtureRequest) -> Iterator[None]:
    """Lets tasks start at once, or in the next turn of the event loop."""
    if request.param == "eager":
        yield
        return
    with (
        mock.patch.object(scheduler, "_CAN_BE_EAGER", False),
        mock.patch.object(scheduler, "eager_tasks", return_value=None),
    ):
        yield


class Slow:
    """A cell that takes a second, and one that needs it; they count their runs."""

    def __init__(self) -> None:
        """Make the cells."""
        self.log: list[str] = []
        log = self.log

        @cell
        async def slow() -> str:
            log.append("start")
            try:
                await asyncio.sleep(1)
            except asyncio.CancelledError:
                log.append("cancelled")
                raise
            log.append("end")
            return "slow"

        @cell
        @depends_on(slow=slow)
        async def behind(slow: str) -> str:
            return f"behind {slow}"

        self.slow, self.behind = slow, behind


def asking(**bindings: Any) -> Callable[[Any], Any]:
    """Mark a function as a cell that may ask for others."""
    lazy = {name: Lazy(function) for name, function in bindings.items()}
    return lambda function: cell(depends_on(**lazy)(function))


@each_computer
def test_many_who_ask_at_once_get_one_value(computer: Any) -> None:
    """What is asked for runs once, whoever asks, and from however many tasks."""
    made = Slow()

    @asking(behind=made.behind)
    async def first(behind: Any) -> list[str]:
        return list(await asyncio.gather(behind(), behind()))

    @asking(behind=made.behind, slow=made.slow)
    async def second(behind: Any, slow: Any) -> str:
        return str(await behind()) + str(await slow())

    results = run_virtually(computer(Graph.from_cells(first, second)))
    assert results[first] == ["behind slow"] * 2
    assert results[second] == "behind slowslow"
    assert made.log == ["start", "end"]


@each_computer
@pytest.mark.parametrize("limit", [None, 1])
def test_what_nobody_waits_for_any_more_is_cancelled(
    computer: Any, limit: int | None
) -> None:
    """Asked again, it starts again; what another still wants goes on."""
    options = {}
    if computer is not ASYNC_COMPUTERS["async_sequential"]:
        options = {"max_concurrency": limit}
    made = Slow()
    recorder = Recorder()

    @asking(behind=made.behind)
    async def page(behind: Any) -> str:
        for _ in range(2):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await behind()
        return str(await behind())

    graph = Graph.from_cells(page)
    results = run_virtually(computer(graph, observers=[recorder], **options))
    assert results[page] == "behind slow"
    assert made.log == ["start", "cancelled"] * 2 + ["start", "end"]
    assert recorder.names("cancel") == ["slow", "slow"]


@each_computer
def test_what_is_given_up_at_the_end_ends_quietly(computer: Any) -> None:
    """The last task that is cancelled starts nothing, and has nobody to tell."""
    made = Slow()
    tasks: list[asyncio.Task[Any]] = []
    contexts: list[dict[str, Any]] = []

    @asking(slow=made.slow)
    async def page(slow: Any) -> None:
        tasks.append(asyncio.create_task(slow()))
        await asyncio.sleep(0.5)

    async def compute() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: contexts.append(context))
        await computer(Graph.from_cells(page))
        with pytest.raises(RuntimeError, match="has ended"):
            await tasks[0]

    run_virtually(compute())
    assert made.log == ["start", "cancelled"]
    assert not contexts


@each_computer
def test_what_was_given_up_is_not_in_the_results(computer: Any) -> None:
    """Its `timeout=` runs on while a cell waits; the results say that nobody waited."""
    made = Slow()

    async def body(behind: Any) -> None:
        await behind()

    page = cell(timeout=0.5)(depends_on(behind=Lazy(made.behind))(body))
    graph = Graph.from_cells(page)
    results = run_virtually(computer(graph, on_error="continue"))
    assert made.log == ["start", "cancelled"]
    assert [type(each) for each in results.failures.values()] == [TimeoutError]
    with pytest.raises(MissingValue, match="or waited for it to the end"):
        results[made.slow]


@each_concurrent
def test_what_another_waits_for_goes_on(computer: Any) -> None:
    """Only the last one who leaves has it cancelled."""
    made = Slow()

    @asking(behind=made.behind)
    async def impatient(behind: Any) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await behind()

    @asking(slow=made.slow)
    async def patient(slow: Any) -> str:
        return str(await slow())

    results = run_virtually(computer(Graph.from_cells(impatient, patient)))
    assert results[patient] == "slow"
    assert made.log == ["start", "end"]


@each_computer
@pytest.mark.parametrize("how", ["value", "failure", "lingers"])
def test_what_does_not_let_itself_be_cancelled(computer: Any, how: str) -> None:
    """Its value is kept; so is its failure. Who asks meanwhile waits for the end."""
    starts: list[str] = []

    @cell
    async def stubborn() -> str:
        starts.append("start")
        try:
            await asyncio.sleep(2)
        except asyncio.CancelledError:
            if how == "failure":
                raise LookupError from None
            await asyncio.sleep(1)
            if how == "lingers" and len(starts) == 1:
                raise
        return "stubborn"

    @asking(stubborn=stubborn)
    async def page(stubborn: Any) -> str:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await stubborn()
        try:
            return str(await stubborn())
        except LookupError:
            return "failure"

    found = run_virtually(computer(Graph.from_cells(page)))[page]
    assert found == ("failure" if how == "failure" else "stubborn")
    assert len(starts) == (2 if how == "lingers" else 1)


# Who has ended, and computations that are ending


@each_computer
@pytest.mark.parametrize("is_over", [False, True])
def test_who_still_waits_when_its_cell_ends_is_told(
    computer: Any, *, is_over: bool
) -> None:
    """And what only it wanted is cancelled. So is who waits for its place."""
    made = Slow()
    tasks: list[asyncio.Task[Any]] = []

    @asking(behind=made.behind)
    async def page(behind: Any) -> None:
        tasks.extend(asyncio.create_task(behind()) for _ in range(2))
        await asyncio.sleep(1 if is_over else 0.5)

    async def compute() -> Any:
        results = await computer(Graph.from_cells(page))
        for task in tasks:
            with pytest.raises(RuntimeError, match=r"'page' .* but has ended"):
                await task
        return results

    results = run_virtually(compute())
    assert made.slow not in results or is_over
    assert made.log in (["start", "cancelled"], ["start", "end"])


@each_computer
@pytest.mark.parametrize("on_error", ["raise", "group"])
def test_a_computation_that_is_ending_answers_nobody(
    computer: Any, on_error: str
) -> None:
    """Who waits is cancelled, and so is who asks then, also for what is there."""
    made = Slow()
    told: list[str] = []

    @cell
    async def there() -> None: ...

    @asking(behind=made.behind, there=there)
    async def page(behind: Any, there: Any) -> None:
        await there()
        waiting = asyncio.create_task(behind())
        try:
            await behind()
        except asyncio.CancelledError:
            for ask in (behind, there):
                with pytest.raises(asyncio.CancelledError):
                    await ask()
            told.append("page")
            with pytest.raises(asyncio.CancelledError):
                await waiting
            raise

    @asking(there=there)
    async def broken(there: Any) -> None:
        await there()
        await asyncio.sleep(0.5)
        raise LookupError

    async def compute() -> Any:
        if computer is ASYNC_COMPUTERS["async_sequential"]:
            async with asyncio.timeout(0.5):  # nothing runs beside one that waits
                await computer(Graph.from_cells(page), on_error=on_error)
        else:
            await computer(Graph.from_cells(page, broken), on_error=on_error)

    with pytest.raises((LookupError, ExceptionGroup, TimeoutError)):
        run_virtually(compute())
    assert told == ["page"]
    assert made.log == ["start", "cancelled"]


# Places


class Counted:
    """Cells of which each takes a second; `most` is how many ran at once."""

    def __init__(self) -> None:
        """Count from zero."""
        self.running = self.most = 0

    async def run(self) -> None:
        """Take a second."""
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(1)
        self.running -= 1

    def cell(self, name: str, **options: Any) -> Any:
        """A cell that takes a second."""

        async def body() -> str:
            await self.run()
            return name

        return cell(body, name=name, **options)  # type: ignore[call-overload]


@each_concurrent
def test_who_waits_gives_up_its_place(computer: Any) -> None:
    """And takes it back before it goes on, before others that are ready."""
    counted = Counted()
    inner, others = counted.cell("inner"), [counted.cell(f"c{n}") for n in range(3)]
    ends: list[str] = []

    @asking(inner=inner)
    async def page(inner: Any) -> None:
        await counted.run()
        await inner()
        await counted.run()
        ends.append("page")

    @depends_on(*others)
    def last() -> None:
        ends.append("last")

    graph = Graph.from_cells(page, inner, *others, last)
    run_virtually(computer(graph, max_concurrency=1))
    assert counted.most == 1
    assert ends == ["page", "last"]


@each_concurrent
def test_a_chain_of_asks_fits_in_one_place(computer: Any) -> None:
    """However many wait for each other, the last one has it."""
    counted = Counted()
    asked = counted.cell("first")
    for number in range(5):

        async def body(asked: Any) -> str:
            await counted.run()
            first, second = await asyncio.gather(asked(), asked())
            await counted.run()
            return f"{first}{second}"[:5]

        asked = cell(name=f"n{number}")(depends_on(asked=Lazy(asked))(body))
    graph = Graph.from_cells(asked)
    results = run_virtually(computer(graph, max_concurrency=1))
    assert results[asked] == "first"
    assert counted.most == 1


@each_computer
def test_what_is_asked_for_has_the_limit(computer: Any) -> None:
    """Those who ask have none: their number is not bounded."""
    counted = Counted()
    inner = [counted.cell(f"i{n}", limit="db") for n in range(3)]
    pages = []
    for number, each in enumerate(inner):

        async def body(inner: Any) -> str:
            return str(await inner())

        page = cell(name=f"p{number}")(depends_on(inner=Lazy(each))(body))
        pages.append(page)
    options = {}
    if computer is not ASYNC_COMPUTERS["async_sequential"]:
        options = {"limits": {"db": 1}}
    results = run_virtually(computer(Graph.from_cells(*pages), **options))
    assert [results[page] for page in pages] == ["i0", "i1", "i2"]
    assert counted.most == 1


@each_concurrent
def test_what_waits_for_room_can_be_given_up(computer: Any) -> None:
    """It never starts; when it is asked for again, it takes its turn."""
    counted = Counted()
    others = [counted.cell(f"c{n}", limit="db") for n in range(2)]
    inner = counted.cell("inner", limit="db")
    log: list[str] = []

    @asking(inner=inner)
    async def page(inner: Any) -> str:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await inner()
        log.append("gave up")
        return str(await inner())

    graph = Graph.from_cells(*others, page)
    results = run_virtually(computer(graph, limits={"db": 1}))
    assert results[page] == "inner"
    assert counted.most == 1


@each_computer
@pytest.mark.parametrize("is_plain", [False, True])
def test_what_is_asked_for_enters_limiters(computer: Any, *, is_plain: bool) -> None:
    """Those that computations share, too; asked for again, it enters them anew."""
    entered: list[str] = []

    class Limiter:
        async def __aenter__(self) -> None:
            await asyncio.sleep(1)
            entered.append("enter")

        async def __aexit__(self, *_: object) -> None:
            entered.append("leave")

    async def body() -> str:
        return "inner"

    inner = cell(limit="db", name="inner")((lambda: "inner") if is_plain else body)
    recorder = Recorder()

    @asking(inner=inner)
    async def page(inner: Any) -> str:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await inner()
        return str(await inner())

    options = {}
    if computer is not ASYNC_COMPUTERS["async_sequential"]:
        options = {"max_concurrency": 1}
    graph = Graph.from_cells(page)
    computing = computer(
        graph, limits={"db": Limiter()}, observers=[recorder], **options
    )
    assert run_virtually(computing)[page] == "inner"
    assert entered == ["enter", "leave"]
    assert recorder.names("start") == ["page", "inner"]


@pytest.mark.parametrize("is_async", [False, True])
def test_what_is_held_may_ask(*, is_async: bool) -> None:
    """A resource that was asked for stays open until the block ends."""
    log: list[str] = []

    @resource
    def pool() -> Iterator[str]:
        yield "pool"
        log.append("closed")

    if is_async:

        @asking(pool=pool)
        async def page(pool: Any) -> str:
            return str(await pool())

        async def held() -> str:
            async with aiocells.hold(Graph.from_cells(page), [page]) as values:
                assert not log
                return str(values[page])

        assert run_virtually(held()) == "pool"
    else:
        plain = asking(pool=pool)(lambda pool: pool())
        with aiocells.hold(Graph.from_cells(plain), [plain]) as values:
            assert not log
            assert values[plain] == "pool"
    assert log == ["closed"]


@each_concurrent
def test_who_comes_back_waits_for_a_place(computer: Any) -> None:
    """Where another has it; one that is cancelled meanwhile goes on without."""
    counted = Counted()
    log: list[str] = []

    @cell
    async def quick() -> str:
        await asyncio.sleep(0.25)
        return "quick"

    @asking(quick=quick)
    async def patient(quick: Any) -> None:
        await quick()
        log.append("patient")

    @asking(quick=quick)
    async def impatient(quick: Any) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await quick()
        log.append("impatient")

    async def body() -> None:
        await counted.run()
        log.append("other")

    others = [cell(name=f"c{n}")(functools.partial(body)) for n in range(2)]
    graph = Graph.from_cells(patient, impatient, quick, *others)
    run_virtually(computer(graph, max_concurrency=1))
    assert log == ["impatient", "other", "patient", "other"]
    assert counted.most == 1


@each_concurrent
@pytest.mark.parametrize("how", ["ends", "fails", "is stopped"])
def test_who_ends_while_its_tasks_wait_for_a_place(computer: Any, how: str) -> None:
    """They are told; no place is lost, and none is won."""
    counted = Counted()
    tasks: list[asyncio.Task[Any]] = []

    @cell
    async def quick() -> None:
        await asyncio.sleep(0.25)

    @asking(quick=quick)
    async def page(quick: Any) -> None:
        tasks.append(asyncio.create_task(quick()))
        await asyncio.sleep(0.5)
        if how == "fails":
            raise LookupError
        if how == "is stopped":
            raise SystemExit

    others = [counted.cell(f"c{n}") for n in range(3)]
    graph = Graph.from_cells(page, quick, *others)

    async def compute() -> None:
        computing = computer(graph, max_concurrency=1, on_error="continue")
        if how == "is stopped":
            with pytest.raises(SystemExit):
                await computing
        else:
            assert set(await computing) >= set(others)
        with pytest.raises(RuntimeError, match="has ended"):
            await tasks[0]

    run_virtually(compute())
    assert counted.most <= 1


@each_concurrent
def test_who_waits_for_a_place_is_cancelled_with_the_computation(computer: Any) -> None:
    """Also where its cell waits for it, although that was cancelled itself."""
    log: list[str] = []

    @cell
    async def quick() -> None:
        await asyncio.sleep(0.25)

    @asking(quick=quick)
    async def page(quick: Any) -> None:
        task = asyncio.ensure_future(quick())
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(task)
        await asyncio.wait([task])
        log.append("cancelled" if task.cancelled() else "answered")

    @cell
    async def broken() -> None:
        await asyncio.sleep(1)
        raise LookupError

    graph = Graph.from_cells(page, quick, broken)
    with pytest.raises(LookupError):
        run_virtually(computer(graph, max_concurrency=1))
    assert log == ["cancelled"]


@each_concurrent
@pytest.mark.parametrize("how", ["asks and gives up", "is given up meanwhile"])
def test_two_tasks_of_a_cell_come_back_to_one_place(computer: Any, how: str) -> None:
    """All go on with it, and none of them keeps it while the other waits."""
    counted = Counted()

    @cell
    async def quick() -> str:
        await asyncio.sleep(0.25)
        return "quick"

    later = counted.cell("later")

    @asking(quick=quick, later=later)
    async def page(quick: Any, later: Any) -> list[str]:
        gives_up = how == "asks and gives up"

        async def first() -> str:
            async with asyncio.timeout(None if gives_up else 0.75):
                return await quick()

        async def second() -> str:
            await asyncio.sleep(0.5)
            async with asyncio.timeout(0.25 if gives_up else None):
                return await later()

        both = await asyncio.gather(first(), second(), return_exceptions=True)
        return [str(each) or type(each).__name__ for each in both]

    graph = Graph.from_cells(page, quick, later, counted.cell("other"))
    results = run_virtually(computer(graph, targets=[page, "other"], max_concurrency=1))
    gave_up = how == "asks and gives up"
    assert results[page] == (
        ["quick", "TimeoutError"] if gave_up else ["TimeoutError", "later"]
    )
    assert counted.most == 1


@each_concurrent
def test_who_waits_again_before_it_has_its_place_back(computer: Any) -> None:
    """It has none, or what it waits for would never have one."""
    counted = Counted()

    @cell
    async def quick() -> str:
        await asyncio.sleep(0.25)
        return "quick"

    second = counted.cell("second")

    @asking(quick=quick, second=second)
    async def page(quick: Any, second: Any) -> list[str]:
        async def later() -> str:
            await asyncio.sleep(0.5)
            return str(await second())

        return list(await asyncio.gather(quick(), later()))

    graph = Graph.from_cells(page, quick, counted.cell("other"), second)
    results = run_virtually(computer(graph, max_concurrency=1))
    assert results[page] == ["quick", "second"]
    assert counted.most == 1


@each_computer
@pytest.mark.parametrize("turns", [0, 1, 2])
def test_what_is_given_up_before_it_starts(computer: Any, turns: int) -> None:
    """It is taken out of wherever it waits to start, and may be asked for again."""
    made = Slow()
    if computer is ASYNC_COMPUTERS["async_sequential"]:
        turns = 0  # what was started has the place of who asked

    @asking(behind=made.behind)
    async def page(behind: Any) -> str:
        waiting = behind()
        waiting.send(None)
        for _ in range(turns):
            await asyncio.sleep(0)
        waiting.close()
        await asyncio.sleep(0)
        return str(await behind())

    results = run_virtually(computer(Graph.from_cells(page)))
    assert results[page] == "behind slow"
    assert made.log[-2:] == ["start", "end"]


def test_what_waits_for_its_turn_in_order_can_be_given_up() -> None:
    """It is not started when the one before has ended."""
    made = Slow()
    other = Slow()

    @asking(behind=made.behind, other=other.slow)
    async def page(behind: Any, other: Any) -> str:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await asyncio.gather(behind(), other())
        return str(await behind())

    results = run_virtually(aiocells.async_compute_sequential(Graph.from_cells(page)))
    assert results[page] == "behind slow"
    assert other.log == []


# Plain cells beside async ones


@each_computer
def test_a_plain_cell_waits_for_what_is_computed_anyway(computer: Any) -> None:
    """It cannot wait when it asks, be it through others, and though that fails."""
    ran: list[str] = []

    @cell
    def anyway() -> str:
        ran.append("anyway")
        return "anyway"

    @cell
    def broken() -> None:
        ran.append("broken")
        raise LookupError

    @cell
    @depends_on(anyway=anyway, broken=Lazy(broken))
    def between(anyway: str, broken: Any) -> str:
        with pytest.raises(LookupError):
            broken()
        return f"between {anyway}"

    @asking(between=between)
    def page(between: Any) -> str:
        ran.append("page")
        return str(between())

    after = [
        cell(name=f"a{n}")(depends_on(e)(lambda: 1))
        for n, e in enumerate((anyway, broken))
    ]
    graph = Graph.from_cells(page, *after)
    for options in ({}, {"max_concurrency": 1}):
        if computer is ASYNC_COMPUTERS["async_sequential"]:
            options = {}
        ran.clear()
        results = run_virtually(computer(graph, on_error="continue", **options))
        assert results[page] == "between anyway"
        assert results.skipped == {after[1]}
        assert ran[-1] == "page"


@each_concurrent
@pytest.mark.parametrize("limit", [None, 1])
@pytest.mark.parametrize("observers", [[], [Recorder()]])
@pytest.mark.parametrize("is_resource", [False, True])
def test_a_plain_cell_asks_for_what_is_on_its_way(
    computer: Any, limit: int | None, observers: Any, *, is_resource: bool
) -> None:
    """What an async cell waits for is computed at the plain one's call, and once."""
    ran: list[str] = []

    def body() -> str:
        ran.append("run")
        return "value"

    def opened() -> Iterator[str]:
        yield body()
        ran.append("closed")

    inner: Any = resource(opened) if is_resource else cell(body)

    @cell
    @depends_on(value=inner)
    def user(value: str) -> str:
        return f"{value}!"

    asked: list[Any] = []

    @asking(inner=inner, user=user)
    async def waiting(inner: Any, user: Any) -> tuple[str, str]:
        asked.append(1)
        return await inner(), await user()

    @asking(inner=inner)
    def plain(inner: Any) -> str:
        return str(inner())

    graph = Graph.from_cells(plain, waiting, inner, user)
    computing = computer(graph, max_concurrency=limit, observers=observers)
    results = run_virtually(computing)
    assert results[waiting] == ("value", "value!")
    assert results[plain] == "value"
    assert ran == (["run", "closed"] if is_resource else ["run"])


def slowly(loop: Any, body: Any, **options: Any) -> Any:
    """Make a task that begins some turns later."""

    async def wrapper() -> Any:
        for _ in range(3):
            await asyncio.sleep(0)
        return await body

    return asyncio.Task(wrapper(), loop=loop, **options)


class AtACall:
    """Cells of which a plain one asks for what another has given up, or waits for.

    Args:
        patience: after how many turns the other gives up; None for never.
        turns: how many pass until the plain ones can run.
    """

    def __init__(self, patience: int | None, turns: int) -> None:
        """Make the cells, and two that take a second at the end."""
        self.counted = Counted()
        self.ran: list[str] = []

        @cell
        async def gate() -> None:
            for _ in range(turns):
                await asyncio.sleep(0)

        @cell
        @depends_on(gate)
        def inner() -> None:
            self.ran.append("inner")

        @asking(inner=inner)
        async def waiting(inner: Any) -> None:
            task = asyncio.ensure_future(inner())
            for _ in range(patience or 0):
                await asyncio.sleep(0)
            if patience:
                task.cancel()
            await asyncio.wait([task])

        @cell
        @depends_on(gate, inner=Lazy(inner))
        def plain(inner: Any) -> None:
            inner()

        last = depends_on(plain, waiting)
        lasts = [
            cell(name=f"last{n}")(last(functools.partial(self.counted.run)))
            for n in range(2)
        ]
        self.graph = Graph.from_cells(gate, waiting, plain, inner, *lasts)

    async def compute(self, computer: Any) -> None:
        """Compute them where tasks begin late."""
        asyncio.get_running_loop().set_task_factory(slowly)
        try:
            await computer(self.graph, max_concurrency=2)
        finally:
            asyncio.get_running_loop().set_task_factory(None)


@each_concurrent
@pytest.mark.parametrize("patience", [7, None])
def test_a_plain_cell_asks_for_what_has_a_task(
    computer: Any, patience: int | None
) -> None:
    """One that has not begun: it is not computed again, given up or not."""
    for turns in range(10):
        made = AtACall(patience, turns)
        run_virtually(made.compute(computer))
        assert made.counted.most == 2
        assert made.ran == ["inner"]


@pytest.mark.parametrize("patience", [7, None])
def test_what_is_raised_by_nobodys_cell_leaves(patience: int | None) -> None:
    """Also where the task of a cell ends that was computed at a call."""
    raised = 0
    for turns in range(10):
        made = AtACall(patience, turns)
        computing = made.compute(CONCURRENT["simple"])
        scheduler = asking_places.LimitedAskingScheduler
        with mock.patch.object(scheduler, "_forgo", side_effect=RecursionError):
            try:
                run_virtually(computing)
            except RecursionError:
                raised += 1
            else:
                assert made.ran == ["inner"]
    assert raised


@each_computer
def test_a_plain_cell_is_asked_for_before_what_it_asks_for(computer: Any) -> None:
    """What has its turn later, and was computed by then, is not computed again."""
    ran: list[str] = []

    @cell
    def inner() -> str:
        ran.append("inner")
        return "inner"

    @asking(inner=inner)
    def plain(inner: Any) -> str:
        return str(inner())

    @asking(plain=plain, inner=inner)
    async def page(plain: Any, inner: Any) -> list[str]:
        return list(await asyncio.gather(plain(), inner()))

    results = run_virtually(computer(Graph.from_cells(page, plain, inner)))
    assert results[page] == ["inner", "inner"]
    assert ran == ["inner"]


@each_computer
def test_a_cell_that_is_lost_is_told(computer: Any) -> None:
    """No computation ends quietly that has not run what it must."""
    page = cell(depends_on(tea=Lazy(cell(lambda: "tea")))(lambda tea: tea()))
    other = cell(name="other")(lambda: None)
    graph = Graph.from_cells(page, other)
    mocked: Any = contextlib.nullcontext()
    if computer is ASYNC_COMPUTERS["async_sequential"]:
        mocked = mock.patch.object(asking_places.OrderedAskingScheduler, "_admit")
    else:
        plan_of(graph).waiting.counts[1] += 1
    with mocked, pytest.raises(RuntimeError, match="has neither run nor failed"):
        run_virtually(computer(graph))


@each_computer
def test_a_plain_resource_opens_and_closes_in_one_context(computer: Any) -> None:
    """Also where it is opened at the call of a plain cell; others do not see it."""
    variable = contextvars.ContextVar("variable", default="outside")

    @resource
    def scope() -> Iterator[str]:
        token = variable.set("inside")
        yield variable.get()
        variable.reset(token)

    @asking(scope=scope)
    def page(scope: Any) -> tuple[str, str]:
        return scope(), variable.get()

    graph = Graph.from_cells(page)
    assert run_virtually(computer(graph))[page] == ("inside", "outside")


@each_computer
def test_an_async_resource_opens_when_asked_for(computer: Any) -> None:
    """It may ask as well, until it is open; it closes before what it has asked for."""
    log: list[str] = []

    @resource
    async def pool() -> AsyncIterator[str]:
        log.append("open pool")
        yield "pool"
        log.append("close pool")

    @resource
    @depends_on(pool=Lazy(pool))
    async def session(pool: Any) -> AsyncIterator[str]:
        yield str(await pool())
        with pytest.raises(RuntimeError, match="has ended"):
            await pool()
        log.append("close session")

    @asking(session=session)
    async def page(session: Any) -> str:
        return str(await session())

    assert run_virtually(computer(Graph.from_cells(page)))[page] == "pool"
    assert log == ["open pool", "close session", "close pool"]


@each_computer
@pytest.mark.parametrize("name", FACTORIES)
def test_any_task_factory_will_do(computer: Any, name: str) -> None:
    """What is given up and asked for again starts only when its first task is gone."""
    made = Slow()

    @asking(behind=made.behind)
    async def page(behind: Any) -> str:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await behind()
        return str(await behind())

    async def compute() -> Any:
        asyncio.get_running_loop().set_task_factory(FACTORIES[name])
        try:
            return await computer(Graph.from_cells(page))
        finally:
            asyncio.get_running_loop().set_task_factory(None)

    assert run_virtually(compute())[page] == "behind slow"
    assert made.log[-2:] == ["start", "end"]


@each_concurrent
def test_a_deep_chain_of_asks_does_not_pile_up_on_the_stack(computer: Any) -> None:
    """Each is started from the event loop."""
    asked = cell(name="first")(lambda: 0)
    for number in range(3000):

        async def body(asked: Any) -> int:
            return int(await asked()) + 1

        asked = cell(name=f"n{number}")(depends_on(asked=Lazy(asked))(body))
    assert run_virtually(computer(Graph.from_cells(asked)))[asked] == 3000


@pytest.mark.needs_threads
@each_computer
def test_what_is_asked_for_may_run_in_a_thread(computer: Any) -> None:
    """An async cell waits for it as for any other."""
    far = cell(run_in="thread", name="far")(lambda: "far")

    @asking(far=far)
    async def page(far: Any) -> str:
        return str(await far())

    assert asyncio.run(computer(Graph.from_cells(page)))[page] == "far"


def test_a_flow_may_ask() -> None:
    """Behind the inputs of `compute_flow`; who only asks is none of these."""
    log: list[str] = []

    async def tick() -> int:
        await asyncio.sleep(0)
        return 1

    offers = cell(name="offers")(lambda: "tea")
    ticking = cell(tick)

    @asking(offers=offers)
    def page(offers: Any, tick: int) -> None:
        log.append(offers())

    @asking(offers=offers)
    def advertisement(offers: Any) -> None:
        log.append(f"more {offers()}")

    graph = Graph.from_cells(page, ticking, advertisement)

    async def flow() -> None:
        await aiocells.compute_flow(graph)
        await aiocells.cancel_flow(graph)
        assert await aiocells.compute_flow(graph) == 0

    run_virtually(flow())
    assert sorted(log) == ["more tea", "tea"]


@each_concurrent
@pytest.mark.parametrize("is_asked", [False, True])
def test_who_asks_in_its_first_step_is_stopped_with_all_others(
    computer: Any, *, is_asked: bool
) -> None:
    """What it asked for, or what started with that, ended the computation meanwhile."""
    log: list[str] = []

    @cell
    async def exits() -> None:
        if is_asked:
            raise SystemExit(3)

    @cell
    async def fails() -> None:
        raise LookupError

    @cell
    @depends_on(exits=Lazy(exits), fails=Lazy(fails))
    async def page(exits: Any, fails: Any) -> None:
        task: Any = asyncio.current_task()
        try:
            with contextlib.suppress(asyncio.CancelledError, SystemExit):
                await exits()
                await fails()
            if not task.cancelling():
                await asyncio.Event().wait()
        finally:
            log.append("cancelled" if task.cancelling() else "left alone")

    graph = Graph.from_cells(page, exits, fails)
    targets = [page] if is_asked else [page, fails]
    with pytest.raises(SystemExit if is_asked else LookupError):
        run_virtually(computer(graph, targets=targets))
    assert log == ["cancelled"]


@each_computer
def test_all_that_a_long_way_leads_to_is_computed_once(computer: Any) -> None:
    """A hundred cells behind the one that is asked for, some of them asked before."""
    ran: list[int] = []

    def link(rank: int, before: int = 0) -> Any:
        async def run(before: int = before) -> int:
            ran.append(rank)
            return before + 1

        return cell(name=f"link_{rank}")(run)

    chain = [link(0)]
    for rank in range(1, 100):
        chain.append(depends_on(before=chain[-1])(link(rank)))

    @cell
    @depends_on(half=Lazy(chain[49]), all=Lazy(chain[99]))
    async def page(half: Any, all: Any) -> tuple[int, int]:
        return await half(), await all()

    graph = Graph.from_cells(*chain, page)
    assert run_virtually(computer(graph, targets=[page]))[page] == (50, 100)
    assert ran == list(range(100))
