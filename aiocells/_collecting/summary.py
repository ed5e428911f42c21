"""A collected graph in one line, for people."""

from collections.abc import Collection, Sequence

from aiocells._collecting.bound import Bound
from aiocells._declaring.names import listed
from aiocells._declaring.source import origin_of

_SHOWN_ORIGINS = 3


def summary_of(
    bound: Bound, count: int, origins: Sequence[str | None], inputs: Collection[str]
) -> str:
    """What a graph has: "12 cells of trip, inputs: city, nights".

    Args:
        bound: the collected cells.
        count: of all cells, those that were added by hand included.
        origins: what they were collected from; where they were given one by one, it
            is where they are at home.
        inputs: those that somebody wants.
    """
    text = f"{count} cell" if count == 1 else f"{count} cells"
    if not origins:
        collected = bound.nodes[: len(bound.args)]
        origins = list(map(origin_of, collected))
    known = list(dict.fromkeys(filter(None, origins)))
    if known:
        text += f" of {_joined(known)}"
    if inputs:
        text += f", inputs: {listed(inputs, len(inputs))}"
    return text


def _joined(origins: list[str]) -> str:
    first, last = origins[:-1], origins[-1]
    if len(origins) > _SHOWN_ORIGINS:
        first = origins[:_SHOWN_ORIGINS]
        last = f"{len(origins) - _SHOWN_ORIGINS} more"
    return f"{', '.join(first)} and {last}" if first else last
