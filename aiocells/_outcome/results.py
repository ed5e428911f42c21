"""What a computer returns."""

import copy
import types
from collections import Counter
from collections.abc import ItemsView, Iterator, Mapping, Sequence, ValuesView
from typing import TYPE_CHECKING, Any

from aiocells._declaring import names as _names
from aiocells._declaring.spec import normal
from aiocells._outcome.caching import NO_CACHING, Caching
from aiocells._outcome.exceptions import (
    raise_as_it_is,
    set_traceback,
    traceback_of,
)
from aiocells._outcome.lookup import Lookup
from aiocells._planning.outline import Outline
from aiocells.errors import MissingValue

if TYPE_CHECKING:
    from aiocells._outcome.keeping import Kept

NOTHING: Mapping[Any, Any] = types.MappingProxyType({})


class Results(Lookup):
    """The values of the targets of a computation, in order; read only.

    A key is a cell, or its name where only one target has it. A type checker sees
    the value of a cell as of the type that the cell returns.

    Attributes:
        failures: for each failed cell its exception; empty unless the computation
            ran with `on_error="continue"`.
        skipped: the cells that were not run because one that they need failed.
        fallbacks: for each cell whose fallback gave its value the exception that it
            was given; neither these nor what only they need are among the others.
        cached: the cells whose values a cache had; they did not run.

    >>> from aiocells import Graph, cell, compute_sequential
    >>> @cell
    ... def answer() -> int:
    ...     return 42
    >>> results = compute_sequential(Graph.from_cells(answer))
    >>> results[answer], results["answer"], dict(results) == {answer: 42}
    (42, 42, True)
    """

    __slots__ = (
        "_absent",
        "_caching",
        "_failures",
        "_fallbacks",
        "_outline",
        "_skipped",
        "_tracebacks",
    )

    def __init__(
        self,
        outline: Outline,
        values: Mapping[int, Any] | Sequence[Any],
        failures: Mapping[int, BaseException] = NOTHING,
        skipped: frozenset[int] = frozenset(),
        fallbacks: Mapping[int, BaseException] = NOTHING,
        absent: Mapping[int, BaseException | None] = NOTHING,
        caching: Caching = NO_CACHING,
    ) -> None:
        self._outline = outline
        self._values = values
        self._index = outline.index
        self._failures = failures
        # What was not asked for, or has a failure that only others let out.
        self._absent = absent
        # Raising an exception makes its traceback longer: keep how it was.
        self._tracebacks: Mapping[int, Any] = NOTHING
        if failures or absent:
            # Where targets failed, or were not asked for, each must be looked at.
            if failures or not outline.target_set.isdisjoint(absent):
                self._index = NOTHING
            told = {**absent, **failures} if failures else absent
            self._tracebacks = {
                number: traceback_of(error)
                for number, error in told.items()
                if error is not None
            }
        self._skipped = skipped
        self._fallbacks = fallbacks
        self._caching = caching

    def __getstate__(self) -> "Kept":
        """What a pickle has: cells, names and values; neither graph nor plan."""
        from aiocells._outcome.keeping import kept

        return kept(*self._parts())

    def __setstate__(self, state: "Kept") -> None:
        from aiocells._outcome.keeping import read

        Results.__init__(self, *read(state))

    def _parts(self) -> tuple[Any, ...]:
        """What it was made of."""
        return (
            self._outline,
            self._values,
            self._failures,
            self._skipped,
            self._fallbacks,
            self._absent,
            self._caching,
        )

    def __copy__(self) -> "Results":
        copied = Results(*self._parts())
        copied._tracebacks = self._tracebacks
        return copied

    def __deepcopy__(self, memo: dict[int, Any]) -> "Results":
        """Values are copied; cells, and what they raised, are not."""
        copied = memo[id(self)] = copy.copy(self)
        copied._values = copy.deepcopy(self._values, memo)
        return copied

    @property
    def failures(self) -> dict[Any, BaseException]:
        nodes = self._outline.roster.nodes
        return {nodes[number]: error for number, error in self._failures.items()}

    @property
    def skipped(self) -> frozenset[Any]:
        nodes = self._outline.roster.nodes
        return frozenset(nodes[number] for number in self._skipped)

    @property
    def fallbacks(self) -> Mapping[Any, BaseException]:
        nodes = self._outline.roster.nodes
        fallbacks = {nodes[number]: each for number, each in self._fallbacks.items()}
        return types.MappingProxyType(fallbacks)

    @property
    def cached(self) -> frozenset[Any]:
        nodes = self._outline.roster.nodes
        return frozenset(nodes[number] for number in self._caching.found)

    def why(self, cell: Any, /) -> str:
        """Why a cell ran in a computation with a cache, or "found" if it did not.

        Args:
            cell: the cell, or its name, be it a target or not.

        Returns:
            What has changed since, such as a helper with its place, or an argument.

        Raises:
            MissingValue: it is not in the graph, or was not to run.

        >>> import tempfile
        >>> from aiocells import Cache, Graph, cell, compute_sequential
        >>> @cell(cache=True)
        ... def double(number: int) -> int:
        ...     return 2 * number
        >>> graph = Graph.from_cells(double)
        >>> folder = tempfile.TemporaryDirectory()
        >>> cache = Cache(f"{folder.name}/cache")
        >>> compute_sequential(graph, inputs={"number": 2}, cache=cache).why(double)
        'ran: nothing of it was kept before'
        >>> compute_sequential(graph, inputs={"number": 3}, cache=cache).why(double)
        "ran: argument 'number' changed"
        >>> compute_sequential(graph, inputs={"number": 3}, cache=cache).why(double)
        'found'
        >>> folder.cleanup()
        """
        number = self._number(cell)
        if number not in self._outline.computed:
            raise MissingValue(self._why_not(number), key=cell)
        if number in self._skipped:
            return "skipped: what it needs failed"
        if self._absent.get(number, self) is None:
            return "skipped: nobody asked for it"
        return self._caching.why(number)

    def _look_up(self, key: Any) -> Any:
        number = self._number(key)
        error = self._failures.get(number, self._absent.get(number))
        if error is not None:
            set_traceback(error, self._tracebacks[number])
            raise_as_it_is(error)
        if not self._has(number):
            raise MissingValue(self._why_not(number), key=key)
        return self._values[self._outline.places[number]]

    def __iter__(self) -> Iterator[Any]:
        nodes = self._outline.roster.nodes
        return (nodes[number] for number in self._numbers())

    def _numbers(self) -> Iterator[int]:
        """The numbers of the cells whose values are there, in order."""
        left_out = self._failures.keys() | self._skipped | self._absent.keys()
        return (number for number in self._outline.targets if number not in left_out)

    def _has(self, number: int) -> bool:
        """Whether the value of a cell is there."""
        return number in self._outline.target_set and not (
            number in self._failures
            or number in self._skipped
            or number in self._absent
        )

    def __len__(self) -> int:
        if not (self._failures or self._skipped or self._absent):
            return len(self._outline.targets)
        return sum(1 for _ in self)

    def __contains__(self, key: object) -> bool:
        try:
            number = self._number(key)
        except KeyError:
            return False
        return self._has(number)

    # The views of Mapping look up each key anew: for many cells that takes longer
    # than to compute them.

    def items(self) -> ItemsView[Any, Any]:
        """The cells with their values, in order."""
        return self._pairs().items()

    def values(self) -> ValuesView[Any]:
        """The values, in order."""
        return self._pairs().values()

    def _pairs(self) -> dict[Any, Any]:
        outline, values = self._outline, self._values
        nodes, places = outline.roster.nodes, outline.places
        return {nodes[number]: values[places[number]] for number in self._numbers()}

    def by_name(self) -> dict[str, Any]:
        """The values by the names of their cells, in order.

        Where cells share a name, their places tell them apart: "plan (trip.py:14)".

        Returns:
            A new dict, which is what `pandas.DataFrame` and others take as columns.

        >>> from aiocells import Graph, cell, compute_sequential
        >>> @cell
        ... def day() -> list[str]:
        ...     return ["Mon", "Tue"]
        >>> @cell
        ... def sold(day: list[str]) -> list[int]:
        ...     return [3, 4]
        >>> compute_sequential(Graph.from_cells(day, sold)).by_name()
        {'day': ['Mon', 'Tue'], 'sold': [3, 4]}
        """
        from aiocells._graphs.labels import unique_labels

        outline, values = self._outline, self._values
        roster, places = outline.roster, outline.places
        numbers = list(self._numbers())
        names = [roster.names[number] for number in numbers]
        labels = unique_labels(names, numbers, roster.place)
        return {
            label: values[places[number]]
            for label, number in zip(labels, numbers, strict=True)
        }

    def _ipython_key_completions_(self) -> list[str]:
        roster = self._outline.roster
        # A name that several targets have is no key, also where one of them failed.
        uses = Counter(roster.names[number] for number in self._outline.targets)
        names = (roster.names[number] for number in self._numbers())
        return [name for name in names if uses[name] == 1]

    def __repr__(self) -> str:
        # Names only: asyncio.run makes the repr of what it ran, twice, and a value
        # may take long to show.
        names = self._outline.roster.names
        there = _names.listed((repr(names[n]) for n in self._numbers()), len(self))
        fell = (repr(names[number]) for number in self._fallbacks)
        back = _names.listed(fell, len(self._fallbacks))
        return f"<Results: {there or 'none'}{back and f'; fell back: {back}'}>"

    def _number(self, key: Any) -> int:
        roster, targets = self._outline.roster, self._outline.target_set
        numbers = roster.find(key)
        if len(numbers) > 1:
            numbers = [number for number in numbers if number in targets] or numbers[:1]
        if len(numbers) == 1:
            return numbers[0]
        if numbers:
            which = " and ".join(roster.described(number) for number in numbers)
            msg = f"{key!r} is the name of {which}. Ask with the cell itself."
        elif isinstance(key, str):
            names = [roster.names[number] for number in self._outline.targets]
            near = _names.suggestions(key, names)
            hint = _names.did_you_mean(near)
            if normal(key) in roster.input_names:
                hint = " It is an input, whose value was given and not computed."
            msg = f"there is no cell {key!r} in the graph.{hint}"
        else:
            msg = roster.namesake(key) or f"{_names.shown(key)} is not in the graph."
        raise MissingValue(msg, key=key)

    def _why_not(self, number: int) -> str:
        roster, outline = self._outline.roster, self._outline
        cell = roster.described(number)
        if number in self._skipped:
            failed = ", ".join(map(roster.described, self._failed_needs(number)))
            return f"{cell} was skipped, because what it needs failed: {failed}."
        if number in self._absent:
            return (
                f"{cell} was not computed: no cell asked for it (Lazy), or waited for "
                "it to the end."
            )
        if roster.is_resource(number):
            return f"{cell} is a resource: its value was closed with the computation."
        if number in outline.computed:
            return f"{cell} was computed, but is no target. Add it to targets=."
        return f"{cell} was not computed: no target needs it. Add it to targets=."

    def _failed_needs(self, number: int) -> list[int]:
        """The failed cells for whose sake a cell was skipped."""
        needs = self._outline.needs
        seen = {number}
        waiting = [number]
        while waiting:
            for needed in needs[waiting.pop()]:
                if needed not in seen:
                    seen.add(needed)
                    if needed in self._skipped:
                        waiting.append(needed)
        return [failed for failed in self._failures if failed in seen]
