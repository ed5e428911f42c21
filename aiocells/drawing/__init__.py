"""Drawing graphs as text: as a tree, or in the language of Mermaid or Graphviz."""

from collections.abc import Iterable
from typing import Any

from aiocells._graphs.dependency_graph import DependencyGraph
from aiocells.drawing import dot, mermaid, tree
from aiocells.drawing._picture import picture_of

STYLES = {"tree": tree.draw, "mermaid": mermaid.draw, "dot": dot.draw}


def draw(
    graph: DependencyGraph,
    style: str = "tree",
    *,
    targets: Iterable[Any] | None = None,
) -> str:
    """Draw a graph as text.

    Args:
        graph: what to draw; it may have cycles.
        style: "tree" for people, "mermaid" or "dot" for the tools of that name.
        targets: cells or names: draw these and what they need; by default all.

    Returns:
        The lines, without a newline at the end.

    Raises:
        UnknownCell: the graph has no such target.
        ValueError: there is no such style.

    >>> from aiocells import Graph, cell
    >>> from aiocells.drawing import draw
    >>> @cell
    ... def price(shop: str) -> float: ...
    >>> @cell
    ... def total(price: float, count: int) -> float: ...
    >>> print(draw(Graph.from_cells(total, price)))
    total
    ├─ price
    │  └─ [shop]
    └─ [count]
    """
    if style not in STYLES:
        msg = f"style={style!r}: expected one of {', '.join(map(repr, STYLES))}."
        raise ValueError(msg)
    return STYLES[style](picture_of(graph, targets))
