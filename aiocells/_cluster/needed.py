"""How a cell is called on a worker, as it is sent there."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias

from aiocells._cluster.packed import opened

# Where an argument comes from: the place of a value that is sent along, or a resource.
# There is None where it does not matter.
Source: TypeAlias = "int | Needed | None"


class Needed(NamedTuple):
    """A resource that a cell needs, which is opened on the worker.

    Attributes:
        number: of the resource in its graph.
        function: makes the generator.
        sources: its arguments.
        timeout: seconds that an async one may take to open, and to close.
        is_async: whether it is an async generator.
        carries: whether its failure goes to those that need it, and ends nothing.
        where: how notes begin that name it, where a fallback may see one.
    """

    number: int
    function: Callable[..., Any]
    sources: tuple[Source, ...]
    timeout: float | None
    is_async: bool
    carries: bool
    where: str


class SentCell(NamedTuple):
    """A cell that is more than a function of the values that are sent along.

    Attributes:
        token: of the computation.
        number: of the cell in its graph.
        function: what is called.
        sources: its arguments.
        beside: the resources that it needs, but does not get.
        fallback: gives a value for a failure.
        carries: whether its failure goes to those that need it, and ends nothing.
        where: how notes begin that name it, where they are made on the worker.
    """

    token: str
    number: int
    function: Callable[..., Any]
    sources: tuple[Source, ...]
    beside: tuple[Needed, ...]
    fallback: Callable[[Any], Any] | None
    carries: bool
    where: str

    @property
    def needs_resources(self) -> bool:
        """Whether any is to be opened before it is called."""
        return bool(self.beside) or any(type(each) is Needed for each in self.sources)


def sent(values: Sequence[Any], sources: Iterable[Any]) -> list[Any]:
    """The arguments that are sent along, with None for those that do not matter.

    Raises:
        PicklingError: one could not be sent.
        UnpicklingError: one cannot be read.
    """
    return opened(None if each is None else values[each] for each in sources)
