"""Stand-ins for eight backends: slow, not always there, and with limits of their own.

Real ones would take the place of all this; the cells would stay as they are.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Self

from aiohttp import web

CUSTOMERS = 500
NAMES = ("Ada", "Bob", "Cleo", "Dan")
PLACES = ("in the warehouse", "on its way", "at the post office")
TASTES = ("green", "black", "smoked")


class Refused(Exception):
    """A backend answers with another status than 200."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


async def customer(number: int) -> dict[str, Any]:
    """Who has a number."""
    if not 0 < number <= CUSTOMERS:
        raise Refused(404)
    return {"number": number, "name": NAMES[number % 4]}


async def offers(_: int) -> list[str]:
    """The same for everybody."""
    return ["teapot", "sieve"]


async def orders(customer: int) -> list[int]:
    """Two orders for each customer; down for customer 400."""
    if customer == 400:
        raise Refused(500)
    return [customer, customer + CUSTOMERS]


async def parcel(order: int) -> str:
    """Where an order is."""
    return PLACES[order % 3]


async def points(customer: int) -> int:
    """Every tenth customer has enough for a voucher."""
    return 1200 if customer % 10 == 0 else 10 * (customer % 50)


async def taste(order: int) -> str:
    """Down for the orders whose number ends in 5."""
    if order % 10 == 5:
        raise Refused(503)
    return TASTES[order % 3]


async def recommendations(customer: int) -> list[str]:
    """No answer at all for the customers after number 450."""
    if customer > 450:
        await asyncio.Event().wait()
    return ["tea", "cups"]


async def vouchers(customer: int) -> list[str]:
    """One for each who asks."""
    return [f"TEA-{customer:03}"]


@dataclass(frozen=True)
class Backend:
    """One of them.

    Attributes:
        answer: what it says about a number.
        seconds: how long that takes.
        most: how many questions it takes at once; it refuses who comes then.
    """

    answer: Callable[[int], Awaitable[Any]]
    seconds: float
    most: int


BACKENDS = {
    "customers": Backend(customer, 0.03, 8),
    "offers": Backend(offers, 0.05, 10),
    "orders": Backend(orders, 0.05, 6),
    "parcels": Backend(parcel, 0.08, 6),
    "points": Backend(points, 0.04, 8),
    "recommendations": Backend(recommendations, 0.1, 4),
    "taste": Backend(taste, 0.06, 4),
    "vouchers": Backend(vouchers, 0.02, 2),
}


class Backends:
    """All of them, served at one address as long as `async with` lasts.

    Attributes:
        address: where they are.
        inside: how many questions each is answering.
        most_inside: the most that each has been answering at once.
        answered: how often each has answered, by its name and the status.
    """

    def __init__(
        self, pause: Callable[[float], Awaitable[Any]] = asyncio.sleep
    ) -> None:
        """Serve nothing yet; `pause` is what takes the time of an answer."""
        self.address = ""
        self.inside: Counter[str] = Counter()
        self.most_inside: Counter[str] = Counter()
        self.answered: Counter[tuple[str, int]] = Counter()
        self._pause = pause
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Listen at a port that is free."""
        app = web.Application()
        paths = ("/{backend}", "/{backend}/{about}")
        app.add_routes([web.get(path, self._handle) for path in paths])
        # A request whose client has gone is given up.
        runner = web.AppRunner(app, handler_cancellation=True)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        self.address = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the port and all connections."""
        await self._stack.aclose()

    async def _handle(self, request: web.Request) -> web.Response:
        name = request.match_info["backend"]
        about = int(request.match_info.get("about", 0))
        key = request.headers.get("Authorization", "")
        body: Any = None
        try:
            if not key.startswith("Bearer "):
                raise Refused(401)
            body = await self._answer(name, about)
            status = 200
        except Refused as refused:
            status = refused.status
        self.answered[name, status] += 1
        return web.json_response(body, status=status)

    async def _answer(self, name: str, about: int) -> Any:
        backend = BACKENDS[name]
        if self.inside[name] == backend.most:
            raise Refused(429)
        self.inside[name] += 1
        self.most_inside[name] = max(self.most_inside[name], self.inside[name])
        try:
            await self._pause(backend.seconds)
            return await backend.answer(about)
        finally:
            self.inside[name] -= 1
