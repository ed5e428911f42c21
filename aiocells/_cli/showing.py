"""Results as people read them."""

import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click
from rich.console import Console
from rich.highlighter import ReprHighlighter
from rich.pretty import Node, traverse
from rich.text import Text

from aiocells._declaring.showing import SECRET, is_secret_name

# Where one value is shown, its lists up to here.
_MAX_ITEMS = 20
# Where many are shown: the items of a list, and the lines of a text.
_MAX_ITEMS_IN_LINE = 10
_MAX_LINES = 40
_MAX_NAMES = 20
_MAX_DEPTH = 6
_LEAST_ROOM = 20

_NAME = "bold cyan"

# In the repr of a text, of bytes, or of a member of an enum that is one; else the name
# of an attribute.
_NAME_OF_KEY = re.compile(r"(?:<.*: )?b?(?P<quote>['\"]?)(?P<name>.*)(?P=quote)>?")

_SIZED = (str, bytes, list, tuple, dict, set, frozenset)


def show_one(value: Any) -> None:
    """Show the value of the one cell asked for: a text as it is, None not at all."""
    if isinstance(value, str):
        click.echo(value, file=sys.stdout, nl=not value.endswith("\n"))
    elif value is not None:
        console = _console()
        text = _pretty(value, max_width=console.width, max_length=_MAX_ITEMS)
        console.print(ReprHighlighter()(text))


def show_all(results: Mapping[str, Any]) -> None:
    """Show each value on a line with its name, texts of several lines below it."""
    console = _console()
    valued = {name: value for name, value in results.items() if value is not None}
    width = max((Text(name).cell_len for name in valued), default=0)
    for name, value in valued.items():
        lines = _lines(value)
        if len(lines) > 1:
            console.print(Text(name, style=_NAME))
            _show_block(console, lines)
        else:
            space = " " * (width - Text(name).cell_len + 2)
            room = max(console.width - width - 2, _LEAST_ROOM)
            line = _cut(lines[0], value, room)
            console.print(Text.assemble((name, _NAME), space, line))
    empty = [name for name in results if name not in valued]
    if empty:
        shown = ", ".join(empty[:_MAX_NAMES])
        more = f" and {len(empty) - _MAX_NAMES} more" if len(empty) > _MAX_NAMES else ""
        console.print(Text(f"(no value: {shown}{more})", style="dim"))


def _console() -> Console:
    # What is too long for a line is cut here; the rest is left to the terminal.
    return Console(soft_wrap=True, markup=False, highlight=False, emoji=False)


def _lines(value: Any) -> Sequence[Text]:
    """The lines of a text, or of the repr of another value; at least one."""
    if isinstance(value, str) and value.strip():
        return [Text(line.expandtabs()) for line in value.splitlines()]
    text = _pretty(value, max_width=sys.maxsize, max_length=_MAX_ITEMS_IN_LINE)
    return [ReprHighlighter()(Text(line)) for line in text.splitlines()] or [Text()]


def _pretty(value: Any, max_width: int, max_length: int) -> str:
    """The repr of a value, its parts on lines of their own where it is long."""
    try:
        node = traverse(value, max_length=max_length, max_depth=_MAX_DEPTH)
        _hide(node)
        return node.render(max_width=max_width)
    except Exception:  # some object does not behave; the other results matter
        return object.__repr__(value)


def _hide(node: Node) -> None:
    """Have the entries and parts in it not be shown whose names are secret."""
    for each in node.children or ():
        named = _NAME_OF_KEY.fullmatch(each.key_repr)
        if named and is_secret_name(named["name"]):
            each.value_repr = SECRET
        else:
            _hide(each)


def _cut(line: Text, value: Any, room: int) -> Text:
    """A line no longer than the room for it; one that is cut says how much there is."""
    if line.cell_len <= room:
        return line
    size = ""
    if isinstance(value, _SIZED):
        what = "characters" if isinstance(value, str | bytes) else "items"
        size = f" ({len(value):,} {what})"
    line.truncate(room - len(size), overflow="ellipsis")
    return line.append(size, style="dim")


def _show_block(console: Console, lines: Sequence[Text]) -> None:
    for line in lines[:_MAX_LINES]:
        console.print(Text("  ") + line if line else line)
    if len(lines) > _MAX_LINES:
        left = f"  ... {len(lines) - _MAX_LINES:,} more lines"
        console.print(Text(left, style="dim"))
