"""Results as what can be written down: names, places, values; no plan, and no graph.

A cell is written as the module and the name by which it is found, where it is found by
them, and read as that function again. What is not, such as a lambda, is read as its
name, made unique by its place.
"""

import importlib
import pickle
import sys
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from aiocells._declaring.names import name_of
from aiocells._declaring.source import globals_of, location_of
from aiocells._graphs.labels import unique_labels
from aiocells._graphs.roster import Roster
from aiocells._outcome import sending
from aiocells._outcome.caching import NO_CACHING, Caching
from aiocells._planning.outline import Outline
from aiocells._typing import override

_COMPUTED, _RESOURCE = 1, 2


class Kept(NamedTuple):
    """What is written down; of cells by number, in the order of the graph.

    Attributes:
        texts: the names and places of all cells; the inputs; by name and place the
            functions that stand for cells, and these cells. Compressed.
        kinds: of all cells, whether they were computed, and are resources; compressed.
        found: by what module and name those are found that results may give.
        targets: the cells whose values were asked for.
        values: of those targets that have one.
        errors: what was raised, packed.
        failures: for each failed cell which of these it raised.
        needs: for each skipped cell what it needs of the failed and skipped.
        fallbacks: for each cell that fell back which of the errors it fell back from.
        absent: for each cell that was not asked for None, and for each that failed
            for those who asked which of the errors that was.
        cached: the cells that a cache had.
        whys: for each cell that ran beside a cache why it did.
    """

    texts: bytes
    kinds: bytes
    found: dict[int, tuple[str, str]]
    targets: tuple[int, ...]
    values: list[Any]
    errors: list[bytes]
    failures: dict[int, int]
    needs: dict[int, list[int]]
    fallbacks: Mapping[int, int] = {}  # a pickle of before has none
    absent: Mapping[int, int | None] = {}  # nor these
    cached: frozenset[int] = frozenset()
    whys: Mapping[int, str] = {}


def kept(
    outline: Outline,
    values: Mapping[int, Any] | Sequence[Any],
    failures: Mapping[int, BaseException],
    skipped: frozenset[int],
    fallbacks: Mapping[int, BaseException],
    absent: Mapping[int, BaseException | None],
    caching: Caching,
) -> Kept:
    """What to write down of results."""
    roster = outline.roster
    cells = range(len(roster.names))
    places = [roster.place(number) for number in cells]
    computed = set(outline.computed)
    left_out = failures.keys() | skipped | absent.keys()
    others = (*sorted(skipped), *fallbacks, *absent)
    held = dict.fromkeys((*outline.targets, *failures, *others))
    found = {number: _reference(roster, number) for number in held}
    raised = (*failures.values(), *fallbacks.values(), *absent.values())
    errors = {id(error): error for error in raised if error is not None}
    position = {each: n for n, each in enumerate(errors)}
    return Kept(
        texts=zlib.compress(
            pickle.dumps((roster.names, places, roster.inputs, roster.meant))
        ),
        kinds=zlib.compress(
            bytes(
                _COMPUTED * (number in computed)
                + _RESOURCE * roster.is_resource(number)
                for number in cells
            )
        ),
        found={number: each for number, each in found.items() if each is not None},
        targets=outline.targets,
        values=[
            values[outline.places[number]]
            for number in outline.targets
            if number not in left_out
        ],
        errors=[sending.packed(error) for error in errors.values()],
        failures={number: position[id(each)] for number, each in failures.items()},
        needs={
            number: [each for each in outline.needs[number] if each in left_out]
            for number in sorted(skipped)
        },
        fallbacks={number: position[id(each)] for number, each in fallbacks.items()},
        absent={
            number: None if each is None else position[id(each)]
            for number, each in absent.items()
        },
        cached=caching.found,
        whys={} if caching is NO_CACHING else caching.told(outline.computed),
    )


def read(state: Kept) -> tuple[Any, ...]:
    """What results are made of."""
    roster = _ReadRoster(state)
    computed = [n for n, kind in enumerate(roster.kinds) if kind & _COMPUTED]
    outline = Outline(
        roster, state.targets, frozenset(state.targets), computed, state.needs
    )
    errors = list(map(sending.unpacked, state.errors))
    failures = {number: errors[each] for number, each in state.failures.items()}
    absent = {
        number: None if each is None else errors[each]
        for number, each in state.absent.items()
    }
    left_out = failures.keys() | state.needs.keys() | absent.keys()
    there = [number for number in state.targets if number not in left_out]
    values = dict(zip(there, state.values, strict=True))
    fallbacks = {number: errors[each] for number, each in state.fallbacks.items()}
    caching = NO_CACHING
    if state.cached or state.whys:
        caching = Caching(state.cached, state.whys)
    return outline, values, failures, frozenset(state.needs), fallbacks, absent, caching


class _ReadRoster(Roster):
    """The cells of results that were read."""

    def __init__(self, state: Kept) -> None:
        self.kinds = zlib.decompress(state.kinds)
        names, places, inputs, meant = pickle.loads(zlib.decompress(state.texts))
        self._places: list[str] = places
        nodes: list[Any] = unique_labels(names, places, str)
        self._labels = {label: number for number, label in enumerate(nodes)}
        index: dict[Any, int] = {}
        for number, (module, name) in state.found.items():
            try:
                node = _found(importlib.import_module(module), name)
                index[node] = number
            except Exception:  # it is not there any more, or not in this process
                continue
            nodes[number] = node
        super().__init__(nodes, index, {}, (), inputs)
        self.names = names
        self.meant = meant

    @override
    def place(self, number: int) -> str:
        return self._places[number]

    @override
    def is_resource(self, number: int) -> bool:
        return bool(self.kinds[number] & _RESOURCE)

    @override
    def find(self, key: Any) -> Sequence[int]:
        numbers = super().find(key)
        if numbers:
            return numbers
        if isinstance(key, str):
            return (self._labels[key],) if key in self._labels else ()
        if not callable(key):
            return ()
        # It may be what was not found by its name, or not held: a lambda, a cell that
        # was no target.
        name, place = name_of(key), location_of(key)
        same = self.named.get(name, ())
        alike = {number for number in same if self._places[number] == place}
        alike.update(self.meant.get((name, place), ()))
        return tuple(alike) if len(alike) == 1 else ()


def _reference(roster: Roster, number: int) -> tuple[str, str] | None:
    """The module and the name by which a cell is found, if it is."""
    node = roster.nodes[number]
    for module, name in (
        (getattr(node, "__module__", ""), getattr(node, "__qualname__", "")),
        (globals_of(node).get("__name__", ""), roster.names[number]),
    ):
        try:
            if _found(sys.modules[module], name) is node:
                return module, name
        except Exception:
            continue
    return None


def _found(module: Any, name: str) -> Any:
    found = module
    for part in name.split("."):
        found = getattr(found, part)
    return found
