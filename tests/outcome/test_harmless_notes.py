"""What we tell about a failure never takes its place, delays it or loses it."""

import asyncio
import dataclasses
import os
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest

import aiocells
from aiocells import Graph, cell, compute_sequential, depends_on, resource
from aiocells._outcome import failures as failures_module
from aiocells._outcome.exceptions import add_notes, notes_of

MODES = ("raise", "group", "continue")
CALLED: dict[str, Any] = {
    "sequential": aiocells.compute_sequential,
    "async_sequential": aiocells.async_compute_sequential,
    "concurrent": aiocells.async_compute_concurrent,
    "simple": aiocells.async_compute_concurrent_simple,
}
every_computer = pytest.mark.parametrize("name", CALLED)
in_thread_too = pytest.mark.parametrize(
    "run_in", [None, pytest.param("thread", marks=pytest.mark.needs_threads)]
)


class Trouble(Exception):
    """Raised by the cells of this module."""


@dataclasses.dataclass(frozen=True)
class FrozenDataclass(Exception):
    """Takes no attributes."""

    code: int = 1


@attrs.frozen
class FrozenAttrs(Exception):
    """Takes none either, and has slots."""

    code: int = 1


class Stubborn(Exception):
    """Takes no attributes, and raises an exit at each."""

    def __setattr__(self, name: str, value: object) -> None:
        raise SystemExit(name)


class Slotted(Exception):
    """Keeps its notes in a slot."""

    __slots__ = ("__notes__",)


class OwnAddNote(Exception):
    """Adds notes in its own way."""

    def add_note(self, note: str) -> None:
        """Do not."""
        raise SystemExit


class ClassNotes(Exception):
    """Has a note that is its class's."""

    __notes__ = ("read the manual",)


class ReadOnlyNotes(Exception):
    """Makes its notes itself."""

    @property
    def __notes__(self) -> list[str]:
        """Always the same."""
        return ["of its own"]


class RaisingNotes(Exception):
    """Makes its notes itself, or tries to."""

    @property
    def __notes__(self) -> list[str]:
        """Fail."""
        raise SystemExit


class Textless(Exception):
    """Has no text, and counts as false."""

    def __str__(self) -> str:
        raise SystemExit

    __repr__ = __str__

    def __bool__(self) -> bool:
        return False


class Unequal(Exception):
    """Cannot be compared or hashed."""

    def __eq__(self, other: object) -> bool:
        raise SystemExit

    def __hash__(self) -> int:
        raise SystemExit


class Array:
    """What compares as arrays do."""

    def __eq__(self, other: object) -> Any:
        return self

    def __bool__(self) -> bool:
        raise ValueError

    def __hash__(self) -> int:
        return 1

    def __str__(self) -> str:
        raise SystemExit


def with_notes(notes: object) -> Callable[[], Exception]:
    """Makes exceptions that have these notes from the start."""

    def make() -> Exception:
        error = Trouble()
        error.__notes__ = notes  # type: ignore[assignment]
        return error

    return make


NOTED: dict[str, Callable[[], Exception]] = {
    "frozen dataclass": FrozenDataclass,
    "frozen attrs": FrozenAttrs,
    "stubborn": Stubborn,
    "slotted": Slotted,
    "own add_note": OwnAddNote,
    "class notes": ClassNotes,
    "textless": Textless,
    "unequal": Unequal,
    "array": with_notes([Array(), "mine"]),
    "number": with_notes(3),
    "text": with_notes("mine"),
}
UNNOTED: dict[str, Callable[[], Exception]] = {
    "read only": ReadOnlyNotes,
    "raising": RaisingNotes,
}
MAKERS = NOTED | UNNOTED


def found(outcome: Any, function: Any) -> BaseException:
    """The failure of a cell, however the computation told it."""
    if isinstance(outcome, BaseException):
        return aiocells.failures(outcome)[function]
    return outcome.failures[function]  # type: ignore[no-any-return]


def outcome_of(name: str, graph: Graph, **options: Any) -> Any:
    """What a computer returns or raises."""
    outcomes: list[Any] = []

    async def compute() -> None:
        # asyncio.run shows what it ran, with the exception that that raised.
        try:
            computed = CALLED[name](graph, **options)
            outcomes.append(computed if name == "sequential" else await computed)
        except Exception as error:
            outcomes.append(error)

    asyncio.run(compute())
    return outcomes[0]


