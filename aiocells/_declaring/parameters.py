"""The parameters of a callable that can be bound.

`inspect.signature` takes several microseconds a function, most of what building a
graph would cost, so that plain functions are read off their code object.
"""

import functools
import inspect
import sys
import types
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

_EMPTY: Mapping[str, Any] = types.MappingProxyType({})


class Parameters(NamedTuple):
    """The parameters of a callable.

    Attributes:
        positional: names of those that are given by position, in order.
        keyword: names of those that can only be given by keyword.
        defaults: the default of each that has one.
        unbindable: the parameters that cannot be bound, each with the reason.
        is_known: False where Python cannot tell the parameters.
    """

    positional: tuple[str, ...] = ()
    keyword: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = _EMPTY
    unbindable: Mapping[str, str] = _EMPTY
    is_known: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        return self.positional + self.keyword


NO_PARAMETERS = Parameters()
_UNKNOWN = Parameters(is_known=False)
signature_of: Callable[..., inspect.Signature] = inspect.signature
if sys.version_info >= (3, 14):
    # Annotations mean something there only once somebody asks, and may name what is not
    # there. We don't read them: as text, nobody asks.
    from annotationlib import Format

    signature_of = functools.partial(inspect.signature, annotation_format=Format.STRING)
_VARIADIC = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS
_STARS = {
    inspect.Parameter.VAR_POSITIONAL: "*",
    inspect.Parameter.VAR_KEYWORD: "**",
}


def parameters_of(function: Callable[..., Any]) -> Parameters:
    """The parameters of `function`: of the innermost, where it is a wrapper."""
    if type(function) is types.FunctionType and not function.__code__.co_flags & (
        _VARIADIC
    ):
        own = function.__dict__
        if not own or ("__wrapped__" not in own and "__signature__" not in own):
            return _read_code(function)
    return _read_signature(function)


def _read_code(function: types.FunctionType) -> Parameters:
    code = function.__code__
    count = code.co_argcount
    names = code.co_varnames
    if not count and not code.co_kwonlyargcount:
        return NO_PARAMETERS
    defaults: dict[str, Any] = {}
    if function.__defaults__:
        first = count - len(function.__defaults__)
        defaults.update(zip(names[first:count], function.__defaults__, strict=True))
    if function.__kwdefaults__:
        defaults.update(function.__kwdefaults__)
    return Parameters(
        names[:count],
        names[count : count + code.co_kwonlyargcount],
        defaults or _EMPTY,
    )


def _read_signature(function: Callable[..., Any]) -> Parameters:
    try:
        signature = signature_of(function)
    except (ValueError, TypeError):  # some built-ins tell nothing
        return _UNKNOWN
    fixed = function.keywords if isinstance(function, functools.partial) else {}
    positional, keyword = [], []
    defaults, unbindable = {}, {}
    for name, parameter in signature.parameters.items():
        kind = parameter.kind
        if kind in _STARS:
            shown = f"{_STARS[kind]}{name}"
            unbindable[name] = f"it collects any number of arguments ({shown})"
        elif name in fixed:
            unbindable[name] = f"functools.partial fixes it to {fixed[name]!r}"
        else:
            if kind is parameter.KEYWORD_ONLY:
                keyword.append(name)
            else:
                positional.append(name)
            if parameter.default is not parameter.empty:
                defaults[name] = parameter.default
    return Parameters(tuple(positional), tuple(keyword), defaults, unbindable)
