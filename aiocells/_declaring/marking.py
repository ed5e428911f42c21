"""Marking a function: what the decorators have in common."""

import functools
import types
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import attrs

from aiocells._declaring import marks
from aiocells._declaring import names as _names
from aiocells._declaring.spec import PLAIN, PLAIN_SPEC, UNMARKED, CellSpec, Options
from aiocells.errors import DeclarationError

Function = TypeVar("Function", bound=Callable[..., Any])

_WRITE = "Write @cell, or @depends_on(...) with what must come first."


def mark(function: Function, change: Callable[[CellSpec], CellSpec]) -> Function:
    """Mark a function with what `change` makes of the spec that it has."""
    if isinstance(function, types.MethodType):
        msg = (
            f"{_described(function)} is a bound method, which cannot be marked. Mark "
            "the function in the class, and collect the object's cells with "
            "Graph.from_object(obj)."
        )
        raise DeclarationError(msg, cell=function)
    if isinstance(function, DependsOn):
        refuse_decorator(function)
    if not callable(function):
        hint = (
            "Put @classmethod above @cell."
            if isinstance(function, classmethod)
            else "A cell is a function, or another object that can be called."
        )
        msg = f"{function!r} cannot be a cell: it is not callable. {hint}"
        raise DeclarationError(msg, cell=function)
    spec = change(marks.spec_of(function) or UNMARKED)
    try:
        marks.leave(function, spec)
    except Exception as error:
        msg = (
            f"{function!r} cannot be a cell: it takes no attributes, so it cannot be "
            "marked. Wrap it: cell(functools.partial(...)), or call it from a "
            "function of your own."
        )
        raise DeclarationError(msg, cell=function) from error
    return function


def _described(function: Any) -> str:
    name = getattr(function, "__qualname__", None) or _names.fallback_name(function)
    return _names.described(name, function)


def _with_options(options: Options, function: Any, spec: CellSpec) -> CellSpec:
    if spec.options is not None and spec.options != options:
        msg = (
            f"{_described(function)} is marked twice, as {spec.options} and as "
            f"{options}. One function is one cell: make a family of cells with "
            "functools.partial, as in cell(functools.partial(function, ...), name=...)."
        )
        raise DeclarationError(msg, cell=function)
    if options == PLAIN and spec is UNMARKED:
        return PLAIN_SPEC
    return attrs.evolve(spec, options=options)


def mark_options(options: Options, function: Function) -> Function:
    """Mark a function with what `cell` or `resource` said of it."""
    if isinstance(function, str):
        decorator = "resource" if options.is_resource else "cell"
        msg = (
            f"@{decorator}({function!r}): a name is given by keyword: "
            f"@{decorator}(name={function!r})."
        )
        raise DeclarationError(msg, cell=function)
    return mark(function, functools.partial(_with_options, options, function))


class DependsOn:
    """The decorator that `depends_on(...)` makes."""

    def __init__(
        self,
        order: tuple[Any, ...],
        bindings: dict[str, Any],
        called: tuple[tuple[str, Any], ...] = (),
    ) -> None:
        self.order = order
        self.bindings = bindings
        self.called = called

    def __call__(self, function: Function) -> Function:
        return mark(function, functools.partial(self._add, function))

    def _add(self, function: Any, spec: CellSpec) -> CellSpec:
        both = dict(self.bindings)
        for parameter, bound in spec.bindings:
            if parameter in both and both[parameter] != bound:
                msg = (
                    f"the parameter {parameter!r} of {_described(function)} is bound "
                    f"twice, to {both[parameter]!r} and to {bound!r}. Keep one of the "
                    "two."
                )
                raise DeclarationError(msg, cell=function)
            both[parameter] = bound
        return attrs.evolve(
            spec,
            order=self.order + spec.order,
            bindings=tuple(both.items()),
            called=self.called + spec.called,
        )


def refuse_decorator(decorator: DependsOn) -> NoReturn:
    """Refuse what `depends_on(...)` gave, where a cell is expected."""
    order = decorator.order
    given = [_described(each) if callable(each) else repr(each) for each in order]
    given += [f"{parameter}=..." for parameter in decorator.bindings]
    msg = (
        f"depends_on({', '.join(given)}) stands where a cell is expected. Was a "
        f"function decorated with @depends_on without parentheses? {_WRITE}"
    )
    raise DeclarationError(msg, cell=decorator)


def refuse_bare(name: str, value: object) -> None:
    """Refuse a function that `@depends_on` without parentheses replaced.

    Args:
        name: the name under which a module or a class has it.
        value: anything; a `depends_on(...)` that is kept for use has another name
            than its argument.
    """
    if type(value) is DependsOn and [
        getattr(each, "__name__", None) for each in value.order
    ] == [name]:
        msg = (
            f"{_described(value.order[0])} was decorated with @depends_on without "
            f"parentheses, and is lost. {_WRITE}"
        )
        raise DeclarationError(msg, cell=value.order[0])
