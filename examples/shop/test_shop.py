"""How cells are tested: first as plain functions, then as parts of a graph.

Run it from the folder `examples`: `python -m pytest shop`.
"""

import asyncio

import pytest

from aiocells import Graph, async_compute_concurrent, compute_sequential
from shop import basket, catalogue, checkout, delivery
from shop.catalogue import Product
from shop.delivery import Tariff

GRAPH = Graph.from_module(catalogue, basket, delivery, checkout)

PEN = Product("Pen", cents=199, grams=600, stock=5)


# A decorated function is the function that you wrote. Call it.


def test_a_voucher_takes_off_whole_cents() -> None:
    """Ten percent of 1.99 is 19 cents: the rest of a cent is the shop's."""
    assert basket.discount(subtotal=199, voucher="SPRING") == 19


def test_an_unknown_voucher_is_refused() -> None:
    """A typo in a voucher is told to the customer, not ignored."""
    with pytest.raises(ValueError, match="no such voucher: 'SPRNIG'"):
        basket.discount(subtotal=199, voucher="SPRNIG")


@pytest.mark.parametrize(("grams", "cents"), [(1, 600), (1000, 600), (1001, 700)])
def test_each_started_kilogram_is_paid_in_full(grams: int, cents: int) -> None:
    """The fee goes up by one step at each whole kilogram."""
    assert delivery.fee(weight=grams, tariff=Tariff(500, 100)) == cents


def test_norway_costs_more_than_germany() -> None:
    """An async cell is awaited like any other coroutine function."""
    norway = asyncio.run(delivery.tariff("NO"))
    germany = asyncio.run(delivery.tariff("DE"))
    assert norway.base > germany.base


# `targets=` computes a part of the graph, `inputs=` gives what no cell provides, and
# `overrides=` puts a value in the place of a cell: what only that cell needed is not
# computed. With the one slow cell overridden, no event loop is needed either.


def test_the_total_is_goods_less_voucher_plus_delivery() -> None:
    """The cells of all modules work together, with a catalogue of the test's own."""
    results = compute_sequential(
        GRAPH,
        targets=[basket.total],
        inputs={"order": {"pen": 2}, "voucher": "SPRING"},
        overrides={
            catalogue.products: {"pen": PEN},
            delivery.tariff: Tariff(base=500, per_kilogram=100),
        },
    )
    assert results[basket.total] == 398 - 39 + 700


def test_the_receipt_is_tested_without_taking_money() -> None:
    """Only the values that the receipt shows are given; nothing else is computed."""
    results = compute_sequential(
        GRAPH,
        targets=[checkout.receipt],
        overrides={
            basket.lines: [basket.Line(PEN, 2)],
            basket.discount: 0,
            delivery.fee: 500,
            basket.total: 898,
            checkout.payment: "PAY-TEST",
        },
    )
    assert results[checkout.receipt].splitlines() == [
        "2 x Pen                      3.98",
        "Voucher                      0.00",
        "Delivery                     5.00",
        "Total                        8.98",
        "Paid: PAY-TEST",
    ]


def test_nothing_is_paid_when_the_goods_are_not_there() -> None:
    """The error of a cell reaches the caller as it is, with a note saying which."""
    with pytest.raises(ValueError, match="Pen: 6 wanted, 5 left") as caught:
        asyncio.run(
            async_compute_concurrent(
                GRAPH,
                inputs={"order": {"pen": 6}},
                overrides={catalogue.products: {"pen": PEN}},
            )
        )
    assert "in cell 'reservation'" in caught.value.__notes__[0]
