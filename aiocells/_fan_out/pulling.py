"""Items of an async iterator, which is asked for the next one when it has room."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from aiocells._fan_out.items import Row
from aiocells._fan_out.window import Window
from aiocells._typing import override


class PullingWindow(Window):
    """The items that run; each that ends lets the next be asked for."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        # The task that asks for items, and how often it had been cancelled before: that
        # must be told from a cancellation of our own.
        self._puller = asyncio.current_task(self._loop)
        self._cancelling = 0 if self._puller is None else self._puller.cancelling()
        self._is_pulling = False
        self._has_cancelled_puller = False

    async def pull(
        self, source: AsyncIterator[Any], filled: Callable[[tuple[Any]], Row]
    ) -> None:
        """Run the items of an async iterator, which is asked for one when it has room.

        Raises:
            BaseException: what the iterator raised, or the cancellation of this; what
                the items raise is gathered.
        """
        self._places.watch(self._wake)
        try:
            try:
                await self._pull_all(source, filled)
            except Exception as error:
                self._interrupt(error)
            except asyncio.CancelledError as error:
                if not self._has_stopped_pulling():
                    self._interrupt(error)
            await self._close_source(source)
            self._has_all = True
            await self._finish()
        finally:
            self._puller = None  # it may hold this
            self._close()

    async def _pull_all(
        self, source: AsyncIterator[Any], filled: Callable[[tuple[Any]], Row]
    ) -> None:
        while True:
            while not (self._is_stopping or self._has_room()):
                await self._wait()
            if self._is_stopping:
                return
            self._is_pulling = True
            try:
                item = await anext(source)
            except StopAsyncIteration:
                return
            finally:
                self._is_pulling = False
            if self._is_stopping:  # what it waited for has caught our cancellation
                self._has_stopped_pulling()
                return
            for row in self._gathering.admitted(filled((item,))):
                self._start(row)

    def _has_stopped_pulling(self) -> bool:
        """Whether a failed item had the iterator cancelled, and nobody else did."""
        if self._puller is None or not self._has_cancelled_puller:
            return False
        self._has_cancelled_puller = False
        return self._puller.uncancel() <= self._cancelling

    async def _close_source(self, source: Any) -> None:
        close = getattr(source, "aclose", None)
        if close is None:
            return
        try:
            await close()
        except (Exception, asyncio.CancelledError) as error:
            self._interrupt(error)

    @override
    def _stop(self) -> None:
        super()._stop()
        if self._is_pulling and self._puller is not None:
            self._is_pulling = False
            self._has_cancelled_puller = True
            self._puller.cancel()
