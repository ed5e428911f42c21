"""Which cell a name or a reference means, seen from a cell."""

import importlib
import sys
import types
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from aiocells._collecting.objects import ObjectCells, bound_method, cells_of_object
from aiocells._declaring import names as _names
from aiocells._declaring.source import globals_of
from aiocells._declaring.spec import UNMARKED, CellSpec, Input, spec_of
from aiocells.errors import AmbiguousCell, UnknownCell

Function = Callable[..., Any]


class Finder:
    """Finds the cells that names and references mean.

    Attributes:
        names: the names of the cells that have none of their own, under which they
            were found.
    """

    def __init__(self) -> None:
        self.names: dict[Function, str] = {}
        # One cell a name, and the others of the same name: most have none, and a list
        # for each of 100,000 cells would keep the garbage collector busy.
        self._given: dict[str, Function] = {}
        self._namesakes: dict[str, list[Function]] = {}
        self._owners: dict[Function, object] = {}
        self._objects: dict[int, ObjectCells] = {}
        self._named: dict[int, dict[str, list[Function]]] = {}

    @property
    def has_owners(self) -> bool:
        """Whether cells were collected from an object."""
        return bool(self._owners)

    def add_given(self, function: Function, found: str | None, owner: object) -> None:
        """Record a cell that the user asked for.

        Args:
            function: the cell.
            found: the name under which it was found, if any.
            owner: the object that it was collected from, if any.
        """
        if owner is not None:
            self._owners[function] = owner
        name = self._own_name(function)
        if name is None:
            if found is not None:
                self.names[function] = found
            name = found or _names.fallback_name(function)
        if self._given.setdefault(name, function) is not function:
            self._namesakes.setdefault(name, []).append(function)

    def _given_as(self, name: str) -> list[Function]:
        """The cells of a name among those that the user asked for."""
        if name not in self._given:
            return []
        return [self._given[name], *self._namesakes.get(name, ())]

    # What is known of a cell

    def spec_of(self, function: Function) -> CellSpec:
        """What was said about a cell; a method may have inherited it."""
        owner = self._owner_of(function)
        if owner is not None:
            known = self._object(owner).specs.get(function)
            if known is not None:
                return known
        return spec_of(function) or UNMARKED

    def described(self, function: Function) -> str:
        """A cell as messages name it."""
        return _names.described(self._name_of(function), function)

    def _name_of(self, function: Function) -> str:
        return (
            self._own_name(function)
            or self.names.get(function)
            or _names.fallback_name(function)
        )

    def _own_name(self, function: Function) -> str | None:
        if self._owner_of(function) is not None:
            options = self.spec_of(function).options
            if options is not None and options.name:
                return options.name
        return _names.own_name(function)

    def _owner_of(self, function: Function) -> object:
        """The object that a cell belongs to, or None.

        A static or class method belongs to the object that it was collected from.
        """
        if self._owners and function in self._owners:
            return self._owners[function]
        return function.__self__ if isinstance(function, types.MethodType) else None

    def _object(self, owner: object) -> ObjectCells:
        known = self._objects.get(id(owner))
        if known is None:
            known = self._objects[id(owner)] = cells_of_object(owner)
        return known

    # Parameters that no keyword binds

    def by_name(
        self, function: Function, name: str, module: dict[str, Any]
    ) -> Function | None:
        """The cell that a cell's own object and module know by a name, if any.

        Args:
            function: the cell that asks.
            name: what it asks for; never itself.
            module: the globals of its module.
        """
        owner = self._owner_of(function)
        if owner is not None:
            attribute = self._attribute(owner, name)
            if attribute is not None and attribute != function:
                return attribute
        known: Function | None = module.get(name)
        if known is not None and known is not function and spec_of(known):
            return known
        others = self._named_in(module).get(name)
        if not others:
            return None
        others = [cell for cell in others if cell is not function]
        return self._only(others, name, function) if others else None

    def among_given(self, function: Function, name: str) -> Function | None:
        """The one other cell of that name among those that the user asked for."""
        others = [cell for cell in self._given_as(name) if cell != function]
        return self._only(others, name, function) if others else None

    def among_ordered(
        self, function: Function, name: str, ordered: Iterable[Function]
    ) -> Function | None:
        """The positional argument of `depends_on` that bears a name.

        Args:
            function: the cell that asks.
            name: what it asks for.
            ordered: the cells that the arguments mean.
        """
        written = self.spec_of(function).order
        named = dict.fromkeys(
            cell
            for cell, reference in zip(ordered, written, strict=True)
            if (self._own_name(cell) or self.names.get(cell)) == name
            or (isinstance(reference, str) and reference.rpartition(":")[2] == name)
        )
        return self._only(list(named), name, function) if named else None

    def _attribute(self, owner: object, name: str) -> Function | None:
        known = self._object(owner).cells.get(name)
        if known is None and not isinstance(owner, type):
            own = getattr(owner, "__dict__", {}).get(name)
            known = own if spec_of(own) else None
        return known

    def _named_in(self, module: dict[str, Any]) -> dict[str, list[Function]]:
        """The cells of a module by the name that `name=` gives them."""
        named = self._named.get(id(module))
        if named is None:
            named = self._named[id(module)] = {}
            for value in list(module.values()):
                spec = spec_of(value)
                if spec is not None and spec.options and spec.options.name:
                    cells = named.setdefault(spec.options.name, [])
                    if value not in cells:
                        cells.append(value)
        return named

    def _only(
        self,
        cells: list[Function],
        name: str,
        function: Function,
        remedy: str = "@depends_on({name}=...)",
    ) -> Function:
        if len(cells) == 1:
            return cells[0]
        candidates = " and ".join(self.described(cell) for cell in cells)
        msg = (
            f"{self.described(function)} asks for {name!r}, which is the name of "
            f"{candidates}. Say which one: {remedy.format(name=name)}."
        )
        raise AmbiguousCell(msg, name=name, candidates=cells)

    # What depends_on names

    def resolve(self, reference: Any, function: Function) -> Any:
        """The cell that an argument of `depends_on` means.

        Args:
            reference: a cell, another callable, a string, or an `Input`, which
                means itself.
            function: the cell that was decorated.
        """
        if isinstance(reference, Input):
            return reference
        if isinstance(reference, str):
            if ":" in reference:
                return self._from_elsewhere(reference, function)
            return self._by_string(reference, function)
        if isinstance(reference, staticmethod | classmethod):
            reference = reference.__func__
        if type(reference) is not types.FunctionType:
            return reference
        owner = self._owner_of(function)
        if owner is not None:
            attribute = self._object(owner).attributes.get(reference)
            if attribute is not None:
                return self._method(owner, attribute, function)
        return self._newest(reference, function)

    def _method(self, owner: object, attribute: str, function: Function) -> Function:
        bound = bound_method(owner, attribute)
        if bound is None:
            msg = (
                f"{self.described(function)} depends on {attribute!r}, but what "
                f"{owner!r} has by that name is no method that can be called. Override "
                f"{self._name_of(function)!r} too, or make {attribute!r} a method."
            )
            raise UnknownCell(msg, name=attribute)
        return bound

    def _newest(self, reference: types.FunctionType, function: Function) -> Function:
        """What stands today where `reference` was defined.

        A notebook cell that is run again defines a function anew, while decorators
        elsewhere still hold the old one.
        """
        name = reference.__qualname__
        newest: Function | None = reference.__globals__.get(name)
        if (
            newest is None
            or newest is reference
            or not spec_of(newest)
            or getattr(newest, "__module__", None) != reference.__module__
            or getattr(newest, "__qualname__", None) != name
            # One `def` in a loop makes a family of cells, each of them meant.
            or getattr(newest, "__code__", None) is reference.__code__
            or self._own_name(newest) != self._own_name(reference)
            or any(cell is reference for cell in self._given_as(name))
        ):
            return reference
        msg = (
            f"{self.described(function)} depends on {name!r} as it was before it was "
            f"defined anew; the newest {name!r} is taken. Define "
            f"{self._name_of(function)!r} anew too, and this warning goes."
        )
        warnings.warn(msg, stacklevel=_stacklevel_of_user())
        return newest

    def _by_string(self, name: str, function: Function) -> Function:
        owner = self._owner_of(function)
        if owner is not None:
            attribute = bound_method(owner, name)
            if attribute is not None:
                return attribute
        module = globals_of(function)
        known: Function | None = module.get(name)
        if known is not None and spec_of(known):
            return known
        others = self._named_in(module).get(name)
        if not others and callable(known):
            return known
        others = others or self._given_as(name)
        if others:
            return self._only(others, name, function, "give depends_on the function")
        near = _names.suggestions(name, self._known_names(module))
        msg = (
            f"@depends_on({name!r}) of {self.described(function)}: there is no cell "
            f"of that name in its module or among the collected cells."
            f"{_names.did_you_mean(near)}"
        )
        raise UnknownCell(msg, name=name, suggestions=near)

    def _known_names(self, module: dict[str, Any]) -> list[str]:
        return [
            *(name for name, value in module.items() if spec_of(value)),
            *self._named_in(module),
            *self._given,
        ]

    def _from_elsewhere(self, reference: str, function: Function) -> Function:
        where, _, path = reference.partition(":")
        what = f"@depends_on({reference!r}) of {self.described(function)}"
        try:
            module = importlib.import_module(where)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{where}.".startswith(f"{error.name}."):
                raise
            msg = f"{what}: there is no module {error.name!r}. Is it on sys.path?"
            raise UnknownCell(msg, name=reference) from error
        found: Any = module
        for name in path.split("."):
            found = getattr(found, name, None)
        if callable(found):
            return found  # type: ignore[no-any-return]
        named = self._named_in(vars(module)).get(path)
        if named:
            return self._only(named, path, function, "give depends_on the function")
        near = _names.suggestions(path, self._known_names(vars(module)))
        msg = (
            f"{what}: module {where!r} has no cell {path!r}.{_names.did_you_mean(near)}"
        )
        raise UnknownCell(msg, name=reference, suggestions=near)


def _stacklevel_of_user() -> int:
    """How far up the stack the first caller from outside this package is."""
    level = 1
    frame = sys._getframe(1)
    while frame.f_back and _is_ours(frame.f_globals.get("__name__")):
        frame = frame.f_back
        level += 1
    return level


def _is_ours(module: object) -> bool:
    return str(module).partition(".")[0] == __name__.partition(".")[0]
