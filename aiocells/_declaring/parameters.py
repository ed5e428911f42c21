"""The parameters of a callable that can be bound.

`inspect.signature` takes several microseconds a function, most of what building a
graph would cost, so that plain functions are read off their code object.
"""

import functools
import inspect
import sys
import types
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from aiocells._declaring.showing import shown_of

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
_inspected: Callable[..., inspect.Signature] = inspect.signature
if sys.version_info >= (3, 14):
    # Annotations mean something there only once somebody asks, and may name what is not
    # there. We don't read them: as text, nobody asks.
    from annotationlib import Format

    _inspected = functools.partial(inspect.signature, annotation_format=Format.STRING)
_VARIADIC = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS
_STARS: dict[Any, str] = {
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
            starred = f"{_STARS[kind]}{name}"
            unbindable[name] = f"it collects any number of arguments ({starred})"
        elif name in fixed:
            value = shown_of(name, fixed[name])
            unbindable[name] = f"functools.partial fixes it to {value}"
        else:
            if kind is parameter.KEYWORD_ONLY:
                keyword.append(name)
            else:
                positional.append(name)
            if parameter.default is not parameter.empty:
                defaults[name] = parameter.default
    return Parameters(tuple(positional), tuple(keyword), defaults, unbindable)


def signature_of(
    function: Callable[..., Any], *, follow_wrapped: bool = True
) -> inspect.Signature:
    """The signature of a callable: of the innermost, where it is a wrapper.

    Raises:
        ValueError, TypeError: Python cannot tell.
    """
    return _inspected(_as_called(function), follow_wrapped=follow_wrapped)


def _as_called(function: Any) -> Any:
    """What `inspect` can read of a call.

    Before Python 3.13 it takes the first parameter of every `__call__` for `self`.
    """
    if isinstance(function, functools.partial):
        inner = _as_called(function.func)
        if inner is function.func:
            return function
        return functools.partial(inner, *function.args, **function.keywords)
    kind = type(function)
    call = inspect.getattr_static(kind, "__call__", None)
    if type(call) in _READ_BY_INSPECT or issubclass(kind, type):
        return function
    own = getattr(function, "__dict__", {})
    if "__signature__" in own or "__wrapped__" in own:
        return function
    bind = getattr(call, "__get__", None)
    return _as_called(call if bind is None else bind(function, kind))


# A function, or something written in C.
_READ_BY_INSPECT = (types.FunctionType, types.WrapperDescriptorType)


def collecting(function: Callable[..., Any]) -> str:
    """What a callable takes that has no other parameters than `*args` and `**kwargs`.

    Returns:
        "*args, **kwargs", or empty where it has others, or none.
    """
    if not parameters_of(function).is_known:
        return ""
    parameters = signature_of(function).parameters.values()
    if not all(each.kind in _STARS for each in parameters):
        return ""
    return ", ".join(_STARS[each.kind] + each.name for each in parameters)


def by_position(
    function: Callable[..., Any],
    count: int,
    others: Collection[int],
    gone: Collection[int] = (),
) -> int:
    """How many parameters a call gives by position.

    Args:
        function: a callable whose parameters are known.
        count: how many are positional.
        others: the positions of those after which all should be given by keyword; it
            is by position up to the last that has no other way.
        gone: the positions of those that are not given at all.
    """
    given = [each for each in range(min(others), count) if each not in gone]
    if given:
        names, nameless = parameters_of(function).names, _nameless(function)
        bound = [each for each in given if names[each] in nameless]
        others = [each for each in others if each > max(bound, default=-1)]
    return min([count, *others])


def _nameless(function: Callable[..., Any]) -> set[str]:
    """The parameters that a call cannot give by keyword.

    A wrapper may take by position only, or by another name, what the function inside
    takes either way.
    """
    inner = signature_of(function).parameters
    try:
        outer = signature_of(function, follow_wrapped=False).parameters
    except ValueError:  # written in C, as the wrapper of functools.cache
        outer = inner
    kinds = [each.kind for each in outer.values()]
    takes_any = inspect.Parameter.VAR_KEYWORD in kinds
    named = sum(kind <= inspect.Parameter.POSITIONAL_OR_KEYWORD for kind in kinds)
    nameless = set()
    for position, (name, parameter) in enumerate(inner.items()):
        taken = outer.get(name)
        if parameter.kind is parameter.POSITIONAL_ONLY or (
            (position < named or not takes_any)
            if taken is None
            else taken.kind is parameter.POSITIONAL_ONLY
        ):
            nameless.add(name)
    return nameless


def is_wrapper(function: Callable[..., Any]) -> bool:
    """Whether a callable is a wrapper, made with functools.wraps, around another."""
    while isinstance(function, functools.partial):
        function = function.func
    if isinstance(function, types.MethodType):
        function = function.__func__
    return "__wrapped__" in getattr(function, "__dict__", {})
