"""A computation with a cache: what is found, what runs, and why."""

import asyncio
import copy
import functools
import gc
import importlib.util
import pickle
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import aiocells
from aiocells import (
    Cache,
    Cached,
    DeclarationError,
    Graph,
    Input,
    MissingValue,
    cell,
    depends_on,
    resource,
)
from aiocells._keeping.store import Store
from aiocells._running.keeping import stored as stored_module
from aiocells._running.keeping.keys import KeyMaker
from aiocells.observers import LoggingObserver, Recorder
from tests.helpers import ASYNC_COMPUTERS, COMPUTERS, Modules, described

every_computer = pytest.mark.parametrize(
    "computer", COMPUTERS.values(), ids=list(COMPUTERS)
)
every_async_computer = pytest.mark.parametrize("name", ASYNC_COMPUTERS)
compute = aiocells.compute_sequential

Computer = Callable[..., Any]


def again(cache: Cache, **options: Any) -> Cache:
    """The same folder, as another process would open it."""
    return Cache(cache.folder, **options)


def names(cells: Any) -> list[str]:
    """The names of cells, sorted."""
    return sorted(each.__name__ for each in cells)


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged as a warning."""
    return [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]


@pytest.fixture
def trip(modules: Modules) -> Any:
    """A module of three cells, and a list of what ran."""
    return modules.make("trip", TRIP)


TRIP = """
    import asyncio, sys
    from aiocells import Cached
    RAN = sys.__dict__.setdefault("ran_of_trip", [])
    def note(name):
        sys.ran_of_trip.append(name)
    @cell(cache=True)
    def days(first):
        note("days")
        return [first, first + 1]
    @cell(cache=True)
    def nights(days):
        note("nights")
        return len(days) - 1
    @cell(cache=True)
    def bill(nights, rate=2.0):
        note("bill")
        return nights * rate
"""


def ran() -> list[str]:
    """What has run since it was asked last."""
    import sys

    found = vars(sys).setdefault("ran_of_trip", [])
    told, found[:] = list(found), []
    return told


def changed(modules: Modules, name: str, source: str, old: str, new: str) -> Any:
    """A module with something else in it, imported anew."""
    assert old in source
    Path(importlib.util.cache_from_source(f"{name}.py")).unlink(missing_ok=True)
    return modules.make(name, source.replace(old, new))


# Found, or not


@every_computer
def test_what_was_computed_is_found(
    trip: Any, cache: Cache, computer: Computer
) -> None:
    """Also by another process; the values are the same, and no cell runs."""
    graph = Graph.from_module(trip)
    first = computer(graph, inputs={"first": 3}, cache=cache)
    assert sorted(ran()) == ["bill", "days", "nights"]
    assert first.cached == frozenset()
    for known in (cache, again(cache)):
        found = computer(graph, inputs={"first": 3}, cache=known)
        assert ran() == []
        assert found.cached == {trip.days, trip.nights, trip.bill}
        assert dict(found) == dict(first)


@every_computer
def test_another_argument_is_computed(
    trip: Any, cache: Cache, computer: Computer
) -> None:
    """And what came out equal leaves what follows found."""
    graph = Graph.from_module(trip)
    computer(graph, inputs={"first": 3}, cache=cache)
    ran()
    results = computer(graph, inputs={"first": 4}, cache=cache)
    assert ran() == ["days", "nights"]  # there are as many nights
    assert results.cached == {trip.bill}
    assert results[trip.bill] == 2.0


def test_marks_do_nothing_without_a_cache(trip: Any) -> None:
    """Nobody said where."""
    graph = Graph.from_module(trip)
    for _ in range(2):
        results = compute(graph, inputs={"first": 3})
        assert ran() == ["days", "nights", "bill"]
        assert results.cached == frozenset()
        assert results.why(trip.bill) == "ran: the computation had no cache"


@every_computer
def test_a_found_value_is_loaded_when_it_is_needed(
    trip: Any, cache: Cache, computer: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a cell that runs, or as a target; what only found cells need is not read."""
    graph = Graph.from_module(trip)
    computer(graph, targets=[trip.bill], inputs={"first": 3}, cache=cache)
    ran()
    loaded: list[bytes] = []
    load = Store.load
    monkeypatch.setattr(Store, "load", lambda s, k: loaded.append(k) or load(s, k))
    results = computer(graph, targets=[trip.bill], inputs={"first": 3}, cache=cache)
    assert (dict(results), len(loaded)) == ({trip.bill: 2.0}, 1)
    inputs = {"first": 3, "rate": 1.0}
    results = computer(graph, targets=[trip.bill], inputs=inputs, cache=cache)
    assert (ran(), results[trip.bill]) == (["bill"], 1.0)
    assert names(results.cached) == ["days", "nights"]
    assert len(loaded) == 2  # the days are not read


@every_async_computer
def test_async_cells_are_kept_too(cache: Cache, name: str, modules: Modules) -> None:
    """And those elsewhere; what takes their values is loaded when it needs them."""
    module = modules.make(
        "fetching",
        """
        import asyncio, sys
        def note(name):
            sys.ran_of_trip.append(name)
        @cell(cache=True)
        async def page(url):
            note("page")
            await asyncio.sleep(0)
            return url * 2
        @cell(cache=True)
        def words(page):
            note("words")
            return [page]
        @cell
        def count(words, more):
            note("count")
            return len(words) + more
        @cell(cache=True)
        async def last(words, more):
            note("last")
            return len(words) + more
        """,
    )
    graph, computer = Graph.from_module(module), COMPUTERS[name]
    targets = [module.count, module.last]
    ran()
    for more, expected, found in (
        (1, ["count", "last", "page", "words"], []),
        (1, ["count"], ["last", "page", "words"]),
        (2, ["count", "last"], ["page", "words"]),
    ):
        inputs = {"url": "/", "more": more}
        results = computer(graph, targets=targets, inputs=inputs, cache=cache)
        assert results.by_name() == {"count": 1 + more, "last": 1 + more}
        assert sorted(ran()) == expected
        assert names(results.cached) == found


