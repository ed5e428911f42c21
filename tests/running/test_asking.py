"""Lazy: cells that are computed when another asks for them, in every computer."""

import asyncio
import copy
import gc
import pickle
import weakref
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest

import aiocells
from aiocells import Graph, Lazy, MissingValue, Results, cell, depends_on, resource
from aiocells._running.loops import generated
from aiocells.observers import Event, Recorder
from tests.helpers import ASYNC_COMPUTERS, COMPUTERS, described

ERROR = LookupError("no")


def compute_generated(graph: Graph, **options: Any) -> Results:
    """What `compute_sequential` does with a plan that is computed again and again."""
    with mock.patch.object(generated, "WORTH_COMPILING", 1):
        return aiocells.compute_sequential(graph, **options)


WAYS = {**COMPUTERS, "generated": compute_generated}
each_computer = pytest.mark.parametrize("compute", WAYS.values(), ids=WAYS)


class Shop:
    """A page that asks for offers if told to, by plain cells only.

    Args:
        error: what the offers raise, if anything.
    """

    def __init__(self, error: BaseException | None = None) -> None:
        """Make the graph."""
        self.ran: list[str] = []
        self.asked: list[Callable[[], Any]] = []
        ran = self.ran

        @cell
        def stock() -> int:
            ran.append("stock")
            return 3

        @cell
        def offers(stock: int) -> int:
            ran.append("offers")
            if error is not None:
                raise error
            return stock * 2

        @cell
        def more(offers: int) -> int:
            ran.append("more")
            return offers + 1

        @cell
        @depends_on(offers=Lazy(offers), more=Lazy(more))
        def page(offers: Any, more: Any, how: str) -> Any:
            ran.append("page")
            self.asked.append(offers)
            if how == "twice":
                return offers() + offers()
            if how == "caught":
                try:
                    return more()
                except LookupError as error:
                    return error
            return more() if how == "more" else how

        self.stock, self.offers, self.more, self.page = stock, offers, more, page
        self.graph = Graph.from_cells(page, stock, offers, more)


@each_computer
def test_what_is_asked_for_is_computed_once_with_all_it_needs(compute: Any) -> None:
    """Asking gives the value, however often; what is behind it is computed too."""
    shop = Shop()
    results = compute(shop.graph, inputs={"how": "twice"})
    assert shop.ran == ["page", "stock", "offers"]
    assert dict(results) == {shop.page: 12, shop.offers: 6, shop.stock: 3}
    assert results["offers"] == 6


@each_computer
@pytest.mark.parametrize("is_chosen", [False, True])
def test_what_nobody_asks_for_is_not_run(compute: Any, *, is_chosen: bool) -> None:
    """It is not in the results, which say why; nor is what only it needs."""
    shop = Shop()
    targets = [shop.page] if is_chosen else None
    results: Results = compute(shop.graph, inputs={"how": "not"}, targets=targets)
    assert shop.ran == ["page"]
    assert dict(results) == {shop.page: "not"}
    assert len(results) == 1
    assert shop.offers not in results
    assert "offers" not in results
    assert results.get(shop.more) is None
    assert repr(results) == "<Results: 'page'>"
    assert not results.failures
    assert not results.skipped
    for missing in (shop.offers, shop.more, shop.stock):
        name = missing.__name__
        with pytest.raises(
            MissingValue,
            match=rf"^'{name}' \(.*\) was not computed: no cell asked for it \(Lazy\), "
            r"or waited for it to the end\.",
        ):
            results[missing]


@each_computer
def test_a_target_is_computed_in_any_case(compute: Any) -> None:
    """And so is what another cell needs as well; who asks gets that value."""
    shop = Shop()
    options = {"inputs": {"how": "twice"}, "targets": [shop.page, shop.offers]}
    assert dict(compute(shop.graph, **options)) == {shop.page: 12, shop.offers: 6}
    assert shop.ran == ["stock", "offers", "page"]
    results = compute(shop.graph, inputs={"how": "twice"}, targets=[shop.page])
    assert dict(results) == {shop.page: 12}
    with pytest.raises(MissingValue, match="was computed, but is no target"):
        results[shop.offers]


@each_computer
def test_an_overriding_value_is_what_asking_gives(compute: Any) -> None:
    """And nothing is computed; who is overridden asks for nothing."""
    shop = Shop()
    overrides = {shop.offers: 5}
    results = compute(shop.graph, inputs={"how": "more"}, overrides=overrides)
    assert dict(results) == {shop.page: 6, shop.offers: 5, shop.more: 6}
    assert shop.ran == ["page", "more"]
    results = compute(shop.graph, overrides={shop.page: 0})
    assert dict(results) == {shop.page: 0}
    with pytest.raises(MissingValue, match="no target needs it"):
        results[shop.offers]


