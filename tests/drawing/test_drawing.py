"""Drawing graphs as text."""

import re
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiocells import (
    DependencyGraph,
    Graph,
    Input,
    Lazy,
    UnknownCell,
    cell,
    depends_on,
    each,
)
from aiocells._graphs.labels import unique_labels
from aiocells.drawing import draw
from aiocells.drawing.tree import MAX_DEPTH
from tests.helpers import described


@cell
def price(shop: str) -> float:
    """A cell with an input."""
    return 1.0


@cell
@depends_on(price)
def audit() -> None:
    """A cell that only comes after another."""


@cell
@depends_on(audit)
@depends_on(parts=[price, Input("extra")])
def total(price: float, parts: list[float], count: int = 1) -> float:
    """A cell that gets the same value twice, and comes after another."""
    return price * count


GRAPH = Graph.from_cells(total)


@attrs.frozen(eq=False)
class Named:
    """A node of a graph built by hand, with a name."""

    name: str

    def __str__(self) -> str:
        """Its name."""
        return self.name


def layers(depth: int, width: int) -> DependencyGraph:
    """A graph of layers, each node needing all nodes of the layer before."""
    graph = DependencyGraph()
    for level in range(1, depth):
        for node in range(width):
            for needed in range(width):
                graph.add_dependency((level, node), (level - 1, needed))
    return graph


def made(name: str) -> Callable[[], None]:
    """One of several cells from the same lines."""
    return cell(name=name)(lambda: None)


def test_tree_shows_values_order_and_inputs() -> None:
    """A tree has what a cell needs below it: order only is dashed, inputs bracketed."""
    assert draw(GRAPH) == (
        "total\n"
        "├─ price\n"
        "│  └─ [shop]\n"
        "├─ [extra]\n"
        "├─ [count]\n"
        "└╌ audit\n"
        "   └╌ price (above)"
    )


def test_mermaid_shows_values_order_and_inputs() -> None:
    """In a flowchart inputs are round, values flow along arrows, order is dashed."""
    assert draw(GRAPH, "mermaid") == (
        "flowchart TD\n"
        '    n0["total"]\n'
        '    n1["price"]\n'
        '    n2["audit"]\n'
        '    i0(["extra"])\n'
        '    i1(["count"])\n'
        '    i2(["shop"])\n'
        "    n1 --> n0\n"
        "    i0 --> n0\n"
        "    i1 --> n0\n"
        "    n2 -.-> n0\n"
        "    i2 --> n1\n"
        "    n1 -.-> n2"
    )


def test_dot_shows_values_order_and_inputs() -> None:
    """In DOT inputs are ellipses, values flow along arrows, order is dashed."""
    assert draw(GRAPH, "dot") == (
        "digraph {\n"
        "    node [shape=box]\n"
        '    n0 [label="total"]\n'
        '    n1 [label="price"]\n'
        '    n2 [label="audit"]\n'
        '    i0 [label="extra", shape=ellipse]\n'
        '    i1 [label="count", shape=ellipse]\n'
        '    i2 [label="shop", shape=ellipse]\n'
        "    n1 -> n0\n"
        "    i0 -> n0\n"
        "    i1 -> n0\n"
        "    n2 -> n0 [style=dashed]\n"
        "    i2 -> n1\n"
        "    n1 -> n2 [style=dashed]\n"
        "}"
    )


@pytest.mark.parametrize(
    ("style", "shown"),
    [
        ("tree", r'a "quoted" \ name\nof <two> lines'),
        (
            "mermaid",
            'n0["a #34;quoted#34; #92; name<br>of #60;two#62; lines"]',
        ),
        ("dot", r'n0 [label="a \"quoted\" \\ name\nof <two> lines"]'),
    ],
)
def test_names_are_escaped(style: str, shown: str) -> None:
    """Quotes, backslashes, newlines and tags in a name are part of the name."""
    graph = Graph.from_cells(made('a "quoted" \\ name\nof <two> lines'))
    lines = [line.strip() for line in draw(graph, style).splitlines()]
    assert shown in lines


@pytest.mark.parametrize("style", ["tree", "mermaid", "dot"])
def test_cells_of_one_name_are_several_nodes(style: str) -> None:
    """Cells of the same name are told apart by their place, and by a number."""
    first, second = made("load"), made("load")
    drawn = draw(Graph.from_cells(first, second), style)
    drawn = drawn.replace("#35;", "#")  # as Mermaid writes it
    labels = re.findall(r"load \(.*?\)(?: #2)?", drawn)
    place = described("load", first).replace("'", "")
    assert labels == [place, f"{place} #2"]


def test_mermaid_reads_no_meaning_into_names() -> None:
    """A name that means something to Mermaid is a name all the same."""
    text = draw(Graph.from_cells(made("end"), made("`1. x`")), "mermaid")
    assert text == 'flowchart TD\n    n0["end"]\n    n1["#96;1. x#96;"]'


def test_targets_limit_the_drawing() -> None:
    """Only the targets are drawn and what they need, by value or by order."""
    assert draw(GRAPH, targets=["audit"]) == "audit\n└╌ price\n   └─ [shop]"
    assert draw(GRAPH, targets=[price]) == "price\n└─ [shop]"


