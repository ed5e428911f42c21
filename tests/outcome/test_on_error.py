"""What happens when a cell fails: on_error, notes, failures(), failed results."""

import asyncio
import dataclasses
import functools
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest

import aiocells
from aiocells import DependencyGraph, Graph, cell, depends_on, resource
from aiocells._running.loops import generated
from tests.helpers import COMPUTERS, Modules

MODES = ("raise", "group", "continue")
every_computer = pytest.mark.parametrize("name", COMPUTERS)
every_concurrent = pytest.mark.parametrize("name", ["concurrent", "simple"])

TRIP = """
@cell
def city():
    return "Oslo"

@cell
def forecast(city):
    raise problem

@cell
def plan(forecast):
    return "plan"

@cell
@depends_on(plan)
def audit():
    return "audit"

@cell
def currency():
    return "NOK"
"""


class Trouble(Exception):
    """Raised by the cells of this module."""


def trip(modules: Modules, problem: BaseException) -> tuple[Any, Graph]:
    """The module above, in which `forecast` raises `problem`, and its graph."""
    module = modules.make("trip", TRIP)
    module.problem = problem
    return module, Graph.from_module(module)


def raised(name: str, graph: DependencyGraph, **options: Any) -> BaseException:
    """What a computer raises."""
    with pytest.raises(BaseException) as caught:  # noqa: PT011
        COMPUTERS[name](graph, **options)
    return caught.value


def notes_of(error: BaseException) -> list[str]:
    """The notes of an exception."""
    return list(getattr(error, "__notes__", ()))


def depth(error: BaseException) -> int:
    """How long the traceback of an exception is."""
    traceback, found = error.__traceback__, 0
    while traceback is not None:
        traceback, found = traceback.tb_next, found + 1
    return found


# The three ways


@every_computer
def test_raise_raises_the_failure_itself(name: str, modules: Modules) -> None:
    """By default the cell's own exception reaches the caller, with a note."""
    problem = Trouble("no forecast")
    module, graph = trip(modules, problem)
    error = raised(name, graph)
    assert error is problem
    assert error.args == ("no forecast",)
    assert notes_of(error) == [
        "in cell 'forecast' (trip.py:6), needed by 'plan', needed by 'audit'\n"
        "  called with city='Oslo'"
    ]
    assert aiocells.failures(error) == {module.forecast: problem}


@every_computer
def test_group_raises_a_group_even_of_one(name: str, modules: Modules) -> None:
    """With "group" the failures come in an ExceptionGroup, one alone too."""
    problem = Trouble("no forecast")
    module, graph = trip(modules, problem)
    error = raised(name, graph, on_error="group")
    assert type(error) is ExceptionGroup
    assert error.message == "1 cell failed"
    assert error.exceptions == (problem,)
    assert notes_of(error) == []
    assert notes_of(problem)[0].startswith("in cell 'forecast' (trip.py:6)")
    assert aiocells.failures(error) == {module.forecast: problem}


@every_computer
def test_continue_runs_what_does_not_depend_on_a_failed_cell(
    name: str, modules: Modules
) -> None:
    """With "continue" only what needs a failed cell, by value or order, is skipped."""
    problem = Trouble("no forecast")
    module, graph = trip(modules, problem)
    results = COMPUTERS[name](graph, on_error="continue")
    assert dict(results) == {module.city: "Oslo", module.currency: "NOK"}
    assert len(results) == 2
    assert results.failures == {module.forecast: problem}
    assert results.skipped == {module.plan, module.audit}
    assert module.city in results
    assert module.forecast not in results
    assert module.plan not in results


@every_computer
def test_continue_without_a_failure_is_as_without_it(name: str) -> None:
    """Where nothing fails, "continue" gives all values."""

    @cell
    def one() -> int:
        return 1

    results = COMPUTERS[name](Graph.from_cells(one), on_error="continue")
    assert dict(results) == {one: 1}
    assert results.failures == {}
    assert results.skipped == frozenset()


