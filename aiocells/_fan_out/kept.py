"""Items whose values a cache has: they are not called."""

import itertools
from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import Any, Protocol

from aiocells._fan_out.items import Row
from aiocells._running.keeping.stored import MISSING

# As many are looked up at once.
_BATCH = 500


class Keeper(Protocol):
    """The cache, as the items of one fan-out see it."""

    def look(self, items: Sequence[Sequence[Any]]) -> list[tuple[Any, Any]]:
        """For each item its key, and its value, or `MISSING` where none is kept."""
        ...

    def keep(self, key: Any, value: Any, seconds: float) -> None:
        """Keep the value of an item that took so many seconds."""


class KeptItems:
    """The items of a fan-out, of which those are left out that a cache has.

    Args:
        keeper: the cache.
        places: where in a row the iterated parameters are.

    Attributes:
        numbers: the numbers of the others, in the order in which they are run.
        found: the values that the cache had, by number.
    """

    def __init__(self, keeper: Keeper, places: Sequence[int]) -> None:
        self._keeper = keeper
        self._places = places
        self._keys: list[Any] = []
        self._began: list[float] = []
        self._count = itertools.count()
        self.numbers: list[int] = []
        self.found: dict[int, Any] = {}

    def missing(self, rows: Iterator[Row]) -> Iterator[Row]:
        """The rows of those that the cache has not."""
        while batch := list(itertools.islice(rows, _BATCH)):
            yield from self.missing_of(batch)

    def missing_of(self, rows: Sequence[Row]) -> Iterator[Row]:
        """The same, of a few."""
        places = self._places
        looked = self._keeper.look([[row[at] for at in places] for row in rows])
        for row, (key, value) in zip(rows, looked, strict=True):
            number = next(self._count)
            if value is not MISSING:
                self.found[number] = value
                continue
            self.numbers.append(number)
            self._keys.append(key)
            self._began.append(perf_counter())
            yield row

    def keep(self, index: int, value: Any) -> None:
        """Keep the value of an item that was run as the `index`-th."""
        seconds = perf_counter() - self._began[index]
        self._keeper.keep(self._keys[index], value, seconds)

    def merged(self, results: list[Any]) -> list[Any]:
        """The values of all items, given those of the ones that were run."""
        merged = dict(zip(self.numbers, results, strict=True)) | self.found
        return [merged[number] for number in range(len(merged))]
