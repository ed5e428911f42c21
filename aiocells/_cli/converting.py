"""From what --set says to a value of the type that the cells want."""

import inspect
import typing
from collections.abc import Iterable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import attrs

from aiocells._cli.errors import CommandError
from aiocells._cli.settings import Setting
from aiocells._cli.target import Target
from aiocells._declaring.marks import spec_of
from aiocells._declaring.names import described
from aiocells._declaring.parameters import signature_of
from aiocells._declaring.showing import SECRET
from aiocells._declaring.source import globals_of
from aiocells._declaring.spec import Input
from aiocells._outcome.secrets import is_secret
from aiocells._planning.compiling import plan_of

# What says nothing about a value.
_ANYTHING = (inspect.Parameter.empty, Any, object)
_MAX_SHOWN = 80


@attrs.frozen
class Wish:
    """What a cell wants for an input.

    Attributes:
        cell: the cell, as messages name it.
        annotation: of the parameter that is bound to the input.
        accepted: the same, and None where that is the parameter's default.
    """

    cell: str
    annotation: Any
    accepted: Any


def convert(target: Target, given: Mapping[str, Setting]) -> dict[str, Any]:
    """The values of the inputs.

    Args:
        target: what is to be computed.
        given: what was written, by input.

    Raises:
        CommandError: a value does not fit what a cell wants.
        GraphException: the target names a cell that is not there.
    """
    wanted = target.wanted() if given else {}
    program = plan_of(target.graph).program
    secret = {
        name for slot, name in enumerate(program.inputs) if is_secret(program, ~slot)
    }
    given = {
        name: attrs.evolve(setting, shown=SECRET) if name in secret else setting
        for name, setting in given.items()
    }
    return {
        name: _converted(name, setting, _wishes(name, wanted.get(name, ())))
        for name, setting in given.items()
    }


def _converted(name: str, setting: Setting, wishes: list[Wish]) -> Any:
    if not wishes:
        return setting.guessed()
    # It loads pydantic, which takes longer than many a computation.
    from aiocells._cli.reading import Unreadable, reader_of

    values: list[Any] = []
    for wish in wishes:
        read = reader_of(wish.accepted)
        if read is None:
            return setting.guessed()
        try:
            values.append(read(setting.text))
        except Unreadable as error:
            if len(wishes) > 1:
                return setting.guessed()
            wanted = inspect.formatannotation(wish.annotation)
            msg = (
                f"--set {name}: {wish.cell} wants {wanted}, which cannot be read from "
                f"{_short(setting.shown)}."
            )
            if setting.shown is not SECRET:  # the reason may quote it
                msg += f" {error}."
            raise CommandError(msg) from None
    # Who wants a date and who wants a date or None agree on a date.
    first, *others = values
    agree = all(type(each) is type(first) and each == first for each in others)
    return first if agree else setting.guessed()


def _short(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "..."


def _wishes(name: str, cells: Iterable[Any]) -> list[Wish]:
    """What cells want for an input, each thing once."""
    wishes: list[Wish] = []
    for cell, cell_name in cells:
        for parameter in _parameters(cell, name):
            annotation = _evaluated(parameter.annotation, cell)
            if any(annotation is each for each in _ANYTHING):
                continue
            accepted = annotation
            if parameter.default is None:
                accepted = typing.Optional[annotation]  # noqa: UP045  # not a type yet
            if accepted not in [each.accepted for each in wishes]:
                wishes.append(Wish(described(cell_name, cell), annotation, accepted))
    return wishes


def _parameters(cell: Any, name: str) -> Iterator[inspect.Parameter]:
    """The parameters of a cell that are bound to an input."""
    spec = spec_of(cell)
    bound = dict(spec.bindings) if spec is not None else {}
    try:
        signature = signature_of(cell)
    except (TypeError, ValueError):  # some built-ins tell nothing
        return
    for parameter in signature.parameters.values():
        binding = bound.get(parameter.name, Input(parameter.name))
        if isinstance(binding, Input) and binding.name == name:
            yield parameter


def _evaluated(annotation: Any, cell: Any) -> Any:
    """An annotation that may be text; `Any` where its names are not to be found."""
    holder = SimpleNamespace(__annotations__={"it": annotation})
    try:
        return typing.get_type_hints(holder, globals_of(cell), include_extras=True)[
            "it"
        ]
    except Exception:  # evaluating may run any code
        return Any
