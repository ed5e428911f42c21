"""A graph as a tree of text, the cells that nobody needs at the left."""

from aiocells.drawing._picture import Edge, Node, Picture

_LINES = {Edge.VALUE: "─", Edge.ORDER: "╌", Edge.LAZY: "┈ lazy:"}
# What stands further in is drawn further down, so that a line never gets long.
MAX_DEPTH = 12


def draw(picture: Picture) -> str:
    """Draw a picture as a tree: below each cell, what it needs.

    A cell's own branch is drawn once. Where the cell comes again, "(above)" or
    "(below)" says where that is. A dashed line is order only, a dotted one that says
    "lazy" is Lazy; inputs are in brackets. "(each)" stands after a fan-out, and
    "(fallback)" after a cell that has one.
    """
    needed = {key for node in picture.values() for key in node.needs}
    roots = [key for key in picture if key not in needed]
    lines: list[str] = []
    drawn: set[str] = set()
    # A cycle has no root, so that each node gets its turn.
    for root in (*roots, *picture):
        waiting = [root]
        # The list grows while it is walked.
        for key in waiting:
            if key not in drawn:
                waiting.extend(_draw_branch(picture, key, lines, drawn))
    return "\n".join(lines)


def _draw_branch(
    picture: Picture, root: str, lines: list[str], drawn: set[str]
) -> list[str]:
    """Draw a node and what it needs; return what was too far in to be drawn."""
    left: list[str] = []
    # For each node to draw: its key, what stands before it, what stands before the
    # nodes that it needs, and how far in it is.
    stack = [(root, "", "", 0)]
    while stack:
        key, before, indent, depth = stack.pop()
        node = picture[key]
        line = before + _text(node)
        if not node.needs:
            drawn.add(key)
        elif key in drawn:
            line += " (above)"
        elif depth == MAX_DEPTH:
            line += " (below)"
            left.append(key)
        else:
            drawn.add(key)
            corner, further_in = "└", "   "
            for needed, edge in reversed([*node.needs.items()]):
                before = f"{indent}{corner}{_LINES[edge]} "
                stack.append((needed, before, indent + further_in, depth + 1))
                corner, further_in = "├", "│  "
        lines.append(line)
    return left


def _text(node: Node) -> str:
    text = "".join(
        letter if letter.isprintable() else repr(letter)[1:-1] for letter in node.label
    )
    if node.is_fan_out:
        text += " (each)"
    if node.falls_back:
        text += " (fallback)"
    return f"[{text}]" if node.is_input else text
