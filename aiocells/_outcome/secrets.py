"""Which values are secret, and so are not shown."""

import types
from collections.abc import Mapping
from typing import Any

from aiocells._collecting.objects import cells_of_object
from aiocells._declaring.marks import spec_of
from aiocells._declaring.showing import HIDDEN, is_secret_name
from aiocells._declaring.spec import Input, Lazy
from aiocells._planning.program import Program

# What stands in a note for a function that asks: it holds the computation.
_ASKED = Lazy("...")


def is_secret(program: Program, source: int) -> bool:
    """Whether the value of a cell, or of an input, is not to be shown.

    Args:
        program: the cells.
        source: the number of a cell, or ~k for the k-th input.
    """
    said = _said(program, source)
    return _is_named_secret(program, source) if said is None else said


def _is_named_secret(program: Program, source: int) -> bool:
    names, number = (
        (program.names, source) if source >= 0 else (program.inputs, ~source)
    )
    return is_secret_name(names[number])


def _said(program: Program, source: int) -> bool | None:
    """What a declaration says of it; None where the name decides."""
    if source >= 0:
        return program.options[source].secret
    return program.secret.get(program.inputs[~source])


def showable(program: Program, parameter: str, source: int, values: list[Any]) -> Any:
    """A value that is given to a cell; one that is not to be shown is hidden.

    Args:
        program: the cells.
        parameter: its name, which counts where nothing was said of the value.
        source: where the value comes from.
        values: those of the computation.
    """
    if source == program.asking:
        return _ASKED
    said = _said(program, source)
    if said is None:
        said = is_secret_name(parameter) or _is_named_secret(program, source)
    return HIDDEN if said else values[source]


def showable_defaults(
    program: Program, number: int, defaults: Mapping[str, Any]
) -> dict[str, Any]:
    """The defaults of a cell's parameters; those not to be shown are hidden.

    Each stands in for an input.
    """
    bindings = _bindings(program.written(number)) if defaults else {}
    shown = {}
    for parameter, value in defaults.items():
        bound = bindings.get(parameter)
        name = bound.name if isinstance(bound, Input) else parameter
        hides = program.secret.get(name)
        if hides is None:
            hides = is_secret_name(name) or is_secret_name(parameter)
        shown[parameter] = HIDDEN if hides else value
    return shown


def _bindings(function: Any) -> dict[str, Any]:
    """What was said of the parameters of a cell; a method may have inherited it."""
    spec = spec_of(function)
    if isinstance(function, types.MethodType):
        spec = cells_of_object(function.__self__).specs.get(function, spec)
    return dict(spec.bindings) if spec is not None else {}
