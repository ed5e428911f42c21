"""Names that tell cells apart, for what people read."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from aiocells._declaring.source import location_of


def unique_labels(names: Sequence[str], cells: Sequence[Any]) -> list[str]:
    """A label for each cell: its name, with what tells it from others of that name.

    Args:
        names: of the cells.
        cells: the cells, none of them twice.

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
            location = location_of(cell)
            plain = label = f"{name} ({location})" if location else name
            # Cells made by one function share its place.
            while label in taken:
                seen[plain] += 1
                label = f"{plain} #{seen[plain] + 1}"
            taken.add(label)
        labels.append(label)
    return labels
