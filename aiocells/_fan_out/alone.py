"""A fan-out that is called by itself, outside of any computation."""

from typing import Any

from aiocells._declaring import names as _names
from aiocells._declaring.showing import shortened, shown, shown_of
from aiocells._outcome.exceptions import MOST_LETTERS, add_notes


class Alone:
    """Its terms: the first failure is the end, and nobody watches.

    Args:
        cell: the fan-out.
    """

    goes_on = is_watched = False

    def __init__(self, cell: Any) -> None:
        self._cell = cell

    def note(self, error: BaseException, key: Any, values: dict[str, Any]) -> None:
        told = ", ".join(f"{name}={shown_of(name, v)}" for name, v in values.items())
        where = _names.described(self._cell.name, self._cell)
        text = f"in item {shown(key)} of cell {where}"
        add_notes(error, [f"{text}\n  called with {shortened(told, MOST_LETTERS)}"])

    def tell_failure(self, error: BaseException, key: Any) -> None:
        """Nobody watches."""

    def tell_progress(self, done: int, total: int | None) -> None:
        """Nobody watches."""
