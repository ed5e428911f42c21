"""Exceptions as bytes: what is read is what was sent, or tells what was."""

import dataclasses
import threading
from typing import Any

import attrs
import pytest

import aiocells
from aiocells import Graph, cell, compute_sequential
from aiocells._outcome.sending import packed, unpacked


class Trouble(Exception):
    """One with an attribute."""

    def __init__(self, text: str, code: int = 0) -> None:
        super().__init__(text)
        self.code = code


@dataclasses.dataclass(frozen=True)
class FrozenDataclass(Exception):
    """Takes no attributes."""

    code: int = 1


@attrs.frozen
class FrozenAttrs(Exception):
    """Takes none either, and has a state of its own making."""

    code: int = 1


class Stubborn(Exception):
    """Takes no attributes, but for one."""

    def __init__(self) -> None:
        BaseException.__setattr__(self, "code", 3)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(name)


class ReadOnly(Exception):
    """Has an attribute that its class hides."""

    @property
    def hidden(self) -> int:
        """Cannot be set."""
        return 1


class OwnState(Exception):
    """Takes its state in its own way."""

    def __setstate__(self, state: dict[str, Any] | None) -> None:
        self.taken = state


class OwnReduce(Exception):
    """Says itself how it is made."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")
        self.both = one, two

    def __reduce__(self) -> Any:
        return OwnReduce, self.both


class Named(Exception):
    """Is found by its name."""

    def __reduce__(self) -> str:
        return "NAMED"


NAMED = Named("always the same")


class TwoArguments(Exception):
    """Cannot be made from its args."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def sent(error: BaseException) -> Any:
    """What arrives of an exception."""
    return unpacked(packed(error))


@pytest.mark.parametrize(
    "error",
    [
        ValueError("text", 1),
        FileNotFoundError(2, "No such file", "x.csv"),
        ImportError("no", name="name", path="path"),
        UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"),
        FrozenDataclass(2),
        FrozenAttrs(2),
        Stubborn(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_exception_arrives_with_its_notes(error: Any) -> None:
    """Frozen ones too; with its type, text and attributes."""
    error.add_note("mine") if type(error) in (
        ValueError,
        FileNotFoundError,
    ) else vars(error).update(__notes__=["mine"])
    found = sent(error)
    assert type(found) is type(error)
    assert found.args == error.args
    assert str(found) == str(error)
    assert found.__notes__ == ["mine"]
    for name in ("code", "name", "path", "filename", "object"):
        assert getattr(found, name, None) == getattr(error, name, None)


def test_attributes_arrive() -> None:
    """Those that were set, though the class now hides one, and a circle of them."""
    error = Trouble("text", 3)
    error.cause = error  # type: ignore[attr-defined]
    found = sent(error)
    assert found.code == 3
    assert found.cause is found
    assert not hasattr(found, "__notes__")
    hidden = ReadOnly()
    vars(hidden)["hidden"] = 2
    assert vars(sent(hidden))["hidden"] == 2


def test_a_class_decides_on_what_it_says() -> None:
    """Its own way of being made, or of taking its state, is followed."""
    error: Any = OwnState("text")
    error.code = 3
    error.add_note("mine")
    found = sent(error)
    assert found.taken == {"code": 3}
    assert found.__notes__ == ["mine"]
    error = OwnReduce(1, 2)
    error.add_note("mine")
    assert sent(error).both == (1, 2)
    assert sent(error).__notes__ == ["mine"]
    assert sent(NAMED) is NAMED


def test_exceptions_within_arrive_too() -> None:
    """Those of a group, and those that are arguments."""
    inner = FrozenDataclass(7)
    vars(inner)["__notes__"] = ["mine"]
    found = sent(ExceptionGroup("two", [inner, ValueError(inner)]))
    assert found.message == "two"
    assert found.exceptions[0].code == 7
    assert found.exceptions[0].__notes__ == ["mine"]
    assert found.exceptions[1].args[0] is found.exceptions[0]


def test_what_cannot_be_sent_is_told() -> None:
    """A RuntimeError has its type and text, the reason, and its notes."""
    error = TwoArguments(1, 2)
    error.add_note("mine")
    found = sent(error)
    assert type(found) is RuntimeError
    assert str(found).startswith(
        "TwoArguments: 1 and 2 (it cannot be sent whole: TypeError: "
    )
    assert found.__notes__ == ["mine"]
    found = sent(Trouble("text", threading.Lock()))  # type: ignore[arg-type]
    assert str(found) == (
        "Trouble: text (it cannot be sent whole: TypeError: cannot pickle "
        "'_thread.lock' object)"
    )


def test_notes_that_cannot_be_sent_stay_behind() -> None:
    """Other notes, and the exception, arrive without them."""
    error = Trouble("text", 3)
    error.__notes__ = ["mine", threading.Lock()]  # type: ignore[list-item]
    found = sent(error)
    assert type(found) is Trouble
    assert found.code == 3
    assert found.__notes__ == ["mine"]


@cell
def broken() -> None:
    """A cell that a process can find."""
    msg = "text"
    raise Trouble(msg, 3)


def test_what_failures_tells_arrives_where_it_can() -> None:
    """By cell; not where a cell cannot be sent, which is no reason to lose the rest."""
    for function in (broken, cell(name="broken")(lambda: broken())):
        with pytest.raises(Trouble) as caught:
            compute_sequential(Graph.from_cells(function))
        found = sent(caught.value)
        assert found.code == 3
        assert found.__notes__ == caught.value.__notes__
        told = {} if function is not broken else {broken: found}
        assert aiocells.failures(found) == told
