"""How the goods get to the customer, and for how much."""

import asyncio
from dataclasses import dataclass

from aiocells import cell, depends_on
from shop.basket import weight


@dataclass(frozen=True)
class Tariff:
    """What a parcel costs in cents: to begin with, and for each kilogram."""

    base: int
    per_kilogram: int


TARIFFS = {"DE": Tariff(490, 100), "NO": Tariff(1290, 350)}


@cell
async def tariff(country: str = "DE") -> Tariff:
    """The carrier's prices; asking the carrier takes a moment."""
    await asyncio.sleep(0.05)
    return TARIFFS[country]


@cell
@depends_on(weight)
def fee(weight: int, tariff: Tariff) -> int:
    """The price of the delivery in cents; a started kilogram counts in full."""
    kilograms = -(-weight // 1000)
    return tariff.base + kilograms * tariff.per_kilogram
