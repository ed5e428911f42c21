"""From an order to a receipt."""

import asyncio

from aiocells import cell, depends_on
from shop.basket import Line, discount, lines, total
from shop.delivery import fee


# A name in quotes is a cell further down. The payment gets no value from it: the goods
# must be set aside before the money is taken, that is all.
@cell
@depends_on("reservation")
@depends_on(total)
async def payment(total: int) -> str:
    """Take the money; the number of the payment. The bank takes a moment."""
    await asyncio.sleep(0.05)
    return f"PAY-{total:06}"


@cell
@depends_on(lines)
async def reservation(lines: list[Line]) -> None:
    """Set the goods aside, or refuse an order of more than there is."""
    await asyncio.sleep(0.05)
    for line in lines:
        if line.count > line.product.stock:
            msg = (
                f"{line.product.title}: {line.count} wanted, {line.product.stock} left"
            )
            raise ValueError(msg)


@cell
@depends_on(lines, discount, fee, total, payment)
def receipt(
    lines: list[Line], discount: int, fee: int, total: int, payment: str
) -> str:
    """The receipt, as text."""
    rows = [
        (f"{line.count} x {line.product.title}", line.count * line.product.cents)
        for line in lines
    ]
    rows += [("Voucher", -discount), ("Delivery", fee), ("Total", total)]
    text = [f"{label:<24}{cents / 100:>9.2f}" for label, cents in rows]
    return "\n".join([*text, f"Paid: {payment}"])