@pytest.mark.needs_threads
@every_async_computer
def test_cells_in_threads_are_kept(cache: Cache, name: str) -> None:
    """What is found starts no thread."""
    where: list[Any] = []

    @cell(cache=Cached(version="1"), run_in="thread")
    def answer() -> int:
        where.append(threading.current_thread())
        return 42

    graph = Graph.from_cells(answer)
    for _ in range(2):
        assert COMPUTERS[name](graph, cache=cache)[answer] == 42
    assert len(where) == 1
    assert where[0] is not threading.current_thread()


@every_computer
def test_what_a_found_value_is_changed_to_is_not_kept(
    cache: Cache, computer: Computer
) -> None:
    """Found values are new objects, as computed ones are."""
    graph = Graph.from_cells(listed)
    for _ in range(3):
        value = computer(graph, cache=cache)[listed]
        assert value == [1, 2]
        value.append(3)


@cell(cache=True)
def listed() -> list[int]:
    """A list that anybody can change."""
    return [1, 2]


# What is kept


def test_an_unmarked_cell_runs_each_time(
    trip: Any, cache: Cache, modules: Modules
) -> None:
    """What takes its value may be found."""
    marked, unmarked = "@cell(cache=True)\n    def days", "@cell\n    def days"
    trip = changed(modules, "trip", TRIP, marked, unmarked)
    graph = Graph.from_module(trip)
    for expected in (["days", "nights", "bill"], ["days"]):
        results = compute(graph, inputs={"first": 3}, cache=cache)
        assert ran() == expected
    assert results.why(trip.days) == "ran: it says nothing of a cache"


def test_everything_is_kept_if_the_caller_says_so(cache: Cache) -> None:
    """But for what says no, takes a resource, is one, or returns None."""

    @resource
    def session() -> Iterator[int]:
        yield 1

    @cell
    def plain() -> int:
        return 1

    @cell(cache=False)
    def refused() -> int:
        return 1

    @cell
    def taking(session: int) -> int:
        return session

    @cell(cache=Cached(version="1"))
    def marked(session: int) -> int:
        return session

    @cell
    def effect() -> None: ...

    @cell(cache=Cached(version="1"))
    def marked_effect() -> None: ...

    cells = [plain, refused, taking, marked, effect, marked_effect]
    graph, keeping = Graph.from_cells(*cells, session), again(cache, everything=True)
    first = compute(graph, cache=keeping)
    results = compute(graph, cache=keeping)
    assert results.cached == {plain, marked, marked_effect}
    assert [results.why(each) for each in (effect, refused, taking, session)] == [
        "ran: it returned None, and says no cache=True",
        "ran: it says cache=False",
        "ran: it takes a resource, and says no cache=True",
        "ran: it is a resource",
    ]
    assert dict(results) == dict(first)


def test_a_cache_that_nothing_is_kept_in_is_refused(cache: Cache) -> None:
    """With a word on how to mark; only the chosen cells count."""

    @cell
    def plain() -> int:
        return 1

    message = (
        "cache: no cell has cache=... Mark those to keep with @cell(cache=True), or "
        "give Cache(..., everything=True)."
    )
    graph = Graph.from_cells(plain, listed)
    for options in ({"targets": [plain]}, {"overrides": {listed: []}}):
        with pytest.raises(ValueError, match=r"^cache: no cell") as caught:
            compute(graph, cache=cache, **options)
        assert str(caught.value) == message
    assert not Path(cache.folder).exists()


@every_computer
def test_what_is_no_cache_is_refused(computer: Computer) -> None:
    """A folder alone is none."""
    with pytest.raises(TypeError) as caught:
        computer(Graph.from_cells(listed), cache="build")
    assert str(caught.value) == "cache='build': expected Cache(\"folder\")."


@every_computer
def test_a_folder_that_others_can_write_to_is_refused(
    tmp_path: Path, computer: Computer
) -> None:
    """Before any cell runs."""
    ran()
    tmp_path.chmod(0o777)
    with pytest.raises(PermissionError, match="can be written by others"):
        computer(Graph.from_cells(listed), cache=Cache(tmp_path))


@every_computer
def test_overridden_cells_are_not_kept(
    trip: Any, cache: Cache, computer: Computer
) -> None:
    """Nor found; what takes their values counts them."""
    graph = Graph.from_module(trip)
    computer(graph, inputs={"first": 3}, cache=cache)
    ran()
    results = computer(graph, overrides={trip.days: [9, 9, 9]}, cache=cache)
    assert (results[trip.bill], names(results.cached)) == (4.0, [])
    assert ran() == ["nights", "bill"]
    with pytest.raises(MissingValue):
        results.why("nowhere")
    with pytest.raises(MissingValue):
        results.why(trip.days)
    results = computer(graph, inputs={"first": 3}, cache=cache)
    assert len(results.cached) == 3


