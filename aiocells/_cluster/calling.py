"""The calls of cells, as Dask's tasks on a worker."""

import asyncio
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from distributed import get_worker

from aiocells._cluster.failed import (
    UNKNOWN,
    Answered,
    CellFailed,
    Failed,
    NoValue,
    Raised,
    failures_in,
    raise_if_over,
    raised,
)
from aiocells._cluster.internals import leave_slot
from aiocells._cluster.needed import SentCell, sent
from aiocells._cluster.opening import Here, here
from aiocells._cluster.packed import Packed, opened
from aiocells._running.recovering import answer_of


def call(number: int, function: Callable[..., Any], *values: Any) -> Packed:
    """Call a plain cell, whose failure ends the computation.

    Raises:
        CellFailed: it raised something.
    """
    arguments: list[Any] = []
    try:
        arguments = opened(values)
        return Packed(function(*arguments))
    except BaseException as error:
        failure = raised(number, error, arguments)
    raise CellFailed(failure, {})


def nothing() -> None:
    """Stands for a cell where only its resources are to be opened."""


def call_sent(cell: SentCell, *values: Any) -> Any:
    """Call a plain cell of any kind."""
    return concluded(cell, values, functools.partial(_called, cell, values))


def concluded(
    cell: SentCell, values: Sequence[Any], called: Callable[[list[Any]], Any]
) -> Any:
    """What a plain cell gives to those that need it.

    Args:
        cell: the cell.
        values: what was sent along.
        called: calls it; what it is called with goes into the list.

    Raises:
        CellFailed: it ends the computation.
    """
    behind = failures_in(values)
    if behind:
        return without_value(cell, behind)
    arguments: list[Any] = []
    try:
        return Packed(called(arguments))
    except CellFailed:
        raise
    except NoValue as error:
        behind = {**error.failures}
    except BaseException as error:
        return failed(cell, error, arguments)
    return without_value(cell, behind)


def _called(cell: SentCell, values: Sequence[Any], arguments: list[Any]) -> Any:
    if not cell.needs_resources:
        arguments += sent(values, cell.sources)
        return cell.function(*arguments)
    worker = get_worker()
    loop: asyncio.AbstractEventLoop = worker.loop.asyncio_loop  # type: ignore[attr-defined]
    with_resources = here(worker, cell.token)
    waiting = with_resources.arguments(cell, values)
    arguments += asyncio.run_coroutine_threadsafe(waiting, loop).result()
    try:
        return cell.function(*arguments)
    finally:
        loop.call_soon_threadsafe(with_resources.leave)


async def call_async(key: Any, cell: SentCell, *values: Any) -> Any:
    """Await an async cell on the worker's event loop.

    Args:
        key: that of the task, which leaves its slot.
        cell: the cell.
        values: what was sent along.

    Returns:
        What there is for those that need the cell.

    Raises:
        CellFailed: it ends the computation.
    """
    behind = failures_in(values)
    if behind:
        return without_value(cell, behind)
    worker = get_worker()
    leave_slot(worker, key)
    own = here(worker, cell.token)
    arguments: list[Any] = []
    # A task of its own: that of Dask is not to be cancelled.
    task = asyncio.create_task(_awaited(cell, values, own, arguments), name=key[0])
    own.tasks.add(task)
    try:
        return Packed(await task)
    except CellFailed:
        raise
    except NoValue as error:
        behind = {**error.failures}
    except BaseException as error:
        if _is_cancelled():  # the worker is closing: it will run elsewhere
            raise
        return failed(cell, error, arguments)
    finally:
        own.tasks.discard(task)
    return without_value(cell, behind)


def _is_cancelled() -> bool:
    """Whether Dask has cancelled this task."""
    current = asyncio.current_task()
    return current is not None and bool(current.cancelling())


async def _awaited(
    cell: SentCell, values: Sequence[Any], own: Here, arguments: list[Any]
) -> Any:
    arguments += await own.arguments(cell, values)
    try:
        return await cell.function(*arguments)
    finally:
        own.leave()


def failed(cell: SentCell, error: BaseException, arguments: Sequence[Any]) -> Any:
    """What there is in place of a value that a cell has failed to give.

    Raises:
        CellFailed: that ends the computation.
    """
    carried = cell.carries or cell.fallback is not None
    told = known(cell, arguments)
    found = raised(cell.number, error, told, cell.where, carried=carried)
    raise_if_over([found])
    return without_value(cell, {cell.number: found})


def known(cell: SentCell, arguments: Sequence[Any]) -> list[Any]:
    """The arguments of a cell, less those that do not matter here."""
    pairs = zip(cell.sources, arguments, strict=False)
    return [UNKNOWN if source is None else argument for source, argument in pairs]


def without_value(cell: SentCell, behind: Mapping[int, Raised]) -> Any:
    """What there is in place of a value: that of a fallback, or failures.

    Args:
        cell: the cell.
        behind: the failures for which it has no value, its own or others.

    Raises:
        CellFailed: that ends the computation.
    """
    raise_if_over(behind.values())
    if cell.fallback is None:
        return Failed(behind, {})
    first = behind[min(behind)]
    error = first.noted()
    value, other = answer_of(cell.fallback, error)
    if other is None:
        return Answered(value, behind)
    if other is error:
        ends = not cell.carries
        own = first._replace(number=cell.number, ends=ends, is_let_out=True)
    else:
        own = raised(cell.number, other, (), cell.where, carried=cell.carries)
    if own.ends:
        raise CellFailed(own, behind)
    return Failed({cell.number: own}, behind)


def told_of(value: Any) -> Mapping[int, Raised]:
    """The failures for which the fallback of a cell was called.

    They go to the client where the cell's value does not.
    """
    return value.behind if isinstance(value, Answered | Failed) else {}
