"""How messages speak of a cell: its name, with its place in the source; near names."""

import functools
import itertools
import types
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aiocells._declaring.marks import spec_of
from aiocells._declaring.source import globals_of, location_of

_SHOWN = 10


def own_name(function: Any) -> str | None:
    """The name that a callable says is its own, or None.

    A partial, an instance and a lambda have none: they go by the name under which
    they are found.
    """
    spec = spec_of(function)
    if spec is not None and spec.options is not None and spec.options.name:
        return spec.options.name
    name = getattr(function, "__name__", None)
    return name if isinstance(name, str) and name != "<lambda>" else None


def name_under(found: str, function: Any, known: Mapping[str, Any]) -> str | None:
    """The name under which a cell was found, where it has none of its own.

    The name with which a function was defined is its own only where it is known by it:
    that of a factory's function, or of a wrapper, says nothing of the cell.

    Args:
        found: the name.
        function: the cell.
        known: what is known, by name, where it was found.

    Returns:
        `found`, or None where the cell's own name does.
    """
    own = getattr(function, "__name__", None)
    if own == found:
        return None
    if isinstance(own, str):
        if mangled(own, function) == found:
            return None
        for names in (known, globals_of(function)):
            other = names.get(own)
            if other is function or (
                type(other) is types.MethodType and other == function
            ):
                return None
    return found


def mangled(name: str, function: Any) -> str:
    """A name as Python reads it in the class in which a function was defined."""
    if not name.startswith("__") or name.endswith("__"):
        return name
    path = getattr(function, "__qualname__", "").split(".")
    owner = path[-2].lstrip("_") if len(path) > 1 else ""
    return f"_{owner}{name}" if owner and owner != "<locals>" else name


def fallback_name(function: Any) -> str:
    """A name for what has none of its own and was not found under one."""
    if isinstance(function, functools.partial):
        return own_name(function.func) or fallback_name(function.func)
    name = getattr(function, "__name__", None)
    return name if isinstance(name, str) else type(function).__name__


def name_of(node: Any, found: str | None = None) -> str:
    """The name by which messages, and the caller's strings, speak of a node.

    Args:
        node: a callable, or whatever else somebody put into a graph.
        found: a name that is known of it, and that comes first.
    """
    if found is not None:
        return found
    if callable(node):
        return own_name(node) or fallback_name(node)
    return str(node)


def shown(thing: Any) -> str:
    """What a user gave for a cell, as messages name it."""
    if not callable(thing):
        return repr(thing)
    return described(fallback_name(thing), thing)


def described(name: str, function: Any) -> str:
    """A cell as messages name it: "'plan' (trip.py:14)"."""
    return placed(name, location_of(function))


def placed(name: str, place: str) -> str:
    """The same, where its place is known, or is ""."""
    return f"{name!r} ({place})" if place else repr(name)


def listed(names: Iterable[str], count: int) -> str:
    """Names as a repr lists them, the first few of many: "plan, audit, ... 8 more"."""
    shown = ", ".join(itertools.islice(names, _SHOWN))
    return f"{shown}, ... {count - _SHOWN} more" if count > _SHOWN else shown


def suggestions(name: object, known: Iterable[str]) -> list[str]:
    """The known names that look like `name`, the nearest first."""
    if not isinstance(name, str):
        return []
    # Only what failed waits for the import.
    import difflib

    return difflib.get_close_matches(name, list(dict.fromkeys(known)), n=3, cutoff=0.6)


def did_you_mean(near: Sequence[str]) -> str:
    """The sentence that offers near names; empty where there are none."""
    if not near:
        return ""
    return f" Did you mean {' or '.join(repr(name) for name in near)}?"