def test_unknown_target_is_refused() -> None:
    """A target that the graph does not have is refused with a near name."""
    with pytest.raises(UnknownCell, match=r"no cell 'prise'.* Did you mean 'price'"):
        draw(GRAPH, targets=["prise"])


def test_unknown_style_is_refused() -> None:
    """A style that is not there is refused with those that are."""
    msg = "style='svg': expected one of 'tree', 'mermaid', 'dot'."
    with pytest.raises(ValueError, match=re.escape(msg)):
        draw(GRAPH, "svg")


def test_nodes_added_by_hand_are_drawn() -> None:
    """What is added to a collected graph by hand is drawn as order."""
    graph = Graph.from_cells(price)
    graph.add_dependency(print, price)
    assert draw(graph) == "print\n└╌ price\n   └─ [shop]"


def test_nodes_need_not_be_callable() -> None:
    """A graph of anything hashable can be drawn, though not computed."""
    graph = DependencyGraph(initial_dependencies={"a": ["b"], "c": []})
    assert draw(graph) == "a\n└╌ b\nc"


def test_cycle_is_drawn() -> None:
    """A graph with a cycle can be drawn, so that the cycle can be seen."""
    graph = DependencyGraph(initial_dependencies={"a": ["b"], "b": ["a"], "c": ["a"]})
    assert draw(graph) == "c\n└╌ a\n   └╌ b\n      └╌ a (above)"
    graph = DependencyGraph(initial_dependencies={"a": ["b"], "b": ["a"]})
    assert draw(graph) == "a\n└╌ b\n   └╌ a (above)"


def test_tree_draws_what_is_shared_once() -> None:
    """The tree of a graph with much sharing has a line for each edge and root."""
    lines = draw(layers(depth=10, width=8)).splitlines()
    edges = 9 * 8 * 8
    assert len(lines) == edges + 8


@pytest.mark.parametrize("style", ["tree", "mermaid", "dot"])
def test_deep_graph_is_drawn(style: str) -> None:
    """A chain of 100,000 cells is drawn, in lines that stay short."""
    count = 100_000
    chain: dict[Any, list[Any]] = {f"c{n}": [f"c{n - 1}"] for n in range(1, count)}
    lines = draw(DependencyGraph(initial_dependencies=chain), style).splitlines()
    assert count <= len(lines) <= 3 * count
    assert max(map(len, lines)) < 80


def test_what_is_far_in_is_drawn_below() -> None:
    """A tree that gets too deep goes on at the left, further down."""
    last = MAX_DEPTH + 1
    chain: dict[Any, list[Any]] = {f"c{n}": [f"c{n + 1}"] for n in range(last)}
    lines = draw(DependencyGraph(initial_dependencies=chain)).splitlines()
    assert lines[0] == "c0"
    assert lines[-3].endswith(f"└╌ c{MAX_DEPTH} (below)")
    assert lines[-2:] == [f"c{MAX_DEPTH}", f"└╌ c{last}"]


@given(st.lists(st.sampled_from(["a", "a #2", "a #3", "b"])))
def test_labels_are_unique(names: list[str]) -> None:
    """No two nodes get the same label; one whose name is unique keeps it."""
    labels = unique_labels(names, [Named(name) for name in names])
    assert len(set(labels)) == len(names)
    for name, label in zip(names, labels, strict=True):
        assert label.startswith(name)
        assert label == name or names.count(name) > 1


def test_a_fallback_is_seen() -> None:
    """A cell that others can do without is drawn so, in each style."""
    offers = cell(name="offers", fallback=lambda error: [])(lambda: [1])
    page = cell(name="page")(depends_on(offers=offers)(lambda offers: 1))
    graph = Graph.from_cells(page)
    assert draw(graph) == "page\n└─ offers (fallback)"
    assert '    n1 [label="offers", style=dashed]\n' in draw(graph, "dot")
    assert draw(graph, "mermaid").endswith("\n    style n1 stroke-dasharray: 4 4")


def test_a_fan_out_is_seen() -> None:
    """A cell that stands for many calls is drawn so, in each style."""
    pages = each(len, {"obj": Input("paths")}, name="pages")
    page = cell(name="page")(depends_on(pages=pages)(lambda pages: 1))
    graph = Graph.from_cells(page)
    assert draw(graph) == "page\n└─ pages (each)\n   └─ [paths]"
    assert '    n1 [label="pages", shape=box3d]\n' in draw(graph, "dot")
    shape = '    n1@{ shape: procs, label: "pages" }\n'
    assert shape in draw(graph, "mermaid")


def test_what_may_be_asked_for_is_drawn_as_such() -> None:
    """Its edge is dotted, and says "lazy"; one that is needed plainly too is not."""

    @cell
    def tea() -> None: ...

    @cell
    def milk() -> None: ...

    @cell
    @depends_on(tea=Lazy(tea), milk=Lazy(milk), more=milk)
    def page(tea: object, milk: object, more: None) -> None: ...

    graph = Graph.from_cells(page)
    assert draw(graph) == "page\n├┈ lazy: tea\n└─ milk"
    mermaid = draw(graph, "mermaid").splitlines()
    assert mermaid[-2:] == ["    n1 -. lazy .-> n0", "    n2 --> n0"]
    dot = draw(graph, "dot").splitlines()
    assert '    n1 -> n0 [style=dotted, label="lazy"]' in dot