# Whatever the exception is


@every_computer
@pytest.mark.parametrize("kind", MAKERS)
@in_thread_too
@pytest.mark.parametrize("mode", MODES)
def test_any_exception_leaves_as_it_is(
    name: str, kind: str, run_in: str | None, mode: str
) -> None:
    """A cell's own exception, whatever its class does, in a thread as well."""
    problem = MAKERS[kind]()

    @cell(run_in=run_in)
    def broken() -> None:
        raise problem

    @cell
    def after(broken: None) -> None: ...

    outcome = outcome_of(name, Graph.from_cells(broken, after), on_error=mode)
    assert found(outcome, broken) is problem
    assert mode != "raise" or outcome is problem
    if kind in NOTED:
        assert notes_of(problem)[-1].startswith("in cell 'broken' (")
        assert problem.__notes__ == notes_of(problem)


@every_computer
@pytest.mark.parametrize("kind", MAKERS)
@in_thread_too
def test_any_exception_of_a_closer_is_told(
    name: str, kind: str, run_in: str | None
) -> None:
    """A closer may raise anything too; others close, and the computation ends."""
    problem = MAKERS[kind]()
    closed = []

    @resource
    def beside() -> Iterator[None]:
        yield
        closed.append(1)

    @resource(run_in=run_in)
    def broken(beside: None) -> Iterator[None]:
        yield
        raise problem

    @cell
    def user(broken: None) -> None:
        raise Trouble

    outcome = outcome_of(name, Graph.from_cells(broken, beside, user))
    assert type(outcome) is Trouble
    assert found(outcome, broken) is problem
    assert closed == [1]


@pytest.mark.parametrize("kind", MAKERS)
def test_any_exception_can_be_the_other_one(kind: str) -> None:
    """The failure beside which it happened names it, with its text or without."""
    problem = MAKERS[kind]()

    @cell
    async def second() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise problem

    @cell
    async def first() -> None:
        await asyncio.sleep(0)
        raise Trouble

    outcome = outcome_of("concurrent", Graph.from_cells(second, first))
    told = outcome.__notes__[1].partition("also failed: cell 'second' (")[2]
    expected = type(problem).__name__
    if kind == "textless":
        expected += ": (its text cannot be made)"
    elif kind.startswith("frozen attrs"):
        expected += ": 1"
    assert told.partition("): ")[2] == expected


def test_what_an_exception_had_for_notes_is_kept() -> None:
    """Lists, tuples and texts stay in front of ours; anything else gives way."""
    kept = {
        kind: notes_of(error)[:-1]
        for kind, make in NOTED.items()
        for error in [make()]
        if add_notes(error, ["ours", "ours"]) is None
    }
    array = kept.pop("array")
    assert type(array[0]) is Array
    assert array[1:] == ["mine"]
    assert kept.pop("class notes") == ["read the manual"]
    assert kept.pop("text") == ["mine"]
    assert not any(kept.values())


def test_a_list_of_somebodys_is_copied_without_its_code() -> None:
    """Notes in a class made from list are read as those of a list."""

    class Notes(list[str]):
        def copy(self) -> Any:
            raise SystemExit

        __iter__ = copy  # type: ignore[assignment]

    error = with_notes(Notes(["mine"]))()
    add_notes(error, ["ours"])
    assert error.__notes__ == ["mine", "ours"]
    add_notes(error, ["ours", "mine"])
    assert error.__notes__ == ["mine", "ours"]


# Whatever the arguments are


class Hostile:
    """A value whose class must not be asked."""

    def __repr__(self) -> str:
        raise self.error

    error: BaseException = SystemExit()


@every_computer
@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, RecursionError])
def test_an_argument_whose_repr_exits_does_no_harm(
    name: str, kind: type[BaseException]
) -> None:
    """The repr of an argument is not run, be the argument bare or in a list."""
    hostile = Hostile()
    hostile.error = kind()

    @cell
    def broken(hostile: Any, several: Any) -> None:
        raise Trouble

    inputs = {"hostile": hostile, "several": [hostile]}
    error = outcome_of(name, Graph.from_cells(broken), inputs=inputs)
    assert type(error) is Trouble
    shown = f"<Hostile instance at {id(hostile):#x}>"
    assert error.__notes__[0].endswith(
        f"\n  called with hostile={shown}, several=[{shown}]"
    )