@every_computer
def test_failures_are_not_kept(
    cache: Cache, computer: Computer, modules: Modules
) -> None:
    """What succeeded before is found; what failed, or was skipped, runs again."""
    module = modules.make(
        "failing",
        TRIP.replace("return len(days)", "return len(days) / (days[0] != 3)"),
    )
    graph = Graph.from_module(module)
    ran()
    with pytest.raises(ZeroDivisionError):
        computer(graph, inputs={"first": 3}, cache=cache)
    assert ran() == ["days", "nights"]
    results = computer(graph, inputs={"first": 3}, cache=cache, on_error="continue")
    assert ran() == ["nights"]
    assert names(results.cached) == ["days"]
    assert results.why(module.bill) == "skipped: what it needs failed"
    assert names(results.skipped) == ["bill"]


@every_computer
def test_what_a_fallback_gave_is_not_kept(cache: Cache, computer: Computer) -> None:
    """The next computation tries again."""

    @cell(cache=Cached(version="1"), fallback=lambda error: 0)
    def broken() -> int:
        raise ZeroDivisionError

    graph = Graph.from_cells(broken, following)
    for _ in range(2):
        results = computer(graph, cache=cache)
        assert results[broken] == 0
        assert list(results.fallbacks) == [broken]
        assert broken not in results.cached
    assert results.cached == {following}


@cell(cache=True)
def following(broken: int) -> int:
    """Takes what a fallback gave."""
    return broken + 1


@every_computer
def test_secrets_are_not_stored(cache: Cache, computer: Computer) -> None:
    """Neither the value of a secret cell, nor a digest by which to guess it."""
    counts = []

    @cell(cache=Cached(version="1"))
    def api_key() -> str:
        counts.append(1)
        return "hunter2"

    @cell(cache=Cached(version="1"))
    @depends_on(key=api_key, code=Input("code", secret=True))
    def page(key: str, code: str) -> int:
        return len(key) + len(code)

    graph = Graph.from_cells(api_key, page)
    for _ in range(2):
        results = computer(graph, inputs={"code": "1234"}, cache=cache)
        assert results[page] == 11
    assert results.cached == {page}
    assert len(counts) == 2
    results = computer(graph, inputs={"code": "12345"}, cache=cache)
    told = "ran: something changed that is not told, such as a secret"
    assert results.why(page) == told
    assert results.why(api_key) == "ran: its value is secret, and is not kept"
    assert [each["cell"].rpartition(".")[2] for each in cache.ls()] == ["page"]
    store = Store(cache.folder)
    for key, *_ in store.rows():
        assert '"arguments": {}' in store.get([key])[key].parts
    assert b"hunter2" not in b"".join(
        path.read_bytes() for path in Path(cache.folder).rglob("*") if path.is_file()
    )
    store.close()


# What counts


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("first + 1", "first + 2 - 1", ["days"]),
        ("nights * rate", "rate * nights", ["bill"]),
        ("rate=2.0", "rate=3.0", ["bill"]),
        ("def days(first)", "def days(first, other=1)", ["days"]),
        ("def note", "def unused(): pass\n    def note", []),
    ],
)
def test_changed_code_runs_again(
    trip: Any, cache: Cache, modules: Modules, old: str, new: str, expected: list[str]
) -> None:
    """And nothing else does, if the value comes out equal."""
    compute(Graph.from_module(trip), inputs={"first": 3}, cache=cache)
    ran()
    trip = changed(modules, "trip", TRIP, old, new)
    compute(Graph.from_module(trip), inputs={"first": 3}, cache=again(cache))
    assert ran() == expected


def test_a_renamed_cell_runs_again(trip: Any, cache: Cache, modules: Modules) -> None:
    """A hit never comes from another cell."""
    compute(Graph.from_module(trip), inputs={"first": 3}, cache=cache)
    ran()
    renamed = modules.make("other", TRIP)
    compute(Graph.from_module(renamed), inputs={"first": 3}, cache=cache)
    assert ran() == ["days", "nights", "bill"]


def test_a_version_counts_in_place_of_the_code(cache: Cache, modules: Modules) -> None:
    """Until it changes."""
    source = TRIP.replace("cache=True", 'cache=Cached(version="1")', 1)
    ran()
    trip = modules.make("trip", source)
    compute(Graph.from_module(trip), inputs={"first": 3}, cache=cache)
    ran()
    trip = changed(modules, "trip", source, "first + 1", "first + 7")
    results = compute(Graph.from_module(trip), inputs={"first": 3}, cache=cache)
    assert (ran(), results[trip.days]) == ([], [3, 4])
    trip = changed(modules, "trip", source, 'version="1"', 'version="2"')
    results = compute(Graph.from_module(trip), inputs={"first": 3}, cache=cache)
    assert (ran(), results.why("days")) == (["days"], "ran: version changed")


@every_computer
def test_an_ignored_parameter_does_not_count(cache: Cache, computer: Computer) -> None:
    """It may have no digest either; lists and keywords are told apart."""
    count = []

    @cell(cache=Cached(version="1", ignore=("session", "both")))
    @depends_on(both=[Input("one"), Input("session")], day="today")
    def rates(session: Any, both: list[Any], *, day: str) -> str:
        count.append(1)
        return f"rates of {day}"

    @cell
    def today(date: str) -> str:
        return date

    graph = Graph.from_cells(rates, today)
    for session, date, expected in (
        (threading.Lock(), "monday", 1),
        (threading.Lock(), "monday", 1),
        (1, "tuesday", 2),
    ):
        inputs = {"session": session, "date": date, "one": session}
        results = computer(graph, inputs=inputs, cache=cache)
        assert (results[rates], len(count)) == (f"rates of {date}", expected)
    assert results.why(rates) == "ran: argument 'day' changed"


