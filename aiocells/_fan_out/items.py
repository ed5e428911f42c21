"""The items of a fan-out: what its function is called with, call by call."""

import functools
import itertools
import math
from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from aiocells._declaring.fan_out import FanOut
from aiocells._declaring.showing import shown_of

# The arguments of one call: those by position, and then what is iterated by keyword.
Row: TypeAlias = tuple[Any, ...]

_END: Any = object()
# What gives the same each time that it is gone through, and raises nothing then.
_BUILT_IN = (list, tuple, range, set, frozenset, *map(type, ({}.keys(), {}.values())))


class Recipe(NamedTuple):
    """How each item is called, as it can be sent to a process.

    Attributes:
        function: what is called.
        by_keyword: the iterated parameters that are given by keyword, last in a row.
        fixed: the other arguments by keyword.
        args: a row, with all items for what is iterated.
        places: where in a row the iterated parameters are.
    """

    function: Callable[..., Any]
    by_keyword: tuple[str, ...]
    fixed: Mapping[str, Any]
    args: Row
    places: tuple[int, ...]

    def call(self) -> Callable[..., Any]:
        """What to call with each row."""
        function = self.function
        if self.fixed:
            function = functools.partial(function, **self.fixed)
        if self.by_keyword:
            return functools.partial(_call_named, function, self.by_keyword)
        return function

    def filled(self, values: Iterable[Any]) -> Row:
        """The row of a call, given what it gets of what is iterated."""
        row = [*self.args]
        for place, value in zip(self.places, values, strict=True):
            row[place] = value
        return tuple(row)

    def to_send(self, function: Any) -> "Recipe":
        """The same without the items.

        Args:
            function: stands for the function, where it is sent.
        """
        args = [None if at in self.places else v for at, v in enumerate(self.args)]
        return self._replace(function=function, args=tuple(args))


def _recipe(fan_out: FanOut, args: tuple[Any, ...], named: Mapping[str, Any]) -> Recipe:
    function, iterated = fan_out.function, fan_out.iterated
    names = fan_out.positional[: len(args)]
    if not named:
        places = tuple([names.index(name) for name in iterated])
        return Recipe(function, (), named, args, places)
    by_keyword = tuple(name for name in iterated if name in named)
    fixed = {name: value for name, value in named.items() if name not in by_keyword}
    args = (*args, *(named[name] for name in by_keyword))
    names = (*names, *by_keyword)
    places = tuple(names.index(name) for name in iterated)
    return Recipe(function, by_keyword, fixed, args, places)


class Items:
    """The calls of one fan-out.

    Attributes:
        recipe: how each is called.
        call: what to call with each row.
        rows: gives the arguments of each call; what is iterated may raise.
        keys: those of the mappings that are iterated; None for a list of values.
        total: how many there are; None where that is not known.
        columns: for each argument what gives it, call by call, where that can be gone
            through again; None where it cannot.
        source: what is pulled, where that is asynchronous.
    """

    def __init__(
        self, fan_out: FanOut, args: tuple[Any, ...], named: Mapping[str, Any]
    ) -> None:
        self.fan_out = fan_out
        self.keys: list[Any] | None = None
        self.total: int | None = None
        self.columns: list[Iterable[Any]] | None = None
        self.source: AsyncIterable[Any] | None = None
        self.rows: Iterator[Row] = iter(())
        self.recipe = _recipe(fan_out, args, named)
        self.call = self.recipe.call()
        self._lay_out()

    def _lay_out(self) -> None:
        names = self.fan_out.iterated
        sources = [self.recipe.args[place] for place in self.recipe.places]
        if len(sources) == 1 and type(sources[0]) in _BUILT_IN:
            self._pair(sources, [len(sources[0])])  # as nearly always
            return
        if len(sources) == 1 and _is_async(sources[0]):
            self.source = sources[0]
            return
        for name, source in zip(names, sources, strict=True):
            _check_iterable(name, source)
        if any(isinstance(source, Mapping) for source in sources):
            self.keys = _common_keys(names, sources, self.fan_out.product)
            sources = [[source[key] for key in self.keys] for source in sources]
        sizes = [*map(_size, sources)]
        if self.fan_out.product and len(sources) > 1:
            sized = zip(sources, sizes, strict=True)
            pools = [list(each) if size is None else each for each, size in sized]
            self.total = math.prod(map(len, pools))
            self.rows = map(self.recipe.filled, itertools.product(*pools))
            return
        if len(sources) > 1 and None in sizes:
            self.rows = map(self.recipe.filled, _side_by_side(names, sources))
            return
        if len({*sizes}) > 1:
            told = ", ".join(f"{n} has {s}" for n, s in zip(names, sizes, strict=True))
            raise ValueError(_DIFFER.format(told))
        self._pair(sources, sizes)

    def _pair(self, sources: list[Any], sizes: list[int | None]) -> None:
        """Have what is iterated go side by side, as far as is known, to one end."""
        self.total = sizes[0]
        columns = self._columns(sources)
        if all(type(each) in _BUILT_IN for each in sources):
            self.columns = columns
        self.rows = zip(*columns, strict=False)

    def _columns(self, sources: list[Any]) -> list[Iterable[Any]]:
        columns: list[Any] = [*map(itertools.repeat, self.recipe.args)]
        for place, source in zip(self.recipe.places, sources, strict=True):
            columns[place] = source
        return columns

    def leave_out(self, missing: Callable[[Iterator[Row]], Iterator[Row]]) -> None:
        """Have some items not be called.

        Args:
            missing: gives the rows of those that are.
        """
        self.rows = missing(self.rows)
        self.columns = None

    def iterated(self, row: Row) -> dict[str, Any]:
        """What a call gets of what is iterated, by parameter."""
        names = self.fan_out.iterated
        places = self.recipe.places
        return {name: row[at] for name, at in zip(names, places, strict=True)}

    def row_at(self, index: int) -> Row:
        """The row of a call, found again; only where there are `columns`."""
        assert self.columns is not None
        return tuple(
            next(itertools.islice(column, index, None)) for column in self.columns
        )

    def key(self, index: int) -> Any:
        """What an item goes by: its key, or its number."""
        return index if self.keys is None else self.keys[index]

    def value(self, results: list[Any]) -> Any:
        """The value of the fan-out, given those of its items."""
        if self.keys is None:
            return results
        return dict(zip(self.keys, results, strict=True))


