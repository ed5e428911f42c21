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
    value = None
    try:
        async with limit:
            value = await awaitable
    except TimeoutError as error:
        if not limit.expired():  # the cell's own
            raise
        cause = error
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