@every_computer
def test_a_failed_cells_result_raises_that_failure_again_and_again(
    name: str, modules: Modules
) -> None:
    """`results[failed]` raises the failure; its traceback and notes do not grow."""
    problem = Trouble("no forecast")
    module, graph = trip(modules, problem)
    results = COMPUTERS[name](graph, on_error="continue")
    depths = []
    for key in (module.forecast, "forecast", module.forecast):
        with pytest.raises(Trouble) as caught:
            results[key]
        assert caught.value is problem
        depths.append(depth(problem))
    assert depths[0] == depths[1] == depths[2]
    assert len(notes_of(problem)) == 1


@every_computer
def test_a_skipped_cells_result_says_which_failure_it_was(name: str) -> None:
    """`results[skipped]` is a KeyError that names the failures it was skipped for."""

    @cell
    def broken() -> None:
        raise Trouble

    @cell
    def other() -> None:
        raise Trouble

    @cell
    def between(broken: None) -> None: ...

    @cell
    @depends_on(between)
    def after() -> None: ...

    @cell
    def both(between: None, other: None) -> None: ...

    graph = Graph.from_cells(broken, other, between, after, both)
    results = COMPUTERS[name](graph, on_error="continue")
    told = {}
    for each in (after, both):
        with pytest.raises(KeyError) as caught:
            results[each]
        told[each] = str(caught.value)
    assert "'after' (" in told[after]
    assert "was skipped, because what it needs failed: 'broken' (" in told[after]
    assert "'other'" not in told[after]
    assert "failed: 'broken' (" in told[both]
    assert ", 'other' (" in told[both]


@every_computer
def test_a_skipped_cell_blames_no_cell_that_was_overridden(name: str) -> None:
    """What feeds only an overridden cell is no reason why a cell was skipped."""

    @cell
    def cause() -> None:
        raise Trouble

    @cell
    def given(cause: None) -> int:
        return 0

    @cell
    def broken(given: int) -> None:
        raise Trouble

    @cell
    def after(broken: None, given: int) -> None: ...

    results = COMPUTERS[name](
        Graph.from_cells(cause, given, broken, after),
        targets=[after, cause],
        overrides={given: 1},
        on_error="continue",
    )
    assert set(results.failures) == {broken, cause}
    with pytest.raises(KeyError) as caught:
        results[after]
    assert "failed: 'broken' (" in str(caught.value)
    assert "'cause'" not in str(caught.value)


@every_computer
def test_an_unknown_on_error_is_refused(name: str) -> None:
    """Another on_error than the three is refused before a cell runs."""
    ran = []

    @cell
    def one() -> None:
        ran.append(1)

    error = raised(name, Graph.from_cells(one), on_error="ignore")
    assert type(error) is ValueError
    assert str(error) == "on_error='ignore': expected 'raise', 'group' or 'continue'."
    assert not ran


# More than one failure


def two_failures() -> tuple[Any, Any, Graph]:
    """A cell that fails, and one that fails while it is cancelled for that."""

    @cell
    async def second() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise KeyError

    @cell
    async def first() -> None:
        await asyncio.sleep(0)
        raise Trouble

    return first, second, Graph.from_cells(second, first)


@every_concurrent
def test_raise_names_the_other_failures_in_notes(name: str) -> None:
    """The first failure is raised; those beside it are in its notes, and findable."""
    first, second, graph = two_failures()
    error = raised(name, graph)
    assert type(error) is Trouble
    mine, also = notes_of(error)
    assert mine.startswith("in cell 'first' (")
    assert also.startswith("also failed: cell 'second' (")
    assert also.endswith("): KeyError")
    found = aiocells.failures(error)
    assert list(found) == [first, second]
    assert found[first] is error
    assert type(found[second]) is KeyError
    assert depth(found[second]) > 0
    assert notes_of(found[second])[0].startswith("in cell 'second' (")


