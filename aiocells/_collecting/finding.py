"""Which cell a name means, seen from a cell."""

import contextlib
import types
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aiocells._collecting.families import Family, cells_of
from aiocells._collecting.knowing import Knowing
from aiocells._collecting.objects import ObjectCells, cells_of_object
from aiocells._declaring import names as _names
from aiocells._declaring.marks import spec_of
from aiocells._declaring.source import globals_of
from aiocells._declaring.spec import UNMARKED, CellSpec
from aiocells.errors import AmbiguousCell

Function = Callable[..., Any]
Known = Mapping[str, Any]


class Finder:
    """Finds the cells that names mean.

    Attributes:
        names: the names of the cells that have none of their own, under which they
            were found.
        knowing: what modules know.
        stand_ins: the functions that stand for cells; each is bound in the place of its
            cell, but what it says of itself counts.
    """

    def __init__(self) -> None:
        self.names: dict[Function, str] = {}
        self.stand_ins: dict[Function, Function] = {}
        # One cell a name, and the others of the same name: most have none, and a list
        # for each of 100,000 cells would keep the garbage collector busy.
        self._given: dict[str, Function] = {}
        self._namesakes: dict[str, list[Function]] = {}
        self._owners: dict[Function, object] = {}
        self._objects: dict[int, ObjectCells] = {}
        self.knowing = Knowing()

    @property
    def has_owners(self) -> bool:
        """Whether cells were collected from an object."""
        return bool(self._owners)

    def add_given(self, function: Function, found: str | None, owner: object) -> None:
        """Record a cell that the user asked for.

        Args:
            function: the cell.
            found: the name under which it was found, where it has none of its own.
            owner: the object that it was collected from, if any.
        """
        if owner is not None:
            self._owners[function] = owner
        self._name_found(function, found)
        name = self.name_of(function)
        if self._given.setdefault(name, function) is not function:
            self._namesakes.setdefault(name, []).append(function)

    @property
    def given_names(self) -> Iterable[str]:
        """The names of the cells that the user asked for."""
        return self._given

    def given_as(self, name: str) -> list[Function]:
        """The cells of a name among those that the user asked for."""
        if name not in self._given:
            return []
        return [self._given[name], *self._namesakes.get(name, ())]

    # What is known of a cell

    def spec_of(self, function: Function) -> CellSpec:
        """What was said about a cell; a method may have inherited it."""
        function = self.written(function)
        owner = self.owner_of(function)
        if owner is not None:
            known = self.object_cells(owner).specs.get(function)
            if known is not None:
                return known
        return spec_of(function) or UNMARKED

    def described(self, function: Function) -> str:
        """A cell as messages name it."""
        return _names.described(self.name_of(function), self.written(function))

    def written(self, function: Function) -> Function:
        """The function that was written for a cell: itself, or what stands for it."""
        return self.stand_ins.get(function, function) if self.stand_ins else function

    def _name_found(self, function: Function, found: str | None) -> None:
        """Have a cell go by the name under which it was found first, if any."""
        if found is None:
            return
        options = self.spec_of(function).options
        if options is None or not options.name:
            with contextlib.suppress(TypeError):  # not hashable: it will be refused
                self.names.setdefault(function, found)

    def name_of(self, function: Function) -> str:
        """The name by which messages speak of a cell."""
        return self.known_name(function) or _names.fallback_name(function)

    def known_name(self, function: Function) -> str | None:
        """The name under which a cell was found, or its own."""
        found = self.names.get(function) if self.names else None
        return found or self.own_name(function)

    def own_name(self, function: Function) -> str | None:
        """The name that a cell says is its own; a method may have inherited it."""
        if self.owner_of(function) is not None:
            options = self.spec_of(function).options
            if options is not None and options.name:
                return options.name
        return _names.own_name(function)

    def owner_of(self, function: Function) -> object:
        """The object that a cell belongs to, or None.

        A static or class method belongs to the object that it was collected from.
        """
        if self._owners and function in self._owners:
            return self._owners[function]
        return function.__self__ if isinstance(function, types.MethodType) else None

    def object_cells(self, owner: object) -> ObjectCells:
        """What an object brings into the graph."""
        known = self._objects.get(id(owner))
        if known is None:
            known = self._objects[id(owner)] = cells_of_object(owner)
        return known

    # Parameters that no keyword binds

    def by_name(self, function: Function, name: str, module: Known) -> Any:
        """What a cell's own object and module know by a name.

        Args:
            function: the cell that asks.
            name: what it asks for; never itself.
            module: the globals of its module.

        Returns:
            A cell; a list or a dict of cells; or None.
        """
        owner = self.owner_of(function)
        if owner is not None:
            attribute = self._attribute(owner, name)
            if attribute is not None and attribute != function:
                return attribute
        known = self.knowing.find(name, module, function)
        return self.meant(known, name, module, function) if known else None

    def meant(
        self,
        known: list[Function] | Family,
        name: str,
        module: Known,
        function: Function,
        remedy: str = "@depends_on({name}=...)",
    ) -> Any:
        """The cell that a module knows by a name; the list, or dict, of a family.

        Args:
            known: what the module knows.
            name: the name.
            module: the globals of the module.
            function: the cell that asks.
            remedy: what to do where there are several.
        """
        if isinstance(known, list):
            cell = self.only(known, name, function, remedy)
            self._name_found(cell, _names.name_under(name, cell, module))
            return cell
        for label, cell, _ in known.named(name):
            self._name_found(cell, _names.name_under(label, cell, module))
        if known.keys is None:
            return list(known.cells)
        return dict(zip(known.keys, known.cells, strict=True))

    def among_given(self, function: Function, name: str) -> Function | None:
        """The one other cell of that name among those that the user asked for."""
        others = [cell for cell in self.given_as(name) if cell != function]
        return self.only(others, name, function) if others else None

    def among_ordered(
        self, function: Function, name: str, ordered: Iterable[Any], module: Known
    ) -> Any:
        """What a positional argument of `depends_on` means that bears a name.

        Args:
            function: the cell that asks.
            name: what it asks for.
            ordered: what the arguments mean.
            module: the globals of its module.
        """
        spec = self.spec_of(function)
        named: list[Any] = []
        for meant, reference in zip(ordered, spec.order, strict=True):
            if meant not in named and (
                (name, reference) in spec.called
                or self._bears(meant, reference, name, module)
            ):
                named.append(meant)
        if len(named) > 1:
            named = [cell for each in named for cell in cells_of(each)]
        return self.only(named, name, function) if named else None

    def _bears(self, meant: Any, reference: Any, name: str, module: Known) -> bool:
        """Whether a positional argument has a name, where it stands or of its own."""
        if isinstance(reference, str) and reference.rpartition(":")[2] == name:
            return True
        if type(meant) in (list, dict):
            return False
        return self.known_name(meant) == name or any(
            known.get(name) is reference for known in (module, globals_of(meant))
        )

    def _attribute(self, owner: object, name: str) -> Function | None:
        known = self.object_cells(owner).cells.get(name)
        if known is None and not isinstance(owner, type):
            own = getattr(owner, "__dict__", {}).get(name)
            known = own if spec_of(own) else None
        return known

    def only(
        self,
        cells: list[Function],
        name: str,
        function: Function,
        remedy: str = "@depends_on({name}=...)",
    ) -> Function:
        """The one cell that there is.

        Raises:
            AmbiguousCell: there are several.
        """
        if len(cells) == 1:
            return cells[0]
        candidates = " and ".join(self.described(cell) for cell in cells)
        msg = (
            f"{self.described(function)} asks for {name!r}, which is the name of "
            f"{candidates}. Say which one: {remedy.format(name=name)}."
        )
        raise AmbiguousCell(msg, name=name, candidates=cells)