@each_computer
@pytest.mark.parametrize("on_error", ["raise", "continue"])
def test_a_failure_that_is_caught_is_none(compute: Any, on_error: str) -> None:
    """It is raised to who asks; the results raise it for what has no value by it."""
    error = LookupError("no offers")
    shop = Shop(error)
    results = compute(shop.graph, inputs={"how": "caught"}, on_error=on_error)
    assert dict(results) == {shop.page: error, shop.stock: 3}
    assert not results.failures
    assert not results.skipped
    for missing in (shop.offers, shop.more):
        assert missing not in results
        with pytest.raises(LookupError) as raised:
            results[missing]
        assert raised.value is error
    assert [note.splitlines()[0] for note in error.__notes__] == [
        f"in cell {_placed(shop.offers)}, needed by 'page'"
    ]


@each_computer
@pytest.mark.parametrize("on_error", ["raise", "group", "continue"])
def test_a_failure_counts_as_that_of_who_lets_it_out(
    compute: Any, on_error: str
) -> None:
    """It is noted with both cells, and told as the failure of one."""
    error = LookupError("no offers")
    shop = Shop(error)
    options = {"inputs": {"how": "twice"}, "on_error": on_error}
    if on_error == "continue":
        results = compute(shop.graph, **options)
        assert results.failures == {shop.page: error}
        assert dict(results) == {shop.stock: 3}
    else:
        with pytest.raises((LookupError, ExceptionGroup)) as raised:
            compute(shop.graph, **options)
        assert aiocells.failures(raised.value) == {shop.page: error}
    assert [note.splitlines()[0] for note in error.__notes__] == [
        f"in cell {_placed(shop.offers)}, needed by 'page'",
        f"in cell {_placed(shop.page)}",
    ]
    assert "offers=Lazy(cell='...')" in error.__notes__[1]


def _placed(function: Any) -> str:
    return described(function.__name__, function)


@each_computer
def test_what_is_needed_plainly_too_fails_by_itself(compute: Any) -> None:
    """Its failure counts; who asks for it gets it, and for what was skipped by it."""
    caught: list[BaseException] = []

    @cell
    def broken() -> None:
        raise ERROR

    @cell
    def skipped(broken: None) -> None: ...

    @cell
    @depends_on(skipped)
    def last() -> None: ...

    @cell
    @depends_on(broken=Lazy(broken), skipped=Lazy(skipped))
    def page(broken: Any, skipped: Any) -> int:
        for ask in (broken, skipped, skipped):
            with pytest.raises(LookupError) as raised:
                ask()
            caught.append(raised.value)
        return 1

    graph = Graph.from_cells(page, last, broken, skipped)
    results = compute(graph, on_error="continue")
    assert dict(results) == {page: 1}
    assert list(results.failures) == [broken]
    assert results.skipped == {skipped, last}
    assert caught == [results.failures[broken]] * 3


@each_computer
def test_a_traceback_does_not_grow_with_those_who_ask(compute: Any) -> None:
    """Each has one that begins where the exception was raised."""
    depths: list[int] = []
    error = LookupError("no")

    @cell
    def broken() -> None:
        raise error

    @cell
    @depends_on(broken=Lazy(broken))
    def page(broken: Any) -> None:
        for _ in range(5):
            with pytest.raises(LookupError):
                broken()
            traceback, depth = error.__traceback__, 0
            while traceback is not None:
                traceback, depth = traceback.tb_next, depth + 1
            depths.append(depth)

    compute(Graph.from_cells(page))
    assert len(set(depths)) == 1


@each_computer
@pytest.mark.parametrize("is_caught", [False, True])
def test_an_exit_ends_the_computation_whoever_catches_it(
    compute: Any, *, is_caught: bool
) -> None:
    """It is the failure of the cell that raised it; nothing more can be asked for."""
    shop = Shop(SystemExit(3))
    ended: list[str] = []

    @cell
    @depends_on(more=Lazy(shop.more), offers=Lazy(shop.offers))
    def outer(more: Any, offers: Any) -> None:
        try:
            more()
        except SystemExit:
            with pytest.raises(asyncio.CancelledError):
                offers()
            ended.append("caught")
            if not is_caught:
                raise

    @cell
    @depends_on(outer)
    def after() -> None:
        ended.append("after")

    with pytest.raises(SystemExit) as raised:
        compute(Graph.from_cells(after, shop.more, shop.offers, shop.stock))
    assert ended == ["caught"]
    assert aiocells.failures(raised.value) == {shop.offers: raised.value}


