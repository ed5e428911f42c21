"""What several test modules share: computers by name, modules made from text."""

import asyncio
import importlib
import os
import sys
import textwrap
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiocells

# WebAssembly has neither threads nor processes, nor sockets to wake an event loop by.
IN_BROWSER = sys.platform == "emscripten"


def run_to_end(computer: Callable[..., Any]) -> Callable[..., Any]:
    """An async computer as a plain function."""
    return lambda *args, **options: asyncio.run(computer(*args, **options))


ASYNC_COMPUTERS: dict[str, Callable[..., Any]] = {
    "async_sequential": aiocells.async_compute_sequential,
    "concurrent": aiocells.async_compute_concurrent,
    "simple": aiocells.async_compute_concurrent_simple,
}
COMPUTERS: dict[str, Callable[..., Any]] = {
    "sequential": aiocells.compute_sequential,
    **{name: run_to_end(computer) for name, computer in ASYNC_COMPUTERS.items()},
}


def value_of(function: Any, graph: aiocells.Graph | None = None, **inputs: Any) -> Any:
    """What a cell gives, collected on its own unless a graph is given."""
    graph = graph or aiocells.Graph.from_cells(function)
    results = aiocells.compute_sequential(graph, targets=[function], inputs=inputs)
    return results[function]


def text(name: str) -> Callable[[], str]:
    """A cell of a given name, whose value is its name."""
    return aiocells.cell(name=name)(lambda: name)


def names(graph: aiocells.DependencyGraph) -> list[str]:
    """The names of a graph's cells, in the order of their declaration."""
    return [node.__name__ for node in graph.dependency_dict]


def described(name: str, function: Any) -> str:
    """A cell as messages name it, with its place from the current folder."""
    code = function.__code__
    path = os.path.relpath(code.co_filename)
    if path.startswith(os.pardir):
        path = code.co_filename
    return f"{name!r} ({path}:{code.co_firstlineno})"


FIRST_LINE = "from aiocells import Input, cell, depends_on, resource\n"


class Modules:
    """Makes modules from source text, in a folder that is on `sys.path`.

    The folder is the current one too, so that messages show "trip.py:2".
    """

    def __init__(self, folder: Path) -> None:
        """Make no module yet."""
        self.folder = folder
        self.blanks: set[str] = set()

    def write(self, name: str, source: str) -> Path:
        """Write a module; its first line imports the decorators.

        Args:
            name: dotted; "shop.__init__" writes a package.
            source: its text from line 2 on, may be indented.
        """
        path = self.folder.joinpath(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        text = FIRST_LINE + textwrap.dedent(source).lstrip("\n")
        path.write_text(text, encoding="utf-8")
        importlib.invalidate_caches()
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names:  # another test's module of that name
            for loaded in [*sys.modules]:
                if loaded.partition(".")[0] == top:
                    del sys.modules[loaded]
        return path

    def make(self, name: str, source: str) -> Any:
        """Write a module, and import it."""
        self.write(name, source)
        return importlib.import_module(name.removesuffix(".__init__"))

    def run(self, module: types.ModuleType, source: str) -> None:
        """Run more text in a module, as a notebook does."""
        exec(textwrap.dedent(source), vars(module))

    def blank(self, name: str) -> Any:
        """A module without a file."""
        self.blanks.add(name)
        module = sys.modules[name] = types.ModuleType(name)
        exec(FIRST_LINE, vars(module))
        return module
