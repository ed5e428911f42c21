"""Sell two packets of tea and a pot to a customer in Norway."""

import asyncio
import sys
from pathlib import Path

from aiocells import Graph, async_compute_concurrent

if not __package__:
    # `python examples/shop` puts this folder on the path; the package is one above.
    sys.path.insert(0, str(Path(__file__).parents[1]))

from shop import basket, catalogue, checkout, delivery

if __name__ == "__main__":
    graph = Graph.from_module(catalogue, basket, delivery, checkout)
    order = {"tea": 2, "pot": 1}
    results = asyncio.run(
        async_compute_concurrent(
            graph,
            targets=[checkout.receipt],
            inputs={"order": order, "country": "NO", "voucher": "SPRING"},
        )
    )
    print(results[checkout.receipt])
