"""Giving up a clean-up that does not end, though it was cancelled."""

import asyncio
import contextlib
import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any


class ThrownAway(BaseException):
    """Raised where a clean-up stands that is given up."""


async def clean_up_within(seconds: float, step: Coroutine[Any, Any, None]) -> None:
    """Await the clean-up of a resource for a bounded time, whatever it does.

    It is cancelled when the time is over. One that swallows this may go on for as long
    again; then it is thrown away where it stands.

    Raises:
        TimeoutError: the time was over.
    """
    # Most clean-ups never suspend. They cannot be bounded, and need no timer.
    try:
        waited_for = step.send(None)
    except StopIteration:
        return
    loop = asyncio.get_running_loop()
    bound, last = asyncio.timeout(seconds), asyncio.timeout(None)

    def is_given_up() -> bool:
        if bound.expired() and last.when() is None:
            last.reschedule(loop.time() + seconds)
        return last.expired()

    cause: BaseException | None = None
    try:
        async with last, bound:
            await _until(is_given_up, step, waited_for)
    except TimeoutError as error:
        if not bound.expired():
            raise
        cause = error
    if bound.expired():
        msg = f"the clean-up of the resource took longer than {seconds:g} s"
        if last.expired():
            msg += ", went on when it was cancelled, and was thrown away"
        try:
            raise TimeoutError(msg) from cause
        finally:
            del cause


@types.coroutine
def _until(
    is_given_up: Callable[[], bool],
    step: Coroutine[Any, Any, None],
    waited_for: Any,
) -> Generator[Any, None, None]:
    """Await a coroutine, and throw it away at a cancellation with which it is given up.

    The coroutine has begun.

    Args:
        is_given_up: asked at each cancellation.
        step: the coroutine.
        waited_for: what it waits for first.
    """
    thrown: BaseException | None = None
    try:
        while True:
            try:
                yield waited_for
            except BaseException as error:
                if is_given_up():
                    _throw_away(step)
                    raise
                thrown = error
            try:
                waited_for = step.send(None) if thrown is None else step.throw(thrown)
            except StopIteration:
                return
            thrown = None
    finally:
        # The exception holds this frame: that must not hold the exception.
        del thrown


def _throw_away(step: Coroutine[Any, Any, None]) -> None:
    """End a coroutine where it stands; if it will not, leave it there for good."""
    try:
        # Closing it would not reach into an async generator that it awaits.
        step.throw(ThrownAway())
    except (ThrownAway, StopIteration):
        return
    with contextlib.suppress(RuntimeError):
        step.close()
