"""Calls of cells as bytes, and what is answered, for processes of any kind.

A pool says little of what it cannot pickle, and breaks at what it cannot unpickle. It
also sets attributes of the exceptions that it sends, which those may refuse.
"""

import pickle
import traceback
from collections.abc import Callable
from concurrent.futures import Executor
from multiprocessing.reduction import ForkingPickler
from typing import Any

from aiocells._outcome import failures as _failures
from aiocells._outcome.exceptions import set_cause, text_of
from aiocells._outcome.sending import packed
from aiocells._running.waiting import outlast

# The value and None; or what the cell raised, and its traceback.
Answer = tuple[bytes, str | None]


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
    data, told = answer
    what = "value" if told is None else "exception"
    value = _unpacked(data, f"the {what} that the process sent cannot be read")
    if told is None:
        return value
    set_cause(value, _RemoteTraceback(told))
    try:
        raise value
    finally:
        del value  # it holds this frame


class _RemoteTraceback(Exception):
    """Where, in another process, an exception was raised.

    The text is in `tb`, as in the class of that name in concurrent.futures, so that
    whoever cleans tracebacks finds it.
    """

    def __init__(self, tb: str) -> None:
        super().__init__(tb)
        self.tb = tb

    def __str__(self) -> str:
        return f"\n{self.tb}"


def answer_to(call: bytes) -> Answer:
    """Call a cell; runs in the other process, and raises nothing."""
    what = "the cell, or an argument of it, cannot be read in the process"
    try:
        function, values = _unpacked(call, what)
        value = _failures.without_stop_iteration(function, values)
        return _packed(value, "the value cannot be sent back from the process"), None
    except BaseException as error:
        told = "".join(traceback.format_exception(error))
        return packed(error), told


def _packed(value: Any, what: str) -> bytes:
    try:
        return bytes(ForkingPickler.dumps(value))
    except Exception as error:
        msg = f"{what}: {text_of(error)}"
        raise pickle.PicklingError(msg) from error


def _unpacked(data: bytes, what: str) -> Any:
    try:
        return pickle.loads(data)
    except Exception as error:
        msg = f"{what}: {text_of(error)}"
        raise pickle.UnpicklingError(msg) from error
