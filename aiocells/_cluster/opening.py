"""Resources on a worker: opened when first needed, once for each computation."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from distributed import Worker

from aiocells._cluster.failed import NoValue, Raised, raised
from aiocells._cluster.needed import Needed, SentCell, sent
from aiocells._running.resources import OpenResource

# Computations that are over are known for a while: a task may come late.
_MOST_KNOWN = 1000


class Here:
    """What one computation has on one worker. All of it belongs to the event loop.

    Attributes:
        tasks: the async cells that run.
    """

    def __init__(self) -> None:
        self.tasks: set[asyncio.Task[Any]] = set()
        self._held: dict[int, _Held] = {}
        self._open: list[_Held] = []
        self._users = 0
        self._are_gone: asyncio.Future[None] | None = None
        self._is_over = False

    async def arguments(self, cell: SentCell, values: Sequence[Any]) -> list[Any]:
        """What a cell is called with; `leave` is to be called when it has ended.

        Raises:
            NoValue: a resource has no value.
        """
        self.enter()
        try:
            for needed in cell.beside:
                await self._value(needed, values)
            return [await self._argument(each, values) for each in cell.sources]
        except BaseException:
            self.leave()
            raise

    def enter(self) -> None:
        """Note that a cell runs.

        Raises:
            RuntimeError: the computation is over.
        """
        if self._is_over:
            msg = "the computation is over"
            raise RuntimeError(msg)
        self._users += 1

    def leave(self) -> None:
        """Note that a cell has ended, and uses nothing any more."""
        self._users -= 1
        if self._are_gone is not None and not self._users:
            self._are_gone.set_result(None)

    async def end(self) -> list[Raised]:
        """Cancel what is async, and close the resources when nobody uses them.

        Returns:
            What closing them has raised.
        """
        self._is_over = True
        for task in self.tasks:
            task.cancel()
        if self._users:
            self._are_gone = asyncio.get_running_loop().create_future()
            await self._are_gone
        failures = []
        while self._open:
            held = self._open.pop()
            error = await held.close()
            if error is not None:
                failures.append(raised(held.number, error))
        return failures

    async def _argument(self, source: Any, values: Sequence[Any]) -> Any:
        if type(source) is Needed:
            return await self._value(source, values)
        [value] = sent(values, [source])
        return value

    async def _value(self, needed: Needed, values: Sequence[Any]) -> Any:
        held = self._held.get(needed.number)
        if held is None:
            held = self._held[needed.number] = _Held(needed.number)
            held.task = asyncio.create_task(self._hold(held, needed, values))
        # It goes on, whoever waits for it is cancelled.
        return await asyncio.shield(held.value)

    async def _hold(self, held: "_Held", needed: Needed, values: Sequence[Any]) -> None:
        arguments: list[Any] = []
        try:
            resource = await self._made(needed, values, arguments)
            value = await resource.open()
        except NoValue as error:
            held.fail(error)
            return
        except BaseException as error:
            number, where = needed.number, needed.where
            found = raised(number, error, arguments, where, carried=needed.carries)
            held.fail(NoValue({number: found}))
            return
        self._open.append(held)
        held.value.set_result(value)
        del value
        await held.must_close
        await resource.close()

    async def _made(
        self, needed: Needed, values: Sequence[Any], arguments: list[Any]
    ) -> OpenResource:
        """A resource that is about to be opened; what it needs is opened before it."""
        for source in needed.sources:
            arguments.append(await self._argument(source, values))
        # A plain one has a thread, so that the worker answers while it opens.
        return OpenResource(
            needed.function(*arguments),
            timeout=needed.timeout,
            in_thread=not needed.is_async,
        )


class _Held:
    """A resource in a task of its own, in which it is opened and closed.

    Attributes:
        number: of the resource in its graph.
        task: the task.
        value: what it gives.
        must_close: is done when it is to be closed.
    """

    def __init__(self, number: int) -> None:
        loop = asyncio.get_running_loop()
        self.number = number
        self.task: asyncio.Task[None] | None = None
        self.value: asyncio.Future[Any] = loop.create_future()
        self.must_close: asyncio.Future[None] = loop.create_future()

    def fail(self, error: NoValue) -> None:
        """Tell those who want its value that there is none."""
        self.value.set_exception(error)
        self.value.exception()  # none of them may be there any more

    async def close(self) -> BaseException | None:
        """Close it; gives what that raised."""
        assert self.task is not None
        self.must_close.set_result(None)
        try:
            await self.task
        except BaseException as error:
            return error
        return None


_known: OrderedDict[tuple[str, str], Here] = OrderedDict()


def here(worker: Worker, token: str) -> Here:
    """What a computation has on a worker.

    Args:
        worker: of which several may live in one process.
        token: of the computation.
    """
    key = worker.address, token
    found = _known.get(key)
    if found is None:
        found = _known[key] = Here()
        if len(_known) > _MOST_KNOWN:
            _known.popitem(last=False)
    return found


async def end_here(token: str, dask_worker: Worker) -> list[Raised]:
    """End a computation on one worker; runs there."""
    return await here(dask_worker, token).end()
