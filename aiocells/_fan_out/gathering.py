"""What becomes of the items of a fan-out: their values, and their failures."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

from aiocells._fan_out.items import Items, Row
from aiocells._outcome.exceptions import add_notes, set_cause, text_of

if TYPE_CHECKING:
    from aiocells._fan_out.kept import KeptItems

_MOST_TOLD = 10
# As many events of progress are told, at most.
_MOST_EVENTS = 1000


class Terms(Protocol):
    """On what terms the items of one fan-out run.

    Attributes:
        goes_on: whether the other items run after one has failed.
        is_watched: whether somebody is told of progress.
    """

    goes_on: bool
    is_watched: bool

    def note(self, error: BaseException, key: Any, values: dict[str, Any]) -> None:
        """Tell on an exception which item raised it.

        Args:
            error: what it raised.
            key: what the item goes by.
            values: what it got of what is iterated, by parameter.
        """

    def tell_failure(self, error: BaseException, key: Any) -> None:
        """Tell observers of an item whose exception is kept."""

    def tell_progress(self, done: int, total: int | None) -> None:
        """Tell observers how many items are done, and of how many."""


class Gathering:
    """The values and failures of the items of one fan-out.

    Args:
        items: what is run.
        terms: on what terms.

    Attributes:
        results: for each item that has begun its value, in order.
        is_strict: whether the first failure is the end.
        follows: whether the end of each item is to be told, with `ended`.
    """

    __slots__ = (
        "_done",
        "_failed",
        "_failures",
        "_items",
        "_terms",
        "_told",
        "follows",
        "is_strict",
        "kept",
        "results",
    )

    def __init__(
        self, items: Items, terms: Terms, kept: "KeptItems | None" = None
    ) -> None:
        self._items = items
        self._terms = terms
        self.kept = kept
        self._failures: list[tuple[int, BaseException]] = []
        self._failed: set[int] = set()
        self.results: list[Any] = []
        self.is_strict = not (items.fan_out.keeps or terms.goes_on)
        self.follows = terms.is_watched or kept is not None
        self._done = self._told = 0

    @property
    def has_failed(self) -> bool:
        """Whether there is no value."""
        return bool(self._failures)

    def admitted(self, row: Row) -> Iterable[Row]:
        """The row of an item that comes by itself, unless it was kept."""
        return (row,) if self.kept is None else self.kept.missing_of((row,))

    def failed(self, index: int, error: BaseException, row: Row) -> bool:
        """Record what an item raised; tells whether that is the end of all."""
        items = self._items
        if isinstance(error, StopIteration):
            # Out of a coroutine Python itself makes it one.
            converted = RuntimeError("item raised StopIteration")
            set_cause(converted, error)
            error = converted
        key = items.key(self._number(index))
        self._terms.note(error, key, items.iterated(row))
        self._failed.add(index)
        if items.fan_out.keeps and isinstance(error, Exception):
            self.results[index] = error
            self._terms.tell_failure(error, key)
            return False
        self._failures.append((index, error))
        return not (self._terms.goes_on and isinstance(error, Exception))

    def ended(self, index: int) -> None:
        """Keep the value of an item that has ended, and tell of progress."""
        if self.kept is not None and index not in self._failed:
            self.kept.keep(index, self.results[index])
        self._done += 1
        if self._terms.is_watched:
            self._tell_progress()

    def _tell_progress(self, *, is_last: bool = False) -> None:
        """Tell how many are done, unless that was told of about as many."""
        done = self._done + (0 if self.kept is None else len(self.kept.found))
        total = self._items.total
        step = -(-(total or max(done, _MOST_EVENTS)) // _MOST_EVENTS)
        if done != self._told and (done % step == 0 or done == total or is_last):
            self._told = done
            self._terms.tell_progress(done, total)

    def _number(self, index: int) -> int:
        """The number of an item, given the order in which it was run."""
        return index if self.kept is None else self.kept.numbers[index]

    def value(self) -> Any:
        """The value of the fan-out.

        Raises:
            BaseException: the failure of the item that came first, which tells of the
                others.
        """
        failures, self._failures = self._failures, []
        if self._terms.is_watched:
            self._tell_progress(is_last=True)
        if not failures:
            results = self.results
            if self.kept is not None:
                results = self.kept.merged(results)
            return self._items.value(results)
        primary = self._primary(failures)
        try:
            self._tell_others(primary, failures)
            raise primary
        finally:
            del failures, primary  # the latter holds this frame

    def _primary(self, failures: list[tuple[int, BaseException]]) -> BaseException:
        """An exit, if there is one; else the first to fail, or the lowest of many."""
        for _, error in failures:
            if not isinstance(error, Exception):
                return error
        if self._terms.goes_on:
            failures.sort(key=lambda failure: failure[0])
        return failures[0][1]

    def _tell_others(
        self, primary: BaseException, failures: list[tuple[int, BaseException]]
    ) -> None:
        others = [each for each in failures if each[1] is not primary]
        told = [
            f"also failed: item {self._label(index)}: {text_of(error)}"
            for index, error in others[:_MOST_TOLD]
        ]
        left = len(others) - _MOST_TOLD
        if left > 0:
            told.append(f"and {left} more item{'s' * (left > 1)} failed")
        add_notes(primary, told)

    def _label(self, index: int) -> str:
        return repr(self._items.key(self._number(index)))
