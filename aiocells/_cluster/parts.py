"""The items of a fan-out in a fixed number of parts, as Dask's tasks on a worker.

None of the tasks needs to know how many items there are: what is iterated is laid out
once, each part takes its slice of that, and at last all are joined.
"""

import asyncio
import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import attrs
from distributed import get_worker

from aiocells._cluster.calling import call_async, call_sent, concluded, known
from aiocells._cluster.failed import (
    Failed,
    NoValue,
    Raised,
    raise_if_over,
    raised,
)
from aiocells._cluster.needed import SentCell
from aiocells._cluster.packed import Packed, opened
from aiocells._declaring.fan_out import FanOut
from aiocells._declaring.showing import HIDDEN, shortened, shown
from aiocells._fan_out.gathering import Gathering
from aiocells._fan_out.in_order import run_in_order
from aiocells._fan_out.items import Items, items_of
from aiocells._fan_out.places import NoLimit
from aiocells._fan_out.ways import AsTasks
from aiocells._outcome import sending as _sending
from aiocells._outcome.exceptions import MOST_LETTERS, add_notes

# How many of the other items that failed a note tells of.
_MOST_TOLD = 10


class SentFanOut(NamedTuple):
    """What the parts of a fan-out are told of it.

    Attributes:
        fan_out: what was declared.
        shaped: gives the arguments by position and by keyword, of values one by one.
        goes_on: whether the other items run after one has failed.
        hidden: the parameters that notes do not show.
        width: how many items of one part may run at once.
    """

    fan_out: FanOut
    shaped: Callable[[Sequence[Any]], tuple[Sequence[Any], Mapping[str, Any]]]
    goes_on: bool
    hidden: frozenset[str]
    width: int


class Piece(NamedTuple):
    """The items of one part.

    Attributes:
        first: the number of the first of them.
        keys: those of the mappings that are iterated, or None.
        columns: for each iterated parameter what the items get.
    """

    first: int
    keys: Sequence[Any] | None
    columns: tuple[Sequence[Any], ...]

    def label(self, index: int) -> str:
        """What notes call one of the items."""
        return shown(self.first + index if self.keys is None else self.keys[index])


class ItemFailed(NamedTuple):
    """An item that failed, what notes call it, and what it raised."""

    label: str
    raised: Raised


class Part(NamedTuple):
    """What became of the items of one part, in order."""

    keys: Sequence[Any] | None
    results: list[Any]
    failures: list[ItemFailed]


def one_by_one(values: Sequence[Any]) -> tuple[Sequence[Any], Mapping[str, Any]]:
    """The arguments of a fan-out that takes them all by position."""
    return values, {}


# Laying out


def lay_out(cell: SentCell, of: SentFanOut, *values: Any) -> Any:
    """Lay out all items."""
    function = functools.partial(_laid_out, of)
    return call_sent(cell._replace(function=function), *values)


def _laid_out(of: SentFanOut, *arguments: Any) -> Piece:
    args, named = of.shaped(arguments)
    items = items_of(of.fan_out, tuple(args), named)
    if items.source is not None:
        loop: Any = get_worker().loop
        pulling = asyncio.run_coroutine_threadsafe(
            _pulled(items.source), loop.asyncio_loop
        )
        return Piece(0, None, (pulling.result(),))
    rows, places = [*items.rows], items.recipe.places
    return Piece(0, items.keys, tuple([row[at] for row in rows] for at in places))


async def _pulled(source: Any) -> list[Any]:
    return [each async for each in source]


