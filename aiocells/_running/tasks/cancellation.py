"""Getting a cancellation that is on its way."""

import asyncio


async def delivered() -> asyncio.CancelledError:
    """The exception of a cancellation of this task that has not come up yet."""
    thrown = asyncio.CancelledError()
    try:
        # It may be requested, and not thrown yet: nobody must get it later.
        await asyncio.sleep(0)
    except asyncio.CancelledError as error:
        thrown = error
    try:
        return thrown
    finally:
        del thrown  # it holds this frame
