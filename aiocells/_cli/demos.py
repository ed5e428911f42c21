"""The demos as commands. A demo is imported when it runs, not to list it."""

import ast
import importlib
import re
from pathlib import Path
from typing import Any

import click

from aiocells import demos

FOLDER = Path(demos.__file__).parent

_NAME = re.compile(r"demo-(\d+)")


def _option(name: str) -> click.Option | None:
    """The option for a parameter of a demo, where it has one."""
    if name == "scale":
        return click.Option(
            ["--scale"],
            type=click.FloatRange(min=0),
            default=1.0,
            show_default=True,
            help="Multiply all times that the demo waits.",
        )
    if name == "iterations":
        return click.Option(
            ["--iterations"],
            type=click.IntRange(min=1),
            help="How many times to compute.",
        )
    return None


def names() -> list[str]:
    """The names of the commands, in the order of their numbers."""
    numbers = [
        int(path.stem.removeprefix("demo_")) for path in FOLDER.glob("demo_*.py")
    ]
    return [f"demo-{number}" for number in sorted(numbers)]


def command(name: str) -> click.Command | None:
    """The command of that name, if there is one."""
    numbered = _NAME.fullmatch(name)
    module = f"demo_{numbered[1]}" if numbered else ""
    path = FOLDER / f"{module}.py"
    if not (module and path.is_file()):
        return None
    source = ast.parse(path.read_text(encoding="utf-8"))
    text = ast.get_docstring(source) or ""
    options = [
        option
        for node in source.body
        if isinstance(node, ast.FunctionDef) and node.name == "main"
        for argument in node.args.args
        if (option := _option(argument.arg)) is not None
    ]

    def run(**given: Any) -> None:
        importlib.import_module(f"aiocells.demos.{module}").main(**given)

    return click.Command(
        name,
        callback=run,
        params=list(options),
        help=text,
        short_help=text.partition("\n")[0],
    )
