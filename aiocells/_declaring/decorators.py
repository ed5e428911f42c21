"""Declaring: `cell`, `depends_on` and `resource`.

The decorators mark a function with a frozen spec and return the same function.
Collecting reads the marks; nothing else happens here.
"""

import functools
import inspect
import sys
import types
from collections.abc import Callable, Sequence
from typing import Any, overload

from aiocells._declaring.caching import Cached
from aiocells._declaring.marking import DependsOn, Function, mark_options
from aiocells._declaring.marks import MARK, leave, next_sequence
from aiocells._declaring.names import own_name
from aiocells._declaring.references import (
    as_read,
    check_reference,
    checked_bindings,
)
from aiocells._declaring.spec import PLAIN_SPEC, Binding, Options, Reference

_OPTIMIZED = inspect.CO_OPTIMIZED  # only functions are


@overload
def cell(function: Function, /) -> Function: ...


@overload
def cell(
    *,
    name: str | None = None,
    run_in: str | None = None,
    limit: str | tuple[str, ...] | None = None,
    timeout: float | None = None,
    fallback: Callable[[Any], Any] | None = None,
    secret: bool | None = None,
    cache: bool | Cached | None = None,
) -> Callable[[Function], Function]: ...


def cell(
    function: Any = None,
    /,
    *,
    name: str | None = None,
    run_in: str | None = None,
    limit: str | tuple[str, ...] | None = None,
    timeout: float | None = None,
    fallback: Callable[[Any], Any] | None = None,
    secret: bool | None = None,
    cache: bool | Cached | None = None,
) -> Any:
    """Mark a function as a cell.

    The same function is returned, to be imported, called and tested as without a mark.
    When it is collected into a `Graph`, its parameters are bound by name to other
    cells, or to inputs.

    Args:
        function: a plain or an `async def` function, or another callable.
        name: the cell's name, where the function's own does not fit.
        run_in: where a plain function runs: "thread", "process", or the name of an
            executor of the caller's; by default, and in `compute_sequential`, inline.
        limit: a name in the caller's `limits={name: count}`, or a tuple, in its order.
        timeout: seconds after which an async cell fails with a TimeoutError.
        fallback: a plain function of the exception, which gives the value where this
            cell fails, or what it needs; what only such cells need may fail too.
        secret: whether notes on errors, logs and the command line hide its value; by
            default they do where its name is one of `errors.SECRET_NAMES`.
        cache: whether a `Cache` keeps its value; a `Cached` says how. Secrets are not.

    Returns:
        `function` itself, or with options a decorator that returns it.

    Raises:
        DeclarationError: `function` cannot be marked, or was, with other options.

    >>> from aiocells import Graph, cell, compute_sequential
    >>> @cell(name="bill")
    ... def total(price: float) -> float:
    ...     return 2 * price
    >>> compute_sequential(Graph.from_cells(total), inputs={"price": 9.5})["bill"]
    19.0
    """
    if (
        type(function) is types.FunctionType
        and name is run_in is limit is None
        and timeout is secret is cache is None
        and fallback is None
        and MARK not in function.__dict__
    ):
        by = sys._getframe(1)
        if by.f_globals is function.__globals__ and not by.f_code.co_flags & _OPTIMIZED:
            # As nearly all cells: in one step, 0.3 microseconds in place of 0.75.
            function.__dict__[MARK] = next_sequence()
        else:
            leave(function, PLAIN_SPEC)
        return function
    options = Options(name, False, run_in, limit, timeout, fallback, secret, cache)
    return _marked(function, options)


def _marked(function: Any, options: Options) -> Any:
    """A marked function, or what will mark it."""
    if function is None:
        return functools.partial(mark_options, options)
    return mark_options(options, function)


@overload
def resource(function: Function, /) -> Function: ...


@overload
def resource(
    *,
    name: str | None = None,
    run_in: str | None = None,
    limit: str | tuple[str, ...] | None = None,
    timeout: float | None = None,
    fallback: Callable[[Any], Any] | None = None,
    secret: bool | None = None,
) -> Callable[[Function], Function]: ...


def resource(
    function: Any = None,
    /,
    *,
    name: str | None = None,
    run_in: str | None = None,
    limit: str | tuple[str, ...] | None = None,
    timeout: float | None = None,
    fallback: Callable[[Any], Any] | None = None,
    secret: bool | None = None,
) -> Any:
    """Mark a generator function that yields once as a resource.

    Its value is what it yields. The rest is clean-up, and runs after the
    computation, however that ended: no `try` and `finally` is needed. A resource
    is no target of a computation, since its value is closed when that ends.

    Args:
        function: a generator function or an async generator function.
        name: the cell's name, where the function's own does not fit.
        run_in: "thread" has a plain one opened and closed in one thread.
        limit: the name of a limit that holds while it opens, or a tuple of names.
        timeout: seconds that an async one may take to open, and again to close;
            without it, opening has no bound, and closing has 30 seconds.
        fallback: a plain function of the exception, which gives the value where it
            could not be opened; there is no clean-up then.
        secret: whether its value is hidden, as for `cell`.

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
        name=name,
        is_resource=True,
        run_in=run_in,
        limit=limit,
        timeout=timeout,
        fallback=fallback,
        secret=secret,
    )
    return _marked(function, options)


def depends_on(*cells: Reference, **bindings: Binding) -> DependsOn:
    """Say what must be computed before a function, and what it gets.

    Alone it makes the function a cell; it stacks with `cell` and with itself, in
    any order.

    Args:
        cells: computed first. A parameter that bears the name of one of them also
            gets its value. Each is a cell, another callable, or a string: the name
            of a cell that may be defined later, or "package.module:name".
        bindings: for a parameter the cell whose value it gets, an `Input`, a cell
            that it may ask for, as `Lazy(cell)`, or a list of these, which gives a list
            of their values.

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
        check_reference(reference, "depends_on(")
    cells = tuple(map(as_read, cells))
    fixed = checked_bindings(bindings, "depends_on")
    nameless = [each for each in cells if callable(each) and own_name(each) is None]
    called = _local_names(nameless, sys._getframe(1)) if nameless else ()
    return DependsOn(cells, fixed, called)


def _local_names(
    cells: Sequence[Any], frame: types.FrameType
) -> tuple[tuple[str, Any], ...]:
    """The variables of a function in which cells stand that have no other name."""
    known = frame.f_locals.items() if frame.f_locals is not frame.f_globals else ()
    return tuple(
        (name, each) for name, value in known for each in cells if value is each
    )
