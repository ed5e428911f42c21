"""How many items of a fan-out may run at once, besides what its own limit says."""

from collections.abc import Callable
from typing import Protocol


class Places(Protocol):
    """The places of a computation, of which a fan-out has one of its own.

    It takes more while nobody waits for them, and gives them back when somebody does:
    so it neither starves others, nor waits for itself.
    """

    def take(self) -> bool:
        """Take one more, unless there is none, or somebody waits for it."""
        ...

    def are_wanted(self) -> bool:
        """Whether a cell waits that could use one of this fan-out's places."""
        ...

    def give_back(self, count: int) -> None:
        """Give back so many of those that were taken."""

    def watch(self, look: Callable[[], None] | None) -> None:
        """Have a function called whenever there may be more, or others may wait."""


class NoLimit:
    """All the places that a fan-out could want."""

    def take(self) -> bool:
        return True

    def are_wanted(self) -> bool:
        return False

    def give_back(self, count: int) -> None:
        """Nobody waits for any."""

    def watch(self, look: Callable[[], None] | None) -> None:
        """There is never less, nor more."""
