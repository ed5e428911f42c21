"""What the page is made of: a cell for each backend, and what is made of their answers.

Nothing here knows of the web framework, nor of other requests.
"""

import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from typing import Any

from aiohttp import ClientResponseError, ClientSession

from aiocells import Lazy, cell, depends_on, resource

GOLD = 1000


class UnknownCustomer(LookupError):
    """Nobody has this number."""


# These two are made once, when the service starts: see `lifespan` in app.py.


@cell(secret=True)
def api_key() -> str:
    """What the backends know us by; no log shows it."""
    return os.environ.get("STOREFRONT_API_KEY", "only-for-the-example")


@resource
async def client(backends: str, api_key: str) -> AsyncIterator[ClientSession]:
    """The connections to the backends; an answer of 400 or more raises."""
    headers = {"Authorization": f"Bearer {api_key}"}
    async with ClientSession(backends, headers=headers, raise_for_status=True) as made:
        yield made


async def ask(client: ClientSession, backend: str, about: int | None = None) -> Any:
    """One question to one backend, and its answer."""
    path = f"/{backend}" if about is None else f"/{backend}/{about}"
    async with client.get(path) as response:
        return await response.json()


# Each backend has a limit of its own, which all requests share.


@cell(limit="customers")
async def customer(client: ClientSession, number: int) -> dict[str, Any]:
    """Who asks."""
    try:
        return await ask(client, "customers", number)
    except ClientResponseError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            msg = f"no customer has the number {number}"
            raise UnknownCustomer(msg) from error
        raise


@cell(limit="offers")
async def offers(client: ClientSession) -> list[str]:
    """What is cheap today, for everybody."""
    return await ask(client, "offers")


@cell(limit="orders")
async def orders(client: ClientSession, customer: dict[str, Any]) -> list[int]:
    """The numbers of this customer's orders."""
    return await ask(client, "orders", customer["number"])


@cell(limit="parcels")
async def parcels(client: ClientSession, orders: list[int]) -> str:
    """Where the latest order is."""
    return await ask(client, "parcels", orders[-1])


@cell(limit="points")
async def points(client: ClientSession, customer: dict[str, Any]) -> int:
    """How many points the customer has collected."""
    return await ask(client, "points", customer["number"])


# The page can do without recommendations. `taste` is needed by nothing else, so the
# page can do without it, too, and it needs no fallback of its own.


@cell(limit="taste")
async def taste(client: ClientSession, orders: list[int]) -> str:
    """What somebody who ordered that is said to like."""
    return await ask(client, "taste", orders[-1])


def nothing(error: Exception) -> list[str]:
    """Stand for a list that could not be had."""
    return []


@cell(limit="recommendations", timeout=0.5, fallback=nothing)
async def recommendations(
    client: ClientSession, customer: dict[str, Any], taste: str
) -> list[str]:
    """What this customer may want to buy next."""
    found = await ask(client, "recommendations", customer["number"])
    return [f"{taste} {each}" for each in found]


@cell(limit="vouchers")
async def vouchers(client: ClientSession, customer: dict[str, Any]) -> list[str]:
    """What the customer gets for many points."""
    return await ask(client, "vouchers", customer["number"])


@cell(run_in="thread")
def card(customer: dict[str, Any], api_key: str) -> str:
    """What to show at the till. It is slow to guess, and so to make."""
    number = str(customer["number"]).encode()
    return hashlib.scrypt(number, salt=api_key.encode(), n=256, r=8, p=1, dklen=4).hex()


@cell
@depends_on(vouchers=Lazy(vouchers))
async def page(
    customer: dict[str, Any],
    card: str,
    offers: list[str],
    parcels: str,
    points: int,
    recommendations: list[str],
    vouchers: Callable[[], Awaitable[list[str]]],
) -> dict[str, Any]:
    """All that the front page shows. Few have the points for a voucher."""
    return {
        "name": customer["name"],
        "card": card,
        "offers": offers,
        "parcel": parcels,
        "points": points,
        "recommendations": recommendations,
        "vouchers": await vouchers() if points >= GOLD else [],
    }
