"""Calls of cells as bytes, and what is answered, for processes of any kind.

A pool says little of what it cannot pickle, and breaks at what it cannot unpickle. It
also sets attributes of the exceptions that it sends, which those may refuse.
"""

import pickle
from collections.abc import Callable
from concurrent.futures import Executor
from multiprocessing.reduction import ForkingPickler
from typing import Any

from aiocells._outcome import failures as _failures
from aiocells._outcome import sending as _sending
from aiocells._outcome.exceptions import text_of
from aiocells._running.waiting import outlast

# The value, or what the cell raised; and which of the two it is.
Answer = tuple[bytes, bool]


async def call_in_process(
    pool: Executor, function: Callable[..., Any], values: tuple[Any, ...]
) -> Any:
    """Call a cell in a process of a pool.

    Args:
        pool: where to call it.
        function: the cell.
        values: its arguments.

    Returns:
        What the cell returned.

    Raises:
        PicklingError: an argument, or the value, cannot be sent.
        UnpicklingError: it cannot be read where it arrived.
        BaseException: what the cell raised.
    """
    call = packed_call(function, values)
    return value_of(await outlast(pool.submit(answer_to, call)))


def packed_call(function: Callable[..., Any], values: tuple[Any, ...]) -> bytes:
    """What `answer_to` takes.

    Raises:
        PicklingError: an argument cannot be sent.
    """
    return _packed((function, values), "an argument cannot be sent to the process")


def value_of(answer: Answer) -> Any:
    """What a worker answered; what its cell raised is raised."""
    data, is_failure = answer
    if not is_failure:
        return _unpacked(data, "the value that the process sent cannot be read")
    what = "the exception that the process sent cannot be read"
    error = _unpacked(data, what, _sending.unpacked)
    try:
        raise error
    finally:
        del error  # it holds this frame


def answer_to(call: bytes) -> Answer:
    """Call a cell; runs in the other process, and raises nothing."""
    what = "the cell, or an argument of it, cannot be read in the process"
    try:
        function, values = _unpacked(call, what)
        value = _failures.without_stop_iteration(function, values)
        return _packed(value, "the value cannot be sent back from the process"), False
    except BaseException as error:
        return _sending.packed(error), True


def _packed(value: Any, what: str) -> bytes:
    try:
        return bytes(ForkingPickler.dumps(value))
    except Exception as error:
        msg = f"{what}: {text_of(error)}"
        raise pickle.PicklingError(msg) from error


def _unpacked(
    data: bytes, what: str, unpack: Callable[[bytes], Any] = pickle.loads
) -> Any:
    try:
        return unpack(data)
    except Exception as error:
        msg = f"{what}: {text_of(error)}"
        raise pickle.UnpicklingError(msg) from error
