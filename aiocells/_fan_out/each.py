"""Declaring a fan-out: `each`."""

import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, TypeVar, overload

from aiocells._declaring.caching import Cached
from aiocells._fan_out.cells import Each
from aiocells._fan_out.declaring import made_from

Value = TypeVar("Value")
Key = TypeVar("Key")


@overload
def each(  # type: ignore[overload-overlap]
    function: Callable[..., Awaitable[Value]],
    over: Mapping[str, Any],
    /,
    *,
    name: str | None = ...,
    run_in: str | None = ...,
    limit: int | str | tuple[str, ...] | None = ...,
    timeout: float | None = ...,
    fallback: Callable[[Any], Any] | None = ...,
    cache: bool | Cached | None = ...,
    secret: bool | None = ...,
    on_error: Literal["raise"] = ...,
    product: bool = ...,
) -> Each[Awaitable[list[Value]]]: ...


@overload
def each(  # type: ignore[overload-overlap]
    function: Callable[..., Awaitable[Value]],
    over: Mapping[str, Any],
    /,
    *,
    name: str | None = ...,
    run_in: str | None = ...,
    limit: int | str | tuple[str, ...] | None = ...,
    timeout: float | None = ...,
    fallback: Callable[[Any], Any] | None = ...,
    cache: bool | Cached | None = ...,
    secret: bool | None = ...,
    on_error: Literal["keep"],
    product: bool = ...,
) -> Each[Awaitable[list[Value | Exception]]]: ...


@overload
def each(  # type: ignore[overload-overlap]
    function: Callable[..., Awaitable[Value]],
    /,
    *,
    name: str | None = ...,
    run_in: str | None = ...,
    limit: int | str | tuple[str, ...] | None = ...,
    timeout: float | None = ...,
    fallback: Callable[[Any], Any] | None = ...,
    cache: bool | Cached | None = ...,
    secret: bool | None = ...,
    on_error: Literal["raise"] = ...,
    product: bool = ...,
    **iterated: Callable[..., Mapping[Key, Any]]
    | Callable[..., Awaitable[Mapping[Key, Any]]],
) -> Each[Awaitable[dict[Key, Value]]]: ...


@overload
def each(
    function: Callable[..., Awaitable[Value]],
    /,
    *,
    name: str | None = ...,
    run_in: str | None = ...,
    limit: int | str | tuple[str, ...] | None = ...,
    timeout: float | None = ...,
    fallback: Callable[[Any], Any] | None = ...,
    cache: bool | Cached | None = ...,
    secret: bool | None = ...,
    on_error: Literal["raise"] = ...,
    product: bool = ...,
    **iterated: Any,
) -> Each[Awaitable[list[Value]]]: ...


@overload
def each(  # pyright: ignore[reportOverlappingOverload]
    function: Callable[..., Awaitable[Value]],
    /,
    *,
    name: str | None = ...,
    run_in: str | None = ...,
    limit: int | str | tuple[str, ...] | None = ...,
    timeout: float | None = ...,
    fallback: Callable[[Any], Any] | None = ...,
    cache: bool | Cached | None = ...,
    secret: bool | None = ...,
    on_error: Literal["keep"],
    product: bool = ...,
    **iterated: Any,
) -> Each[Awaitable[list[Value | Exception]]]: ...


@overload
def each(
    function: Callable[..., Value],
    over: Mapping[str, Any],
    /,
    *,
    name: str | None = ...,
    run_in: str | None = ...,
    limit: int | str | tuple[str, ...] | None = ...,
    timeout: float | None = ...,
    fallback: Callable[[Any], Any] | None = ...,
    cache: bool | Cached | None = ...,
    secret: bool | None = ...,
    on_error: Literal["raise"] = ...,
    product: bool = ...,
) -> Each[list[Value]]: ...


@overload
def each(
    function: Callable[..., Value],
    over: Mapping[str, Any],
    /,
    *,
    name: str | None = ...,
    run_in: str | None = ...,
    limit: int | str | tuple[str, ...] | None = ...,
    timeout: float | None = ...,
    fallback: Callable[[Any], Any] | None = ...,
    cache: bool | Cached | None = ...,
    secret: bool | None = ...,
    on_error: Literal["keep"],
    product: bool = ...,
) -> Each[list[Value | Exception]]: ...