def items_of(fan_out: FanOut, args: tuple[Any, ...], named: Mapping[str, Any]) -> Items:
    """The items of a fan-out that is called so.

    Args:
        fan_out: what was declared.
        args: by position, with all items for what is iterated.
        named: by keyword.

    Raises:
        TypeError: what is to be iterated is no iterable, or one not meant for that.
        ValueError: what is iterated side by side differs in length, or in its keys.
    """
    return Items(fan_out, args, named)


_DIFFER = "the iterated values differ in length: {}"


def _call_named(
    function: Callable[..., Any], names: tuple[str, ...], /, *values: Any
) -> Any:
    """Call a function whose last values are given by keyword."""
    count = len(values) - len(names)
    named = dict(zip(names, values[count:], strict=True))
    return function(*values[:count], **named)


def _is_async(source: Any) -> bool:
    return isinstance(source, AsyncIterable) and not isinstance(source, Iterable)


def _size(source: Any) -> int | None:
    """How many items there are, if that can be told before."""
    try:
        return len(source)
    except TypeError:
        return None


def _check_iterable(name: str, source: Any) -> None:
    """Refuse what is no iterable, and what is seldom meant to be one.

    Raises:
        TypeError: it is so.
    """
    kind = type(source)
    is_iterable = isinstance(source, Iterable) or hasattr(kind, "__getitem__")
    is_one_thing = isinstance(source, str | bytes | bytearray)
    if is_iterable and not (is_one_thing or hasattr(kind, "columns")):
        return
    if _is_async(source):
        msg = (
            f"{name!r} is an async iterable, {kind.__name__}, which can be iterated "
            "only alone. Gather it in a cell of its own."
        )
        raise TypeError(msg)
    msg = (
        f"{name!r} is to be taken item by item, but its value is {kind.__name__} "
        f"{shown_of(name, source)}. Give a list."
    )
    raise TypeError(msg)


def _common_keys(
    names: tuple[str, ...], sources: list[Any], is_product: bool
) -> list[Any]:
    """The keys of mappings that are iterated together.

    Raises:
        TypeError: not all are mappings, or each is to go with each.
        ValueError: they have other keys.
    """
    for name, source in zip(names, sources, strict=True):
        if not isinstance(source, Mapping):
            first = next(n for n, s in zip(names, sources, strict=True) if _maps(s))
            msg = (
                f"{first!r} is a mapping, but {name!r} is {type(source).__name__}: a "
                "mapping goes with mappings of the same keys only."
            )
            raise TypeError(msg)
    if is_product and len(sources) > 1:
        msg = (
            f"{names[0]!r} and {names[1]!r} are mappings, which go by key, and not "
            "each with each. Give lists, or leave product=True out."
        )
        raise TypeError(msg)
    keys = [*sources[0]]
    known = {*keys}
    for name, source in zip(names[1:], sources[1:], strict=True):
        others = {*source}
        if others != known:
            key = next(key for key in (*keys, *source) if key not in known & others)
            has, lacks = (names[0], name) if key in known else (name, names[0])
            msg = (
                f"the iterated mappings differ in their keys: {has} has {key!r}, "
                f"{lacks} has not"
            )
            raise ValueError(msg)
    return keys


def _maps(source: Any) -> bool:
    return isinstance(source, Mapping)


def _side_by_side(names: tuple[str, ...], sources: list[Any]) -> Iterator[Row]:
    """What several give side by side, which must end together.

    Raises:
        ValueError: one ends early.
    """
    iterators = [*map(iter, sources)]
    count = 0
    while True:
        row = tuple(next(each, _END) for each in iterators)
        ended = [value is _END for value in row]
        if all(ended):
            return
        if any(ended):
            told = ", ".join(
                f"{name} has {count if is_over else 'more'}"
                for name, is_over in zip(names, ended, strict=True)
            )
            raise ValueError(_DIFFER.format(told))
        yield row
        count += 1
