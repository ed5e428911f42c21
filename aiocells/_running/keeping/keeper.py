"""What is called in place of cells, in a computation with a cache.

A cell that is found is not called. Its value is loaded when a cell that runs takes it,
or at once if it is a target; until then `Stored` stands for it.
"""

import asyncio
import json
import logging
import math
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiocells._declaring.caching import Cached
from aiocells._declaring.kinds import Kind
from aiocells._fingerprints.feeding import Undigestible
from aiocells._keeping.cache import Cache, store_of
from aiocells._keeping.entries import Entry
from aiocells._keeping.packing import Unreadable, packed
from aiocells._outcome.caching import Caching
from aiocells._running.keeping.choosing import Choice
from aiocells._running.keeping.items import ItemKeeper
from aiocells._running.keeping.keys import KeyMaker
from aiocells._running.keeping.stored import MISSING, Stored, is_big
from aiocells._running.keeping.whys import Whys
from aiocells._running.run import Run
from aiocells._running.waiting import outlast

_logger = logging.getLogger("aiocells")

_HAS_THREADS = sys.platform != "emscripten"


class Keeper:
    """The cache in one computation.

    Args:
        run: the computation, when its functions are otherwise what is to be called.
        cache: what was given as `cache=`.

    Raises:
        TypeError: it is no cache.
        ValueError: no cell is to be kept.
        PermissionError: others can write to its folder.
    """

    def __init__(self, run: Run, cache: Any) -> None:
        if not isinstance(cache, Cache):
            msg = f'cache={cache!r}: expected Cache("folder").'
            raise TypeError(msg)
        self._choice = Choice(run.plan, cache)
        self._run = run
        self.program = run.plan.program
        self._cache = cache
        self.store = store_of(cache)
        self._began = time.time()
        self.keys = KeyMaker(self.program)
        self._reasons = self._choice.reasons
        self._found: set[int] = set()
        self._items: dict[int, ItemKeeper] = {}
        run.caching = Caching(frozenset(), {}, items=self._items_of)
        self._is_aging = cache.ttl is not None
        self._thread: ThreadPoolExecutor | None = None

    def close(self) -> None:
        """Write what is pending; whatever has happened, it must not be lost."""
        if self._thread is not None:
            self._thread.shutdown()
        self.store.finish()
        caching = Caching(frozenset(self._found), self._reasons)
        caching.ask = Whys(self._cache, self.keys, self._began)
        self._run.caching = caching

    # What is called

    def wrap(self) -> None:
        """Have the cells of a computation without an event loop looked up and kept."""
        run, choice = self._run, self._choice
        run.functions = run.functions.copy()
        for number in run.plan.cells:
            function = run.functions[number]
            if self.program.is_resource(number):
                run.functions[number] = self._opening(number, function)
            elif number in choice.kept or choice.takes_stored(number):
                run.functions[number] = self._in_order(number, function)

    def wrap_for_tasks(
        self, on_the_loop: Callable[[int, Callable[..., Any]], Callable[..., Any]]
    ) -> None:
        """The same on an event loop; plain cells have a task of their own then.

        Args:
            on_the_loop: makes an async one of a plain cell.
        """
        run, choice = self._run, self._choice
        run.functions, run.kinds = run.functions.copy(), run.kinds.copy()
        for number in run.plan.cells:
            function = run.functions[number]
            if self.program.is_resource(number):
                run.functions[number] = self._opening(number, function)
            elif number in choice.kept or choice.takes_stored(number):
                is_plain = run.kinds[number] is Kind.PLAIN
                if is_plain and number in choice.at_the_call:
                    run.functions[number] = self._in_order(number, function)
                    continue
                call = function
                if is_plain:
                    call = on_the_loop(number, function)
                run.kinds[number] = Kind.ASYNC
                run.functions[number] = self._awaited(number, call)

    def _opening(self, number: int, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*values: Any) -> Any:
            self.keys.note_resource(number, values)
            return function(*values)

        return call

    def _in_order(
        self, number: int, function: Callable[..., Any]
    ) -> Callable[..., Any]:
        is_kept = number in self._choice.whole

        def call(*values: Any) -> Any:
            key = self._key(number, values) if is_kept else None
            found = self._look(number, key, function, values)
            if found is not MISSING:
                return found
            loaded = [self._value(each) for each in values]
            began = time.perf_counter()
            value = function(*loaded)
            self.keep(number, key, value, time.perf_counter() - began)
            self._note_items(number)
            return value

        return call

    def _awaited(
        self, number: int, function: Callable[..., Awaitable[Any]]
    ) -> Callable[..., Awaitable[Any]]:
        is_kept = number in self._choice.whole

        async def call(*values: Any) -> Any:
            key = None
            if is_kept:
                large = any(map(is_big, values))
                key = await self._aside(large, self._key, number, values)
            found = self._look(number, key, function, values)
            if found is not MISSING:
                return found
            loaded = [await self._awaited_value(each) for each in values]
            began = time.perf_counter()
            value = await function(*loaded)
            seconds = time.perf_counter() - began
            await self._aside(is_big(value), self.keep, number, key, value, seconds)
            self._note_items(number)
            return value

        return call

    async def _aside(
        self, is_long: bool, function: Callable[..., Any], *arguments: Any
    ) -> Any:
        """Call a function where it holds up nobody, if that takes long."""
        if not (is_long and _HAS_THREADS):
            return function(*arguments)
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "aiocells-cache")
        return await outlast(self._thread.submit(function, *arguments))

    # Looking

    def _key(self, number: int, values: Sequence[Any]) -> bytes | None:
        """The key of a cell that is about to run; None where it has none."""
        try:
            self.keys.cell(number)
        except Undigestible as error:
            self._refuse(number, f"it has no digest: {error}.")
            return None
        try:
            return self.keys.key(number, values)
        except Undigestible as error:
            self.refuse_argument(number, error)
            return None

    def refuse_argument(self, number: int, error: Undigestible) -> None:
        """Say that a cell, or an item of one, is not kept for an argument's sake."""
        self._refuse(
            number,
            f"an argument has no digest: {error}. Leave it out with "
            "Cached(ignore=...), or give it __aiocells_digest__.",
        )

    def _look(
        self, number: int, key: bytes | None, function: Any, values: Sequence[Any]
    ) -> Any:
        """The value of a cell, or what stands for it; `MISSING` if it is to run."""
        if key is None:
            return MISSING
        if self._must_follow(number):
            return MISSING
        cached = self.program.options[number].cache
        ttl = cached.ttl if isinstance(cached, Cached) else None
        entry = self.store.get([key], ttl).get(key)
        if entry is None:
            if (ttl or self._is_aging) and self.store.get([key], math.inf):
                self._reasons[number] = "ran: what was kept of it is older than its ttl"
            return MISSING
        fingerprint = self.keys.known(entry.digest, entry.classes)
        if fingerprint is None:
            return MISSING
        found: Any = Stored(number, key, function, values)
        if number in self._choice.loaded:
            try:
                found = self.store.load(key)
            except Unreadable as error:
                self.tell_unreadable(number, error)
                return MISSING
        self.keys.note(number, fingerprint)
        self._found.add(number)
        self._run.announce("hit", number)
        return found

    def _must_follow(self, number: int) -> bool:
        """Whether a cell runs since one did that it needs for its order alone."""
        follows = self._choice.follows[number]
        ran = [each for each in follows if each not in self._found]
        if ran:
            names = ", ".join(repr(self.program.names[each]) for each in ran)
            self._reasons[number] = f"ran: what it must follow ran: {names}"
        return bool(ran)

    def _items_of(self, number: int) -> ItemKeeper | None:
        """What keeps the items of a fan-out that is about to run; None for none."""
        if number not in self._choice.fan_outs or self._must_follow(number):
            return None
        made = self._items[number] = ItemKeeper(self, number, self._run.values)
        return made

    def _note_items(self, number: int) -> None:
        """Note what became of the items of a cell, if it is a fan-out."""
        items = self._items.get(number)
        if items is None or not items.found:
            return
        if not items.ran:
            self._found.add(number)
        elif number not in self._reasons:
            count = items.ran + items.found
            self._reasons[number] = f"ran: {items.ran} of {count} items were not found"

    # Loading

    def _value(self, value: Any) -> Any:
        """A value, loaded if it was not."""
        if type(value) is not Stored:
            return value
        if self._load(value):
            arguments = [self._value(each) for each in value.values]
            began = time.perf_counter()
            made = value.function(*arguments)
            self._made_anew(value, made, time.perf_counter() - began)
        return value.value

    async def _awaited_value(self, value: Any) -> Any:
        if type(value) is not Stored:
            return value
        if value.lock is not None or self._load(value):
            value.lock = value.lock or asyncio.Lock()
            async with value.lock:
                if value.value is MISSING:
                    arguments = [await self._awaited_value(v) for v in value.values]
                    began = time.perf_counter()
                    made = await value.function(*arguments)
                    self._made_anew(value, made, time.perf_counter() - began)
        return value.value

    def _load(self, stored: Stored) -> bool:
        """Load a value; tells whether it must be computed."""
        if stored.value is not MISSING:
            return False
        try:
            self._set(stored, self.store.load(stored.key))
        except Unreadable as error:
            self.tell_unreadable(stored.number, error)
            self._found.discard(stored.number)
            return True
        return False

    def _made_anew(self, stored: Stored, value: Any, seconds: float) -> None:
        self.keep(stored.number, stored.key, value, seconds)
        self._set(stored, value)

    def _set(self, stored: Stored, value: Any) -> None:
        stored.value, stored.values = value, ()
        values = self._run.values
        # Notes on a failure show what is there.
        if values[stored.number] is stored:
            values[stored.number] = value

    # Keeping

    def keep(self, number: int, key: bytes | None, value: Any, seconds: float) -> None:
        """Keep the value of a cell that ran."""
        if key is None:
            return
        if value is None and self.program.options[number].cache is None:
            self._reasons[number] = "ran: it returned None, and says no cache=True"
            return
        try:
            digest, names, fingerprint = self.keys.digest(value)
            parts = self._parts(number, fingerprint)
            label = self.keys.cell(number).label
            entry = Entry(key, label, digest, names, parts)
            self.store.put(entry, packed(value), seconds)
        except Exception as error:
            self._refuse(number, f"its value cannot be kept: {error}.")

    def _parts(self, number: int, fingerprint: bytes) -> str:
        """What is kept of the key of a value: of a fan-out, with its first item."""
        items = self._items.get(number)
        if items is None:
            self.keys.note(number, fingerprint)
        elif items.has_told:
            return ""
        else:
            items.has_told = True
        return json.dumps(self.keys.parts(number))

    def _refuse(self, number: int, reason: str) -> None:
        self._reasons[number] = f"ran: {reason}"
        described = self.program.described(number)
        _logger.warning("cell %s is not cached: %s", described, reason)

    def tell_unreadable(self, number: int, error: Unreadable) -> None:
        self._reasons[number] = f"ran: its value could not be read: {error}"
        _logger.warning(
            "cache: the value of cell %s cannot be read: %s. It is computed anew.",
            self.program.described(number),
            error,
        )
