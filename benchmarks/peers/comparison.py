"""All contestants, one after the other."""

import statistics
import subprocess
from collections.abc import Iterator

import attrs

from benchmarks.alone import AloneFailed, alone
from benchmarks.peers import KINDS


@attrs.frozen
class Entry:
    """What a contestant took.

    Attributes:
        kind: what was computed; of `KINDS`.
        name: of the contestant.
        version: of its library; empty where that is the standard library.
        us: microseconds a cell, or of the page.
        ratio: to the code written by hand, the median of pairs.
        preparing: microseconds that it took to make its graph, once; a cell or in all.
        error: why there are no figures, in a line.
    """

    kind: str
    name: str
    version: str = ""
    us: float | None = None
    ratio: float | None = None
    preparing: float | None = None
    error: str = ""


def entries(effort_name: str) -> Iterator[Entry]:
    """Measure each contestant, in an interpreter of its own."""
    for kind, (contestants, by_hand) in KINDS.items():
        floors = []
        measured = []
        for name in contestants:
            try:
                found = alone("benchmarks.peers.contest", kind, name, effort_name)
            except (AloneFailed, subprocess.TimeoutExpired) as error:
                measured.append(Entry(kind, name, error=str(error)))
                continue
            if "floor" in found:
                floors.append(found.pop("floor"))
            measured.append(Entry(kind, **found))
        if floors:
            yield Entry(kind, by_hand, us=statistics.median(floors), ratio=1.0)
        yield from sorted(measured, key=lambda each: each.ratio or float("inf"))