def cut(number: int, count: int, laid_out: Any) -> Any:
    """One part of all items.

    Args:
        number: which it is.
        count: how many there are.
        laid_out: all of them.
    """
    if type(laid_out) is Failed:
        return laid_out
    all_items: Piece = laid_out.get()
    total = len(all_items.columns[0])
    mine = slice(total * number // count, total * (number + 1) // count)
    keys = None if all_items.keys is None else all_items.keys[mine]
    columns = tuple(each[mine] for each in all_items.columns)
    return Packed(Piece(mine.start, keys, columns))


# Running


def run_part(cell: SentCell, of: SentFanOut, piece: Any, *values: Any) -> Any:
    """Call the plain items of a part."""
    if type(piece) is Failed:
        return piece
    function = functools.partial(_run, cell, of, piece)
    return call_sent(cell._replace(function=function), *values)


async def run_part_async(
    key: Any, cell: SentCell, of: SentFanOut, piece: Any, *values: Any
) -> Any:
    """Await the async items of a part."""
    if type(piece) is Failed:
        return piece
    function = functools.partial(_run_async, cell, of, piece)
    return await call_async(key, cell._replace(function=function), *values)


def _run(cell: SentCell, of: SentFanOut, piece: Packed, *arguments: Any) -> Part:
    running = _Running(cell, of, piece.get(), arguments)
    try:
        run_in_order(running.items, running.gathering)
    except BaseException as error:
        running.check(error)
    return running.part()


async def _run_async(
    cell: SentCell, of: SentFanOut, piece: Packed, *arguments: Any
) -> Part:
    running = _Running(cell, of, piece.get(), arguments)
    way = AsTasks(of.fan_out, "item")
    try:
        await way.run(running.items, running.gathering, of.width, NoLimit())
    except BaseException as error:
        running.check(error)
    return running.part()


class _Running:
    """The items of a part that run; it is their terms.

    Args:
        cell: the fan-out.
        of: what was told of it.
        piece: which items.
        arguments: what all of them get.
    """

    is_watched = False

    def __init__(
        self, cell: SentCell, of: SentFanOut, piece: Piece, arguments: Sequence[Any]
    ) -> None:
        self._cell = cell
        self._piece = piece
        self._hidden = of.hidden
        self._keeps = of.fan_out.keeps
        self.goes_on = of.goes_on
        self._failures: list[tuple[int, ItemFailed]] = []
        self._arguments = known(cell, arguments)
        args, named = of.shaped(arguments)
        self.items = _items(of.fan_out, args, named, piece)
        self.gathering = Gathering(self.items, self)

    def part(self) -> Part:
        failures = sorted(self._failures, key=lambda each: each[0])
        results = [] if failures else self.gathering.results
        return Part(self._piece.keys, results, [each for _, each in failures])

    def check(self, error: BaseException) -> None:
        """Look at what came out: it is known if it is what an item raised."""
        if not self._failures:
            raise error
        raise_if_over(each.raised for _, each in self._failures)

    def note(self, error: BaseException, key: Any, values: dict[str, Any]) -> None:
        cell, label = self._cell, self._piece.label(key)
        told = shortened(self._called_with(values), MOST_LETTERS)
        of_cell = cell.where.removeprefix("in ")
        add_notes(error, [f"in item {label} of {of_cell}\n  called with {told}"])
        if not (self._keeps and isinstance(error, Exception)):
            arguments = self._arguments
            found = raised(cell.number, error, arguments, carried=cell.carries)
            self._failures.append((key, ItemFailed(label, found)))

    def _called_with(self, values: dict[str, Any]) -> str:
        recipe = self.items.recipe
        names = self.items.fan_out.positional
        arguments = dict(zip(names, recipe.args, strict=False))
        arguments |= {**recipe.fixed, **values}
        return ", ".join(
            f"{name}={shown(HIDDEN if name in self._hidden else value)}"
            for name, value in arguments.items()
        )

    def tell_failure(self, error: BaseException, key: Any) -> None:
        """Nobody watches."""

    def tell_progress(self, done: int, total: int | None) -> None:
        """Nobody watches."""


def _items(
    fan_out: FanOut, args: Sequence[Any], named: Mapping[str, Any], piece: Piece
) -> Items:
    """The items of a part, side by side whatever was declared."""
    columns = dict(zip(fan_out.iterated, piece.columns, strict=True))
    named = {name: columns.get(name, value) for name, value in named.items()}
    positional = zip(fan_out.positional, args, strict=False)
    args = tuple(columns.get(name, value) for name, value in positional)
    return items_of(attrs.evolve(fan_out, product=False), args, named)


# Joining


def join(cell: SentCell, *parts: Any) -> Any:
    """The value of the fan-out."""
    return concluded(cell, parts, functools.partial(_joined, cell, parts))


def _joined(cell: SentCell, sent: Sequence[Any], _: list[Any]) -> Any:
    parts: list[Part] = opened(sent)
    failures = [each for part in parts for each in part.failures]
    if failures:
        raise NoValue({cell.number: _primary(cell, failures)})
    results = [*itertools.chain.from_iterable(part.results for part in parts)]
    if parts[0].keys is None:
        return results
    keys = itertools.chain.from_iterable(part.keys or () for part in parts)
    return dict(zip(keys, results, strict=True))


def _primary(cell: SentCell, failures: list[ItemFailed]) -> Raised:
    """What the first of the failed items raised, which tells of the others."""
    first, *others = failures
    if not others:
        return first.raised
    error = first.raised.error()
    told = [
        f"also failed: item {each.label}: {each.raised.text}"
        for each in others[:_MOST_TOLD]
    ]
    left = len(others) - _MOST_TOLD
    if left > 0:
        told.append(f"and {left} more item{'s' * (left > 1)} failed")
    add_notes(error, told)
    return first.raised._replace(data=_sending.packed(error))
