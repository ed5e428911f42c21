"""What a declaration must not say, since it could not work in any computer."""

from collections.abc import Callable
from typing import Any

from aiocells._declaring.caching import Cached
from aiocells._declaring.kinds import Kind
from aiocells._declaring.names import did_you_mean, suggestions
from aiocells._declaring.parameters import parameters_of
from aiocells._declaring.spec import Options
from aiocells.errors import DeclarationError

_GENERATORS = (Kind.GENERATOR, Kind.ASYNC_GENERATOR)
_ASYNC = (Kind.ASYNC, Kind.ASYNC_GENERATOR)


def check_declaration(
    described: Callable[[], str], function: Any, options: Options, kind: Kind
) -> None:
    """Refuse options that do not fit the kind of function.

    Args:
        described: gives the cell as messages name it.
        function: the cell.
        options: what its decorator said.
        kind: what calling it gives.

    Raises:
        DeclarationError: they do not fit.
    """
    if (kind in _GENERATORS) != options.is_resource:
        reason = _wrong_kind(options, kind)
    elif options.timeout is not None and kind not in _ASYNC:
        reason = (
            f"has timeout={options.timeout:g}, but is {kind.value}, which cannot be "
            "stopped. Only async cells take a timeout; have the function itself give "
            "up, for instance with the timeout of the call that it waits for."
        )
    elif options.run_in is not None and kind in _ASYNC:
        reason = (
            f"has run_in={options.run_in!r}, but is {kind.value}, which runs on the "
            "event loop. Leave run_in out, or make it a plain function."
        )
    elif options.is_resource and options.run_in not in (None, "thread"):
        reason = (
            f"has run_in={options.run_in!r}, but is a resource, which must be closed "
            'where it was opened. Use run_in="thread", or leave it out.'
        )
    elif isinstance(options.cache, Cached) and options.cache.ignore:
        reason = _wrong_ignore(function, options.cache)
    else:
        return
    if not reason:
        return
    msg = f"{described()} {reason}"
    raise DeclarationError(msg, cell=function)


def _wrong_ignore(function: Any, cached: Cached) -> str:
    parameters = parameters_of(function)
    unknown = set(cached.ignore).difference(parameters.names)
    if not parameters.is_known or not unknown:
        return ""
    name = min(unknown)
    hint = did_you_mean(suggestions(name, parameters.names))
    return f"has ignore={cached.ignore!r}, but no parameter {name!r}.{hint}"


def _wrong_kind(options: Options, kind: Kind) -> str:
    if options.is_resource:
        return (
            f"is marked with @resource, but is {kind.value}. A resource yields its "
            "value once, then cleans up; without clean-up, mark it with @cell and "
            "return the value."
        )
    return (
        f"is {kind.value}, so its value would be a generator that nobody runs. If it "
        "yields once, mark it with @resource in place of @cell; else return a list."
    )
