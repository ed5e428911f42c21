"""What a module knows by name: cells, and families of cells."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from aiocells._collecting.families import Family, family_of
from aiocells._declaring.marks import spec_of

Function = Callable[..., Any]
Known = Mapping[str, Any]


class Knowing:
    """Looks names up in modules, each of which is looked through at most once."""

    def __init__(self) -> None:
        self._named: dict[int, dict[str, list[Function]]] = {}

    def find(
        self, name: str, module: Known, but: Function | None = None
    ) -> list[Function] | Family:
        """What a module means by a name; an empty list for nothing.

        First comes the cell that stands under that name, then those that `name=` calls
        so, then a family.

        Args:
            name: the name.
            module: the globals of the module.
            but: a cell that is not meant, since it asks.
        """
        known = module.get(name)
        if known is not None and known is not but and spec_of(known) is not None:
            return [known]
        others = [
            cell for cell in self._named_in(module).get(name, ()) if cell is not but
        ]
        return others or family_of(known) or []

    def names(self, module: Known) -> list[str]:
        """The names by which a module knows cells and families."""
        own = [name for name, value in module.items() if _is_known(value)]
        return own + list(self._named_in(module))

    def _named_in(self, module: Known) -> dict[str, list[Function]]:
        """The cells of a module by the name that `name=`, or a family, gives them."""
        named = self._named.get(id(module))
        if named is None:
            named = self._named[id(module)] = {}
            for found, value in list(module.items()):
                for name, cell in _names_from(found, value):
                    cells = named.setdefault(name, [])
                    if cell not in cells:
                        cells.append(cell)
        return named


def _is_known(value: Any) -> bool:
    return spec_of(value) is not None or family_of(value) is not None


def _names_from(found: str, value: Any) -> Iterator[tuple[str, Function]]:
    """The names that a value of a module gives to cells, beside its own."""
    spec = spec_of(value)
    if spec is not None:
        if spec.options is not None and spec.options.name:
            yield spec.options.name, value
        return
    family = family_of(value)
    if family is not None:
        for name, cell, mark in family.named(found):
            options = mark.spec.options
            yield options.name if options and options.name else name, cell
