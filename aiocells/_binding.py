"""From the parameters of cells to the edges, inputs and arguments of a graph."""

import importlib
import sys
import types
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

import attrs

from aiocells import _names
from aiocells._cell import PLAIN, UNMARKED, CellSpec, Input, spec_of
from aiocells._declared import check_declaration
from aiocells._kinds import Kind, kind_of
from aiocells._objects import ObjectCells, cells_of_object
from aiocells._parameters import Parameters, globals_of, parameters_of
from aiocells.errors import (
    AmbiguousCell,
    DeclarationError,
    UnbindableParameter,
    UnknownCell,
)

Function = Callable[..., Any]

REQUIRED: Any = attrs.make_class("Required", [], frozen=True)()


@attrs.frozen
class InputSlot:
    """An input as one or more cells want it.

    Attributes:
        name: what the caller calls it.
        default: what a cell gets if the caller does not give it, or REQUIRED.
    """

    name: str
    default: Any


@attrs.frozen
class Shape:
    """How to call a function that does not take one value a parameter, in order.

    Attributes:
        groups: for each argument, None for one value, or how many make up a list.
        keywords: the names of the last arguments, which are given by keyword.
    """

    groups: tuple[int | None, ...]
    keywords: tuple[str, ...]


@attrs.define
class Bound:
    """What binding gives: everything by the number of the cell.

    Attributes:
        nodes: the cells.
        index: the number of each.
        needs: the numbers of the cells that must be computed first.
        args: where the values of a call come from: the number of a cell, or ~k for
            the k-th of `inputs`.
        shapes: for the few cells that need one.
        names: of those cells that have no name of their own.
        inputs: what the caller may give.
    """

    nodes: list[Any] = attrs.Factory(list)
    index: dict[Any, int] = attrs.Factory(dict)
    needs: list[Any] = attrs.Factory(list)
    args: list[tuple[int, ...]] = attrs.Factory(list)
    shapes: dict[int, Shape] = attrs.Factory(dict)
    specs: list[CellSpec | None] = attrs.Factory(list)
    kinds: list[Kind] = attrs.Factory(list)
    names: dict[int, str] = attrs.Factory(dict)
    inputs: list[InputSlot] = attrs.Factory(list)


def bind(given: Iterable[tuple[str | None, Function]]) -> Bound:
    """Bind cells, and everything that they depend on.

    Args:
        given: the cells that the user asked for, each with the name under which it
            was found, if any.
    """
    binder = _Binder(given)
    binder.bind_all()
    return binder.bound