def test_an_unknown_ignored_parameter_is_refused() -> None:
    """With the name that may be meant."""

    @cell(cache=Cached(ignore=["sesion"]))  # type: ignore[arg-type]
    def rates(session: Any) -> None: ...

    with pytest.raises(DeclarationError) as caught:
        Graph.from_cells(rates)
    assert str(caught.value) == (
        f"{described('rates', rates)} has ignore=('sesion',), but no parameter "
        "'sesion'. Did you mean 'session'?"
    )

    @cell(cache=Cached(ignore=("session",)))
    def right(session: Any) -> None: ...

    untold = functools.partial(max)  # Python does not tell what it takes
    Graph.from_cells(right, cell(cache=Cached(ignore=("x",)), name="m")(untold))


@every_computer
def test_a_resource_counts_by_its_code_and_arguments(
    cache: Cache, computer: Computer
) -> None:
    """Its value is of this computation alone."""
    lock = threading.Lock()

    @resource
    def session(url: str) -> Iterator[Any]:
        yield lock

    @cell(cache=Cached(version="1"))
    def page(session: Any) -> str:
        return "page"

    graph = Graph.from_cells(page, session)
    for url, found in (("/a", False), ("/a", True), ("/b", False)):
        results = computer(graph, inputs={"url": url}, cache=cache)
        assert (page in results.cached) == found
    results = computer(graph, inputs={"url": threading.Lock()}, cache=cache)
    assert results.why(page).startswith("ran: an argument has no digest: _thread.lock")


@every_computer
def test_what_must_come_first_counts_if_it_ran(
    cache: Cache, computer: Computer
) -> None:
    """Where it was found, what follows may be found too."""

    def made(first: Any) -> Graph:
        @cell(cache=Cached(version="1"))
        @depends_on(first)
        def report() -> str:
            return "report"

        return Graph.from_cells(first, report)

    @cell
    def fill() -> None: ...

    @cell(cache=Cached(version="1"))
    def check() -> None: ...

    graph = made(fill)
    for _ in range(2):
        results = computer(graph, cache=cache)
        assert results.cached == frozenset()
        assert results["report"] == "report"
    assert results.why("report") == "ran: what it must follow ran: 'fill'"
    graph = made(check)
    computer(graph, cache=again(cache))
    assert names(computer(graph, cache=cache).cached) == ["check", "report"]


def test_absent_inputs_count(trip: Any, cache: Cache) -> None:
    """A default is not the same as an equal input: the cell is called otherwise."""
    graph = Graph.from_module(trip)
    compute(graph, inputs={"first": 3}, cache=cache)
    ran()
    compute(graph, inputs={"first": 3, "rate": 2.0}, cache=cache)
    assert ran() == ["bill"]


ORDERS = """
    import sys
    class Order:
        def __init__(self, net): self.net = net
        def total(self): return self.net * 2
    @cell(cache=True)
    def order(net): return Order(net)
    @cell(cache=Cached(version="1"))
    def made(net): return Order(net)
    @cell(cache=True)
    def bill(made):
        sys.ran_of_trip.append("bill")
        return getattr(made, "to" + "tal")()
""".replace("import sys", "import sys\n    from aiocells import Cached")


@every_computer
def test_the_code_of_an_argument_counts(
    cache: Cache, computer: Computer, modules: Modules
) -> None:
    """Also where the argument itself was found, and nothing else has changed."""
    ran()
    module = modules.make("orders", ORDERS)
    computer(Graph.from_module(module), inputs={"net": 2}, cache=cache)
    computer(Graph.from_module(module), inputs={"net": 2}, cache=cache)
    assert ran() == ["bill"]
    module = changed(modules, "orders", ORDERS, "net * 2", "net * 3")
    results = computer(Graph.from_module(module), inputs={"net": 2}, cache=cache)
    assert (ran(), results["bill"]) == (["bill"], 6)
    module = changed(modules, "orders", ORDERS, "Order", "Bought")
    results = computer(Graph.from_module(module), inputs={"net": 2}, cache=cache)
    assert (ran(), results["bill"]) == (["bill"], 4)


# What cannot be kept


@every_computer
def test_an_argument_without_digest_is_told_once(
    cache: Cache, computer: Computer, caplog: pytest.LogCaptureFixture
) -> None:
    """The cell runs, and is not kept."""

    @cell
    def lines() -> Iterator[str]:
        return iter(["a", "b"]) if False else (each for each in "ab")

    @cell(cache=True)
    def joined(lines: Iterator[str]) -> str:
        return "".join(lines)

    graph = Graph.from_cells(lines, joined)
    results = computer(graph, cache=cache)
    reason = (
        "an argument has no digest: builtins.generator: cannot pickle 'generator' "
        "object. Leave it out with Cached(ignore=...), or give it __aiocells_digest__."
    )
    warning = f"cell {described('joined', joined)} is not cached: {reason}"
    assert warnings_of(caplog) == [warning]
    assert results.why(joined) == f"ran: {reason}"
    assert results[joined] == "ab"


