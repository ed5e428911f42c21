"""From what `each` was given to the cell that it makes; what cannot fit is refused."""

import inspect
import types
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NoReturn

import attrs

from aiocells._declaring import names as _names
from aiocells._declaring.checks import check_declaration
from aiocells._declaring.fan_out import FanOut
from aiocells._declaring.kinds import Kind, kind_of
from aiocells._declaring.marks import spec_of
from aiocells._declaring.parameters import Parameters, parameters_of, signature_of
from aiocells._declaring.references import checked_bindings
from aiocells._declaring.spec import (
    PLAIN,
    UNMARKED,
    CellSpec,
    Lazy,
    Options,
    normal,
)
from aiocells._fan_out.cells import AsyncEach, Each
from aiocells.errors import DeclarationError, UnbindableParameter

_OPTIONS = ("name", "run_in", "limit", "timeout", "fallback", "cache", "secret")
_USUAL = {"on_error": "raise", "product": False}


def made_from(
    function: Callable[..., Any],
    over: Mapping[str, Any] | None,
    iterated: Mapping[str, Any],
    given: Sequence[Any],
    how: Mapping[str, Any],
    frame: types.FrameType,
) -> Each[Any]:
    """The cell that `each` makes.

    Args:
        function: what is called for each item.
        over: what is iterated, as a mapping.
        iterated: what is iterated, as keywords.
        given: `_OPTIONS`, which cells have too; None where one was left out.
        how: those that only fan-outs have.
        frame: where it was called.

    Raises:
        DeclarationError: something does not fit.
        UnbindableParameter: the function has no such parameter.
    """
    _check_function(function)
    parameters = parameters_of(function)
    asked: dict[str, Any] = dict(zip(_OPTIONS, given, strict=True))
    over = _checked_over(function, parameters, over, iterated, {**asked, **how})
    _check_names(function, parameters, over)
    bindings = checked_bindings(over, "each")
    _check_bindings(function, bindings)
    own = spec_of(function) or UNMARKED
    options = _options(own.options or PLAIN, asked)
    limit = options.pop("limit")
    is_count = isinstance(limit, int)
    if is_count:
        _check_limit(limit)
    _check_how(how)
    kind = kind_of(function)
    fan_out = FanOut(
        function,
        kind,
        tuple(bindings),
        parameters.positional,
        limit if is_count else None,
        options.pop("timeout"),
        how["product"],
        how["on_error"] == "keep",
    )
    said = Options(**options, limit=None if is_count else limit, fan_out=fan_out)
    _check_fit(function, said, fan_out)
    spec = CellSpec(said, own.order, (*own.bindings, *bindings.items()), own.called)
    made = AsyncEach if kind is Kind.ASYNC else Each
    return made(fan_out, spec, _signature(function, parameters, bindings), frame)


def _described(function: Callable[..., Any]) -> str:
    return _names.described(_names.name_of(function), function)


def _check_function(function: Any) -> None:
    if not callable(function):
        msg = f"each({function!r}): expected a function, or another callable."
        raise DeclarationError(msg, cell=function)
    if isinstance(function, Each):
        msg = (
            f"each({function!r}): a fan-out of a fan-out. Chain them: flatten in a "
            "plain cell, as in [x for xs in links for x in xs], and go over that."
        )
        raise DeclarationError(msg, cell=function)
    kind, spec = kind_of(function), spec_of(function) or UNMARKED
    if kind not in (Kind.PLAIN, Kind.ASYNC):
        msg = (
            f"each(): {_described(function)} is {kind.value}, so that each item would "
            "be a generator that nobody runs. Return a list."
        )
        raise DeclarationError(msg, cell=function)
    if kind is Kind.PLAIN and any(
        isinstance(part, Lazy) for _, bound in spec.bindings for part in _parts(bound)
    ):
        msg = (
            f"each(): {_described(function)} asks for cells with Lazy, but only async "
            "items can ask. Make it async, or bind the cell itself."
        )
        raise DeclarationError(msg, cell=function)


def _checked_over(
    function: Any,
    parameters: Parameters,
    over: Mapping[str, Any] | None,
    iterated: Mapping[str, Any],
    options: Mapping[str, Any],
) -> Mapping[str, Any]:
    """What is iterated, however it was given."""
    if over is None:
        given = [
            option
            for option, value in options.items()
            if option in parameters.names and value != _USUAL.get(option)
        ]
        if given:
            _refuse_option(function, given, iterated)
        over = iterated
    elif not isinstance(over, Mapping):
        msg = (
            f"each(): {over!r} is no mapping. Say by keyword what is iterated: "
            f"each({_names.name_of(function)}, parameter=cell)."
        )
        raise DeclarationError(msg, cell=function)
    elif iterated:
        msg = (
            f"each(): what is iterated is given as a mapping, and {[*iterated]} by "
            "keyword too. Put all of it in the mapping."
        )
        raise DeclarationError(msg, cell=function)
    if not over:
        msg = (
            f"each(): nothing is iterated. Say which parameter of "
            f"{_described(function)} gets one item at a time: "
            f"each({_names.name_of(function)}, {_example(parameters)}=cell)."
        )
        raise DeclarationError(msg, cell=function)
    return over