@every_concurrent
def test_group_holds_all_failures_in_the_order_of_their_happening(name: str) -> None:
    """With "group" nothing is lost either."""
    first, second, graph = two_failures()
    error = raised(name, graph, on_error="group")
    assert type(error) is ExceptionGroup
    assert error.message == "2 cells failed"
    assert [type(each) for each in error.exceptions] == [Trouble, KeyError]
    assert list(aiocells.failures(error)) == [first, second]


@every_computer
def test_a_closers_error_does_not_hide_the_bodys(name: str) -> None:
    """The body's failure stays the primary one; the closer's is told beside it."""

    @resource
    def connection() -> Iterator[int]:
        yield 1
        raise KeyError

    @cell
    def broken(connection: int) -> None:
        raise Trouble

    graph = Graph.from_cells(broken, connection)
    error = raised(name, graph)
    assert type(error) is Trouble
    assert "also failed: cell 'connection' (" in notes_of(error)[1]
    assert list(aiocells.failures(error)) == [broken, connection]
    group = raised(name, graph, on_error="group")
    assert isinstance(group, ExceptionGroup)
    assert [type(each) for each in group.exceptions] == [Trouble, KeyError]
    results = COMPUTERS[name](graph, on_error="continue")
    assert list(results.failures) == [broken, connection]


@every_computer
def test_a_closers_error_alone_is_a_failure_of_its_resource(name: str) -> None:
    """A closer that raises fails the computation, though all values are there."""

    @cell
    def path() -> str:
        return "data.db"

    @resource
    def connection(path: str) -> Iterator[int]:
        yield 1
        raise KeyError

    @cell
    def answer(connection: int) -> int:
        return 42

    graph = Graph.from_cells(answer, connection, path)
    error = raised(name, graph)
    assert type(error) is KeyError
    assert notes_of(error)[0].endswith(
        "needed by 'answer'\n  called with path='data.db'"
    )
    # Where the path has been let go, the note does not invent one.
    error = raised(name, graph, targets=[answer])
    assert notes_of(error)[0].endswith("needed by 'answer'")
    results = COMPUTERS[name](graph, on_error="continue")
    assert results[answer] == 42
    assert list(results.failures) == [connection]
    assert results.skipped == frozenset()


@every_concurrent
@pytest.mark.parametrize("mode", ["raise", "group"])
def test_the_cancellation_of_siblings_hides_no_failure(name: str, mode: str) -> None:
    """Cells that are cancelled because of a failure are no failures themselves."""

    @cell
    async def sibling() -> None:
        await asyncio.Event().wait()

    @cell
    async def broken() -> None:
        raise Trouble

    error = raised(name, Graph.from_cells(sibling, broken), on_error=mode)
    assert list(aiocells.failures(error)) == [broken]
    assert len(notes_of(error)) == (1 if mode == "raise" else 0)


@every_computer
@pytest.mark.parametrize("mode", MODES)
def test_a_cancelled_error_that_nobody_asked_for_is_a_failure(
    name: str, mode: str
) -> None:
    """A cell that raises CancelledError by itself has failed."""

    problem = asyncio.CancelledError("mine")

    @cell
    def broken() -> None:
        raise problem

    @cell
    def fine() -> int:
        return 1

    graph = Graph.from_cells(broken, fine)
    if mode == "continue":
        results = COMPUTERS[name](graph, on_error=mode)
        assert results[fine] == 1
        error = results.failures[broken]
    else:
        error = raised(name, graph, on_error=mode)
        assert list(aiocells.failures(error)) == [broken]
        if isinstance(error, BaseExceptionGroup):
            [error] = error.exceptions
    assert type(error) is asyncio.CancelledError
    assert error.args == ("mine",)
    assert notes_of(error)[0].startswith("in cell 'broken' (")


# Special exceptions


@every_computer
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, BaseException])
def test_exits_are_never_swallowed(
    name: str, mode: str, kind: type[BaseException]
) -> None:
    """What is no Exception leaves every computer as it is, whatever on_error says."""
    ran = []

    @cell
    def leaving() -> None:
        raise kind

    @cell
    def later(leaving: None) -> None:
        ran.append(1)

    error = raised(name, Graph.from_cells(leaving, later), on_error=mode)
    assert type(error) is kind
    assert list(aiocells.failures(error)) == [leaving]
    assert notes_of(error)[0].startswith("in cell 'leaving' (")
    assert not ran


