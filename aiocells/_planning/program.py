"""The cells of a graph, ready to be called.

Everything goes by the number of a cell in its graph, and names and places come along,
so that nothing above a plan asks its graph for anything.
"""

import copy
import functools
import itertools
import operator
from collections.abc import (
    Callable,
    Collection,
    Iterator,
    KeysView,
    Mapping,
    Sequence,
)
from typing import Any, TypeAlias

from aiocells._collecting.bound import Shape
from aiocells._declaring.kinds import Kind
from aiocells._declaring.spec import Options
from aiocells._graphs.roster import Roster
from aiocells._planning.asking import asking_source, without_lazy


class Program:
    """The cells of a graph, ready to be called.

    Attributes:
        roster: the cells, with their names and places.
        nodes: the cells.
        functions: what to call, with the values of `args` by position.
        args: where those values come from.
        needs: for each cell the cells that must be computed before it.
        order: the numbers of all cells, in topological order.
        kinds: what calling each gives.
        options: what `cell` or `resource` said.
        inputs: what the caller may give.
        shapes: how the caller's function takes the arguments, where not one by one.
        optional: for the cells with defaults, the inputs that these stand in for.
        retired: the options of functions that others stand for.
        secret: for the inputs of which `Input` says it, whether they are secret.
        asks: for the cells that may ask for others, those others.
        edges: as `needs`, with what they only may ask for.
        attached: what others keep with the cells, each by an `Attached` of its own.
    """

    # Written out, here and in Plan: attrs would take a millisecond of every import.
    def __init__(
        self,
        *,
        roster: Roster,
        functions: list[Callable[..., Any]],
        args: list[tuple[int, ...]],
        needs: list[Collection[int]],
        order: list[int],
        kinds: list[Kind],
        shapes: dict[int, Shape],
        optional: Mapping[int, tuple[int, ...]],
        retired: tuple[Options, ...],
        secret: Mapping[str, bool],
        asks: Mapping[int, tuple[int, ...]],
        lazy: Mapping[int, Collection[int]],
    ) -> None:
        self.roster = roster
        self.nodes = roster.nodes
        self.options = roster.options
        self.inputs = roster.inputs
        self.functions = functions
        self.args = args
        self.edges = needs
        self.asks = asks
        self.needs = without_lazy(needs, lazy) if asks else needs
        self.order = order
        self.kinds = kinds
        self.shapes = shapes
        self.optional = optional
        self.retired = retired
        self.secret = secret
        self.attached: dict[Any, Any] = {}

    def calling(
        self,
        functions: list[Callable[..., Any]],
        args: list[tuple[int, ...]],
        arguments: list["Taking"],
        shapes: dict[int, Shape],
    ) -> "Program":
        """The same cells, some of them called with other arguments.

        What is attached, both have.
        """
        other = copy.copy(self)
        other.functions = functions
        other.args = args
        other.arguments = arguments
        other.shapes = shapes
        return other

    @functools.cached_property
    def arguments(self) -> list["Taking"]:
        """For each cell what takes its arguments out of the values of a run."""
        return [taking(sources) for sources in self.args]

    @functools.cached_property
    def blank(self) -> list[Any]:
        """The values that a run starts with: nothing is known yet.

        To copy it takes a run less time than to count how many there are.
        """
        return [None] * (len(self.nodes) + len(self.inputs) + bool(self.asks))

    @functools.cached_property
    def asking(self) -> int:
        """The source of what cells ask with, which a run puts there."""
        return asking_source(self.inputs)

    @property
    def names(self) -> list[str]:
        """The name of each cell, by which messages and the caller speak of it."""
        return self.roster.names

    @property
    def named(self) -> dict[str, list[int]]:
        """For each name the cells that have it."""
        return self.roster.named

    @property
    def input_names(self) -> KeysView[str]:
        """What the caller may give."""
        return self.roster.input_names

    @functools.cached_property
    def are_plain(self) -> bytes:
        """For each cell 1 if it is a plain function, else 0."""
        return bytes(kind is Kind.PLAIN for kind in self.kinds)

    @functools.cached_property
    def limits(self) -> frozenset[str]:
        """What `limit` of the cells names."""
        return frozenset(
            name for each in self.known_options if each.limit for name in each.limits
        )

    @functools.cached_property
    def places(self) -> frozenset[str]:
        """What `run_in` of the cells names."""
        return frozenset(each.run_in for each in self.known_options if each.run_in)

    @property
    def known_options(self) -> Iterator[Options]:
        """What the functions of the cells said, also those that others stand for."""
        return itertools.chain(self.options, self.retired)

    def written(self, number: int) -> Callable[..., Any]:
        """The function that was written for a cell: itself, or what stands for it."""
        return self.roster.written(number)

    def described(self, number: int) -> str:
        """A cell as messages name it, with its place in the source."""
        return self.roster.described(number)

    def find(self, key: Any) -> Sequence[int]:
        """The cell that `key` is, or all those that it names; empty for neither."""
        return self.roster.find(key)

    def is_resource(self, number: int) -> bool:
        return self.options[number].is_resource


Taking: TypeAlias = Callable[[list[Any]], Sequence[Any]]
_TAKING_NONE: Taking = operator.itemgetter(slice(0))


def taking(sources: tuple[int, ...]) -> Taking:
    """What gives the items of a list that stand at `sources`.

    An itemgetter is the quickest there is, but gives a bare item for one source, and
    does not exist for none: a slice stands in for these.
    """
    if len(sources) > 1:
        return operator.itemgetter(*sources)
    if not sources:
        return _TAKING_NONE
    source = sources[0]
    return operator.itemgetter(slice(source, source + 1 or None))
