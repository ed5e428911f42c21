"""Failures of cells on their way through a cluster.

Dask's own way loses what a frozen exception has, notes among it, and where it was
raised. So they travel as bytes, in an exception of ours or in place of a value.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from aiocells._cluster.packed import Packed
from aiocells._declaring.showing import shown
from aiocells._outcome import sending as _sending
from aiocells._outcome.exceptions import add_notes, text_of
from aiocells._running.run import is_fatal

# An argument of which a worker does not know what it is.
UNKNOWN: Any = object()


class Raised(NamedTuple):
    """What a cell raised on a worker.

    Attributes:
        number: the cell.
        data: the exception as bytes.
        text: the exception as messages show it.
        arguments: what it was called with, as messages show it; None for what is not
            known.
        where: how notes begin that name the cell, where a fallback may see one.
        ends: whether it ends the computation.
        is_let_out: whether a fallback was called with it, and raised it again.
    """

    number: int
    data: bytes
    text: str
    arguments: tuple[str | None, ...]
    where: str
    ends: bool
    is_let_out: bool

    def error(self) -> BaseException:
        """The exception; its cause tells where it was raised."""
        return _sending.unpacked(self.data)

    def noted(self) -> BaseException:
        """The same, with a note that names the cell."""
        error = self.error()
        if self.where:
            add_notes(error, [self.where])
        return error


def raised(
    number: int,
    error: BaseException,
    arguments: Iterable[Any] = (),
    where: str = "",
    *,
    carried: bool = False,
) -> Raised:
    """What is told of an exception.

    Args:
        number: the cell that raised it.
        error: the exception.
        arguments: what the cell was called with; `UNKNOWN` for what is not known.
        where: how a note begins that names the cell.
        carried: whether it goes to those that need the cell, and ends nothing.
    """
    told = tuple(None if each is UNKNOWN else shown(each) for each in arguments)
    return Raised(
        number,
        _sending.packed(error),
        text_of(error),
        told,
        where,
        ends=is_fatal(error) or not carried,
        is_let_out=False,
    )


class CellFailed(Exception):
    """Ends a task, and with it the computation.

    Attributes:
        raised: what the cell raised.
        behind: the failures for which its fallback was called.
    """

    def __init__(self, raised: Raised, behind: Mapping[int, Raised]) -> None:
        super().__init__(raised, behind)
        self.raised = raised
        self.behind = behind

    def __repr__(self) -> str:
        return f"CellFailed({self.raised.text!r})"

    def __str__(self) -> str:
        return self.raised.text


class NoValue(Exception):
    """Something has no value.

    Attributes:
        failures: why, by the numbers of the cells that failed.
    """

    def __init__(self, failures: Mapping[int, Raised]) -> None:
        super().__init__()
        self.failures = failures


class Failed:
    """In place of a value: the failures for which there is none.

    Attributes:
        failures: by the numbers of the cells.
        behind: those for which a fallback was called, and declined.
    """

    __slots__ = ("behind", "failures")

    def __init__(
        self, failures: Mapping[int, Raised], behind: Mapping[int, Raised]
    ) -> None:
        self.failures = failures
        self.behind = behind


class Answered(Packed):
    """A value that a fallback gave.

    Attributes:
        behind: the failures for which it was called.
    """

    __slots__ = ("behind",)

    def __init__(self, value: Any, behind: Mapping[int, Raised]) -> None:
        super().__init__(value)
        self.behind = behind

    def _more(self) -> tuple[Any, ...]:
        return (self.behind,)


def raise_if_over(failures: Iterable[Raised]) -> None:
    """End the task if one of these ends the computation.

    Raises:
        CellFailed: one does.
    """
    for each in failures:
        if each.ends:
            raise CellFailed(each, {})


def failures_in(values: Iterable[Any]) -> dict[int, Raised]:
    """The failures among what a cell needs."""
    found: dict[int, Raised] = {}
    for value in values:
        if type(value) is Failed:
            found.update(value.failures)
    return found
