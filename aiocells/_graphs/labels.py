"""Names that tell cells apart, for what people read."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from aiocells._declaring.source import location_of


def unique_labels(
    names: Sequence[str],
    cells: Sequence[Any],
    place_of: Callable[[Any], str] = location_of,
) -> list[str]:
    """A label for each cell: its name, with what tells it from others of that name.

    Args:
        names: of the cells.
        cells: the cells, none of them twice.
        place_of: tells where one was defined; "" where that is not known.

    Returns:
        The labels, in the same order; no two are the same.
    """
    uses = Counter(names)
    taken = {name for name in names if uses[name] == 1}
    seen: Counter[str] = Counter()
    labels = []
    for name, cell in zip(names, cells, strict=True):
        label = name
        if uses[name] > 1:
            location = place_of(cell)
            plain = label = f"{name} ({location})" if location else name
            # Cells made by one function share its place.
            while label in taken:
                seen[plain] += 1
                label = f"{plain} #{seen[plain] + 1}"
            taken.add(label)
        labels.append(label)
    return labels