class _Binder:
    def __init__(self, given: Iterable[tuple[str | None, Function]]) -> None:
        self.bound = Bound()
        self._given: dict[str, list[Function]] = {}
        self._objects: dict[int, ObjectCells] = {}
        self._named: dict[int, dict[str, list[Function]]] = {}
        self._slots: dict[tuple[str, int], int] = {}
        for found, function in given:
            before = len(self.bound.nodes)
            number = self._number(function, found)
            if number == before:
                self._given.setdefault(self._name(number), []).append(function)

    def bind_all(self) -> None:
        # The list grows while it is walked: dependencies are bound in their turn.
        for number, function in enumerate(self.bound.nodes):
            self._bind(number, function)

    def _number(self, function: Function, found: str | None = None) -> int:
        bound = self.bound
        try:
            number = bound.index.get(function)
        except TypeError as error:
            msg = f"{function!r} cannot be a cell: it is not hashable."
            raise DeclarationError(msg, cell=function) from error
        if number is None:
            number = bound.index[function] = len(bound.nodes)
            bound.nodes.append(function)
            if found is not None and _names.own_name(function) is None:
                bound.names[number] = found
        return number

    def _name(self, number: int) -> str:
        function = self.bound.nodes[number]
        return (
            self._spec_name(function)
            or self.bound.names.get(number)
            or _names.own_name(function)
            or _names.fallback_name(function)
        )

    def _spec_name(self, function: Function) -> str | None:
        if type(function) is not types.MethodType:
            return None
        options = self._spec(function).options
        return options.name if options else None

    def _described(self, function: Function) -> str:
        number = self.bound.index.get(function)
        if number is None:
            name = _names.own_name(function) or _names.fallback_name(function)
        else:
            name = self._name(number)
        return _names.described(name, function)

    def _object(self, owner: object) -> ObjectCells:
        known = self._objects.get(id(owner))
        if known is None:
            known = self._objects[id(owner)] = cells_of_object(owner)
        return known

    def _spec(self, function: Function) -> CellSpec:
        if type(function) is types.MethodType:
            known = self._object(function.__self__).specs.get(function)
            if known is not None:
                return known
        return spec_of(function) or UNMARKED

    # One cell

    def _bind(self, number: int, function: Function) -> None:
        bound = self.bound
        spec = self._spec(function)
        kind = kind_of(function)
        bound.specs.append(spec)
        bound.kinds.append(kind)
        options = spec.options or PLAIN
        if options is not PLAIN or kind is not Kind.PLAIN:
            check_declaration(
                lambda: self._described(function), function, options, kind
            )
        parameters = parameters_of(function)
        if spec is UNMARKED or not (spec.order or spec.bindings):
            ordered: list[Function] = []
            bindings: Mapping[str, Any] = {}
        else:
            ordered = [self._resolve(part, function) for part in spec.order]
            bindings = self._resolved_bindings(function, spec, parameters)
        needs = dict.fromkeys([self._number(needed) for needed in ordered])
        for binding in bindings.values():
            for part in binding if isinstance(binding, list) else [binding]:
                if not isinstance(part, Input):
                    needs[self._number(part)] = None
        args = []
        shaped = bool(parameters.keyword)
        for name in parameters.names:
            source = bindings.get(name)
            if source is None:
                source = self._by_name(function, name, parameters, spec, ordered)
            if isinstance(source, list):
                shaped = True
            args.append(source)
        if not parameters.is_known and bindings:
            shaped = True
            args.extend(bindings.values())
            parameters = attrs.evolve(parameters, keyword=tuple(bindings))
        sources = self._sources(args, parameters, needs)
        bound.needs.append(tuple(needs))
        bound.args.append(sources)
        if shaped:
            groups = [len(arg) if isinstance(arg, list) else None for arg in args]
            bound.shapes[number] = Shape(tuple(groups), parameters.keyword)

    def _sources(
        self, args: list[Any], parameters: Parameters, needs: dict[int, None]
    ) -> tuple[int, ...]:
        """Where the values of a call come from; adds the cells among them to `needs`."""
        sources = []
        for name, arg in zip(parameters.names, args, strict=True):
            for part in arg if isinstance(arg, list) else (arg,):
                if part is None:
                    default = parameters.defaults.get(name, REQUIRED)
                    source = ~self._slot(name, default)
                elif isinstance(part, Input):
                    default = (
                        REQUIRED
                        if isinstance(arg, list)
                        else parameters.defaults.get(name, REQUIRED)
                    )
                    source = ~self._slot(part.name, default)
                else:
                    source = self._number(part)
                    needs[source] = None
                sources.append(source)
        return tuple(sources)

    def _slot(self, name: str, default: Any) -> int:
        key = (name, id(default))  # the slot keeps the default alive, and so its id
        slot = self._slots.get(key)
        if slot is None:
            slot = self._slots[key] = len(self.bound.inputs)
            self.bound.inputs.append(InputSlot(name, default))
        return slot

    # Parameters that no keyword binds

    def _by_name(
        self,
        function: Function,
        name: str,
        parameters: Parameters,
        spec: CellSpec,
        ordered: list[Function],
    ) -> Function | None:
        if ordered:
            named = dict.fromkeys(
                needed
                for needed, reference in zip(ordered, spec.order, strict=True)
                if self._answers_to(needed, reference, name)
            )
            if named:
                return self._only(list(named), name, function)
        known = self._known_to_module(function, name)
        if known is not None:
            return known
        if name not in parameters.defaults:
            others = [cell for cell in self._given.get(name, ()) if cell != function]
            if others:
                return self._only(others, name, function)
        return None

    def _answers_to(self, needed: Function, reference: Any, name: str) -> bool:
        if isinstance(reference, str) and reference.rpartition(":")[2] == name:
            return True
        number = self.bound.index.get(needed)
        return (
            self._spec_name(needed) or _names.own_name(needed)
            if number is None
            else self._name(number)
        ) == name

    def _known_to_module(self, function: Function, name: str) -> Function | None:
        if type(function) is types.MethodType:
            attribute = self._attribute(function.__self__, name)
            if attribute is not None and attribute != function:
                return attribute
        module = globals_of(function)
        known = module.get(name)
        if known is not None and spec_of(known) and known is not function:
            return known  # type: ignore[no-any-return]
        others = self._named_in(module).get(name)
        if not others:
            return None
        others = [cell for cell in others if cell is not function]
        return self._only(others, name, function) if others else None

    def _attribute(self, owner: object, name: str) -> Function | None:
        known = self._object(owner).cells.get(name)
        if known is None:
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

    def _only(self, cells: list[Function], name: str, function: Function) -> Function:
        if len(cells) == 1:
            return cells[0]
        candidates = " and ".join(self._described(cell) for cell in cells)
        msg = (
            f"{self._described(function)} asks for {name!r}, which is the name of "
            f"{candidates}. Say which one: @depends_on({name}=...)."
        )
        raise AmbiguousCell(msg, name=name, candidates=cells)

    # What depends_on names

    def _resolved_bindings(
        self, function: Function, spec: CellSpec, parameters: Parameters
    ) -> dict[str, Any]:
        resolved: dict[str, Any] = {}
        for name, binding in spec.bindings:
            if name not in parameters.names and (
                parameters.is_known or name in parameters.unbindable
            ):
                self._refuse_parameter(function, name, parameters)
            if isinstance(binding, list | tuple):
                resolved[name] = [self._resolve(part, function) for part in binding]
            else:
                resolved[name] = self._resolve(binding, function)
        return resolved

    def _refuse_parameter(
        self, function: Function, name: str, parameters: Parameters
    ) -> NoReturn:
        reason = parameters.unbindable.get(name)
        if reason is not None:
            why = f"{name!r} cannot be bound: {reason}."
        else:
            near = _names.suggestions(name, parameters.names)
            why = f"there is no parameter {name!r}.{_names.did_you_mean(near)}"
            if not near:
                has = ", ".join(parameters.names) or "none"
                why += f" Its parameters: {has}."
        msg = f"@depends_on({name}=...) of {self._described(function)}: {why}"
        raise UnbindableParameter(msg, cell=function, parameter=name)

    def _resolve(self, reference: Any, function: Function) -> Any:
        if isinstance(reference, Input):
            return reference
        if isinstance(reference, str):
            if ":" in reference:
                return self._from_elsewhere(reference, function)
            return self._by_string(reference, function)
        if type(function) is types.MethodType:
            owner = function.__self__
            attribute = self._object(owner).attributes.get(reference)
            if attribute is not None:
                return getattr(owner, attribute)
        return self._newest(reference, function)

    def _newest(self, reference: Function, function: Function) -> Function:
        """What stands today where `reference` was defined.

        A notebook cell that is run again defines a function anew, while decorators
        elsewhere still hold the old one.
        """
        if type(reference) is not types.FunctionType:
            return reference
        newest = reference.__globals__.get(reference.__qualname__)
        if (
            newest is None
            or newest is reference
            or not spec_of(newest)
            or getattr(newest, "__module__", None) != reference.__module__
            or getattr(newest, "__qualname__", None) != reference.__qualname__
        ):
            return reference
        name = reference.__qualname__
        msg = (
            f"{self._described(function)} depends on {name!r} as it was before it was "
            f"defined anew; the newest {name!r} is taken. Define "
            f"{_names.fallback_name(function)!r} anew too, and this warning goes."
        )
        warnings.warn(msg, stacklevel=_stacklevel_of_user())
        return newest  # type: ignore[no-any-return]

    def _by_string(self, name: str, function: Function) -> Function:
        if type(function) is types.MethodType:
            attribute = self._attribute(function.__self__, name)
            if attribute is not None:
                return attribute
        module = globals_of(function)
        known = module.get(name)
        if known is not None and spec_of(known):
            return known  # type: ignore[no-any-return]
        others = self._named_in(module).get(name) or self._given.get(name)
        if others:
            return self._only(others, name, function)
        if callable(known):
            return known
        near = _names.suggestions(name, self._known_names(module))
        msg = (
            f"@depends_on({name!r}) of {self._described(function)}: there is no cell "
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
        what = f"@depends_on({reference!r}) of {self._described(function)}"
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
            return self._only(named, path, function)
        near = _names.suggestions(path, self._known_names(vars(module)))
        msg = (
            f"{what}: module {where!r} has no cell {path!r}.{_names.did_you_mean(near)}"
        )
        raise UnknownCell(msg, name=reference, suggestions=near)


def _stacklevel_of_user() -> int:
    """How far up the stack the first caller from outside this package is."""
    package = __name__.partition(".")[0]
    level = 1
    frame = sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(package):
        frame = frame.f_back
        level += 1
    return level
