"""What the customer wants, and what it comes to."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiocells import cell, depends_on
from shop.catalogue import Product, products

SAMPLE_ORDER = {"tea": 1, "cup": 2}
VOUCHERS = {"SPRING": 10, "FRIEND": 15}


@dataclass(frozen=True)
class Line:
    """One product of the order, and how many pieces of it."""

    product: Product
    count: int


@cell
@depends_on(goods=products)
def lines(
    goods: Mapping[str, Product], order: Mapping[str, int] = SAMPLE_ORDER
) -> list[Line]:
    """The order, each name looked up in the catalogue."""
    unknown = sorted(order.keys() - goods.keys())
    if unknown:
        msg = f"not for sale: {', '.join(unknown)}; for sale: {', '.join(goods)}"
        raise ValueError(msg)
    return [Line(goods[name], count) for name, count in order.items()]


@cell
def subtotal(lines: list[Line]) -> int:
    """The price of the goods, in cents."""
    return sum(line.product.cents * line.count for line in lines)


@cell
def weight(lines: list[Line]) -> int:
    """The weight of the goods, in grams."""
    return sum(line.product.grams * line.count for line in lines)


@cell
def discount(subtotal: int, voucher: str | None = None) -> int:
    """What the voucher takes off the price of the goods, in whole cents."""
    if voucher is None:
        return 0
    if voucher not in VOUCHERS:
        msg = f"no such voucher: {voucher!r}"
        raise ValueError(msg)
    return subtotal * VOUCHERS[voucher] // 100


# `delivery` imports this module, so this one can't import `delivery`. The cells don't
# go in a circle, only the imports would; a string is looked up when the graph is made.
@cell
@depends_on(delivery="shop.delivery:fee")
def total(subtotal: int, discount: int, delivery: int) -> int:
    """What the customer pays, in cents."""
    return subtotal - discount + delivery