@every_computer
def test_an_exit_comes_before_failures_that_happened_earlier(name: str) -> None:
    """An exit is raised though another cell had failed before; that one is noted."""

    @cell
    def broken() -> None:
        raise Trouble

    @cell
    def leaving() -> None:
        raise SystemExit(3)

    graph = Graph.from_cells(broken, leaving)
    error = raised(name, graph, on_error="continue")
    assert type(error) is SystemExit
    assert "also failed: cell 'broken' (" in notes_of(error)[1]
    assert list(aiocells.failures(error)) == [broken, leaving]


@every_computer
@pytest.mark.parametrize(
    "run_in", [None, pytest.param("thread", marks=pytest.mark.needs_threads)]
)
def test_stop_iteration_becomes_a_runtime_error(name: str, run_in: str | None) -> None:
    """StopIteration out of a cell is a RuntimeError, which tells where it came from."""

    @cell(run_in=run_in)
    def exhausted() -> None:
        next(iter(()))

    error = raised(name, Graph.from_cells(exhausted))
    assert type(error) is RuntimeError
    assert str(error) == "cell raised StopIteration"
    assert type(error.__cause__) is StopIteration
    assert notes_of(error)[0].startswith("in cell 'exhausted' (")
    assert aiocells.failures(error) == {exhausted: error}


@pytest.mark.parametrize("name", [each for each in COMPUTERS if each != "sequential"])
def test_stop_iteration_out_of_an_async_cell_becomes_a_runtime_error(
    name: str,
) -> None:
    """An async cell that raises StopIteration fails with a RuntimeError too."""

    @cell
    async def exhausted() -> None:
        next(iter(()))

    error = raised(name, Graph.from_cells(exhausted))
    assert type(error) is RuntimeError
    assert type(error.__cause__) is StopIteration


@dataclasses.dataclass(frozen=True)
class FrozenDataclass(Exception):
    """An exception that takes no attributes."""

    code: int = 1


@attrs.frozen
class FrozenAttrs(Exception):
    """Another."""

    code: int = 1


class Stubborn(Exception):
    """A third."""

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse."""
        raise AttributeError(name)


@every_computer
@pytest.mark.parametrize("kind", [FrozenDataclass, FrozenAttrs, Stubborn])
def test_frozen_exceptions_are_noted_and_found_too(
    name: str, kind: Callable[[], Exception]
) -> None:
    """An exception whose class is frozen still says which cell it came from."""

    @cell
    def broken() -> None:
        raise kind()

    error = raised(name, Graph.from_cells(broken))
    assert type(error) is kind
    assert notes_of(error)[0].startswith("in cell 'broken' (")
    assert aiocells.failures(error) == {broken: error}


@pytest.mark.parametrize("notes", [None, (), 3, ["mine", 4]])
def test_odd_notes_of_an_exception_do_no_harm(notes: Any) -> None:
    """What an exception's owner put into its notes is kept where it can be."""

    @cell
    def broken() -> None:
        error = Trouble()
        error.__notes__ = notes
        raise error

    error = raised("sequential", Graph.from_cells(broken))
    *kept, mine = notes_of(error)
    assert kept == (notes if isinstance(notes, list) else [])
    assert mine.startswith("in cell 'broken' (")


# Notes


def test_what_needed_a_failed_cell_is_named_up_to_four_steps() -> None:
    """The note shows the way to what was asked for; a long one is cut."""

    @cell
    def broken() -> None:
        raise Trouble

    def step(number: int, needed: Any) -> Any:
        return cell(name=f"step_{number}")(depends_on(needed)(lambda: None))

    last: Any = broken
    for number in range(6):
        last = step(number, last)
    error = raised("sequential", Graph.from_cells(last))
    assert notes_of(error)[0].partition(")")[2] == (
        ", needed by 'step_0', needed by 'step_1', needed by 'step_2', "
        "needed by 'step_3', ..."
    )


