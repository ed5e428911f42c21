"""Declaring: `cell`, `depends_on` and `resource`.

The decorators mark a function with a frozen spec and return the same function.
Collecting reads the marks; nothing else happens here.
"""

import functools
import types
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar, overload

import attrs

from aiocells._declaring import names as _names
from aiocells._declaring.spec import (
    MARK,
    PLAIN,
    PLAIN_SPEC,
    UNMARKED,
    Binding,
    CellSpec,
    Input,
    Options,
    Reference,
    is_name,
    spec_of,
)
from aiocells.errors import DeclarationError

Function = TypeVar("Function", bound=Callable[..., Any])

_WRITE = "Write @cell, or @depends_on(...) with what must come first."


def _mark(function: Function, change: Callable[[CellSpec], CellSpec]) -> Function:
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
    spec = change(spec_of(function) or UNMARKED)
    holder: Any = function
    if isinstance(holder, staticmethod):
        holder = holder.__func__
    try:
        setattr(holder, MARK, spec)
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


def _mark_options(options: Options, function: Function) -> Function:
    return _mark(function, functools.partial(_with_options, options, function))


@overload
def cell(function: Function, /) -> Function: ...


@overload
def cell(
    *,
    name: str | None = None,
    run_in: str | None = None,
    limit: str | None = None,
    timeout: float | None = None,
) -> Callable[[Function], Function]: ...


def cell(
    function: Any = None,
    /,
    *,
    name: str | None = None,
    run_in: str | None = None,
    limit: str | None = None,
    timeout: float | None = None,
) -> Any:
    """Mark a function as a cell.

    The same function is returned: it can be imported, called and tested as if
    the mark were not there. Its parameters are bound by name to other cells, or
    to inputs, when it is collected into a `Graph`.

    Args:
        function: a plain function, an `async def` function, or another callable.
        name: the cell's name, where the function's own does not fit.
        run_in: where a plain function runs: "thread", "process", or the name of an
            executor that the caller gives; by default inline. `compute_sequential`
            runs every cell inline.
        limit: the name of a limit that the caller gives as `limits={name: count}`.
        timeout: seconds after which an async cell fails with a TimeoutError.

    Returns:
        `function` itself, or with options a decorator that returns it.

    Raises:
        DeclarationError: `function` cannot be marked, or already was marked
            with other options.

    >>> from aiocells import Graph, cell, compute_sequential
    >>> @cell
    ... def price() -> float:
    ...     return 9.5
    >>> @cell(name="bill")
    ... def make_bill(price: float, count: int) -> float:
    ...     return price * count
    >>> graph = Graph.from_cells(price, make_bill)
    >>> compute_sequential(graph, inputs={"count": 2})["bill"]
    19.0
    """
    options = Options(name=name, run_in=run_in, limit=limit, timeout=timeout)
    if function is None:
        return functools.partial(_mark_options, options)
    return _mark_options(options, function)


@overload
def resource(function: Function, /) -> Function: ...


@overload
def resource(
    *,
    name: str | None = None,
    run_in: str | None = None,
    limit: str | None = None,
    timeout: float | None = None,
) -> Callable[[Function], Function]: ...


def resource(
    function: Any = None,
    /,
    *,
    name: str | None = None,
    run_in: str | None = None,
    limit: str | None = None,
    timeout: float | None = None,
) -> Any:
    """Mark a generator function that yields once as a resource.

    Its value is what it yields. The rest is clean-up, and runs after the
    computation, however that ended: no `try` and `finally` is needed. A resource
    is no target of a computation, since its value is closed when that ends.

    Args:
        function: a generator function or an async generator function.
        name: the cell's name, where the function's own does not fit.
        run_in: "thread" has a plain one opened and closed in one thread.
        limit: the name of a limit that holds while it opens.
        timeout: seconds that an async one may take to open, and again to close;
            without it, opening has no bound, and closing has 30 seconds.

    Returns:
        `function` itself, or with options a decorator that returns it.

    Raises:
        DeclarationError: `function` cannot be marked, or already was marked
            with other options.

    >>> import sqlite3
    >>> from aiocells import Graph, cell, compute_sequential, resource
    >>> @resource
    ... def connection():
    ...     opened = sqlite3.connect(":memory:")
    ...     yield opened
    ...     opened.close()
    >>> @cell
    ... def answer(connection: sqlite3.Connection) -> int:
    ...     return connection.execute("select 6 * 7").fetchone()[0]
    >>> compute_sequential(Graph.from_cells(answer, connection))[answer]
    42
    """
    options = Options(
        name=name, is_resource=True, run_in=run_in, limit=limit, timeout=timeout
    )
    if function is None:
        return functools.partial(_mark_options, options)
    return _mark_options(options, function)


class DependsOn:
    """The decorator that `depends_on(...)` makes."""

    def __init__(self, order: tuple[Any, ...], bindings: dict[str, Any]) -> None:
        self.order = order
        self.bindings = bindings

    def __call__(self, function: Function) -> Function:
        return _mark(function, functools.partial(self._add, function))

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
            spec, order=self.order + spec.order, bindings=tuple(both.items())
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


def depends_on(*cells: Reference, **bindings: Binding) -> DependsOn:
    """Say what must be computed before a function, and what it gets.

    Alone it makes the function a cell; it stacks with `cell` and with itself, in
    any order.

    Args:
        cells: computed first. A parameter that bears the name of one of them also
            gets its value. Each is a cell, another callable, or a string: the name
            of a cell that may be defined later, or "package.module:name".
        bindings: for a parameter the cell whose value it gets, an `Input`, or a
            list of these, which gives a list of their values.

    Returns:
        A decorator that marks a function, and returns the same function.

    Raises:
        DeclarationError: an argument is none of these.

    >>> from aiocells import Graph, cell, compute_sequential, depends_on
    >>> @cell
    ... def monday() -> int:
    ...     return 3
    >>> @cell
    ... def tuesday() -> int:
    ...     return 4
    >>> @depends_on(days=[monday, tuesday])
    ... def week(days: list[int]) -> int:
    ...     return sum(days)
    >>> compute_sequential(Graph.from_cells(week))[week]
    7
    """
    for reference in cells:
        _check_reference(reference)
    fixed: dict[str, Any] = {}
    for parameter, bound in bindings.items():
        parts = _parts(bound)
        fixed[parameter] = bound if parts is None else parts
        for part in (bound,) if parts is None else parts:
            if not isinstance(part, Input):
                _check_reference(part, f"{parameter}=")
    return DependsOn(cells, fixed)


def _parts(bound: Any) -> tuple[Any, ...] | None:
    """What a list binding lists; None for one reference."""
    if isinstance(bound, str) or callable(bound) or not isinstance(bound, Sequence):
        return None
    return tuple(bound)


def _check_reference(reference: object, where: str = "") -> None:
    if isinstance(reference, Input):
        msg = (
            f"depends_on({reference!r}): an input orders nothing, so it must be bound "
            f"to a parameter: depends_on(parameter={reference!r})."
        )
        raise DeclarationError(msg)
    if isinstance(reference, DependsOn):
        refuse_decorator(reference)
    if not (
        callable(reference)
        or isinstance(reference, classmethod)  # inside of its class
        or (isinstance(reference, str) and is_name(reference))
    ):
        msg = (
            f"depends_on({where}{reference!r}): expected a cell, another callable, or "
            'a string such as "name" or "package.module:name".'
        )
        raise DeclarationError(msg)
