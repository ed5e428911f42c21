"""Plain items in processes, so many at a time that it is worth the way there.

Sizes follow what was measured: to send one takes some 100 microseconds, so that chunks
of 50 milliseconds cost next to nothing, and leave nobody idle for long.
"""

import itertools
import os
import pickle
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from multiprocessing.reduction import ForkingPickler
from time import perf_counter
from typing import Any, NamedTuple

from aiocells._fan_out.gathering import Gathering
from aiocells._fan_out.items import Items, Recipe, Row
from aiocells._fan_out.places import Places
from aiocells._fan_out.window import Window
from aiocells._outcome import sending as _sending
from aiocells._outcome.exceptions import add_notes, text_of
from aiocells.errors import WorkerDied

# Seconds that a chunk should take.
_CHUNK = 0.05
# So many chunks should be left for each process, so that all end together.
_LEFT = 2
_MOST_KNOWN = 8

Send = Callable[..., Awaitable[Any]]


async def run_in_chunks(
    items: Items,
    gathering: Gathering,
    width: int,
    send: Send,
    function: Any,
    places: Places,
) -> Any:
    """Call the items in processes.

    Args:
        items: what to call; none is pulled asynchronously.
        gathering: where it goes what becomes of them.
        width: how many processes there are.
        send: calls a function with arguments in a process.
        function: what stands for the function there.
        places: what else bounds how many run at once.

    Returns:
        The value of the fan-out, when no item runs any more.

    Raises:
        BaseException: an item failed, what is iterated did, or a process, or this was
            cancelled.
    """
    chunks = _Chunks(items, gathering, width, send, function)
    gathered = _GatheredChunks()
    window = Window(chunks.call, gathered, width, places, "chunk")
    await window.run(chunks.cut())
    if gathered.error is not None:
        try:
            raise gathered.error
        finally:
            del gathered
    return gathering.value()


def call_one(items: Items, send: Send, function: Any) -> Send:
    """What calls one item in a process."""
    job = _Job(os.urandom(16), items.recipe.to_send(function), goes_on=True)
    places = items.recipe.places

    async def call(*row: Any) -> Any:
        values = tuple(row[place] for place in places)
        answer = await send(_run_chunk, job.token, None, [values])
        if answer is None:
            answer = await send(_run_chunk, job.token, job, [values])
        [value], failures, _ = _read(answer)
        for _, packed in failures:
            raise _sending.unpacked(packed)
        return value

    return call


class _GatheredChunks:
    """What becomes of chunks, which fail only where their process does."""

    follows = False

    def __init__(self) -> None:
        self.results: list[None] = []
        self.error: BaseException | None = None

    @property
    def has_failed(self) -> bool:
        return self.error is not None

    def failed(self, index: int, error: BaseException, row: Row) -> bool:
        if self.error is None and not isinstance(error, _Stopped):
            self.error = error
        return True


class _Stopped(Exception):
    """An item has failed, and was gathered: no other is to run."""


class _Job(NamedTuple):
    """What a process is told once.

    Attributes:
        token: stands for all of it from then on.
        recipe: how an item is called.
        goes_on: whether other items run after one has failed.
    """

    token: bytes
    recipe: Recipe
    goes_on: bool


class _Chunks:
    """The items of a fan-out, cut into chunks."""

    def __init__(
        self, items: Items, gathering: Gathering, width: int, send: Send, function: Any
    ) -> None:
        self._items = items
        self._gathering = gathering
        self._width = width
        self._send = send
        self._job = _Job(
            os.urandom(16),
            items.recipe.to_send(function),
            not gathering.is_strict,
        )
        self._size = 1
        self._introduced = 0

    def cut(self) -> Iterator[tuple[int, list[Row]]]:
        """Each chunk, with the number of its first item."""
        items, results = self._items, self._gathering.results
        while True:
            size = self._size
            if items.total is not None:
                left = items.total - len(results)
                size = max(1, min(size, left // (_LEFT * self._width)))
            rows = list(itertools.islice(items.rows, size))
            if not rows:
                return
            first = len(results)
            results.extend([None] * len(rows))
            yield first, rows

    async def call(self, first: int, rows: list[Row]) -> None:
        """Call the items of a chunk in a process, and gather what becomes of them."""
        places = self._items.recipe.places
        values = [tuple(row[place] for place in places) for row in rows]
        try:
            answer = await self._answer(values)
        except WorkerDied as error:
            last = first + len(rows) - 1
            add_notes(error, [f"one of the items {first} to {last}"])
            raise
        found, failures, seconds = answer
        gathering = self._gathering
        gathering.results[first : first + len(found)] = found
        must_stop = False
        for at, packed in failures:
            raised = _sending.unpacked(packed)
            must_stop |= gathering.failed(first + at, raised, rows[at])
        if gathering.follows:
            for index in range(first, first + len(found)):
                gathering.ended(index)
        if must_stop:
            raise _Stopped
        self._resize(len(rows), seconds)

    async def _answer(self, values: list[Any]) -> Any:
        """What a process answers; one that does not know the function is told it."""
        job = self._job
        if self._introduced >= self._width:
            answer = await self._send(_run_chunk, job.token, None, values)
            if answer is not None:
                return _read(answer)
        self._introduced += 1
        return _read(await self._send(_run_chunk, job.token, job, values))

    def _resize(self, count: int, seconds: float) -> None:
        """Have the next chunks take about as long as they should."""
        if seconds > 2 * _CHUNK:
            self._size = max(1, self._size // 2)
        elif seconds < _CHUNK / 2 and count == self._size:
            self._size *= 2 if seconds > _CHUNK / 20 else 10


def _read(answer: Any) -> tuple[list[Any], list[tuple[int, bytes]], float]:
    data, failures, seconds = answer
    return pickle.loads(data), failures, seconds


# In the process

_known: OrderedDict[bytes, _Job] = OrderedDict()


def _run_chunk(
    token: bytes, job: _Job | None, values: list[Any]
) -> tuple[bytes, list[tuple[int, bytes]], float] | None:
    """Call some items.

    Args:
        token: what they are items of.
        job: the same, if this is to be told.
        values: what each gets of what is iterated.

    Returns:
        The values as bytes, where some may be None; the failures by place; and how many
        seconds it took. None where this has to be told first.
    """
    began = perf_counter()
    if job is not None:
        _known[token] = job
        if len(_known) > _MOST_KNOWN:
            _known.popitem(last=False)
    job = _known.get(token)
    if job is None:
        return None
    call, filled = job.recipe.call(), job.recipe.filled
    results: list[Any] = []
    failures: list[tuple[int, bytes]] = []
    for each in values:
        results.append(None)
        try:
            results[-1] = call(*filled(each))
        except BaseException as error:
            failures.append((len(results) - 1, _sending.packed(error)))
            if not (job.goes_on and isinstance(error, Exception)):
                break
    return _packed(results, failures), failures, perf_counter() - began


def _packed(results: list[Any], failures: list[tuple[int, bytes]]) -> bytes:
    """The values as bytes; one that cannot be sent is a failure of its item."""
    try:
        return bytes(ForkingPickler.dumps(results))
    except Exception:
        for place, value in enumerate(results):
            try:
                ForkingPickler.dumps(value)
            except Exception as problem:
                what = "the value cannot be sent back from the process"
                error = pickle.PicklingError(f"{what}: {text_of(problem)}")
                failures.append((place, _sending.packed(error)))
                results[place] = None
        return bytes(ForkingPickler.dumps(results))