@every_computer
def test_a_value_that_cannot_be_kept_is_told(
    cache: Cache, computer: Computer, caplog: pytest.LogCaptureFixture
) -> None:
    """It is the cell's value all the same."""

    class Local:
        """A class that nobody finds by its name."""

    @cell(cache=Cached(version="1"))
    def local() -> Any:
        return Local()

    @cell(cache=Cached(version="1"))
    def lock() -> Any:
        return threading.Lock()

    results = computer(Graph.from_cells(local, lock), cache=cache)
    where = f"{Local.__module__}.{Local.__qualname__}"
    assert sorted(warnings_of(caplog)) == sorted(
        [
            f"cell {described('local', local)} is not cached: its value cannot be "
            f"kept: {where} is not found by its name.",
            f"cell {described('lock', lock)} is not cached: its value cannot be "
            "kept: _thread.lock: cannot pickle '_thread.lock' object.",
        ]
    )
    assert isinstance(results[local], Local)


def test_a_cell_without_digest_is_told(
    cache: Cache, caplog: pytest.LogCaptureFixture
) -> None:
    """Such as a method of an object that has none."""

    class Shop:
        def __init__(self) -> None:
            self.lock = threading.Lock()

        @cell(cache=True)
        def price(self) -> int:
            return 3

    graph = Graph.from_object(Shop())
    assert compute(graph, cache=cache)["price"] == 3
    [warning] = warnings_of(caplog)
    assert "is not cached: it has no digest: " in warning


# Damage


def break_values(cache: Cache) -> None:
    """Damage all values of a cache."""
    index = Store(cache.folder).open()
    index.execute("update entries set value=substr(value, 2)")
    index.close()


@every_computer
@pytest.mark.parametrize("everything", [True, False])
def test_a_damaged_value_is_computed_and_kept_anew(
    trip: Any,
    cache: Cache,
    computer: Computer,
    caplog: pytest.LogCaptureFixture,
    everything: bool,
) -> None:
    """As a target, or where a cell that runs takes it."""
    graph = Graph.from_module(trip)
    targets = None if everything else [trip.bill]
    inputs = {"first": 3}
    computer(graph, targets=targets, inputs=inputs, cache=cache)
    ran()
    break_values(cache)
    results = computer(
        graph, targets=targets, inputs={"first": 3, "rate": 1.0}, cache=cache
    )
    assert results[trip.bill] == 1.0
    assert sorted(ran()) == ["bill", "days", "nights"]
    assert results.cached == frozenset()
    assert results.why("days").startswith("ran: its value could not be read: its check")
    reason = "its checksum differs: it was damaged, or written by half"
    assert sorted(warnings_of(caplog)) == [
        f"cache: the value of cell {described(name, getattr(trip, name))} cannot be "
        f"read: {reason}. It is computed anew."
        for name in ("days", "nights")
    ]
    inputs = {"first": 3, "rate": 1.5}
    results = computer(graph, targets=targets, inputs=inputs, cache=again(cache))
    assert ran() == ["bill"]
    assert names(results.cached) == ["days", "nights"]


@every_async_computer
def test_a_damaged_value_is_computed_once_for_all(
    cache: Cache, name: str, modules: Modules
) -> None:
    """Two cells that take it at the same time get one value."""
    module = modules.make(
        "shared",
        """
        import asyncio, sys
        @cell(cache=True)
        async def page(url):
            sys.ran_of_trip.append("page")
            await asyncio.sleep(0)
            return [url]
        @cell
        async def one(page): return page
        @cell
        async def other(page): return page
        """,
    )
    ran()
    graph = Graph.from_module(module)
    targets, inputs = [module.one, module.other], {"url": "/"}
    COMPUTERS[name](graph, targets=targets, inputs=inputs, cache=cache)
    break_values(cache)
    results = COMPUTERS[name](graph, targets=targets, inputs=inputs, cache=cache)
    assert results[module.one] is results[module.other]
    assert ran() == ["page", "page"]


