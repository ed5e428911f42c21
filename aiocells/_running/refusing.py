"""Refusing inputs: those that are missing, and those that nobody wants."""

import inspect
import types
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from aiocells._declaring import names as _names
from aiocells._declaring.marks import spec_of
from aiocells._declaring.source import globals_of, location_of
from aiocells._planning.program import Program
from aiocells.errors import MissingInput, UnknownInput


def refuse_unknown(program: Program, unknown: list[str]) -> NoReturn:
    """Refuse inputs that no cell of the graph wants.

    Raises:
        UnknownInput: always.
    """
    known = program.input_names
    parts: list[str] = []
    suggestions = {}
    for name in unknown:
        near = suggestions[name] = _names.suggestions(name, known)
        cells = program.find(name)
        if cells:
            cell = program.described(cells[0])
            hint = f" It is a cell, {cell}: replace its value with overrides=."
        else:
            hint = _names.did_you_mean(near)
        no_cell = "No cell" if parts else "inputs: no cell"
        parts.append(f"{no_cell} wants an input {name!r}.{hint}")
    if not any(suggestions.values()):
        parts.append(f"The inputs of this graph: {', '.join(known) or 'none'}.")
    msg = " ".join(parts)
    raise UnknownInput(msg, names=unknown, suggestions=suggestions)


def refuse_missing(
    program: Program, missing: dict[str, list[int]], inputs: Mapping[str, Any]
) -> NoReturn:
    """Refuse to go on without inputs that cells want.

    Args:
        program: the cells.
        missing: for each missing input the cells that want it.
        inputs: those that were given.

    Raises:
        MissingInput: always.
    """
    parts: list[str] = []
    to_give: list[str] = []
    for name, numbers in missing.items():
        wanting = ", ".join(program.described(number) for number in numbers[:3])
        if len(numbers) > 3:
            wanting += f" and {len(numbers) - 3} more"
        cells = [program.nodes[number] for number in numbers]
        function = _unmarked(cells, name)
        if function is None:
            # A cell does not mean itself.
            known = [n for n, each in program.named.items() if set(each) - set(numbers)]
            near = _names.suggestions(name, known)
            hint = f" Or did you mean the cell {near[0]!r}?" if near else ""
        else:
            hint = f" {name!r} is a function{_place(function)} without @cell: mark it."
        if function is None or function.__globals__ is not globals_of(cells[0]):
            to_give.append(name)
        parts.append(f"{name!r} is needed by {wanting}.{hint}")
    msg = f"Missing input{'s' if len(missing) > 1 else ''}: {' '.join(parts)}"
    if to_give:
        example = ", ".join(f"{name!r}: ..." for name in to_give)
        msg += f" Give {'them' if len(to_give) > 1 else 'it'} as inputs={{{example}}}."
    if inputs:
        msg += f" Given: {', '.join(map(repr, inputs))}."
    nodes = program.nodes
    raise MissingInput(
        msg,
        missing={name: [nodes[n] for n in cells] for name, cells in missing.items()},
    )


def _unmarked(cells: Iterable[Any], name: str) -> types.FunctionType | None:
    """The function that cells know by a name, and that is no cell, if any."""
    for cell in cells:
        known = globals_of(cell).get(name)
        if isinstance(cell, types.MethodType):
            known = inspect.getattr_static(cell.__self__, name, None)
        if isinstance(known, staticmethod | classmethod):
            known = known.__func__
        if type(known) is types.FunctionType and spec_of(known) is None:
            return known
    return None


def _place(function: types.FunctionType) -> str:
    path, _, line = location_of(function).rpartition(":")
    return f" of {path} (line {line})" if path else ""