def _example(parameters: Parameters) -> str:
    return next(iter(parameters.names), "parameter")


def _refuse_option(
    function: Any, given: list[str], iterated: Mapping[str, Any]
) -> NoReturn:
    shown = ", ".join(f'"{name}": ...' for name in (*iterated, *given))
    msg = (
        f"each(): {given[0]!r} is an option and a parameter of {_described(function)}. "
        f"Give what is iterated as a mapping: each({_names.name_of(function)}, "
        f"{{{shown}}}, ...)."
    )
    raise DeclarationError(msg, cell=function)


def _check_names(
    function: Any, parameters: Parameters, over: Mapping[str, Any]
) -> None:
    """Refuse what is no parameter."""
    for name in map(normal, over):
        if not isinstance(name, str) or (
            name not in parameters.names
            and (parameters.is_known or name in parameters.unbindable)
        ):
            _refuse_parameter(function, name, parameters)


def _check_bindings(function: Any, bindings: Mapping[str, Any]) -> None:
    """Refuse what cannot be iterated."""
    bound = dict((spec_of(function) or UNMARKED).bindings)
    for name, binding in bindings.items():
        if name in bound:
            msg = (
                f"each({name}=...): @depends_on binds {name!r} of "
                f"{_described(function)} as well. Keep one of the two."
            )
            raise DeclarationError(msg, cell=function)
        if any(isinstance(part, Lazy) for part in _parts(binding)):
            msg = (
                f"each({name}={binding!r}): what is iterated is computed before, and "
                f"not asked for. Give the cell: each({name}=...)."
            )
            raise DeclarationError(msg, cell=function)


def _parts(binding: Any) -> tuple[Any, ...]:
    return binding if isinstance(binding, tuple) else (binding,)


def _refuse_parameter(function: Any, name: str, parameters: Parameters) -> NoReturn:
    reason = parameters.unbindable.get(name)
    if reason is not None:
        why = f"cannot get {name!r} item by item: {reason}."
    else:
        known = (*parameters.names, *_OPTIONS, *_USUAL)
        near = _names.suggestions(name, known)
        why = f"has no parameter {name!r}.{_names.did_you_mean(near)}"
    msg = f"each({name}=...): {_described(function)} {why}"
    raise UnbindableParameter(msg, cell=function, parameter=name)


def _options(own: Options, given: Mapping[str, Any]) -> dict[str, Any]:
    """The options; those left out are the function's own, but for its name."""
    return {
        option: getattr(own, option) if value is None and option != "name" else value
        for option, value in given.items()
    }


def _check_limit(limit: int) -> None:
    if isinstance(limit, bool) or limit < 1:
        msg = f"limit={limit!r}: expected a whole number of at least 1, or a name."
        raise DeclarationError(msg)


def _check_how(how: Mapping[str, Any]) -> None:
    if how["on_error"] not in ("raise", "keep"):
        near = _names.suggestions(how["on_error"], ("raise", "keep"))
        msg = (
            f"on_error={how['on_error']!r}: expected 'raise' or 'keep'."
            f"{_names.did_you_mean(near)}"
        )
        raise DeclarationError(msg)
    if not isinstance(how["product"], bool):
        msg = f"product={how['product']!r}: expected True or False."
        raise DeclarationError(msg)


def _check_fit(function: Any, said: Options, fan_out: FanOut) -> None:
    """Refuse options that would not fit the function as a cell either."""
    asked = attrs.evolve(said, timeout=fan_out.timeout, fan_out=None)
    check_declaration(
        lambda: f"each(): {_described(function)}", function, asked, fan_out.kind
    )


def _signature(
    function: Any, parameters: Parameters, iterated: Collection[str]
) -> inspect.Signature:
    """The function's own, but that what is iterated has to be given."""
    if not parameters.is_known:
        kind = inspect.Parameter.KEYWORD_ONLY
        return inspect.Signature([inspect.Parameter(name, kind) for name in iterated])
    known = signature_of(function).parameters.values()
    return inspect.Signature(
        [_all_of(each) if each.name in iterated else each for each in known],
        # One without a default may follow one that has one.
        __validate_parameters__=False,
    )


def _all_of(parameter: inspect.Parameter) -> inspect.Parameter:
    """The parameter that gets all items, in place of the one that gets each."""
    return parameter.replace(default=parameter.empty, annotation=parameter.empty)
