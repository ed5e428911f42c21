"""The cells of a graph, ready to be called.

Everything goes by the number of a cell in its graph, and names and places come along,
so that nothing above a plan asks its graph for anything.
"""

import copy
import functools
import operator
import types
from collections.abc import Callable, Collection, Iterable, KeysView, Mapping, Sequence
from typing import Any, TypeAlias

from aiocells._collecting.binding import Shape
from aiocells._declaring.kinds import Kind
from aiocells._declaring.names import described, fallback_name, name_of, shown
from aiocells._declaring.spec import PLAIN, Options, normal


class Program:
    """The cells of a graph, ready to be called.

    Attributes:
        nodes: the cells.
        index: the number of each; later ones are of nodes that came since.
        found_names: of those cells that do not tell their own.
        functions: what to call, with the values of `args` by position.
        args: where those values come from.
        needs: for each cell the cells that must be computed before it.
        kinds: what calling each gives.
        options: what `cell` or `resource` said.
        inputs: what the caller may give.
        shapes: how the caller's function takes the arguments, where not one by one.
        optional: for the cells with defaults, the inputs that these stand in for.
        attached: what others keep with the cells, each by an `Attached` of its own.
    """

    # Written out, here and in Plan: attrs would take a millisecond of every import.
    def __init__(
        self,
        *,
        nodes: list[Any],
        index: Mapping[Any, int],
        found_names: Mapping[int, str],
        functions: list[Callable[..., Any]],
        args: list[tuple[int, ...]],
        needs: list[Collection[int]],
        kinds: list[Kind],
        options: list[Options],
        inputs: list[str],
        shapes: dict[int, Shape],
        optional: Mapping[int, tuple[int, ...]],
    ) -> None:
        self.nodes = nodes
        self.index = index
        self.found_names = found_names
        self.functions = functions
        self.args = args
        self.needs = needs
        self.kinds = kinds
        self.options = options
        self.inputs = inputs
        self.shapes = shapes
        self.optional = optional
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
    def names(self) -> list[str]:
        """The name of each cell, by which messages and the caller speak of it."""
        found = self.found_names
        return [
            node.__name__
            if type(node) is types.FunctionType
            and self.options[number] is PLAIN
            and number not in found
            and node.__name__ != "<lambda>"
            else name_of(node, found.get(number))
            for number, node in enumerate(self.nodes)
        ]

    @functools.cached_property
    def named(self) -> dict[str, list[int]]:
        """For each name the cells that have it."""
        named: dict[str, list[int]] = {}
        for number, name in enumerate(self.names):
            named.setdefault(name, []).append(number)
        return named

    @functools.cached_property
    def input_names(self) -> KeysView[str]:
        """What the caller may give."""
        return dict.fromkeys(self.inputs).keys()

    def described(self, number: int) -> str:
        """A cell as messages name it, with its place in the source."""
        return described(self.names[number], self.nodes[number])

    def find(self, key: Any) -> Sequence[int]:
        """The cell that `key` is, or all those that it names; empty for neither."""
        try:
            number = self.index.get(key)
        except TypeError:  # not hashable
            return ()
        if number is not None and number < len(self.nodes):
            return (number,)
        if not isinstance(key, str):
            return ()
        return self.named.get(key) or self.named.get(normal(key)) or ()

    def namesake(self, key: Any) -> str:
        """What to tell of a function that is no cell, where a cell has its name."""
        same = self.named.get(fallback_name(key)) if callable(key) else None
        if not same:
            return ""
        return (
            f"{shown(key)} is no cell of the graph. It has another cell of that name: "
            f"{self.described(same[0])}."
        )

    def is_resource(self, number: int) -> bool:
        return self.options[number].is_resource


Taking: TypeAlias = Callable[[list[Any]], Iterable[Any]]
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
