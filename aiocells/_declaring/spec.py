"""What the decorators said about a function: a frozen spec."""

import inspect
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import attrs

from aiocells._declaring.caching import Cached, check_cache
from aiocells._declaring.fan_out import FanOut
from aiocells._declaring.kinds import Kind, kind_of
from aiocells.errors import DeclarationError


def normal(name: str) -> str:
    """A name as Python reads it in source: letters that look alike are the same.

    Args:
        name: of a cell or an input, "module:name", or anything else, which is left as
            it is.
    """
    if not isinstance(name, str) or name.isascii():
        return name
    # Few need it.
    from unicodedata import normalize

    parts = re.split("([:.])", name)
    return "".join(
        [normalize("NFKC", each) if each.isidentifier() else each for each in parts]
    )


def _check_input_name(_: object, __: object, name: Any) -> None:
    if not (isinstance(name, str) and name):
        msg = f"Input({name!r}): expected the name of an input, a string."
        raise DeclarationError(msg)


def _check_secret(secret: object) -> None:
    if not (secret is None or isinstance(secret, bool)):
        msg = f"secret={secret!r}: expected True or False."
        raise DeclarationError(msg)


@attrs.frozen(repr=False)
class Input:
    """An input of another name than the parameter that it is bound to.

    Args:
        name: the input's name, as the caller of a computer gives it.
        secret: whether notes on errors, logs and the command line hide its value; by
            default they do where its name is one of `errors.SECRET_NAMES`.

    >>> from aiocells import Graph, Input, cell, compute_sequential, depends_on
    >>> @cell
    ... @depends_on(url=Input("billing_url"))
    ... def page(url: str) -> str:
    ...     return f"GET {url}"
    >>> graph = Graph.from_cells(page)
    >>> compute_sequential(graph, inputs={"billing_url": "/bills"})[page]
    'GET /bills'
    """

    name: str = attrs.field(converter=normal, validator=_check_input_name)
    secret: bool | None = attrs.field(
        default=None, kw_only=True, validator=lambda _, __, given: _check_secret(given)
    )

    def __repr__(self) -> str:
        secret = "" if self.secret is None else f", secret={self.secret}"
        return f"Input(name={self.name!r}{secret})"


@attrs.frozen
class Lazy:
    """A cell that is computed only if it is asked for, while the graph is computed.

    The parameter that it is bound to gets a function without parameters: an async one
    where the cell that asks is async, else a plain one. Calling it has the cell
    computed, and what that needs, once for all who ask, and gives the value.

    Args:
        cell: a cell, another callable, or a string: the name of a cell that may be
            defined later, or "package.module:name".

    >>> from aiocells import Graph, Lazy, cell, compute_sequential, depends_on
    >>> @cell
    ... def offers() -> list[str]:
    ...     print("looking for offers")
    ...     return ["tea"]
    >>> @cell
    ... @depends_on(offers=Lazy(offers))
    ... def page(is_member: bool, offers) -> list[str]:
    ...     return offers() if is_member else []
    >>> graph = Graph.from_cells(page)
    >>> compute_sequential(graph, inputs={"is_member": False})[page]
    []
    >>> compute_sequential(graph, inputs={"is_member": True})[page]
    looking for offers
    ['tea']
    """

    cell: Callable[..., Any] | str


Reference: TypeAlias = Callable[..., Any] | str
Binding: TypeAlias = Reference | Input | Lazy | Sequence[Reference | Input | Lazy]


def is_name(reference: str) -> bool:
    """Whether a string may name a cell: "name" or "package.module:name"."""
    where, colon, name = reference.partition(":")
    return bool(where and name and where[0] != ".") if colon else bool(where)


