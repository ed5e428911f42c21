"""What binding gives: the edges, inputs and arguments of a graph."""

import types
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from aiocells._declaring.kinds import Kind
from aiocells._declaring.marks import spec_of
from aiocells._declaring.spec import PLAIN, CellSpec, Options
from aiocells._graphs.roster import Roster
from aiocells._graphs.structure import Structure

Function = Callable[..., Any]


class OwnDefault(NamedTuple):
    """An argument that is the default of its parameter.

    It stands for an input that was not given, where Python has no way to leave it out:
    before an argument that can only be given by position.

    Attributes:
        parameter: its name.
    """

    parameter: str


class Keys(NamedTuple):
    """An argument that is a dict.

    Attributes:
        keys: those of its values, in order.
    """

    keys: tuple[Any, ...]


# What makes up an argument: one value; so many, as a list; as a dict; none.
Group: TypeAlias = int | Keys | OwnDefault | None


class Shape(NamedTuple):
    """How to call a function that does not take one value a parameter, in order.

    Attributes:
        groups: what makes up each argument.
        keywords: the names of the last arguments, which are given by keyword.
    """

    groups: tuple[Group, ...]
    keywords: tuple[str, ...]


class Replaced(NamedTuple):
    """What is to be known of a graph in which other functions stand for some cells.

    Attributes:
        ends: the cells that were run before although nobody needed them.
        known: how many cells there were then.
        retired: the options of the functions that others stand for.
    """

    ends: tuple[int, ...]
    known: int
    retired: tuple[Options, ...]

    def ends_of(self, count: int) -> tuple[int, ...]:
        """The cells that are run, with what they need, where no targets are given.

        Args:
            count: how many cells there are by now; those that came by hand are run.
        """
        return (*self.ends, *range(self.known, count))


class Bound:
    """What binding gives: everything by the number of the cell.

    Attributes:
        nodes: the cells.
        index: the number of each.
        needs: the numbers of the cells that must be computed first.
        args: where the values of a call come from: the number of a cell, or ~k for
            the k-th of `inputs`.
        shapes: for the few cells that need one.
        optional: for the cells with defaults, the inputs that these stand in for.
        names: of those cells that do not tell their own.
        inputs: what the caller may give, by name.
        secret: for the inputs of which `Input` says it, whether they are secret.
        several_limits: the cells whose `limit` may name more than one.
        asking: for the cells that may ask for others, where in `args` these stand.
        lazy: for the same cells, the others that they need in no other way.
        given: how many cells, the first ones, the user asked for.
        owner: the object that they were collected from, if any.
        replaced: what `Graph.replace` has done, if anything.
    """

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.index: dict[Any, int] = {}
        self.needs: list[Any] = []
        self.args: list[tuple[int, ...]] = []
        self.shapes: dict[int, Shape] = {}
        self.optional: dict[int, tuple[int, ...]] = {}
        self.specs: list[CellSpec | None] = []
        self.kinds: list[Kind] = []
        self.names: dict[int, str] = {}
        self.inputs: list[str] = []
        self.secret: dict[str, bool] = {}
        self.several_limits: list[int] = []
        self.asking: dict[int, tuple[int, ...]] = {}
        self.lazy: dict[int, set[int]] = {}
        self.given = 0
        self.owner: object = None
        self.replaced: Replaced | None = None

    def options_of(self, number: int) -> Options:
        """What `cell` or `resource` said; of a node that came by hand it is nothing."""
        spec = self.specs[number] if number < len(self.specs) else None
        return PLAIN if spec is None or spec.options is None else spec.options

    def roster(self, structure: Structure) -> Roster:
        """All cells of a graph, with their names and places.

        Args:
            structure: that of the graph, to which some may have come by hand.
        """
        nodes = list(structure.nodes)
        return Roster(
            nodes,
            structure.index,
            structure.names,
            [self.options_of(number) for number in range(len(nodes))],
            self.inputs,
            structure.stand_ins,
        )

    def __getstate__(self) -> dict[str, Any]:
        """What a copy, or a pickle, has.

        A fallback is mostly a lambda, which cannot be pickled. The mark of its function
        has it, and that is found by its name.
        """
        specs = self.specs.copy()
        marked = [n for n, spec in enumerate(specs) if self._is_found(n, spec)]
        for number in marked:
            specs[number] = None
        return {**vars(self), "specs": specs, "marked": marked}

    def __setstate__(self, state: dict[str, Any]) -> None:
        marked = state.pop("marked")
        vars(self).update(state)
        for number in marked:
            self.specs[number] = spec_of(self.nodes[number])

    def _is_found(self, number: int, spec: CellSpec | None) -> bool:
        node = self.nodes[number]
        has_fallback = spec and spec.options and spec.options.fallback
        return bool(
            has_fallback and type(node) is types.FunctionType and spec_of(node) is spec
        )