def test_a_failed_target_says_nothing_of_what_else_would_need_it(
    modules: Modules,
) -> None:
    """The way ends at a target: what is not computed needed nothing."""
    module, graph = trip(modules, Trouble())
    error = raised("sequential", graph, targets=[module.forecast])
    assert notes_of(error) == [
        "in cell 'forecast' (trip.py:6)\n  called with city='Oslo'"
    ]
    error = raised("sequential", graph, targets=[module.plan])
    assert notes_of(error)[-1] == (
        "in cell 'forecast' (trip.py:6)\n  called with city='Oslo'"
    )


@every_computer
def test_arguments_are_shown_by_name(name: str, modules: Modules) -> None:
    """The note shows each argument as the cell takes it, lists and keywords too."""
    module = modules.make(
        "trip",
        """
        @cell
        def a(): return 1
        @cell
        def b(): return "two"
        @cell
        @depends_on(parts=[a, b], none=[])
        def broken(parts, /, none, a, size, *, b, c=3):
            raise ValueError
        """,
    )
    error = raised(name, Graph.from_module(module), inputs={"size": 2.5})
    assert notes_of(error)[0].partition("\n")[2] == (
        "  called with parts=[1, 'two'], none=[], a=1, size=2.5, b='two', c=3"
    )


def test_long_arguments_are_cut() -> None:
    """A note stays short, however large the arguments and however many."""

    @cell
    def text() -> str:
        return "x" * 100_000

    @cell
    @depends_on(parts=[text] * 50)
    def broken(text: str, parts: list[str]) -> None:
        raise Trouble

    error = raised("sequential", Graph.from_cells(broken, text))
    shown = notes_of(error)[0].partition("called with ")[2]
    assert shown.startswith("text='xxxxxxxx")
    assert "xxx...xxx" in shown
    assert shown.endswith("...")
    assert len(shown) == 300


@every_computer
def test_an_argument_whose_repr_raises_does_no_harm(name: str) -> None:
    """The failure is told as it is; the argument is shown by its type."""

    class Shy:
        def __repr__(self) -> str:
            raise OSError

    @cell
    def shy() -> Shy:
        return Shy()

    @cell
    def broken(shy: Shy) -> None:
        raise Trouble

    error = raised(name, Graph.from_cells(broken, shy))
    assert type(error) is Trouble
    assert "\n  called with shy=<Shy instance at 0x" in notes_of(error)[0]


def test_a_number_too_large_to_be_shown_does_no_harm() -> None:
    """Python refuses to write out a number of that many digits; the note goes on."""

    @cell
    def broken(number: int, other: int) -> None:
        raise Trouble

    inputs = {"number": 10**5000, "other": 7}
    error = raised("sequential", Graph.from_cells(broken), inputs=inputs)
    assert type(error) is Trouble
    assert notes_of(error)[0].endswith(">, other=7")


@every_computer
def test_an_exception_is_noted_once_however_often_it_is_raised(name: str) -> None:
    """One exception object that is raised in every run keeps its notes as they were."""
    problem, beside = Trouble("always the same"), Trouble("another")

    @resource
    def opened() -> Iterator[None]:
        yield
        raise beside

    @cell
    def broken(opened: None) -> None:
        raise problem

    graph = Graph.from_cells(broken, opened)
    for mode in ("raise", "raise", "continue", "group"):
        if mode == "continue":
            results = COMPUTERS[name](graph, on_error=mode)
            assert results.failures == {broken: problem, opened: beside}
        else:
            raised(name, graph, on_error=mode)
    mine, also = notes_of(problem)
    assert mine.startswith("in cell 'broken' (")
    assert also.startswith("also failed: cell 'opened' (")
    assert len(notes_of(beside)) == 1


