"""Which cell an argument of `depends_on` means."""

import importlib
import sys
import types
import warnings
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from aiocells._collecting.finding import Finder
from aiocells._collecting.objects import bound_method, is_unbound, redefined_as
from aiocells._declaring import names as _names
from aiocells._declaring.marks import spec_of
from aiocells._declaring.source import globals_of
from aiocells._declaring.spec import Input, Lazy
from aiocells.errors import DeclarationError, UnknownCell

Function = Callable[..., Any]
Known = Mapping[str, Any]

_REMEDY = "give depends_on the function"


class Resolver:
    """Finds the cells that the arguments of `depends_on` mean.

    Args:
        finder: knows the cells.
    """

    def __init__(self, finder: Finder) -> None:
        self._finder = finder

    def resolve(self, reference: Any, function: Function) -> Any:
        """The cell that an argument of `depends_on` means.

        Args:
            reference: a cell, another callable, a string; an `Input`, which means
                itself; or a `Lazy`, which means the same of what it is of.
            function: the cell that was decorated.
        """
        finder = self._finder
        if isinstance(reference, Lazy):
            return _lazily(self.resolve(reference.cell, function))
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
        owner = finder.owner_of(function)
        if owner is not None:
            attribute = finder.object_cells(owner).attributes.get(reference)
            attribute = attribute or redefined_as(owner, reference)
            if attribute is not None:
                return self._method(owner, attribute, function)
        if is_unbound(reference):
            self._refuse_unbound(reference, function)
        return self._newest(reference, function)

    def _refuse_unbound(self, reference: Any, function: Function) -> NoReturn:
        cell = _names.described(reference.__qualname__, reference)
        msg = (
            f"{self._finder.described(function)} depends on {cell}, which is a method "
            "of another class, and would need an object of it. Depend on a method of "
            "the object itself, or on a bound one: depends_on(obj.method)."
        )
        raise DeclarationError(msg, cell=reference)

    def _method(self, owner: object, attribute: str, function: Function) -> Function:
        finder = self._finder
        bound = bound_method(owner, attribute)
        if bound is None:
            msg = (
                f"{finder.described(function)} depends on {attribute!r}, but what "
                f"{owner!r} has by that name is no method that can be called. Override "
                f"{finder.name_of(function)!r} too, or make {attribute!r} a method."
            )
            raise UnknownCell(msg, name=attribute)
        return bound

    def _newest(self, reference: types.FunctionType, function: Function) -> Function:
        """What stands today where `reference` was defined.

        A notebook cell that is run again defines a function anew, while decorators
        elsewhere still hold the old one.
        """
        finder = self._finder
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
            or finder.own_name(newest) != finder.own_name(reference)
            or any(cell is reference for cell in finder.given_as(name))
        ):
            return reference
        msg = (
            f"{finder.described(function)} depends on {name!r} as it was before it was "
            f"defined anew; the newest {name!r} is taken. Define "
            f"{finder.name_of(function)!r} anew too, and this warning goes."
        )
        warnings.warn(msg, stacklevel=_stacklevel_of_user())
        return newest

    def _by_string(self, name: str, function: Function) -> Any:
        finder = self._finder
        owner = finder.owner_of(function)
        if owner is not None:
            attribute = bound_method(owner, _names.mangled(name, function))
            if attribute is not None:
                return attribute
        module = globals_of(function)
        known = finder.knowing.find(name, module)
        if known:
            return finder.meant(known, name, module, function, _REMEDY)
        other: Function | None = module.get(name)
        if callable(other):
            return other
        given = finder.given_as(name)
        if given:
            return finder.only(given, name, function, _REMEDY)
        near = _names.suggestions(name, self._known_names(module))
        msg = (
            f"@depends_on({name!r}) of {finder.described(function)}: there is no cell "
            f"of that name in its module or among the collected cells."
            f"{_names.did_you_mean(near)}"
        )
        raise UnknownCell(msg, name=name, suggestions=near)

    def _known_names(self, module: Known) -> list[str]:
        finder = self._finder
        return [*finder.knowing.names(module), *finder.given_names]

    def _from_elsewhere(self, reference: str, function: Function) -> Any:
        finder = self._finder
        where, _, path = reference.partition(":")
        what = f"@depends_on({reference!r}) of {finder.described(function)}"
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
        if spec_of(found) is not None:
            return found
        known = finder.knowing.find(path, vars(module))
        if known:
            return finder.meant(known, path, vars(module), function, _REMEDY)
        if callable(found):
            return found
        near = _names.suggestions(path, self._known_names(vars(module)))
        msg = (
            f"{what}: module {where!r} has no cell {path!r}.{_names.did_you_mean(near)}"
        )
        raise UnknownCell(msg, name=reference, suggestions=near)


def _lazily(meant: Any) -> Any:
    """A cell, or each one of a family, as what may be asked for."""
    if type(meant) is list:
        return list(map(Lazy, meant))
    if type(meant) is dict:
        return {key: Lazy(each) for key, each in meant.items()}
    return Lazy(meant)


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
