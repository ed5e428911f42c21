"""Finding and keeping the values of a fan-out, item by item.

So one more item runs one item; and after a failure, or a kill, only what was not done.
"""

from collections.abc import Callable, Sequence
from typing import Any

from aiocells._declaring.caching import Cached
from aiocells._fingerprints.feeding import Undigestible
from aiocells._keeping.packing import Unreadable
from aiocells._running.keeping.stored import MISSING


class ItemKeeper:
    """The cache, as the items of one fan-out see it.

    Args:
        keeper: the cache in the computation, a `Keeper`.
        number: the fan-out.
        values: the values of the computation by source.

    Attributes:
        found: how many items were found.
        ran: how many were not.
        has_told: whether it was kept what the keys are made of.
    """

    def __init__(self, keeper: Any, number: int, values: list[Any]) -> None:
        self._keeper = keeper
        self._number = number
        self._values = values
        self._key: Callable[[Sequence[Any]], bytes] | None = None
        self._is_refused = False
        self.found = self.ran = 0
        self.has_told = False

    def look(self, items: Sequence[Sequence[Any]]) -> list[tuple[Any, Any]]:
        """For each item its key, if it has one, and its value, or `MISSING`.

        Args:
            items: for each what it gets of what is iterated.
        """
        keeper, number = self._keeper, self._number
        keys = [self._key_of(item) for item in items]
        cached = keeper.program.options[number].cache
        ttl = cached.ttl if isinstance(cached, Cached) else None
        entries = keeper.store.get([key for key in keys if key is not None], ttl)
        looked = []
        for key in keys:
            value = MISSING
            entry = None if key is None else entries.get(key)
            if entry is not None and keeper.keys.known(entry.digest, entry.classes):
                try:
                    value = keeper.store.load(entry.key)
                except Unreadable as error:
                    keeper.tell_unreadable(number, error)
            looked.append((key, value))
        missing = sum(value is MISSING for _, value in looked)
        self.found += len(looked) - missing
        self.ran += missing
        return looked

    def keep(self, key: bytes | None, value: Any, seconds: float) -> None:
        """Keep the value of an item that took so many seconds."""
        self._keeper.keep(self._number, key, value, seconds)

    def _key_of(self, item: Sequence[Any]) -> bytes | None:
        try:
            key = self._key or self._keeper.keys.items(self._number, self._values)
            self._key = key
            return key(item)
        except Undigestible as error:
            if not self._is_refused:
                self._is_refused = True
                self._keeper.refuse_argument(self._number, error)
            return None
