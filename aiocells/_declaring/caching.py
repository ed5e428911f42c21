"""What `@cell(cache=...)` says of the values of a cell that may be kept."""

from typing import Any

import attrs

from aiocells.errors import DeclarationError


def check_ttl(ttl: Any) -> None:
    """Refuse what is no number of seconds.

    Raises:
        DeclarationError: it is none.
    """
    if ttl is not None and not (
        isinstance(ttl, int | float) and not isinstance(ttl, bool) and ttl > 0
    ):
        msg = f"ttl={ttl!r}: expected a number of seconds above 0, or None for ever."
        raise DeclarationError(msg)


def _check_version(_: object, __: object, version: Any) -> None:
    if not (version is None or isinstance(version, str | int)):
        msg = f"version={version!r}: expected a string or a number."
        raise DeclarationError(msg)


def _check_ignored(_: object, __: object, ignored: Any) -> None:
    if isinstance(ignored, str) or not all(isinstance(each, str) for each in ignored):
        msg = (
            f"ignore={ignored!r}: expected the names of parameters, as in "
            'ignore=("session",).'
        )
        raise DeclarationError(msg)


def _as_tuple(ignored: Any) -> Any:
    return tuple(ignored) if isinstance(ignored, list | set | frozenset) else ignored


@attrs.frozen(kw_only=True)
class Cached:
    """How the values of a cell are kept, for `@cell(cache=Cached(...))`.

    Args:
        version: counts in place of the function's code and all that it uses: until it
            changes, what was kept is found.
        ttl: for how many seconds from its writing a value is found; by default as long
            as the `Cache` says.
        ignore: parameters that make no difference to the value, such as a session.

    >>> from aiocells import Cached, cell
    >>> @cell(cache=Cached(version="2", ttl=86_400, ignore=("session",)))
    ... def rates(day: str, session: object) -> dict[str, float]:
    ...     return {"EUR": 1.0}
    """

    version: str | int | None = attrs.field(default=None, validator=_check_version)
    ttl: float | None = attrs.field(
        default=None, validator=lambda _, __, given: check_ttl(given)
    )
    ignore: tuple[str, ...] = attrs.field(
        default=(), converter=_as_tuple, validator=_check_ignored
    )


def check_cache(cache: object) -> None:
    """Refuse what is no word on keeping.

    Raises:
        DeclarationError: it is none.
    """
    if not (cache is None or isinstance(cache, bool | Cached)):
        msg = f"cache={cache!r}: expected True, False or Cached(...)."
        raise DeclarationError(msg)