@each_computer
def test_who_has_ended_cannot_ask(compute: Any) -> None:
    """Neither while the computation goes on, nor afterwards; a message says so."""
    shop = Shop()
    message = (
        r"^'page' \(.*\) asks for another cell, but has ended\. It can ask only while "
        r"it runs: wait for all that it has started\.$"
    )

    @cell
    @depends_on(shop.page)
    def after() -> None:
        with pytest.raises(RuntimeError, match=message):
            shop.asked[0]()

    graph = Graph.from_cells(after, shop.more, shop.offers, shop.stock)
    compute(graph, inputs={"how": "twice"})
    with pytest.raises(RuntimeError, match=message):
        shop.asked[0]()


@each_computer
def test_resources_open_when_asked_for_and_close_at_the_end(compute: Any) -> None:
    """In reverse order; one that asks can do so until it is open."""
    log: list[str] = []

    @resource
    def pool() -> Iterator[str]:
        log.append("open pool")
        yield "pool"
        log.append("close pool")

    @resource
    @depends_on(pool=Lazy(pool))
    def session(pool: Any) -> Iterator[str]:
        log.append("open session")
        yield f"session of {pool()}"
        with pytest.raises(RuntimeError, match="has ended"):
            pool()
        log.append("close session")

    @cell
    @depends_on(session=Lazy(session))
    def page(session: Any, is_member: bool) -> str:
        log.append("page")
        return str(session()) if is_member else "none"

    @cell
    @depends_on(page)
    def last() -> None:
        log.append("last")

    graph = Graph.from_cells(last)
    assert compute(graph, inputs={"is_member": False})[page] == "none"
    assert log == ["page", "last"]
    log.clear()
    results = compute(graph, inputs={"is_member": True})
    assert dict(results) == {page: "session of pool", last: None}
    opened = ["page", "open session", "open pool", "last"]
    assert log == [*opened, "close session", "close pool"]
    with pytest.raises(MissingValue, match="is a resource: its value was closed"):
        results[pool]


@each_computer
def test_a_resource_that_cannot_open_is_a_failure_behind(compute: Any) -> None:
    """It is raised to who asks; what was opened before it is closed."""
    log: list[str] = []

    @resource
    def pool() -> Iterator[str]:
        log.append("open pool")
        yield "pool"
        log.append("close pool")

    @resource
    def session(pool: str) -> Iterator[str]:
        raise LookupError
        yield

    @cell
    @depends_on(session=Lazy(session))
    def page(session: Any) -> str:
        with pytest.raises(LookupError):
            session()
        return "without"

    assert compute(Graph.from_cells(page, pool))[page] == "without"
    assert log == ["open pool", "close pool"]


@each_computer
def test_observers_are_told_of_what_was_asked_for(compute: Any) -> None:
    """Of nothing that was not; a failure and what it skips are told, caught or not."""
    recorder = Recorder()
    shop = Shop(LookupError())
    compute(shop.graph, inputs={"how": "not"}, observers=[recorder])
    assert [(each.kind, each.name) for each in recorder.events] == [
        ("start", "page"),
        ("end", "page"),
    ]
    recorder.events.clear()
    compute(shop.graph, inputs={"how": "caught"}, observers=[recorder])
    assert [(each.kind, each.name) for each in recorder.events] == [
        ("start", "page"),
        ("start", "stock"),
        ("end", "stock"),
        ("start", "offers"),
        ("failure", "offers"),
        ("skip", "more"),
        ("end", "page"),
    ]
    recorder.check_order(shop.graph)


@each_computer
def test_an_observer_may_ask_to_exit_at_what_is_asked_for(compute: Any) -> None:
    """That leaves the computation, though the cell that asks catches it."""
    shop = Shop()

    def exit_at_offers(event: Event) -> None:
        if event.kind == "start" and event.name == "offers":
            raise SystemExit(4)

    @cell
    @depends_on(offers=Lazy(shop.offers))
    def catching(offers: Any) -> None:
        with pytest.raises(SystemExit):
            offers()

    with pytest.raises(SystemExit):
        compute(Graph.from_cells(catching, shop.stock), observers=[exit_at_offers])


@each_computer
@pytest.mark.parametrize("kind", ["failure", "skip"])
def test_an_observer_may_ask_to_exit_at_a_failure_behind(
    compute: Any, kind: str
) -> None:
    """Whoever asks for it; no later cell starts."""
    shop = Shop(LookupError())

    def exit_at_failure(event: Event) -> None:
        if event.kind == kind:
            raise SystemExit(4)

    @cell
    @depends_on(shop.page)
    def after() -> None:
        shop.ran.append("after")

    graph = Graph.from_cells(after, shop.more, shop.offers, shop.stock)
    with pytest.raises(SystemExit):
        compute(graph, inputs={"how": "caught"}, observers=[exit_at_failure])
    assert "after" not in shop.ran