@overload
def each(
    function: Callable[..., Value],
    /,
    *,
    name: str | None = ...,
    run_in: str | None = ...,
    limit: int | str | tuple[str, ...] | None = ...,
    timeout: float | None = ...,
    fallback: Callable[[Any], Any] | None = ...,
    cache: bool | Cached | None = ...,
    secret: bool | None = ...,
    on_error: Literal["raise"] = ...,
    product: bool = ...,
    **iterated: Callable[..., Mapping[Key, Any]]
    | Callable[..., Awaitable[Mapping[Key, Any]]],
) -> Each[dict[Key, Value]]: ...


@overload
def each(
    function: Callable[..., Value],
    /,
    *,
    name: str | None = ...,
    run_in: str | None = ...,
    limit: int | str | tuple[str, ...] | None = ...,
    timeout: float | None = ...,
    fallback: Callable[[Any], Any] | None = ...,
    cache: bool | Cached | None = ...,
    secret: bool | None = ...,
    on_error: Literal["raise"] = ...,
    product: bool = ...,
    **iterated: Any,
) -> Each[list[Value]]: ...


@overload
def each(
    function: Callable[..., Value],
    /,
    *,
    name: str | None = ...,
    run_in: str | None = ...,
    limit: int | str | tuple[str, ...] | None = ...,
    timeout: float | None = ...,
    fallback: Callable[[Any], Any] | None = ...,
    cache: bool | Cached | None = ...,
    secret: bool | None = ...,
    on_error: Literal["keep"],
    product: bool = ...,
    **iterated: Any,
) -> Each[list[Value | Exception]]: ...


def each(
    function: Callable[..., Any],
    over: Mapping[str, Any] | None = None,
    /,
    *,
    name: str | None = None,
    run_in: str | None = None,
    limit: int | str | tuple[str, ...] | None = None,
    timeout: float | None = None,
    fallback: Callable[[Any], Any] | None = None,
    cache: bool | Cached | None = None,
    secret: bool | None = None,
    on_error: str = "raise",
    product: bool = False,
    **iterated: Any,
) -> Any:
    """Make a cell that calls a function once for each item of other cells' values.

    Its value is the list of what the calls return, or a dict where a mapping is
    iterated, whose values are the items. What is not iterated is bound as if the
    function were a cell, which it does not become.

    Args:
        function: a plain or an `async def` function, or another callable.
        over: what is iterated, as a mapping, where a parameter bears an option's name.
        name: the cell's name; by default that under which its module has it.
        run_in: where plain items run, as for `cell`; in processes, several at a time.
        limit: how many items may run at once: by default 100 async ones, 40 in threads,
            else as many as there are processors; or the name of a limit they count to.
        timeout: seconds after which an async item fails with a TimeoutError.
        fallback, cache, secret: of the cell and its value, as for `cell`.
        on_error: whether the first item that fails fails the cell ("raise"), or each
            failed item's exception takes its place among the values ("keep").
        product: whether each goes with each, the first written varying slowest; else
            what is iterated goes side by side.
        iterated: for each parameter what gives its items: a cell, a name, an `Input`,
            or a list of cells. Any iterable but a string or table; alone, an async one.

    Returns:
        The cell, which can be called as the function can, with all items at once.

    Raises:
        DeclarationError: the function or an option does not fit.
        UnbindableParameter: the function has no such parameter.

    >>> from aiocells import Graph, Input, compute_sequential, each
    >>> def score(word: str, bonus: int) -> int:
    ...     return len(word) + bonus
    >>> scores = each(score, word=Input("words"))
    >>> inputs = {"words": ["plain", "cell"], "bonus": 1}
    >>> compute_sequential(Graph.from_cells(scores), inputs=inputs)[scores]
    [6, 5]
    """
    given = (name, run_in, limit, timeout, fallback, cache, secret)
    how = {"on_error": on_error, "product": product}
    frame = sys._getframe(1)
    return made_from(function, over, iterated, given, how, frame)
