"""What one kind of computation runs.

Everything goes by the number of a cell in its graph. A run keeps its values in one
list: first those of the cells, then those of the inputs in reverse, so that the
source ~k of an argument, Python's k-th index from the end, is the k-th input.
"""

import copy
import functools
import itertools
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from aiocells._declaring.kinds import Kind
from aiocells._graphs.toposort import order_behind
from aiocells._planning.asking import NO_CELLS, Waiting
from aiocells._planning.outline import Outline
from aiocells._planning.program import Program

# Of what a cell needs, so many are listed beforehand.
_FEW = 32


class Plan:
    """The cells that one kind of computation runs.

    Attributes:
        program: the graph's cells.
        cells: the numbers of the cells to run, in topological order.
        lazy: the numbers of those that are run only if another asks for them.
        order: the numbers of the others, in topological order.
        overridden: the numbers of the cells whose values are given.
        targets: the numbers of the cells whose values are asked for.
        frees: whether values that are no target are let go after their last use.
        attached: what computers keep with the plan, each by an `Attached` of its own.
    """

    def __init__(
        self,
        program: Program,
        cells: list[int],
        overridden: frozenset[int],
        targets: tuple[int, ...],
        *,
        frees: bool,
        lazy: frozenset[int] = NO_CELLS,
    ) -> None:
        self.program = program
        self.cells = cells
        self.lazy = lazy
        self.order = [each for each in cells if each not in lazy] if lazy else cells
        self.overridden = overridden
        self.targets = targets
        self.frees = frees
        self.attached: dict[Any, Any] = {}

    def calling(self, program: Program) -> "Plan":
        """The same computation, with inputs left out of the calls of some cells.

        Args:
            program: the same cells, called without these inputs.
        """
        other = copy.copy(self)
        other.program = program
        other.attached = {}
        for derived in ("wanted_inputs", "input_sources"):
            vars(other).pop(derived, None)
        return other

    @functools.cached_property
    def dependents(self) -> list[Sequence[int]]:
        """For each cell the cells of this plan that need it, in declaration order."""
        return self._needing(self.program.needs)

    @functools.cached_property
    def askers_and_dependents(self) -> list[Sequence[int]]:
        """The same, with those that may ask for it."""
        return self._needing(self.program.edges) if self.asks else self.dependents

    def _needing(self, needs: Sequence[Collection[int]]) -> list[Sequence[int]]:
        dependents: list[Any] = [()] * len(self.program.nodes)
        for number in sorted(self.cells):
            for needed in needs[number]:
                if dependents[needed]:
                    dependents[needed].append(number)
                else:
                    dependents[needed] = [number]
        return dependents

    @functools.cached_property
    def counts(self) -> list[int]:
        """For each cell how many cells of this plan it waits for."""
        if self.asks:
            return self.waiting.counts
        needs = self.program.needs
        counts = [0] * len(needs)
        overridden = self.overridden
        for number in self.order:
            needed = needs[number]
            counts[number] = (
                sum(each not in overridden for each in needed)
                if overridden
                else len(needed)
            )
        return counts

    @functools.cached_property
    def sources(self) -> list[int]:
        """The cells that wait for none, in the order of their numbers."""
        counts = self.counts
        return sorted(number for number in self.order if not counts[number])

    @functools.cached_property
    def elsewhere(self) -> list[int]:
        """The cells that say `run_in`, resources among them."""
        options = self.program.options
        return [each for each in self.cells if options[each].run_in is not None]

    @functools.cached_property
    def fan_outs(self) -> list[int]:
        """The cells that call a function once for each item."""
        options = self.program.options
        return [each for each in self.cells if options[each].fan_out is not None]

    @functools.cached_property
    def used(self) -> list[Sequence[int]]:
        """For each cell the values that it uses, as often as it does, but for targets.

        A value that nobody uses counts as used by its own cell.
        """
        args, kept = self.program.args, self.target_set | self.kept
        used: list[Sequence[int]] = [()] * len(self.program.nodes)
        for number in self.cells:
            used[number] = tuple(
                source for source in args[number] if source >= 0 and source not in kept
            )
        unused = set(self.cells).difference(kept, *used)
        for number in unused:
            used[number] = (*used[number], number)
        return used

    @functools.cached_property
    def uses(self) -> list[int]:
        """For each cell how often its value is used in this way."""
        uses = [0] * len(self.program.nodes)
        for used in self.used:
            for number in used:
                uses[number] += 1
        return uses

    @functools.cached_property
    def last_uses(self) -> dict[int, list[int]]:
        """For each cell the values that nobody after it in the order uses."""
        args = self.program.args
        last_user: dict[int, int] = {}
        for number in self.order:
            last_user[number] = number
            for source in args[number]:
                last_user[source] = number
        for number in (*self.targets, *self.kept):
            last_user.pop(number, None)
        last_uses: dict[int, list[int]] = {}
        for source, number in last_user.items():
            if source >= 0:
                last_uses.setdefault(number, []).append(source)
        return last_uses

    def used_from(self, number: int) -> set[int]:
        """What is there before a cell runs, and is used by it, later or at the end."""
        left = self.order[self.order.index(number) :]
        args = self.program.args
        used = {source for each in left for source in args[each]}
        return used.union(self.targets).difference(left)

    @functools.cached_property
    def wanted_inputs(self) -> dict[int, list[int]]:
        """For each input that this plan uses, the cells that want it."""
        wanted: dict[int, list[int]] = {}
        asking = self.program.asking
        for number in self.cells:
            for source in self.program.args[number]:
                if asking < source < 0:
                    wanted.setdefault(~source, []).append(number)
        return wanted

    @functools.cached_property
    def input_sources(self) -> dict[str, int]:
        """For each input that this plan uses, the source that stands for it."""
        return {self.program.inputs[each]: ~each for each in self.wanted_inputs}

    @functools.cached_property
    def optional_inputs(self) -> Collection[int]:
        """The inputs that some cell of this plan can do without."""
        optional = self.program.optional
        if not optional:
            return ()
        cells = [number for number in self.cells if number in optional]
        return dict.fromkeys(each for number in cells for each in optional[number])

    @functools.cached_property
    def asks(self) -> bool:
        """Whether some cell may ask for another."""
        asks = self.program.asks
        return bool(asks) and not asks.keys().isdisjoint(self.cells)

    @functools.cached_property
    def waiting(self) -> Waiting:
        """Which cells wait for which, where some may ask for others."""
        program = self.program
        return Waiting(
            program.needs, self.cells, self.lazy, self._used_at_once, self.overridden
        )

    def _used_at_once(self, asker: int) -> Iterable[int]:
        """What a plain cell may use when it asks, and is computed anyway."""
        program, lazy = self.program, self.lazy
        can_wait = program.kinds[asker] in (Kind.ASYNC, Kind.ASYNC_GENERATOR)
        if asker not in program.asks or can_wait:
            return ()
        edges = program.edges
        behind = order_behind(
            # What is computed anyway has waited for all that is behind it.
            lambda number: edges[number] if number in lazy else (),
            program.asks[asker],
        )
        return [number for number in behind if number not in lazy]

    @functools.cached_property
    def concerned(self) -> frozenset[int]:
        """The cells that may ask, or be asked for, and those that are run only then."""
        asks = self.program.asks
        asking = asks.keys() & self.cells
        return self.lazy.union(asking, *(asks[number] for number in asking))

    @functools.cached_property
    def behind(self) -> dict[int, list[int]]:
        """For cells that are run only if asked for, those of them to run, in order.

        Where these may be many they are left out: to list them for each would take the
        square of their number.
        """
        needs, lazy = self.program.needs, self.lazy
        behind: dict[int, list[int]] = {}
        for number in self.cells:
            if number in lazy:
                before = [behind.get(each) for each in needs[number] if each in lazy]
                known = [each for each in before if each is not None]
                if len(known) == len(before) and sum(map(len, known)) < _FEW:
                    run = dict.fromkeys(itertools.chain(*known, [number]))
                    behind[number] = list(run)
        return behind

    @functools.cached_property
    def kept(self) -> frozenset[int]:
        """The cells that may be asked for, and those that these use.

        Their values are kept to the end.
        """
        if not self.asks:
            return NO_CELLS
        args, asks = self.program.args, self.program.asks
        kept = {each for number in self.cells for each in asks.get(number, ())}
        kept |= self.lazy
        return frozenset(
            kept.union(s for number in self.lazy for s in args[number] if s >= 0)
        )

    @functools.cached_property
    def target_set(self) -> frozenset[int]:
        return frozenset(self.targets)

    @functools.cached_property
    def outline(self) -> Outline:
        """What results tell of this plan.

        Of a run that lets go of values they have those of the targets, in order; else
        they have a place for each cell.
        """
        program = self.program
        places = None
        if self.frees:
            places = {number: place for place, number in enumerate(self.targets)}
        return Outline(
            program.roster,
            self.targets,
            self.target_set,
            self.cells,
            program.needs,
            places,
        )

    @functools.cached_property
    def resources(self) -> list[int]:
        """The resources, in the order of the cells."""
        return [each for each in self.cells if self.program.is_resource(each)]

    @functools.cached_property
    def inline_resources(self) -> frozenset[int]:
        """The resources that hold up an event loop when they open and close."""
        kinds, options = self.program.kinds, self.program.options
        return frozenset(
            each
            for each in self.resources
            if kinds[each] is Kind.GENERATOR and options[each].run_in is None
        )

    @functools.cached_property
    def between_resources(self) -> dict[int, tuple[int, ...]]:
        """By what resources need each other: they, and cells in between.

        For each of these it gives those that it needs itself. To list all that each
        resource needs would take the square of their number.
        """
        needs = self.program.edges
        resources = set(self.resources)
        needing, needed = resources.copy(), resources.copy()
        for number in self.cells:
            if not needing.isdisjoint(needs[number]):
                needing.add(number)
        for number in reversed(self.cells):
            if number in needed:
                needed.update(needs[number])
        both = needing & needed
        return {
            number: tuple(each for each in needs[number] if each in both)
            for number in self.cells
            if number in both
        }

    @functools.cached_property
    def first_async(self) -> int | None:
        """The first cell to run that cannot be run without an event loop."""
        kinds = self.program.kinds
        found = (Kind.ASYNC, Kind.ASYNC_GENERATOR)
        return next((each for each in self.cells if kinds[each] in found), None)
