"""A cache keeps a fan-out item by item."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

import aiocells
from aiocells import Cache, Cached, Graph, Input, cell, depends_on, each, resource
from aiocells.observers import Recorder
from tests.helpers import ASYNC_COMPUTERS, COMPUTERS

XS = Input("xs")
every_computer = pytest.mark.parametrize("name", COMPUTERS)
ran: list[Any] = []


@pytest.fixture(autouse=True)
def nothing_ran() -> None:
    """Each test begins anew."""
    ran.clear()


def work(x: Any, y: Any = 0) -> Any:
    """A plain item, which tells that it ran."""
    ran.append(x)
    if x == "bad":
        raise ValueError(x)
    return [x, y]


async def work_later(x: Any, y: Any = 0) -> Any:
    """An async one."""
    await asyncio.sleep(0)
    return work(x, y)


made = each(work, x=XS, cache=True)
made_later = each(work_later, x=XS, cache=True)
in_threads = each(work, x=XS, cache=True, run_in="thread")
keeping = each(work, x=XS, cache=True, on_error="keep")


def compute(cells: Any, cache: Cache, name: str, xs: Any, **options: Any) -> Any:
    """Compute a fan-out alone; gives its results."""
    ran.clear()
    inputs = {"xs": xs, **options.pop("inputs", {})}
    graph = Graph.from_cells(cells)
    return COMPUTERS[name](graph, inputs=inputs, cache=cache, **options)


def cases() -> Iterator[Any]:
    """The ways that items run, in the computers that can run them."""
    for cells in (made, made_later, in_threads):
        for name in COMPUTERS:
            if not (name == "sequential" and cells is made_later):
                threads = [pytest.mark.needs_threads] * (cells is in_threads)
                yield pytest.param(cells, name, marks=threads)


@pytest.mark.parametrize(("cells", "name"), [*cases()])
def test_one_more_item_runs_one_item(cells: Any, name: str, cache: Cache) -> None:
    """Whatever the order, and however they are given."""
    results = compute(cells, cache, name, [1, 2])
    assert results[cells] == [[1, 0], [2, 0]]
    assert (sorted(ran), results.cached) == ([1, 2], frozenset())
    assert results.why(cells) == "ran: nothing of it was kept before"
    results = compute(cells, cache, name, [3, 2, 1])
    assert results[cells] == [[3, 0], [2, 0], [1, 0]]
    assert (ran, results.cached) == ([3], frozenset())
    assert results.why(cells) == "ran: 1 of 3 items were not found"
    results = compute(cells, cache, name, {"a": 2, "b": 3})
    assert results[cells] == {"a": [2, 0], "b": [3, 0]}
    assert (ran, results.cached) == ([], {cells})
    assert results.why(cells) == "found"
    assert compute(cells, cache, name, [])[cells] == []


@every_computer
def test_another_argument_is_another_item(name: str, cache: Cache) -> None:
    """All arguments count, but for those that are left out."""
    compute(made, cache, name, [1], inputs={"y": 1})
    results = compute(made, cache, name, [1], inputs={"y": 2})
    assert results[made] == [[1, 2]]
    assert results.why(made) == "ran: argument 'y' changed"
    ignoring = each(work, x=XS, cache=Cached(ignore=("y",)), name="ignoring")
    compute(ignoring, cache, name, [1], inputs={"y": 1})
    assert compute(ignoring, cache, name, [1], inputs={"y": 2})[ignoring] == [[1, 1]]
    other = each(work, x=XS, cache=Cached(ignore=("x",)), name="other")
    compute(other, cache, name, [1])
    assert compute(other, cache, name, [2])[other] == [[1, 0]]


@every_computer
def test_found_values_are_new_objects(name: str, cache: Cache) -> None:
    """As computed ones are."""
    compute(made, cache, name, [1])
    first, second = compute(made, cache, name, [1, 1])[made]
    assert first == second
    assert first is not second


@every_computer
def test_after_a_failure_only_what_was_not_done_runs(name: str, cache: Cache) -> None:
    """A failed item is not kept."""
    with pytest.raises(ValueError, match="bad"):
        compute(made, cache, name, [1, 2, "bad", 3])
    with pytest.raises(ValueError, match="bad") as caught:
        compute(made, cache, name, [1, 2, "bad", 3])
    assert ran == ["bad"]
    assert caught.value.__notes__[0].startswith("in item 2 of cell 'made' (")
    results = compute(made, cache, name, [1, "bad", 3, "bad"], on_error="continue")
    assert ran == ["bad", 3, "bad"]
    first, second = results.failures[made].__notes__
    assert first.startswith("in item 1 of cell 'made' (")
    assert second == "also failed: item 3: ValueError: bad"
    assert compute(made, cache, name, [3, 1])[made] == [[3, 0], [1, 0]]
    assert ran == []


@every_computer
def test_failures_that_are_kept_in_place_are_not_kept_on_disk(
    name: str, cache: Cache
) -> None:
    """Such an item runs again."""
    for wanted in ([1, "bad", 2], ["bad"]):
        results = compute(keeping, cache, name, [1, "bad", 2])
        one, error, two = results[keeping]
        assert (one, error.args, two) == ([1, 0], ("bad",), [2, 0])
        assert ran == wanted


@pytest.mark.parametrize("name", ASYNC_COMPUTERS)
def test_what_is_pulled_is_found_too(name: str, cache: Cache) -> None:
    """One item after the other."""

    async def gives(count: int) -> Any:
        for x in range(count):
            yield x

    compute(made_later, cache, name, gives(2))
    results = compute(made_later, cache, name, gives(4))
    assert results[made_later] == [[x, 0] for x in range(4)]
    assert ran == [2, 3]


@every_computer
def test_progress_counts_what_was_found(name: str, cache: Cache) -> None:
    """As done."""
    compute(made, cache, name, [1, 2])
    recorder = Recorder()
    compute(made, cache, name, [1, 3, 2, 4], observers=[recorder])
    told = [event.done for event in recorder.events if event.kind == "progress"]
    assert told[-1] == 4


@every_computer
def test_dependents_are_found_if_the_values_are_the_same(
    name: str, cache: Cache
) -> None:
    """Whether the items ran or not."""

    @cell(cache=True)
    @depends_on(values=made)
    def total(values: Any) -> int:
        ran.append("total")
        return len(values)

    for wanted in ([1, 2, "total"], []):
        results = compute(total, cache, name, [1, 2])
        assert results[total] == 2
        assert ran == wanted


@every_computer
def test_what_it_goes_through_is_loaded_first(name: str, cache: Cache) -> None:
    """Where that was found, and so is not there yet."""

    @cell(cache=True)
    def numbers() -> list[int]:
        ran.append("numbers")
        return [1, 2]

    free = (
        each(work, x=numbers, y=XS, name="free")
        if False
        else each(work, x=numbers, name="free")
    )
    graph = Graph.from_cells(free)
    for wanted in (["numbers", 1, 2], [1, 2]):
        ran.clear()
        results = COMPUTERS[name](graph, targets=[free], cache=cache)
        assert results[free] == [[1, 0], [2, 0]]
        assert ran == wanted


@every_computer
def test_where_what_it_follows_ran_all_items_run(name: str, cache: Cache) -> None:
    """As a cell would."""

    @cell
    def setup() -> None:
        ran.append("setup")

    cells = depends_on(setup)(each(work, x=XS, cache=True, name="after"))
    for _ in range(2):
        results = compute(cells, cache, name, [1])
        assert ran == ["setup", 1]
        assert results.why(cells) == "ran: what it must follow ran: 'setup'"


@every_computer
def test_a_resource_counts_by_its_code(name: str, cache: Cache) -> None:
    """And not by its value, which is another each time."""

    @resource
    def session() -> Iterator[object]:
        yield object()

    @depends_on(y=session)
    def uses(x: int, y: object) -> int:
        ran.append(x)
        return x

    cells = each(uses, x=XS, cache=True, name="uses")
    compute(cells, cache, name, [1])
    compute(cells, cache, name, [1, 2])
    assert ran == [2]


@every_computer
def test_an_item_without_a_digest_runs_each_time(
    name: str, cache: Cache, caplog: pytest.LogCaptureFixture
) -> None:
    """There is one warning for all of them."""
    cells = each(lambda x: ran.append(1), x=XS, cache=True, name="made")
    for _ in range(2):
        compute(cells, cache, name, [(x for x in ()), (x for x in ())])
        assert ran == [1, 1]
    messages = [m for m in caplog.messages if "is not cached" in m]
    assert len(messages) == 2
    assert "'made' (" in messages[0]


@every_computer
def test_a_damaged_item_is_computed_anew(
    name: str, cache: Cache, caplog: pytest.LogCaptureFixture, tmp_path: Any
) -> None:
    """And kept anew."""
    cells = each(big, x=XS, cache=True, name="big")
    compute(cells, cache, name, [1, 2])
    [path, *_] = sorted((tmp_path / "cache" / "values").rglob("*/*"))
    path.write_bytes(b"damaged")
    results = compute(cells, cache, name, [1, 2])
    assert [len(value) for value in results[cells]] == [100_000, 100_000]
    assert len(ran) == 1
    assert "cannot be read" in caplog.text
    compute(cells, cache, name, [1, 2])
    assert ran == []


def big(x: int) -> bytes:
    """Give what is kept in a file of its own."""
    ran.append(x)
    return bytes([x]) * 100_000


@every_computer
def test_a_changed_function_runs_all(name: str, cache: Cache) -> None:
    """The note says which."""
    one = each(lambda x: [1, ran.append(x)][0], x=XS, cache=True, name="changing")
    two = each(lambda x: [2, ran.append(x)][0], x=XS, cache=True, name="changing")
    compute(one, cache, name, [5])
    results = compute(two, cache, name, [5])
    assert results[two] == [2]
    assert ran == [5]
    assert "changed" in results.why(two)


@every_computer
def test_none_is_not_kept_unless_it_is_asked_for(name: str, tmp_path: Any) -> None:
    """An item that gives none is run for its effect, where all are kept."""
    everything = Cache(tmp_path / "all", everything=True)
    cells = each(lambda x: ran.append(x), x=XS, name="made")
    for _ in range(2):
        compute(cells, everything, name, [1])
        assert ran == [1]
    asked = each(lambda x: ran.append(x), x=XS, cache=True, name="asked")
    compute(asked, everything, name, [1])
    compute(asked, everything, name, [1])
    assert ran == []


def test_the_command_shows_it_as_one_cell(cache: Cache) -> None:
    """By the name that its module has for it."""
    compute(made, cache, "sequential", [1, 2, 3])
    [told] = cache.ls()
    assert told["cell"] == "tests.running.keeping.test_kept_items.made"
    assert told["entries"] == 3
    assert cache.clear(made) == 3
    assert aiocells.each is each
