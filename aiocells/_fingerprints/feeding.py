"""What those who feed a digest share."""

from typing import Any, Protocol

import attrs

# What marshal writes alike, whatever else refers to it.
ATOMS = frozenset({int, str, bytes, float, bool, type(None), complex})
MARSHAL = 2


class Undigestible(Exception):
    """A value has no digest; the text says which, and why."""


@attrs.frozen
class Digest:
    """The digest of a value.

    Attributes:
        data: the same for equal values.
        code: the functions and classes of the project in it, in order.
    """

    data: bytes
    code: tuple[Any, ...]


class Feeding(Protocol):
    """Takes in what a digest is made of."""

    def feed(self, value: Any) -> None:
        """Take in any value."""

    def tell(self, tag: str, text: str | bytes = b"") -> None:
        """Take in what is told apart by a tag."""

    def update(self, data: Any, /) -> object:
        """Take in bytes, whose number must be known from what came before."""

    def name(self, code: Any) -> None:
        """Take in a function or class by its name; note it if it is the project's."""

    def enter(self, value: Any) -> None:
        """Begin with what a value has in it."""

    def leave(self, value: Any) -> None:
        """End with what a value has in it."""

    def apart(self, value: Any) -> Digest:
        """The digest of a value within another."""
        ...

    def take(self, digest: Digest) -> None:
        """Take in what was digested apart."""


def kind_of(value: Any) -> str:
    """The type of a value, for messages: "builtins.generator"."""
    kind = type(value)
    return f"{kind.__module__}.{kind.__qualname__}"