def test_an_exception_that_two_cells_raise_is_noted_for_both() -> None:
    """One exception object out of two cells names both, and is found under both."""
    problem = Trouble("shared")

    @cell
    def one() -> None:
        raise problem

    @cell
    def two() -> None:
        raise problem

    graph = Graph.from_cells(one, two)
    results = COMPUTERS["sequential"](graph, on_error="continue")
    assert results.failures == {one: problem, two: problem}
    first, second = notes_of(problem)
    assert first.startswith("in cell 'one' (")
    assert second.startswith("in cell 'two' (")


def test_a_failure_without_a_text_that_can_be_made_is_still_told() -> None:
    """An exception whose str raises, and a very long one, are noted beside another."""

    class Mute(Exception):
        def __str__(self) -> str:
            raise OSError

    def closing(number: int, error: Exception) -> Any:
        @resource(name=f"resource_{number}")
        def opened() -> Iterator[None]:
            yield
            raise error

        return opened

    errors = [Mute(), Trouble("x" * 1000), Trouble()]
    resources = [closing(number, error) for number, error in enumerate(errors)]

    @cell
    @depends_on(*resources)
    def broken() -> None:
        raise Trouble

    error = raised("sequential", Graph.from_cells(broken))
    _, bare, long, mute = notes_of(error)
    assert bare.endswith("): Trouble")
    assert long.endswith("xxx...")
    assert len(long) < 500
    assert mute.endswith("): Mute: (its text cannot be made)")


@every_computer
def test_nodes_added_by_hand_are_named_too(name: str) -> None:
    """A node of a DependencyGraph fails as a cell does."""
    graph = DependencyGraph()

    def broken() -> None:
        raise Trouble

    def after() -> None: ...

    graph.add_precedence(broken, after)
    error = raised(name, graph)
    assert notes_of(error)[0].startswith("in cell 'broken' (")
    assert notes_of(error)[0].endswith("needed by 'after'")


def test_a_plan_that_is_computed_often_fails_in_the_same_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where code has been generated for a plan, a failure reads the same."""

    @cell
    def first(size: int) -> int:
        return size + 1

    @cell
    def broken(first: int, size: int) -> int:
        raise Trouble

    @cell
    def last(broken: int) -> None: ...

    told = []
    for worth_compiling in (1_000_000, 1):
        monkeypatch.setattr(generated, "WORTH_COMPILING", worth_compiling)
        graph = Graph.from_cells(first, broken, last)
        error = raised("sequential", graph, inputs={"size": 3})
        assert type(error) is Trouble
        assert aiocells.failures(error) == {broken: error}
        told.append(notes_of(error))
    assert told[0] == told[1]
    assert told[0][0].endswith("needed by 'last'\n  called with first=4, size=3")


# failures()


def test_failures_of_a_foreign_exception_are_none() -> None:
    """An exception that came out of no computer has no failures."""
    assert aiocells.failures(Trouble()) == {}


@pytest.mark.parametrize("name", sorted(COMPUTERS))
def test_a_decorator_that_hides_the_parameters_is_told_of(name: str) -> None:
    """Where what it decorates was called with nothing, and failed for that."""

    def hiding(function: Any) -> Any:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return wrapper

    @cell(name="plan")
    @hiding
    def plan(city: str) -> str:
        return city

    @cell(name="other")
    @hiding
    def other() -> None:
        msg = "its own"
        raise ValueError(msg)

    with pytest.raises(TypeError, match="missing 1 required") as caught:
        COMPUTERS[name](Graph.from_cells(plan))
    assert caught.value.__notes__[0].endswith(
        "\n  called without arguments: it takes *args, **kwargs, which cannot be "
        "bound. A decorator without functools.wraps hides the parameters of what it "
        "decorates."
    )
    with pytest.raises(TypeError, match="at least 1 argument") as unknown:
        COMPUTERS[name](Graph.from_cells(depends_on()(functools.partial(max))))
    assert "wraps" not in unknown.value.__notes__[0]
    with pytest.raises(ValueError, match="its own") as own:
        COMPUTERS[name](Graph.from_cells(other))
    assert "wraps" not in own.value.__notes__[0]
