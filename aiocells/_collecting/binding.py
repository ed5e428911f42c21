"""From the parameters of cells to the edges, inputs and arguments of a graph."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, NoReturn

from aiocells._collecting.bound import Bound, Group, Keys, Shape
from aiocells._collecting.families import cells_of
from aiocells._collecting.finding import Finder
from aiocells._collecting.objects import is_unbound
from aiocells._collecting.quick_binding import quick_sources
from aiocells._collecting.referring import Resolver
from aiocells._declaring import names as _names
from aiocells._declaring.checks import check_declaration
from aiocells._declaring.kinds import Kind, kind_of
from aiocells._declaring.parameters import (
    NO_PARAMETERS,
    Parameters,
    by_position,
    is_wrapper,
    parameters_of,
)
from aiocells._declaring.source import globals_of
from aiocells._declaring.spec import PLAIN, PLAIN_SPEC, CellSpec, Input, Lazy
from aiocells.errors import DeclarationError, UnbindableParameter

Function = Callable[..., Any]


def bind(given: Iterable[tuple[str | None, Function]], owner: object = None) -> Bound:
    """Bind cells, and everything that they depend on.

    Args:
        given: the cells that the user asked for, each with the name under which it
            was found, if any.
        owner: the object that they were collected from, if any.
    """
    bound, finder = Bound(), Finder()
    binder = Binder(bound, finder)
    for found, function in given:
        binder.add_given(function, found, owner)
    bound.given, bound.owner = len(bound.nodes), owner
    binder.bind_from(0)
    return bound


class Binder:
    """Binds cells, one after the other.

    Args:
        bound: where all of it is kept.
        finder: knows the cells.
    """

    def __init__(self, bound: Bound, finder: Finder) -> None:
        self.bound = bound
        self._finder = finder
        self._resolve = Resolver(finder).resolve
        self._slots = {name: slot for slot, name in enumerate(bound.inputs)}

    def add_given(self, function: Function, found: str | None, owner: object) -> None:
        """Record a cell that the user asked for."""
        count = len(self.bound.nodes)
        if self._number(function, found) == count:  # else it was found before
            self._finder.add_given(function, found, owner)

    def bind_from(self, first: int) -> None:
        """Bind all cells from a number on, and those that they need."""
        bound, has_owners = self.bound, self._finder.has_owners
        # The list grows while it is walked: dependencies are bound in their turn.
        for number, function in enumerate(islice(bound.nodes, first, None), first):
            quick = quick_sources(function, bound.index)
            if quick is None or has_owners:
                self.bind_one(number, function)
                continue
            sources, kind = quick
            bound.specs.append(PLAIN_SPEC)
            bound.kinds.append(kind)
            bound.args.append(sources)
            bound.needs.append(_without_repeats(sources))
        for function, name in self._finder.names.items():
            bound.names[self._number(function)] = name
        if has_owners:
            self._name_inherited(first)

    def _name_inherited(self, first: int) -> None:
        """Keep the names of methods that have inherited their `name=`."""
        bound = self.bound
        for number, spec in enumerate(islice(bound.specs, first, None), first):
            if spec is not None and spec.options is not None and spec.options.name:
                bound.names[number] = spec.options.name

    def _number(self, function: Function, found: str | None = None) -> int:
        bound = self.bound
        try:
            number = bound.index.get(function)
        except TypeError as error:
            cell = _names.described(_names.fallback_name(function), function)
            msg = (
                f"{cell} cannot be a cell: it is not hashable. Call it from a function "
                "of your own."
            )
            raise DeclarationError(msg, cell=function) from error
        if number is None:
            number = bound.index[function] = len(bound.nodes)
            bound.nodes.append(function)
        elif (
            bound.nodes[number] is not function
            and self._finder.written(bound.nodes[number]) is not function
        ):
            self._refuse_other(bound.nodes[number], function, found)
        return number

    def _refuse_other(
        self, known: Function, function: Function, found: str | None
    ) -> None:
        """Refuse a cell that is equal to one that is declared otherwise."""
        finder = self._finder
        spec = finder.spec_of(function)
        if finder.spec_of(known) == spec:
            return
        name = spec.options.name if spec.options is not None else None
        name = name or found or _names.fallback_name(function)
        other = _names.described(name, function)
        msg = (
            f"{finder.described(known)} and {other} are equal, but declared "
            "differently, so that a graph would lose one of them. Have their class "
            "compare by identity, as @dataclass(eq=False) does."
        )
        raise DeclarationError(msg, cell=function)

    # One cell

    def bind_one(self, number: int, cell: Function) -> None:
        """Bind a cell, whose function may be one that stands for it."""
        bound, finder = self.bound, self._finder
        function = finder.written(cell)
        spec = finder.spec_of(cell)
        kind = kind_of(function)
        bound.specs.append(spec)
        bound.kinds.append(kind)
        options = spec.options or PLAIN
        if options is not PLAIN or kind is not Kind.PLAIN:
            check_declaration(lambda: finder.described(cell), function, options, kind)
            if isinstance(options.limit, tuple):
                bound.several_limits.append(number)
        parameters = parameters_of(function)
        ordered = [self._resolve(part, cell) for part in spec.order]
        bindings = self._bindings(cell, spec, parameters) if spec.bindings else {}
        if bindings and not parameters.is_known:
            parameters = parameters._replace(keyword=tuple(bindings))
        sources, sizes, optional, asking = self._sources(
            cell, parameters, bindings, ordered
        )
        if sources and sources[0] < 0 and is_unbound(function):
            self._refuse_unbound(function)
        needs = [self._number(part) for each in ordered for part in cells_of(each)]
        if asking:
            bound.asking[number] = tuple(asking)
            waits_for = set(enumerate(sources)).difference(
                (place, sources[place]) for place in asking
            )
            asked = {sources[place] for place in asking}
            bound.lazy[number] = asked.difference(needs, (s for _, s in waits_for))
        needs.extend([source for source in sources if source >= 0])
        bound.needs.append(_without_repeats(tuple(needs)))
        bound.args.append(tuple(sources))
        if optional:
            bound.optional[number] = tuple(optional.values())
        keywords = parameters.keyword
        if optional and is_wrapper(function):
            # One that gives a parameter itself does so by keyword.
            count = by_position(function, len(parameters.positional), optional)
            keywords = parameters.names[count:]
        if keywords or sizes.count(None) < len(sizes):
            bound.shapes[number] = Shape(tuple(sizes), keywords)

    def _sources(
        self,
        function: Function,
        parameters: Parameters,
        bindings: dict[str, Any],
        ordered: list[Function],
    ) -> tuple[list[int], list[Group], dict[int, int], list[int]]:
        """Where the values of a call come from, and what makes up each argument.

        Then come the inputs that the cell can do without, by the position of the
        parameter; and the places, among the first, of what it may ask for.

        Args:
            function: the cell.
            parameters: its parameters.
            bindings: those that `depends_on` binds by keyword.
            ordered: the cells that it names by position.
        """
        finder, defaults = self._finder, parameters.defaults
        sources: list[int] = []
        sizes: list[Group] = []
        optional: dict[int, int] = {}
        asking: list[int] = []
        module = globals_of(function) if parameters is not NO_PARAMETERS else {}
        for name in parameters.names:
            arg: Any = bindings.get(name)
            if arg is None and ordered:
                arg = finder.among_ordered(function, name, ordered, module)
            if arg is None:
                arg = finder.by_name(function, name, module)
            if arg is None and name not in defaults:
                arg = finder.among_given(function, name)
            if type(arg) is list or type(arg) is dict:
                for part in cells_of(arg):
                    if type(part) is Lazy:
                        asking.append(len(sources))
                    sources.append(self._source(part, name))
                sizes.append(len(arg) if type(arg) is list else Keys(tuple(arg)))
            else:
                if type(arg) is Lazy:
                    asking.append(len(sources))
                source = self._source(arg, name)
                if source < 0 and name in defaults:
                    optional[len(sizes)] = ~source
                sources.append(source)
                sizes.append(None)
        return sources, sizes, optional, asking

    def _source(self, arg: Any, name: str) -> int:
        """The number of a cell, or the complement of that of an input."""
        if arg is None:
            return ~self._slot(name)
        if isinstance(arg, Input):
            if arg.secret is not None:
                secret = self.bound.secret
                secret[arg.name] = arg.secret or secret.get(arg.name, False)
            return ~self._slot(arg.name)
        cell: Any = arg.cell if isinstance(arg, Lazy) else arg
        return self._number(cell)

    def _slot(self, name: str) -> int:
        slot = self._slots.get(name)
        if slot is None:
            slot = self._slots[name] = len(self.bound.inputs)
            self.bound.inputs.append(name)
        return slot

    def _refuse_unbound(self, function: Function) -> NoReturn:
        cell = _names.described(function.__qualname__, function)
        msg = (
            f"{cell} is a method that is bound to no object, which it would want as an "
            "input. Collect the object's cells with Graph.from_object(obj), or give a "
            "bound method."
        )
        raise DeclarationError(msg, cell=function)

    # The keywords of depends_on

    def _bindings(
        self, function: Function, spec: CellSpec, parameters: Parameters
    ) -> dict[str, Any]:
        resolve = self._resolve
        resolved: dict[str, Any] = {}
        for written, binding in spec.bindings:
            name = written
            if name not in parameters.names:
                name = _names.mangled(name, self._finder.written(function))
            if name not in parameters.names and (
                parameters.is_known or name in parameters.unbindable
            ):
                self._refuse_parameter(function, written, parameters)
            if not isinstance(binding, tuple):
                resolved[name] = resolve(binding, function)
                continue
            parts = resolved[name] = [resolve(part, function) for part in binding]
            for part, reference in zip(parts, binding, strict=True):
                if type(part) in (list, dict):
                    msg = (
                        f"@depends_on({name}=...) of {self._finder.described(function)}"
                        f": {reference!r} is a family of cells, which cannot stand in "
                        "a list. Bind it alone, or list its cells."
                    )
                    raise DeclarationError(msg, cell=function)
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
                has = ", ".join(parameters.names) or "none that can be bound"
                why += f" Its parameters: {has}."
        msg = f"@depends_on({name}=...) of {self._finder.described(function)}: {why}"
        raise UnbindableParameter(msg, cell=function, parameter=name)


def _without_repeats(numbers: tuple[int, ...]) -> tuple[int, ...]:
    """The same numbers, each once; the same tuple where that is so already."""
    unique = dict.fromkeys(numbers)
    return numbers if len(unique) == len(numbers) else tuple(unique)
