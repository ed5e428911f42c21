"""A customer's page, as in the README, with two cells more: eight in all.

Six cells ask a service, two are plain. Nothing here knows aiocells, since other
libraries compute the same functions.
"""

import asyncio
import types
from collections.abc import Callable
from typing import Any

from benchmarks.layered import Function

INPUTS = {"email": "ada@example.org"}
# By the question and what it is asked with: a question that is not here is an error.
ANSWERS: dict[tuple[Any, ...], Any] = {
    ("/customers", "ada@example.org"): {"id": 7, "name": "Ada"},
    ("/offers",): ["a teapot"],
    ("/orders", 7): (11, 12),
    ("/points", 7): 40,
    ("/parcels", (11, 12)): ["at the post office"],
    ("/reviews", (11, 12)): ["four stars"],
}

Get = Callable[..., Any]


async def answers_at_once(path: str, **query: Any) -> Any:
    """Stand for a service whose answer is there already, as in a cache."""
    return ANSWERS[path, *query.values()]


async def answers_later(path: str, **query: Any) -> Any:
    """Stand for a service, for which one waits a turn of the loop."""
    await asyncio.sleep(0)
    return ANSWERS[path, *query.values()]


# What the cells ask; each shop has its own.
get: Get = answers_later


async def customer(email: str) -> dict[str, Any]:  # noqa: D103
    return await get("/customers", email=email)


async def offers() -> list[str]:  # noqa: D103
    return await get("/offers")


async def orders(customer: dict[str, Any]) -> tuple[int, ...]:  # noqa: D103
    return await get("/orders", customer=customer["id"])


async def points(customer: dict[str, Any]) -> int:  # noqa: D103
    return await get("/points", customer=customer["id"])


async def parcels(orders: tuple[int, ...]) -> list[str]:  # noqa: D103
    return await get("/parcels", orders=orders)


async def reviews(orders: tuple[int, ...]) -> list[str]:  # noqa: D103
    return await get("/reviews", orders=orders)


def total(orders: tuple[int, ...]) -> int:  # noqa: D103
    return sum(orders)


def page(  # noqa: D103
    customer: dict[str, Any],
    offers: list[str],
    points: int,
    parcels: list[str],
    reviews: list[str],
    total: int,
) -> str:
    return (
        f"{customer['name']}: {points} points, paid {total}, {parcels}, "
        f"said {reviews}, try {offers}"
    )


# Each after those that it needs.
CELLS = (customer, offers, orders, points, parcels, reviews, total, page)


def shop(
    get: Get, decorate: Callable[[Function], Function] = lambda function: function
) -> types.ModuleType:
    """A module that has the cells, as if it had been imported.

    Args:
        get: asks a service.
        decorate: called with each function, as a decorator is.
    """
    module = types.ModuleType("shop")
    module.get = get  # type: ignore[attr-defined]
    for each in CELLS:
        setattr(module, each.__name__, decorate(copied(each, vars(module))))
    return module


def cells_of(shop: types.ModuleType) -> list[Function]:
    """The cells of a shop, each after those that it needs."""
    return [getattr(shop, each.__name__) for each in CELLS]


def copied(function: Any, module: dict[str, Any]) -> types.FunctionType:
    """A function as if it had been written in another module."""
    copy = types.FunctionType(function.__code__, module, function.__name__)
    copy.__annotations__ = dict(function.__annotations__)
    return copy


async def as_tasks(shop: Any, email: str) -> str:
    """A task for each question, in the way that one would write it.

    A plain function needs no task: what it takes is there in the end.
    """
    async with asyncio.TaskGroup() as group:
        customer = group.create_task(shop.customer(email))
        offers = group.create_task(shop.offers())
        orders = group.create_task(_asked(shop.orders, customer))
        points = group.create_task(_asked(shop.points, customer))
        parcels = group.create_task(_asked(shop.parcels, orders))
        reviews = group.create_task(_asked(shop.reviews, orders))
    page: str = shop.page(
        customer.result(),
        offers.result(),
        points.result(),
        parcels.result(),
        reviews.result(),
        shop.total(orders.result()),
    )
    return page


async def _asked(question: Function, needed: asyncio.Task[Any]) -> Any:
    return await question(await needed)


async def in_waves(shop: Any, email: str) -> str:
    """What can be asked at the same time with one `gather`, as in the README."""
    customer, offers = await asyncio.gather(shop.customer(email), shop.offers())
    orders, points = await asyncio.gather(shop.orders(customer), shop.points(customer))
    parcels, reviews = await asyncio.gather(shop.parcels(orders), shop.reviews(orders))
    page: str = shop.page(
        customer, offers, points, parcels, reviews, shop.total(orders)
    )
    return page


async def one_by_one(shop: Any, email: str) -> str:
    """Each question when the one before it is answered: nothing at the same time."""
    customer = await shop.customer(email)
    offers = await shop.offers()
    orders = await shop.orders(customer)
    points = await shop.points(customer)
    parcels = await shop.parcels(orders)
    reviews = await shop.reviews(orders)
    page: str = shop.page(
        customer, offers, points, parcels, reviews, shop.total(orders)
    )
    return page