@attrs.frozen
class Options:
    """What `cell` or `resource` said about a function.

    Attributes:
        name: the cell's name, where it is not the function's own.
        is_resource: whether it yields its value, and then cleans up.
        run_in: "thread", "process" or the name of an executor; None for inline.
        limit: the name of the limit that it counts towards, or those of several.
        timeout: seconds after which an async cell is given up.
        fallback: gives a value for what it raised.
        secret: whether its value is hidden; None where its name decides.
        cache: whether its value is kept, and how; None where the cache decides.
        fan_out: how it calls its function for each item, where it does.
    """

    name: str | None = attrs.field(
        default=None, converter=attrs.converters.optional(normal)
    )
    is_resource: bool = False
    run_in: str | None = None
    limit: str | tuple[str, ...] | None = None
    timeout: float | None = None
    fallback: Callable[[Any], Any] | None = None
    secret: bool | None = None
    cache: bool | Cached | None = None
    fan_out: FanOut | None = None

    @property
    def limits(self) -> tuple[str, ...]:
        """The names of all limits, in the order in which they are entered."""
        limit = self.limit
        return limit if isinstance(limit, tuple) else (limit,) if limit else ()

    def __str__(self) -> str:
        """The decorator as it is written."""
        decorator = "@resource" if self.is_resource else "@cell"
        given = attrs.asdict(self, recurse=False)
        del given["is_resource"], given["fan_out"]
        told = ", ".join(
            f"{name}={value!r}" for name, value in given.items() if value is not None
        )
        return f"{decorator}({told})" if told else decorator

    def __attrs_post_init__(self) -> None:
        for option in ("name", "run_in", "limit"):
            text = getattr(self, option)
            if option == "limit" and isinstance(text, tuple):
                _check_limits(text)
            elif text is not None and not (isinstance(text, str) and text):
                msg = f"{option}={text!r}: expected a string that is not empty."
                raise DeclarationError(msg)
        _check_secret(self.secret)
        check_cache(self.cache)
        timeout: Any = self.timeout
        if timeout is not None and not (
            isinstance(timeout, int | float)
            and not isinstance(timeout, bool)
            and timeout > 0
        ):
            msg = f"timeout={timeout!r}: expected a number of seconds above 0."
            raise DeclarationError(msg)
        if self.fallback is not None:
            _check_fallback(self.fallback)


def _check_fallback(fallback: Any) -> None:
    """Refuse what is no plain function of an exception."""
    if not callable(fallback):
        msg = (
            f"fallback={fallback!r}: expected a function of the exception, such as "
            f"fallback=lambda error: {fallback!r}."
        )
        raise DeclarationError(msg)
    kind = kind_of(fallback)
    if kind is not Kind.PLAIN:
        msg = (
            f"fallback={fallback!r} is {kind.value}: expected a function of the "
            "exception that returns the value at once."
        )
        raise DeclarationError(msg)
    if not _takes_one(fallback):
        msg = (
            f"fallback={fallback!r}: expected a function of the exception, which can "
            "be called with that alone, such as fallback=lambda error: None."
        )
        raise DeclarationError(msg)


def _takes_one(function: Callable[..., Any]) -> bool:
    try:
        signature = inspect.signature(function)
    except Exception:  # nobody can tell
        return True
    try:
        signature.bind(None)
    except TypeError:
        return False
    return True


def _check_limits(names: tuple[Any, ...]) -> None:
    """Refuse what are no names of limits, and what would wait for itself."""
    are_names = all(isinstance(name, str) and name for name in names)
    if names and are_names and len(set(names)) == len(names):
        return
    msg = f"limit={names!r}: expected one or more names, each of them once."
    raise DeclarationError(msg)


PLAIN = Options()


@attrs.frozen
class CellSpec:
    """What the decorators said about a function.

    Attributes:
        options: from `cell` or `resource`; None if only `depends_on` was used.
        order: the positional arguments of `depends_on`, in the order written.
        bindings: its keyword arguments, as pairs.
        called: the local variables that those of `order` stood in which have no name of
            their own, as pairs.
    """

    options: Options | None = None
    order: tuple[Any, ...] = ()
    bindings: tuple[tuple[str, Any], ...] = ()
    called: tuple[tuple[str, Any], ...] = ()


# Most cells have no options: they share these.
UNMARKED = CellSpec()
PLAIN_SPEC = CellSpec(options=PLAIN)
