"""Opening and closing what `@resource` declares."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from typing import Any

# Seconds that the clean-up of an async resource may take, unless it says otherwise.
CLOSE_TIMEOUT = 30.0


class OpenResource:
    """A resource, from its opening to its closing.

    The methods are coroutines, which never suspend where the resource is a plain
    generator, so that a computer without an event loop can run them as well.

    Args:
        generator: what the resource's function returned.
    """

    __slots__ = ("_generator",)

    def __init__(
        self, generator: Generator[Any, None, Any] | AsyncGenerator[Any, None]
    ) -> None:
        self._generator = generator

    async def open(self) -> Any:
        """Run up to the `yield`; gives the value."""
        generator = self._generator
        try:
            if isinstance(generator, AsyncGenerator):
                return await anext(generator)
            return next(generator)
        except (StopIteration, StopAsyncIteration):
            msg = "the resource ended without a yield; it must yield its value once"
            raise RuntimeError(msg) from None

    async def close(self) -> None:
        """Run what stands after the `yield`."""
        generator = self._generator
        if isinstance(generator, AsyncGenerator):
            await self._close_async(generator)
            return
        try:
            next(generator)
        except StopIteration:
            return
        generator.close()
        raise RuntimeError(_YIELDED_AGAIN)

    async def _close_async(self, generator: AsyncGenerator[Any, None]) -> None:
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT) as limit:
                await anext(generator)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            if not limit.expired():
                raise
            msg = f"the clean-up of the resource took longer than {CLOSE_TIMEOUT:g} s"
            raise TimeoutError(msg) from error
        await generator.aclose()
        raise RuntimeError(_YIELDED_AGAIN)


_YIELDED_AGAIN = "the resource yielded a second time; it must yield its value once"