@every_computer
def test_a_full_disk_leaves_the_computation_its_values(
    trip: Any,
    cache: Cache,
    computer: Computer,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One warning; the next computation tries again."""

    def refuse(*_: Any) -> None:
        error = 28, "No space left on device"
        raise OSError(*error)

    graph = Graph.from_module(trip)
    with monkeypatch.context() as patched:
        patched.setattr(Store, "open", refuse)
        results = computer(graph, inputs={"first": 3}, cache=cache)
    assert results[trip.bill] == 2.0
    assert [each for each in warnings_of(caplog) if "cannot be used" in each] == [
        f"cache {cache.folder} cannot be used: OSError: [Errno 28] No space left on "
        "device. The computation goes on without it."
    ]
    computer(graph, inputs={"first": 3}, cache=cache)
    assert len(computer(graph, inputs={"first": 3}, cache=cache).cached) == 3


@every_computer
def test_what_was_done_before_an_exit_is_kept(
    cache: Cache, computer: Computer, modules: Modules
) -> None:
    """Ctrl-C loses nothing that was finished."""
    module = modules.make(
        "stopping",
        TRIP.replace("return len(days) - 1", "raise KeyboardInterrupt"),
    )
    ran()
    with pytest.raises(KeyboardInterrupt):
        computer(Graph.from_module(module), inputs={"first": 3}, cache=cache)
    assert [each["cell"] for each in again(cache).ls()] == ["stopping.days"]
    ran()


# Watching


@every_computer
def test_a_hit_is_an_event_in_place_of_start_and_end(
    trip: Any, cache: Cache, computer: Computer, caplog: pytest.LogCaptureFixture
) -> None:
    """Observers are told; the order of a record is right."""
    graph = Graph.from_module(trip)
    computer(graph, inputs={"first": 3}, cache=cache)
    recorder = Recorder()
    caplog.set_level("INFO", "aiocells")
    computer(
        graph,
        inputs={"first": 4},
        cache=cache,
        observers=[recorder, LoggingObserver()],
    )
    told = [(each.kind, each.name) for each in recorder.events]
    assert told == [
        ("start", "days"),
        ("end", "days"),
        ("start", "nights"),
        ("end", "nights"),
        ("hit", "bill"),
    ]
    assert recorder.names("hit") == ["bill"]
    recorder.check_order(graph)
    assert "hit of cell 'bill'" in caplog.messages
    ran()


@every_async_computer
def test_the_watchdog_looks_at_the_cell_and_not_at_the_keeping(
    cache: Cache,
    name: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who holds up the loop is told, also with a cache."""
    if name == "async_sequential":
        pytest.skip("it has no watchdog")
    now = [0.0]
    monkeypatch.setattr("aiocells._running.tasks.watchdog.monotonic", lambda: now[0])
    digest = KeyMaker.digest

    def slowly(self: KeyMaker, value: Any) -> Any:
        now[0] += 10
        return digest(self, value)

    monkeypatch.setattr(KeyMaker, "digest", slowly)

    @cell(cache=Cached(version="1"))
    def quick() -> int:
        return 1

    @cell(cache=Cached(version="1"))
    def slow(quick: int) -> int:
        now[0] += 2
        return 1

    @cell(cache=Cached(version="1"))
    def broken(slow: int) -> int:
        raise StopIteration

    computer = COMPUTERS[name]
    graph = Graph.from_cells(quick, slow, broken)
    results = computer(graph, cache=cache, watchdog=1.0, on_error="continue")
    [warning] = warnings_of(caplog)
    assert f"{described('slow', slow)} held up the event loop for 2000 ms" in warning
    assert str(results.failures[broken]) == "cell raised StopIteration"
    computer(graph, cache=cache, watchdog=None, on_error="continue")
    assert len(warnings_of(caplog)) == 1


@pytest.mark.needs_threads
@every_async_computer
def test_big_values_are_digested_and_written_in_a_thread(
    cache: Cache, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What holds up nobody is quicker where it is."""
    where: dict[int, list[bool]] = {}
    digest, own = KeyMaker.digest, threading.current_thread()

    def noted(self: KeyMaker, value: Any) -> Any:
        where.setdefault(len(value), []).append(threading.current_thread() is own)
        return digest(self, value)

    monkeypatch.setattr(KeyMaker, "digest", noted)
    sizes = {"bytes": 2 << 20, "list": 20_000, "small": 10}

    def maker(size: int, value: Any) -> Any:
        mark = cell(name=f"made{size}", cache=Cached(version=size))
        return mark(lambda: value * size)

    cells = [maker(sizes["bytes"], b"x"), maker(sizes["list"], [1]), maker(10, b"x")]
    graph = Graph.from_cells(*cells)
    before = threading.active_count()
    results = COMPUTERS[name](graph, cache=cache)
    assert where == {2 << 20: [False], 20_000: [False], 10: [True]}
    assert threading.active_count() == before
    found = COMPUTERS[name](graph, cache=cache)
    assert dict(found) == dict(results)
    assert len(found.cached) == 3


def test_what_is_big_is_told_by_its_size() -> None:
    """Arrays and tables too."""
    np = pytest.importorskip("numpy")
    pd = pytest.importorskip("pandas")
    big = [np.zeros(200_000), pd.DataFrame({"a": np.zeros(200_000)}), "x" * (2 << 20)]
    small = [np.zeros(2), pd.DataFrame({"a": [1]}), "x"]
    small += [np.float64(1), np.ndarray, None]
    assert [stored_module.is_big(each) for each in big] == [True] * 3
    assert [stored_module.is_big(each) for each in small] == [False] * 6


# Why


def test_why_tells_what_has_changed(cache: Cache, modules: Modules) -> None:
    """A function with its place, an argument, several things; or that it is new."""
    helpers = "\n\n    SIZE = 2\n    def scale(x): return x * 2"
    modules.make("helpers", helpers)
    source = (
        "import helpers\n@cell(cache=True)\ndef features(table, size):\n"
        " return helpers.scale(table) + size"
    )
    module = modules.make("featuring", source)

    def why(**inputs: int) -> str:
        graph = Graph.from_module(module)
        return compute(graph, inputs=inputs, cache=cache).why(module.features)

    assert why(table=1, size=1) == "ran: nothing of it was kept before"
    assert why(table=1, size=1) == "found"
    assert why(table=2, size=1) == "ran: argument 'table' changed"
    assert why(table=3, size=2) == "ran: argument 'table' and argument 'size' changed"
    Path(importlib.util.cache_from_source("helpers.py")).unlink(missing_ok=True)
    modules.make("helpers", helpers.replace("* 2", "* 3"))
    module = modules.make("featuring", source)
    assert why(table=3, size=2) == "ran: helpers.scale (helpers.py:3) changed"
    module = changed(modules, "featuring", source, "+ size", "- size")
    changed_too = why(table=3, size=2)
    assert changed_too == "ran: featuring.features (featuring.py:3) changed"
    source = source.replace("+ size", "- size")
    module = changed(modules, "featuring", source, "helpers.scale(table)", "table")
    assert why(table=3, size=2) == "ran: featuring.features (featuring.py:3) changed"
    cache.clear()
    assert why(table=3, size=2) == "ran: nothing of it was kept before"


def test_why_tells_what_counts_by_its_type_alone(
    cache: Cache, modules: Modules
) -> None:
    """What has no digest may have changed unseen."""
    module = modules.make(
        "locked",
        "import threading\nLOCK = threading.Lock()\n@cell(cache=True)\n"
        "def f(x):\n with LOCK: return x",
    )
    results = compute(Graph.from_module(module), inputs={"x": 1}, cache=cache)
    assert results.why("f") == (
        "ran: nothing of it was kept before (of locked.LOCK only the type counts)"
    )


def test_why_names_the_parameters_of_lists_and_dicts(
    cache: Cache, modules: Modules
) -> None:
    """However a cell is called."""
    module = modules.make(
        "families",
        """
        from functools import partial
        def level(city, depth): return depth
        levels = {name: cell(partial(level, name)) for name in ("Oslo", "Bergen")}
        @cell(cache=True)
        @depends_on(some=[Input("one"), Input("two")])
        def told(first=1, some=(), /, *, levels):
            return first, some, levels
        """,
    )
    graph = Graph.from_module(module)
    inputs = {"depth": 1, "one": 1, "two": 1}

    def why(**other: int) -> str:
        results = compute(graph, inputs={**inputs, **other}, cache=cache)
        return results.why("told")

    assert why() == "ran: nothing of it was kept before"
    assert why() == "found"
    assert why(two=2) == "ran: argument 'some' changed"
    assert why(depth=2) == "ran: argument 'some' and argument 'levels' changed"


@every_computer
def test_a_cell_may_take_what_was_found_twice(
    cache: Cache, computer: Computer, modules: Modules
) -> None:
    """It is one value, as it was when it was computed."""
    module = modules.make(
        "twice",
        """
        @cell(cache=True)
        def page(url): return [url]
        @cell
        @depends_on(one=page, other=page)
        def same(one, other): return one is other
        """,
    )
    graph = Graph.from_module(module)
    for found in ([], ["page"]):
        results = computer(graph, targets=["same"], inputs={"url": "/"}, cache=cache)
        assert (results["same"], names(results.cached)) == (True, found)


def test_why_can_be_asked_when_nobody_has_the_cache_any_more(
    trip: Any, cache: Cache
) -> None:
    """The results have it, and let go of it; nothing is left open."""
    graph = Graph.from_module(trip)
    results = compute(graph, inputs={"first": 3}, cache=again(cache))
    assert results.why("days") == "ran: nothing of it was kept before"
    held = weakref.ref(results._caching.ask._cache)  # type: ignore[union-attr]
    del results
    gc.collect()
    assert held() is None
    ran()


def test_why_tells_of_a_new_python(
    trip: Any, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytecode is another then."""
    from aiocells._running.keeping import keys

    graph = Graph.from_module(trip)
    compute(graph, inputs={"first": 3}, cache=cache)
    monkeypatch.setattr(keys, "PYTHON", "9.9")
    results = compute(graph, inputs={"first": 3}, cache=cache)
    assert results.why("days") == "ran: Python changed"
    ran()


def test_why_tells_of_what_is_too_old(
    trip: Any, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An expired value that comes out equal leaves what follows found."""
    from aiocells._keeping import store as store_module

    graph = Graph.from_module(trip)
    monkeypatch.setattr(store_module.time, "time", lambda: 1000.0)
    compute(graph, inputs={"first": 3}, cache=cache)
    ran()
    monkeypatch.setattr(store_module.time, "time", lambda: 2000.0)
    results = compute(graph, inputs={"first": 3}, cache=again(cache, ttl=500))
    assert ran() == ["days", "nights", "bill"]
    assert results.why("days") == "ran: what was kept of it is older than its ttl"
    assert compute(graph, inputs={"first": 3}, cache=again(cache, ttl=5000)).cached


def test_results_are_copied_and_pickled_with_what_was_found(
    trip: Any, cache: Cache
) -> None:
    """And with why the others ran."""
    graph = Graph.from_module(trip)
    compute(graph, inputs={"first": 3}, cache=cache)
    results = compute(graph, inputs={"first": 4}, cache=cache)
    for other in (results, copy.copy(results), pickle.loads(pickle.dumps(results))):
        assert other.cached == {trip.bill}
        assert other.why(trip.days) == "ran: argument 'first' changed"
        assert other.why("bill") == "found"
    plain = pickle.loads(pickle.dumps(compute(graph, inputs={"first": 4})))
    assert plain.cached == frozenset()
    assert plain.why("days") == "ran: the computation had no cache"
    ran()


def test_stand_ins_count_as_themselves(trip: Any, cache: Cache) -> None:
    """What `graph.replace` puts in the place of a cell has keys of its own."""
    graph = Graph.from_module(trip)
    compute(graph, inputs={"first": 3}, cache=cache)
    fake = cell(cache=True)(fake_days)
    replaced = graph.replace({trip.days: fake})
    results = compute(replaced, cache=cache)
    assert (results[trip.days], names(results.cached)) == ([7, 8], ["bill"])
    assert len(compute(replaced, cache=cache).cached) == 3
    ran()


def fake_days() -> list[int]:
    """Stands for a cell."""
    return [7, 8]


# The cache itself


def test_what_is_kept_can_be_listed_and_cleared(trip: Any, cache: Cache) -> None:
    """By cell: all, or some, each given as a cell or by its name."""
    graph = Graph.from_module(trip)
    for first in (3, 4):
        compute(graph, inputs={"first": first}, cache=cache)
    told = cache.ls()
    assert [(each["cell"], each["entries"]) for each in told] == [
        ("trip.bill", 1),
        ("trip.days", 2),
        ("trip.nights", 2),
    ]
    assert all(each["bytes"] > 0 and each["last used"] > 0 for each in told)
    assert cache.clear(trip.nights) == 2
    assert cache.clear("days") == 2
    assert cache.clear("trip.nowhere") == 0
    assert cache.clear() == 1
    assert cache.ls() == []
    ran()


def test_a_cache_is_pickled_as_its_folder(cache: Cache) -> None:
    """With all that was said of it."""
    given = again(cache, max_bytes=5, ttl=2, everything=True)
    other = pickle.loads(pickle.dumps(given))
    told = (other.folder, other.max_bytes, other.ttl, other.everything)
    assert told == (cache.folder, 5, 2, True)
    assert repr(cache) == f"Cache({cache.folder!r})"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ttl": 0}, "ttl=0: expected a number of seconds above 0, or None for ever."),
        ({"max_bytes": "1G"}, "max_bytes='1G': expected a number of bytes, or None."),
    ],
)
def test_a_wrong_option_of_a_cache_is_refused(
    tmp_path: Path, options: Any, message: str
) -> None:
    """With a word on what is right."""
    with pytest.raises((TypeError, DeclarationError)) as caught:
        Cache(tmp_path, **options)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: cell(cache="yes"),  # type: ignore[call-overload]
            "cache='yes': expected True, False or Cached(...).",
        ),
        (
            lambda: Cached(ttl=-1),
            "ttl=-1: expected a number of seconds above 0, or None for ever.",
        ),
        (
            lambda: Cached(ignore="session"),
            "ignore='session': expected the names of parameters, as in "
            'ignore=("session",).',
        ),
        (
            lambda: Cached(version=[1]),
            "version=[1]: expected a string or a number.",
        ),
    ],
)
def test_a_wrong_mark_is_refused(make: Any, message: str) -> None:
    """When it is made."""
    with pytest.raises(DeclarationError) as caught:
        make()
    assert str(caught.value) == message


def test_marks_are_told_as_they_are_written() -> None:
    """Marked twice, a cell shows both."""
    function = cell(cache=Cached(version="2"))(lambda: 1)
    with pytest.raises(DeclarationError, match=r"as @cell\(cache=Cached\(version='2'"):
        cell(cache=True)(function)


def test_computations_share_a_cache(trip: Any, cache: Cache) -> None:
    """Also at the same time."""
    graph = Graph.from_module(trip)

    async def both() -> list[Any]:
        return await asyncio.gather(
            *[
                aiocells.async_compute_concurrent(
                    graph, inputs={"first": first}, cache=cache
                )
                for first in (3, 4)
            ]
        )

    assert [each[trip.bill] for each in asyncio.run(both())] == [2.0, 2.0]
    assert len(compute(graph, inputs={"first": 4}, cache=cache).cached) == 3
    ran()


@every_async_computer
def test_async_resources_and_cells_that_take_them(cache: Cache, name: str) -> None:
    """A resource that takes what was found gets its value."""

    @resource
    async def session(listed: list[int]) -> AsyncIterator[int]:
        yield len(listed)

    @cell
    async def size(session: int) -> int:
        return session

    graph = Graph.from_cells(listed, session, size)
    for found in (set(), {listed}):
        results = COMPUTERS[name](graph, targets=[size], cache=cache)
        assert (results[size], set(results.cached)) == (2, found)


ASKING = """
    import sys
    from aiocells import Lazy
    from collections.abc import Callable
    def note(name):
        sys.ran_of_trip.append(name)
    @cell(cache=True)
    def source(url):
        note("source")
        return [url]
    @cell(cache=True)
    def dear(source):
        note("dear")
        return len(source)
    @cell(cache=True)
    def other(source): return 0
    @cell(cache=True)
    @depends_on(dear=Lazy(dear), other=Lazy(other))
    def asker(source, dear, other):
        note("asker")
        return source, dear()
"""


@every_computer
def test_what_is_asked_for_is_found(
    cache: Cache, computer: Computer, modules: Modules
) -> None:
    """The cell that asks runs, since nobody knows what it will ask for."""
    module = modules.make("asking", ASKING)
    graph = Graph.from_module(module)
    ran()
    for expected in (["source", "asker", "dear"], ["asker"]):
        results = computer(
            graph, targets=[module.asker], inputs={"url": "/"}, cache=cache
        )
        assert results[module.asker] == (["/"], 1)
        assert ran() == expected
    assert names(results.cached) == ["dear", "source"]
    assert results.why(module.asker) == "ran: it asks for other cells when it runs"
    assert results.why(module.other) == "skipped: nobody asked for it"


def test_why_tells_of_what_failed_before_it_had_a_key(
    cache: Cache, modules: Modules
) -> None:
    """What was kept of it before may be of another form."""

    class Shop:
        def __init__(self, lock: Any) -> None:
            self.lock = lock

        @cell
        def first(self) -> int:
            return 1 if isinstance(self.lock, int) else 1 // 0

        @cell(cache=True)
        def price(self, first: int) -> int:
            return 3

    assert compute(Graph.from_object(Shop(1)), cache=cache)["price"] == 3
    shop = Shop(threading.Lock())
    results = compute(Graph.from_object(shop), cache=cache, on_error="continue")
    assert results.why("price") == "skipped: what it needs failed"
    told = pickle.loads(pickle.dumps(results)).why("price")
    assert told == "skipped: what it needs failed"
