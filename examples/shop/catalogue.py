"""What the shop sells."""

import json
from dataclasses import dataclass
from pathlib import Path

from aiocells import cell

FILE = Path(__file__).parent / "products.json"


@dataclass(frozen=True)
class Product:
    """One thing for sale: price in cents, weight in grams, pieces in stock."""

    title: str
    cents: int
    grams: int
    stock: int


@cell
def products(path: str | Path = FILE) -> dict[str, Product]:
    """Everything for sale, by its short name."""
    goods = json.loads(Path(path).read_text(encoding="utf-8"))
    return {name: Product(**product) for name, product in goods.items()}
