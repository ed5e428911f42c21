"""What may stand for a cell where one is declared: a reference, or several."""

from collections.abc import Mapping, Sequence
from typing import Any

from aiocells._declaring.marking import DependsOn, refuse_decorator
from aiocells._declaring.spec import Input, Lazy, is_name, normal
from aiocells.errors import DeclarationError


def checked_bindings(bindings: Mapping[str, Any], said: str) -> dict[str, Any]:
    """What parameters are bound to, as it is kept; a list becomes a tuple.

    Args:
        bindings: for each parameter what its value is to be.
        said: the function that was called with them, for messages.

    Raises:
        DeclarationError: something is no reference.
    """
    fixed: dict[str, Any] = {}
    for parameter, bound in bindings.items():
        where = f"{said}({parameter}="
        parts = _parts(bound)
        fixed[normal(parameter)] = (
            as_read(bound) if parts is None else tuple(map(as_read, parts))
        )
        for part in (bound,) if parts is None else parts:
            if isinstance(part, Lazy):
                _check_lazy(part, where)
            elif not isinstance(part, Input):
                check_reference(part, where)
    return fixed


def as_read(reference: Any) -> Any:
    """A reference with its name, if it is one, as Python reads names."""
    if isinstance(reference, Lazy):
        return Lazy(as_read(reference.cell))
    return normal(reference) if isinstance(reference, str) else reference


def _parts(bound: Any) -> tuple[Any, ...] | None:
    """What a list binding lists; None for one reference."""
    if isinstance(bound, str) or callable(bound) or not isinstance(bound, Sequence):
        return None
    return tuple(bound)


def _check_lazy(lazy: Lazy, where: str) -> None:
    within: object = lazy.cell
    if isinstance(within, Input | Lazy):
        msg = (
            f"{where}{lazy!r}): {within!r} is no cell, so that there is "
            f"nothing to compute when it is asked for: {where}{within!r})."
        )
        raise DeclarationError(msg)
    if _parts(within) is not None:
        msg = (
            f"{where}{lazy!r}): each cell of a list is asked for by itself: "
            f"{where}[Lazy(...), ...])."
        )
        raise DeclarationError(msg)
    check_reference(within, where)


def check_reference(reference: object, where: str) -> None:
    """Refuse what cannot stand for a cell.

    Args:
        reference: what was given.
        where: what stands before it, such as "depends_on(parameter=".

    Raises:
        DeclarationError: it cannot.
    """
    if isinstance(reference, Lazy):
        msg = (
            f"depends_on({reference!r}): what is only asked for orders nothing, so it "
            f"must be bound to a parameter: depends_on(parameter={reference!r})."
        )
        raise DeclarationError(msg)
    if isinstance(reference, Input):
        msg = (
            f"depends_on({reference!r}): an input orders nothing, so it must be bound "
            f"to a parameter: depends_on(parameter={reference!r})."
        )
        raise DeclarationError(msg)
    if isinstance(reference, DependsOn):
        refuse_decorator(reference)
    if not (
        callable(reference)
        or isinstance(reference, classmethod)  # inside of its class
        or (isinstance(reference, str) and is_name(reference))
    ):
        msg = (
            f"{where}{reference!r}): expected a cell, another callable, or "
            'a string such as "name" or "package.module:name".'
        )
        raise DeclarationError(msg)
