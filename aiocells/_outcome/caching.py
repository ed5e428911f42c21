"""What results tell of a cache: which cells were found, and why the others ran."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

_NOT_ASKED = "ran: the computation had no cache"


@attrs.define
class Caching:
    """What a cache has done for a computation.

    Attributes:
        found: the cells that were found, by number.
        known: for each cell that ran why it did, as far as that is known.
        ask: tells it of the others, when somebody asks; None where nobody can.
        items: gives what keeps the items of a fan-out, or None; while cells run.
    """

    found: frozenset[int]
    known: Mapping[int, str]
    ask: Callable[[int], str] | None = None
    items: Callable[[int], Any] | None = None

    def why(self, number: int) -> str:
        """Why a cell ran, or that it was found."""
        if number in self.found:
            return "found"
        known = self.known.get(number)
        if known is None:
            known = _NOT_ASKED if self.ask is None else self.ask(number)
        return known

    def told(self, numbers: Iterable[int]) -> dict[int, str]:
        """Why each of some cells ran that was not found."""
        return {n: self.why(n) for n in numbers if n not in self.found}


NO_CACHING = Caching(frozenset(), {})