class Counted:
    """A value that counts how often it is shown."""

    shown = 0

    def __repr__(self) -> str:
        Counted.shown += 1
        return "counted"


@dataclasses.dataclass
class Many:
    """Holds as much as one likes."""

    items: list[Any]


def test_of_a_large_argument_only_its_beginning_is_looked_at() -> None:
    """However much it holds, in itself or in a list of lists."""
    items = [str(number) for number in range(100_000)]
    nested: Any = items
    for _ in range(10_000):
        nested = [nested]

    @cell
    def broken(many: Many, nested: Any) -> None:
        raise Trouble

    inputs = {"many": Many(items), "nested": nested}
    error = outcome_of("sequential", Graph.from_cells(broken), inputs=inputs)
    assert error.__notes__[0].endswith(
        "\n  called with many=Many(items=['0', '1', '2', '3', '4', '5', ...]), "
        "nested=[[[[...]]]]"
    )
    while type(nested[0]) is list:
        nested = nested[0]


def test_arguments_that_would_not_be_seen_are_not_made() -> None:
    """A note stops where it would be cut; the rest is not looked at."""

    def text(number: int) -> Any:
        return cell(name=f"text_{number}")(lambda: "x" * 60)

    class Last:
        """What must not be looked at."""

    cells = [text(number) for number in range(50)]
    given = {f"p{number}": each for number, each in enumerate(cells)}
    source = f"def broken({', '.join(given)}): raise Trouble"
    scope: dict[str, Any] = {"Trouble": Trouble}
    exec(source, scope)
    broken = depends_on(**given)(scope["broken"])
    error = outcome_of("sequential", Graph.from_cells(broken))
    note = error.__notes__[0].partition("called with ")[2]
    assert len(note) == 300
    assert note.endswith("...")


def test_an_exception_that_holds_much_is_told_shortly() -> None:
    """What an exception was made with is shown as arguments are."""
    errors = [
        Trouble(list(range(100_000))),
        Trouble(1, Hostile),
        KeyError("missing"),
        FileNotFoundError(2, "No such file", "x.csv"),
        Trouble("x" * 1_000_000),
    ]

    def closing(number: int, error: Exception) -> Any:
        @resource(name=f"resource_{number}")
        def opened() -> Iterator[None]:
            yield
            raise error

        return opened

    @cell
    @depends_on(*(closing(number, error) for number, error in enumerate(errors)))
    def broken() -> None:
        raise Trouble

    outcome = outcome_of("sequential", Graph.from_cells(broken))
    told = [note.partition("): ")[2] for note in outcome.__notes__[1:]]
    assert told == [
        f"Trouble: {'x' * 297}...",
        "FileNotFoundError: [Errno 2] No such file: 'x.csv'",
        "KeyError: 'missing'",
        f"Trouble: (1, {Hostile!r})",
        "Trouble: [0, 1, 2, 3, 4, 5, ...]",
    ]


def test_where_no_note_can_be_made_the_failure_is_raised_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As at the limit of recursion, where nothing can be called any more."""
    problem, beside = Trouble(), Trouble()

    @resource
    def opened() -> Iterator[None]:
        yield
        raise beside

    @cell
    def broken(opened: None) -> None:
        monkeypatch.setattr(os, "getcwd", None)
        raise problem

    graph = Graph.from_cells(broken, opened)
    with pytest.raises(Trouble) as caught:
        compute_sequential(graph)
    monkeypatch.undo()
    assert caught.value is problem
    assert aiocells.failures(problem) == {broken: problem, opened: beside}
    assert not hasattr(problem, "__notes__")


def test_what_notes_begin_with_is_not_kept_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A graph of which many cells fail, run again and again, does not grow."""
    monkeypatch.setattr(failures_module, "_MOST_PLACES", 2)

    def failing(number: int) -> Any:
        @cell(name=f"c{number}")
        def fails() -> None:
            raise ValueError(number)

        return fails

    graph = Graph.from_cells(*map(failing, range(5)))
    for _ in range(2):
        results = compute_sequential(graph, on_error="continue")
        for number, error in enumerate(results.failures.values()):
            assert error.__notes__[0].startswith(f"in cell 'c{number}' (")
