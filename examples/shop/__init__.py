"""The checkout of a web shop: one graph, its cells spread over four modules.

`catalogue` knows the goods, `basket` what the customer wants, `delivery` how it gets
there, `checkout` takes the money. A module imports the cells that it needs, or names
them by a string where an import would go in a circle. `test_shop.py` shows how such
cells are tested.

    python examples/shop
    aiocells run examples/shop/checkout.py
    aiocells run examples/shop/basket.py:total --set 'order={"pot": 2}'
    cd examples && python -m pytest shop
"""

from shop.basket import total
from shop.checkout import receipt

__all__ = ["receipt", "total"]
