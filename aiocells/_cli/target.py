"""From the TARGET of a command to a graph and the cells asked for."""

import importlib
import os
import re
import sys
import types
from pathlib import Path
from typing import Any

import attrs

from aiocells._cli.errors import CommandError
from aiocells._collecting.graph import Graph
from aiocells._collecting.loading import load as load_module
from aiocells._planning.compiling import plan_of
from aiocells._running.prepare import choose


@attrs.frozen
class Target:
    """What a command works on.

    Attributes:
        text: as the user wrote it.
        graph: the module's cells, and what they need.
        cells: those asked for, a cell or its name each; None for all.
    """

    text: str
    graph: Graph
    cells: list[Any] | None

    def wanted(self) -> dict[str, list[tuple[Any, str]]]:
        """For each input the cells that want it, of those to be computed: with names.

        Raises:
            GraphException: a cell that was asked for is not there, or is no target.
        """
        plan, _ = choose(self.graph, self.cells, None)
        program = plan.program
        wanted: dict[str, dict[int, None]] = {}
        for slot, numbers in plan.wanted_inputs.items():
            wanted.setdefault(program.inputs[slot], {}).update(dict.fromkeys(numbers))
        return {
            name: [(program.nodes[each], program.names[each]) for each in cells]
            for name, cells in wanted.items()
        }

    def names(self, *, resources: bool) -> list[str]:
        """The names by which cells can be asked for, with those of resources or not."""
        program = plan_of(self.graph).program
        return [
            name
            for name, cells in program.named.items()
            if not re.search(r"[\s,]", name)
            and (resources or not all(map(program.is_resource, cells)))
        ]


def split(text: str) -> tuple[str, str | None]:
    """A TARGET's module or file, and what follows a colon, if there is one."""
    where, colon, written = text.rpartition(":")
    if not colon or text.endswith(".py"):  # as in C:\trip.py
        return text, None
    return where, written


def load(text: str) -> Target:
    """Import the module of a TARGET and collect its cells.

    Args:
        text: "module", "module:cell,cell", "path.py" or "path.py:cell".

    Raises:
        CommandError: there is no such module or file, or it has no cells.
        GraphException: the cells don't make up a graph.
        BaseException: what the module raised when it was imported.
    """
    where, written = split(text)
    module = _load_file(where) if where.endswith(".py") else _load_module(where)
    graph = Graph.from_module(module)
    if not len(graph):
        msg = f"{where} has no cells. Mark its functions with @cell."
        raise CommandError(msg)
    if written is None:
        return Target(text, graph, None)
    names = [name.strip() for name in written.split(",")]
    return Target(text, graph, [_cell(graph, module, name) for name in names])


def _load_file(where: str) -> types.ModuleType:
    if not Path(where).is_file():
        msg = f"There is no file {where!r}."
        raise CommandError(msg)
    return load_module(where)


def _load_module(where: str) -> types.ModuleType:
    if not where or where.startswith(".") or "/" in where or os.sep in where:
        msg = f"{where!r} is no module.{_hint(where)}"
        raise CommandError(msg)
    # As `python -m` does, which leaves it out in safe mode too.
    if not sys.flags.safe_path and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        return importlib.import_module(where)
    except ModuleNotFoundError as error:
        if not (error.name and f"{where}.".startswith(f"{error.name}.")):
            raise  # the module is there, what it imports is not
        msg = f"{error}.{_hint(where)}"
    raise CommandError(msg)


def _hint(where: str) -> str:
    """What may have been meant."""
    if where and Path(f"{where}.py").is_file():
        return f" Did you mean {where + '.py'!r}?"
    return (
        " TARGET is a module, a file, or cells of one: module, module:cell, path.py "
        "or path.py:cell."
    )


def _cell(graph: Graph, module: types.ModuleType, name: str) -> Any:
    """The cell of that name; where it is not the only one, that of the module."""
    program = plan_of(graph).program
    named = [program.nodes[number] for number in program.find(name)]
    if len(named) == 1:
        return named[0]
    known = vars(module).get(name)
    return next((node for node in program.nodes if node is known), name)
