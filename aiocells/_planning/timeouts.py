"""Time limits of async cells."""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Any


async def within(seconds: float, what: str, awaitable: Awaitable[Any]) -> Any:
    """Await something for a bounded time.

    Args:
        seconds: the bound.
        what: the start of the message, such as "the cell".
        awaitable: what to await; it is cancelled when the time is over.

    Raises:
        TimeoutError: the time was over, and it raised nothing else when it was
            cancelled. What it may have returned then came too late.
    """
    limit = asyncio.timeout(seconds)
    cause: BaseException | None = None
    failure: BaseException | None = None
    value = None
    try:
        async with limit:
            try:
                value = await awaitable
            except asyncio.CancelledError:
                raise
            except BaseException as error:
                # Past asyncio, which from Python 3.13 on sets attributes of it, and
                # these may be refused.
                failure = error
    except TimeoutError as error:
        cause = error
    if failure is not None:
        try:
            raise failure
        finally:
            del failure  # it holds this frame
    if not limit.expired():
        return value
    msg = f"{what} took longer than {seconds:g} s"
    try:
        raise TimeoutError(msg) from cause
    finally:
        del cause


def with_timeout(function: Callable[..., Any], seconds: float) -> Callable[..., Any]:
    """`function`, an async one, that fails when it takes longer than `seconds`."""

    @functools.wraps(function, assigned=(), updated=())
    async def call(*values: Any) -> Any:
        return await within(seconds, "the cell", function(*values))

    return call
