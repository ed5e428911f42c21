"""Names that tell nodes apart, for what people read."""

from collections import Counter
from collections.abc import Iterable

from aiocells._declaring.source import location_of
from aiocells._graphs.structure import Structure


def unique_labels(structure: Structure, numbers: Iterable[int]) -> list[str]:
    """A label for each node: its name, with what tells it from others of that name.

    Args:
        structure: knows the names.
        numbers: of the nodes, none of them twice.

    Returns:
        The labels in the order of `numbers`; no two are the same.
    """
    numbers = list(numbers)
    names = [structure.name(number) for number in numbers]
    uses = Counter(names)
    taken = {name for name in names if uses[name] == 1}
    seen: Counter[str] = Counter()
    labels = []
    for number, name in zip(numbers, names, strict=True):
        label = name
        if uses[name] > 1:
            location = location_of(structure.nodes[number])
            plain = label = f"{name} ({location})" if location else name
            # Cells made by one function share its place.
            while label in taken:
                seen[plain] += 1
                label = f"{plain} #{seen[plain] + 1}"
            taken.add(label)
        labels.append(label)
    return labels
