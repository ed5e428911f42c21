"""The cells of a graph by name."""

from collections.abc import Iterator, Mapping
from typing import Any

from aiocells._declaring import names
from aiocells._graphs.labels import unique_labels
from aiocells._graphs.structure import Structure


class Cells(Mapping[str, Any]):
    """The cells of a graph by name, in order; read only."""

    __slots__ = ("_cells",)

    def __init__(self, cells: dict[str, Any]) -> None:
        self._cells = cells

    def __getitem__(self, name: str, /) -> Any:
        return self._cells[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._cells)

    def __len__(self) -> int:
        return len(self._cells)

    def __repr__(self) -> str:
        shown = names.listed(map(repr, self._cells), len(self))
        return f"<Cells: {shown or 'none'}>"

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._cells)


def by_name(structure: Structure) -> Cells:
    """The nodes by names that tell them apart, in order."""
    nodes = list(structure.nodes)
    labels = unique_labels([structure.name(n) for n in range(len(nodes))], nodes)
    return Cells(dict(zip(labels, nodes, strict=True)))
