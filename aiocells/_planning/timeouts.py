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
        TimeoutError: the time was over.
    """
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await awaitable
    except TimeoutError as error:
        if not limit.expired():  # the cell's own
            raise
        msg = f"{what} took longer than {seconds:g} s"
        raise TimeoutError(msg) from error


def with_timeout(function: Callable[..., Any], seconds: float) -> Callable[..., Any]:
    """`function`, an async one, that fails when it takes longer than `seconds`."""

    @functools.wraps(function, assigned=(), updated=())
    async def call(*values: Any) -> Any:
        return await within(seconds, "the cell", function(*values))

    return call
