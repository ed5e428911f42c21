"""A graph in DOT, the language of Graphviz."""

from aiocells.drawing._picture import Edge, Picture

_STYLES = {
    Edge.VALUE: "",
    Edge.ORDER: " [style=dashed]",
    Edge.LAZY: ' [style=dotted, label="lazy"]',
}


def draw(picture: Picture) -> str:
    """Draw a picture in DOT, values flowing down.

    A dashed arrow is order only, a dotted one is Lazy; inputs are ellipses. A dashed
    box has a fallback, and one with depth is a fan-out.
    """
    lines = ["digraph {", "    node [shape=box]"]
    for key, node in picture.items():
        shape = ", shape=ellipse" if node.is_input else ""
        if node.is_fan_out:
            shape = ", shape=box3d"
        style = ", style=dashed" if node.falls_back else ""
        lines.append(f'    {key} [label="{_escaped(node.label)}"{shape}{style}]')
    for key, node in picture.items():
        for needed, edge in node.needs.items():
            lines.append(f"    {needed} -> {key}{_STYLES[edge]}")
    return "\n".join([*lines, "}"])


def _escaped(label: str) -> str:
    for letter, escape in (("\\", r"\\"), ('"', r"\""), ("\n", r"\n")):
        label = label.replace(letter, escape)
    return label
