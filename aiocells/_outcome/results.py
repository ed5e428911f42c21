"""What a computer returns."""

from collections import Counter
from collections.abc import ItemsView, Iterator, Mapping, Sequence, ValuesView
from typing import Any

from aiocells._declaring import names as _names
from aiocells._declaring.spec import normal
from aiocells._outcome.exceptions import (
    raise_as_it_is,
    set_traceback,
    traceback_of,
)
from aiocells._outcome.lookup import Lookup
from aiocells._planning.plan import Plan
from aiocells.errors import MissingValue


class Results(Lookup):
    """The values of the targets of a computation, in order; read only.

    A key is a cell, or its name where only one target has it. A type checker sees
    the value of a cell as of the type that the cell returns.

    Attributes:
        failures: for each failed cell its exception; empty unless the computation
            ran with `on_error="continue"`.
        skipped: the cells that were not run because one that they need failed.

    >>> from aiocells import Graph, cell, compute_sequential
    >>> @cell
    ... def answer() -> int:
    ...     return 42
    >>> results = compute_sequential(Graph.from_cells(answer))
    >>> results[answer], results["answer"], dict(results) == {answer: 42}
    (42, 42, True)
    """

    __slots__ = ("_failures", "_plan", "_skipped", "_tracebacks", "_values")

    def __init__(
        self,
        plan: Plan,
        values: Mapping[int, Any] | Sequence[Any],
        failures: Mapping[int, BaseException],
        skipped: frozenset[int],
    ) -> None:
        self._plan = plan
        self._values = values
        self._failures = failures
        # Raising an exception makes its traceback longer: keep how it was.
        self._tracebacks = (
            {n: traceback_of(each) for n, each in failures.items()} if failures else {}
        )
        self._skipped = skipped

    @property
    def failures(self) -> dict[Any, BaseException]:
        nodes = self._plan.program.nodes
        return {nodes[number]: error for number, error in self._failures.items()}

    @property
    def skipped(self) -> frozenset[Any]:
        nodes = self._plan.program.nodes
        return frozenset(nodes[number] for number in self._skipped)

    def _look_up(self, key: Any) -> Any:
        number = self._number(key)
        if number in self._failures:
            error = self._failures[number]
            set_traceback(error, self._tracebacks[number])
            raise_as_it_is(error)
        if number not in self._plan.target_set or number in self._skipped:
            raise MissingValue(self._why_not(number), key=key)
        return self._values[number]

    def __iter__(self) -> Iterator[Any]:
        nodes = self._plan.program.nodes
        return (nodes[number] for number in self._numbers())

    def _numbers(self) -> Iterator[int]:
        """The numbers of the cells whose values are there, in order."""
        left_out = self._failures.keys() | self._skipped
        return (number for number in self._plan.targets if number not in left_out)

    def __len__(self) -> int:
        if not (self._skipped or self._failures):
            return len(self._plan.targets)
        return sum(1 for _ in self)

    def __contains__(self, key: object) -> bool:
        try:
            number = self._number(key)
        except KeyError:
            return False
        return (
            number in self._plan.target_set
            and number not in self._failures
            and number not in self._skipped
        )

    # The views of Mapping look up each key anew: for many cells that takes longer
    # than to compute them.

    def items(self) -> ItemsView[Any, Any]:
        """The cells with their values, in order."""
        return self._pairs().items()

    def values(self) -> ValuesView[Any]:
        """The values, in order."""
        return self._pairs().values()

    def _pairs(self) -> dict[Any, Any]:
        nodes, values = self._plan.program.nodes, self._values
        return {nodes[number]: values[number] for number in self._numbers()}

    def by_name(self) -> dict[str, Any]:
        """The values by the names of their cells, in order.

        Where cells share a name, their places tell them apart: "plan (trip.py:14)".

        Returns:
            A new dict, which is what `pandas.DataFrame` and others take as columns.

        >>> from aiocells import Graph, cell, compute_sequential
        >>> @cell
        ... def day() -> list[str]:
        ...     return ["Mon", "Tue"]
        >>> @cell
        ... def sold(day: list[str]) -> list[int]:
        ...     return [3, 4]
        >>> compute_sequential(Graph.from_cells(day, sold)).by_name()
        {'day': ['Mon', 'Tue'], 'sold': [3, 4]}
        """
        from aiocells._graphs.labels import unique_labels

        program, values = self._plan.program, self._values
        numbers = list(self._numbers())
        labels = unique_labels(
            [program.names[number] for number in numbers],
            [program.nodes[number] for number in numbers],
        )
        return {
            label: values[number] for label, number in zip(labels, numbers, strict=True)
        }

    def _ipython_key_completions_(self) -> list[str]:
        program = self._plan.program
        # A name that several targets have is no key, also where one of them failed.
        uses = Counter(program.names[number] for number in self._plan.targets)
        names = (program.names[number] for number in self._numbers())
        return [name for name in names if uses[name] == 1]

    def __repr__(self) -> str:
        # Names only: asyncio.run makes the repr of what it ran, twice, and a value
        # may take long to show.
        names = (repr(self._plan.program.names[number]) for number in self._numbers())
        return f"<Results: {_names.listed(names, len(self)) or 'none'}>"

    def _number(self, key: Any) -> int:
        program, targets = self._plan.program, self._plan.target_set
        numbers = program.find(key)
        if len(numbers) > 1:
            numbers = [number for number in numbers if number in targets] or numbers[:1]
        if len(numbers) == 1:
            return numbers[0]
        if numbers:
            which = " and ".join(program.described(number) for number in numbers)
            msg = f"{key!r} is the name of {which}. Ask with the cell itself."
        elif isinstance(key, str):
            names = [program.names[number] for number in self._plan.targets]
            near = _names.suggestions(key, names)
            hint = _names.did_you_mean(near)
            if normal(key) in program.input_names:
                hint = " It is an input, whose value was given and not computed."
            msg = f"there is no cell {key!r} in the graph.{hint}"
        else:
            msg = program.namesake(key) or f"{_names.shown(key)} is not in the graph."
        raise MissingValue(msg, key=key)

    def _why_not(self, number: int) -> str:
        program, plan = self._plan.program, self._plan
        cell = program.described(number)
        if number in self._skipped:
            failed = ", ".join(map(program.described, self._failed_needs(number)))
            return f"{cell} was skipped, because what it needs failed: {failed}."
        if program.is_resource(number):
            return f"{cell} is a resource: its value was closed with the computation."
        if number in plan.order:
            return f"{cell} was computed, but is no target. Add it to targets=."
        return f"{cell} was not computed: no target needs it. Add it to targets=."

    def _failed_needs(self, number: int) -> list[int]:
        """The failed cells for whose sake a cell was skipped."""
        needs, overridden = self._plan.program.needs, self._plan.overridden
        seen = {number}
        waiting = [number]
        while waiting:
            for needed in needs[waiting.pop()]:
                if needed not in seen and needed not in overridden:
                    seen.add(needed)
                    if needed not in self._failures:
                        waiting.append(needed)
        return [failed for failed in self._failures if failed in seen]