@each_computer
def test_values_that_may_be_asked_for_are_kept_to_the_end(compute: Any) -> None:
    """Although nobody uses them when targets are given, and others do let go."""

    class Value:
        pass

    alive: list[bool] = []
    made: list[weakref.ref[Value]] = []

    @cell
    def kept() -> Value:
        return Value()

    @cell
    def gone() -> Value:
        value = Value()
        made.append(weakref.ref(value))
        return value

    @cell
    def user(kept: Value, gone: Value) -> None: ...

    @cell
    def behind(kept: Value) -> Value:
        return kept

    @cell
    @depends_on(user, behind=Lazy(behind), kept=Lazy(kept))
    def page(behind: Any, kept: Any) -> bool:
        alive.append(made[-1]() is None)
        return behind() is kept()

    graph = Graph.from_cells(page, kept, gone)
    for on_error in ("raise", "continue"):
        assert compute(graph, targets=[page], on_error=on_error)[page] is True
    assert alive == [True, True]


@pytest.mark.parametrize("name", WAYS)
async def test_nothing_holds_the_values_afterwards(name: str) -> None:
    """Neither a function that somebody kept, nor an exception that is dropped."""

    class Value:
        pass

    made: list[weakref.ref[Value]] = []
    asked: list[Any] = []

    @cell
    def value() -> Value:
        made_now = Value()
        made.append(weakref.ref(made_now))
        return made_now

    @cell
    def broken(value: Value) -> None:
        raise LookupError

    @cell
    @depends_on(broken=Lazy(broken))
    def page(broken: Any, is_brave: bool) -> None:
        asked.append(broken)
        try:
            broken()
        except LookupError:
            if is_brave:
                raise

    graph = Graph.from_cells(page, value)

    async def compute(**options: Any) -> None:
        if name in ASYNC_COMPUTERS:
            await ASYNC_COMPUTERS[name](graph, **options)
        else:
            WAYS[name](graph, **options)

    gc.disable()
    try:
        await compute(targets=[page], inputs={"is_brave": False})
        with pytest.raises(LookupError):
            await compute(inputs={"is_brave": True})
        assert [each() for each in made] == [None, None]
    finally:
        gc.enable()


def test_results_with_what_is_not_there_are_copied_and_pickled() -> None:
    """What was not asked for, and what failed for those who asked, stay so."""
    results = aiocells.compute_sequential(Graph.from_cells(calm), on_error="continue")
    for other in (
        copy.copy(results),
        copy.deepcopy(results),
        pickle.loads(pickle.dumps(results)),
    ):
        assert dict(other) == {calm: 1}
        with pytest.raises(LookupError, match="no"):
            other[raising]
        with pytest.raises(MissingValue, match="no cell asked for it"):
            other[never]


@cell
def raising() -> None:
    """Fail."""
    raise ERROR


@cell
def never() -> None:
    """Is not asked for."""


@cell
@depends_on(raising=Lazy(raising), never=Lazy(never))
def calm(raising: Any, never: Any) -> int:
    """Catch it."""
    with pytest.raises(LookupError):
        raising()
    return 1


@pytest.mark.parametrize("count", [3_000])
def test_asking_takes_no_time_for_the_rest_of_the_graph(count: int) -> None:
    """Each look goes only over what is behind; a long chain needs no recursion."""
    first = before = cell(lambda: 0)
    cells = [first]
    for _ in range(count):
        before = cell(depends_on(before=before)(lambda before: before + 1))
        cells.append(before)

    @cell
    @depends_on(last=Lazy(before), many=[Lazy(each) for each in cells])
    def page(last: Any, many: list[Any]) -> int:
        return int(last()) + sum(each() for each in many[:count:100])

    expected = count + sum(range(0, count, 100))
    for compute in WAYS.values():
        assert compute(Graph.from_cells(page))[page] == expected


@each_computer
def test_what_another_has_asked_for_is_not_computed_again(compute: Any) -> None:
    """Though it was to be computed, and is needed by both."""
    ran: list[str] = []

    @cell
    def stock() -> int:
        ran.append("stock")
        return 3

    @cell
    @depends_on(stock=Lazy(stock))
    def asks(stock: Callable[[], int]) -> int:
        ran.append("asks")
        return stock()

    @cell
    def both(asks: int, stock: int) -> int:
        return asks + stock

    @cell
    @depends_on(both=Lazy(both))
    def page(both: Callable[[], int]) -> int:
        return both()

    graph = Graph.from_cells(stock, asks, both, page)
    assert compute(graph, targets=[page])[page] == 6
    assert ran == ["asks", "stock"]
