"""Declaring: `cell`, `depends_on` and `resource`.

The decorators mark a function with a frozen spec and return the same function.
Collecting reads the marks; nothing else happens here.
"""

import functools
import types
from collections.abc import Callable, Iterable
from typing import Any, TypeVar, overload

import attrs
from typing_extensions import TypeAliasType

from aiocells.errors import DeclarationError

MARK = "__aiocells__"

Function = TypeVar("Function", bound=Callable[..., Any])


@attrs.frozen
class Input:
    """An input of another name than the parameter that it is bound to.

    Args:
        name: the input's name, as the caller of a computer gives it.

    >>> from aiocells import Graph, Input, cell, compute_sequential, depends_on
    >>> @cell
    ... @depends_on(url=Input("billing_url"))
    ... def page(url: str) -> str:
    ...     return f"GET {url}"
    >>> graph = Graph.from_cells(page)
    >>> compute_sequential(graph, inputs={"billing_url": "/bills"})[page]
    'GET /bills'
    """

    name: str = attrs.field(validator=attrs.validators.instance_of(str))


Reference = TypeAliasType("Reference", "Callable[..., Any] | str")
Binding = TypeAliasType(
    "Binding", "Reference | Input | list[Reference | Input] | tuple[Any, ...]"
)


@attrs.frozen
class Options:
    """What `cell` or `resource` said about a function.

    Attributes:
        name: the cell's name, where it is not the function's own.
        is_resource: whether it yields its value, and then cleans up.
        run_in: "thread", "process" or the name of an executor; None for inline.
        limit: the name of the limit that it counts towards.
        timeout: seconds after which an async cell is given up.
    """

    name: str | None = None
    is_resource: bool = False
    run_in: str | None = None
    limit: str | None = None
    timeout: float | None = None


PLAIN = Options()


@attrs.frozen
class CellSpec:
    """What the decorators said about a function.

    Attributes:
        options: from `cell` or `resource`; None if only `depends_on` was used.
        order: the positional arguments of `depends_on`, in the order written.
        bindings: its keyword arguments, as pairs.
    """

    options: Options | None = None
    order: tuple[Any, ...] = ()
    bindings: tuple[tuple[str, Any], ...] = ()


# Most cells have no options: they share these.
UNMARKED = CellSpec()
PLAIN_SPEC = CellSpec(options=PLAIN)


def spec_of(function: Any) -> CellSpec | None:
    """The spec that `function` itself carries, or None.

    Only the object's own attributes count: an instance of a marked class, or a
    subclass of it, is not marked. Objects that refuse to be looked at are no cells.
    """
    if type(function) is types.MethodType:
        function = function.__func__
    try:
        spec = object.__getattribute__(function, "__dict__").get(MARK)
    except Exception:
        return None
    return spec if type(spec) is CellSpec else None


def _mark(function: Function, change: Callable[[CellSpec], CellSpec]) -> Function:
    if isinstance(function, types.MethodType):
        msg = (
            f"{function.__qualname__!r} is a bound method, which cannot be marked. "
            "Mark the function in the class, and collect the object's cells with "
            "Graph.from_object(obj)."
        )
        raise DeclarationError(msg, cell=function)
    if not callable(function):
        hint = (
            " Put @classmethod above @cell."
            if isinstance(function, classmethod)
            else " A cell is a function, or another object that can be called."
        )
        msg = f"{function!r} cannot be a cell: it is not callable.{hint}"
        raise DeclarationError(msg, cell=function)
    spec = change(spec_of(function) or UNMARKED)
    try:
        setattr(function, MARK, spec)
    except Exception as error:
        msg = (
            f"{function!r} cannot be a cell: it takes no attributes, so it cannot be "
            "marked. Wrap it: cell(functools.partial(...)), or call it from a "
            "function of your own."
        )
        raise DeclarationError(msg, cell=function) from error
    return function


def _with_options(options: Options, function: Any, spec: CellSpec) -> CellSpec:
    if spec.options is not None and spec.options != options:
        name = getattr(function, "__qualname__", repr(function))
        msg = (
            f"{name!r} is marked twice, as {spec.options} and as {options}. One "
            "function is one cell: make a family of cells with functools.partial, "
            "as in cell(functools.partial(function, ...), name=...)."
        )
        raise DeclarationError(msg, cell=function)
    if options is PLAIN and spec is UNMARKED:
        return PLAIN_SPEC
    return attrs.evolve(spec, options=options)


def _mark_options(options: Options, function: Function) -> Function:
    return _mark(function, functools.partial(_with_options, options, function))


def _options(**given: Any) -> Options:
    for option in ("name", "run_in", "limit"):
        text = given[option]
        if text is not None and not (isinstance(text, str) and text):
            msg = f"{option}={text!r}: expected a string that is not empty."
            raise DeclarationError(msg)
    timeout = given["timeout"]
    if timeout is not None and not (
        isinstance(timeout, int | float)
        and not isinstance(timeout, bool)
        and timeout > 0
    ):
        msg = f"timeout={timeout!r}: expected a number of seconds above 0."
        raise DeclarationError(msg)
    options = Options(**given)
    return PLAIN if options == PLAIN else options


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
    options = _options(name=name, run_in=run_in, limit=limit, timeout=timeout)
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
    options = _options(
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
                name = getattr(function, "__qualname__", repr(function))
                msg = (
                    f"the parameter {parameter!r} of {name!r} is bound twice, to "
                    f"{both[parameter]!r} and to {bound!r}. Keep one of the two."
                )
                raise DeclarationError(msg, cell=function)
            both[parameter] = bound
        return attrs.evolve(
            spec, order=self.order + spec.order, bindings=tuple(both.items())
        )


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
    for parameter, bound in bindings.items():
        parts: Iterable[Any] = bound if isinstance(bound, list | tuple) else [bound]
        for part in parts:
            if not isinstance(part, Input):
                _check_reference(part, f"{parameter}=")
    return DependsOn(cells, dict(bindings))


def _check_reference(reference: object, where: str = "") -> None:
    if isinstance(reference, Input):
        msg = (
            f"depends_on({reference!r}): an input orders nothing, so it must be bound "
            f"to a parameter: depends_on(parameter={reference!r})."
        )
        raise DeclarationError(msg)
    if not (callable(reference) or (isinstance(reference, str) and reference)):
        msg = (
            f"depends_on({where}{reference!r}): expected a cell, another callable, or "
            'a string such as "name" or "package.module:name".'
        )
        raise DeclarationError(msg)
