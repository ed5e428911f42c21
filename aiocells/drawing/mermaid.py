"""A graph as a Mermaid flowchart, which GitHub and many wikis draw."""

from aiocells.drawing._picture import Edge, Picture

_ARROWS = {Edge.VALUE: "-->", Edge.ORDER: "-.->", Edge.LAZY: "-. lazy .->"}
# Mermaid reads a label as HTML and as Markdown: what has no meaning in either.
_PLAIN = " _-.,:/()"


def draw(picture: Picture) -> str:
    """Draw a picture in Mermaid's language, values flowing down.

    A dashed arrow is order only, one that says "lazy" is Lazy; inputs have round ends.
    A dashed box has a fallback, and a stack of boxes is a fan-out.
    """
    lines = ["flowchart TD"]
    for key, node in picture.items():
        opening, closing = ("([", "])") if node.is_input else ("[", "]")
        if node.is_fan_out:
            opening, closing = "@{ shape: procs, label: ", " }"
        lines.append(f'    {key}{opening}"{_escaped(node.label)}"{closing}')
    for key, node in picture.items():
        for needed, edge in node.needs.items():
            lines.append(f"    {needed} {_ARROWS[edge]} {key}")
    for key, node in picture.items():
        if node.falls_back:
            lines.append(f"    style {key} stroke-dasharray: 4 4")
    return "\n".join(lines)


def _escaped(label: str) -> str:
    return "".join(
        letter if letter.isalnum() or letter in _PLAIN else f"#{ord(letter)};"
        for letter in label
    ).replace("#10;", "<br>")
