"""A plan as a graph of Dask's tasks."""

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from dask.sizeof import sizeof

from aiocells._cluster import calling, parts
from aiocells._cluster.functions import sendable
from aiocells._cluster.internals import DataNode, Task, TaskGraph, TaskRef
from aiocells._cluster.needed import Needed, SentCell, Source
from aiocells._cluster.packed import Packed
from aiocells._declaring.fan_out import MOST_TASKS, FanOut
from aiocells._declaring.kinds import Kind
from aiocells._declaring.showing import HIDDEN
from aiocells._outcome.failures import start_of_note
from aiocells._outcome.secrets import showable
from aiocells._planning.calls import shaped, sources_by_parameter
from aiocells._planning.covering import covering_of
from aiocells._running.run import Run

Key: TypeAlias = tuple[Any, ...]

# Dask's scheduler keeps books for each name of tasks: 1,000 cells with names of their
# own took 1.03 to 1.7 times as long as with one. For so many their modules must do.
MOST_NAMES = 200
# Bytes from which a value is sent to the workers by itself.
LARGE = 100_000
_PARTS_A_THREAD = 4


def resources_of(
    resources: Mapping[Key, Mapping[str, int]], key: Key
) -> Mapping[str, int]:
    """Of which resources of a worker a task needs one; asked by the scheduler."""
    return resources.get(key, {})


class Tasks:
    """The tasks of one computation.

    Args:
        run: what is computed; its values are there.
        token: stands for it in the keys, so that no two computations share any.
        threads: how many the cluster has.

    Attributes:
        run: the computation.
        graph: the tasks by key.
        large: the values that are to be sent by themselves, by key.
        resources: of which resources of the workers a task needs one each.
        targets: for each target that is computed the key of its task.
        fallbacks: the same for what tells which failures the fallback of a cell met,
            where the cell is no target.
    """

    def __init__(self, run: Run, token: str, threads: int) -> None:
        self.run = run
        self._plan = run.plan
        self._program = run.plan.program
        self._token = token
        self._threads = threads
        self._fallbacks, self._covered = covering_of(run.plan)
        self._goes_on = run.on_error != "raise"
        self._keys: dict[int, Key] = {}
        self.graph = TaskGraph(token)
        self.large: dict[Key, Packed] = {}
        self.resources: dict[Key, Mapping[str, int]] = {}
        self._names = self._names_of_tasks()
        self.targets: dict[int, Key] = {}
        for number in run.plan.order:
            if not self._program.is_resource(number):
                self._add(number)
            elif not run.plan.dependents[number]:
                self.targets[number] = self._add_opening(number)
        given = run.plan.overridden
        self.targets |= {n: self._keys[n] for n in run.plan.targets if n not in given}
        self.fallbacks = {
            number: self._add_told(number)
            for number in self._fallbacks
            if number not in self.targets and number in self._keys
        }

    def _names_of_tasks(self) -> Sequence[str]:
        program = self._program
        if len(self._plan.order) <= MOST_NAMES:
            return program.names
        return [str(getattr(node, "__module__", "cells")) for node in program.nodes]

    def _key(self, number: int, *more: Any, what: str = "") -> Key:
        return (f"{self._names[number]}{what}-{self._token}", number, *more)

    def _add(self, number: int) -> None:
        key = self._keys[number] = self._key(number)
        if self._program.options[number].fan_out is not None:
            self._add_fan_out(number, key)
        elif self._is_simple(number):
            function = sendable(self._program.functions[number])
            refs = self.refs(self._program.args[number])
            self.graph[key] = Task(key, calling.call, number, function, *refs)
            self._limit(number, key)
        else:
            cell, refs = self._sent(number)
            if self._program.kinds[number] is Kind.ASYNC:
                task = Task(key, calling.call_async, key, cell, *refs)
            else:
                task = Task(key, calling.call_sent, cell, *refs)
            self.graph[key] = task
            self._limit(number, key)

    def _is_simple(self, number: int) -> bool:
        """Whether a cell is a plain function of other cells' values, and no more."""
        program = self._program
        return (
            program.kinds[number] is Kind.PLAIN
            and not (self._goes_on or self._covered or self._fallbacks)
            and not (self._plan.resources and self._needs_resource(number))
            and set(program.args[number]).issuperset(program.needs[number])
        )

    def _needs_resource(self, number: int) -> bool:
        return any(map(self._program.is_resource, self._program.needs[number]))

    def _ref(self, source: int) -> TaskRef:
        """Where the value of a source is found: a cell's, or one that was given."""
        if source not in self._keys:
            self._add_given(source)
        return TaskRef(self._keys[source])

    def _add_given(self, source: int) -> None:
        name = self._program.inputs[~source] if source < 0 else self._names[source]
        key = self._keys[source] = (f"{name}-given-{self._token}", source)
        value = Packed(self.run.values[source])
        if sizeof(value) > LARGE:
            self.large[key] = value
        else:
            self.graph[key] = DataNode(key, value)

    def _limit(self, number: int, key: Key) -> None:
        limits = self._program.options[number].limits
        if limits:
            self.resources[key] = dict.fromkeys(limits, 1)

    # Cells that are more than a function of others' values

    def _sent(self, number: int) -> tuple[SentCell, list[TaskRef]]:
        """A cell as it is sent, and the values that go along."""
        program, sent = self._program, _Sent(self)
        sources = tuple(map(sent.source, program.args[number]))
        beside = self._beside(number, sent)
        function = sendable(program.functions[number])
        return self._cell(number, function, sources, beside), sent.refs()

    def _cell(
        self,
        number: int,
        function: Any,
        sources: tuple[Source, ...],
        beside: tuple[Needed, ...],
    ) -> SentCell:
        return SentCell(
            self._token,
            number,
            function,
            sources,
            beside,
            self._fallbacks.get(number),
            self._goes_on or number in self._covered,
            self._where(number),
        )

    def _beside(self, number: int, sent: "_Sent") -> tuple[Needed, ...]:
        """The resources that a cell does not get; what it only waits for goes along."""
        beside = []
        for each in self._program.needs[number]:
            if each not in self._program.args[number]:
                source = sent.source(each)
                if type(source) is Needed:
                    beside.append(source)
        return tuple(beside)

    def _where(self, number: int) -> str:
        """How notes that are made on workers begin."""
        is_fan_out = self._program.options[number].fan_out is not None
        if self._fallbacks or is_fan_out:
            return start_of_note(self._plan, number)
        return ""

    def _add_told(self, number: int) -> Key:
        key = self._key(number, what="-told")
        self.graph[key] = Task(key, calling.told_of, TaskRef(self._keys[number]))
        return key

    # Fan-outs

    def _add_fan_out(self, number: int, key: Key) -> None:
        fan_out = self._program.options[number].fan_out
        assert fan_out is not None
        is_async = fan_out.kind is Kind.ASYNC
        count = _PARTS_A_THREAD * self._threads
        if fan_out.limit is not None:
            count = min(count, fan_out.limit)
        of = self._sent_fan_out(number, fan_out, count)
        all_items, refs = self._all_items(number)
        laid_out = self._key(number, what="-all")
        self.graph[laid_out] = Task(laid_out, parts.lay_out, all_items, of, *refs)
        cell, refs = self._one_part(number, fan_out)
        ran = []
        for part in range(count):
            piece = self._key(number, part, what="-cut")
            self.graph[piece] = Task(piece, parts.cut, part, count, TaskRef(laid_out))
            items = self._key(number, part, what="-items")
            given = cell, of, TaskRef(piece), *refs
            if is_async:
                task = Task(items, parts.run_part_async, items, *given)
            else:
                task = Task(items, parts.run_part, *given)
            self.graph[items] = task
            self._limit(number, items)
            ran.append(TaskRef(items))
        whole = self._cell(number, None, (), ())
        self.graph[key] = Task(key, parts.join, whole, *ran)

    def _sent_fan_out(
        self, number: int, fan_out: FanOut, count: int
    ) -> parts.SentFanOut:
        program, values = self._program, self.run.values
        hidden = frozenset(
            name
            for name, sources in sources_by_parameter(program, number)
            if any(showable(program, name, s, values) is HIDDEN for s in sources)
        )
        shape = program.shapes.get(number)
        how: Any = parts.one_by_one
        if shape is not None:
            written = sendable(program.written(number))
            how = functools.partial(shaped, written, shape)
        most = (fan_out.limit or count * MOST_TASKS) // count
        goes_on = self.run.on_error == "continue"
        return parts.SentFanOut(fan_out, how, goes_on, hidden, min(most, MOST_TASKS))

    def _all_items(self, number: int) -> tuple[SentCell, list[TaskRef]]:
        """What lays the items out: it gets no resources, and waits for all it needs."""
        sent = _Sent(self)
        sources = [sent.source(each) for each in self._program.args[number]]
        self._beside(number, sent)
        without = tuple(None if type(s) is Needed else s for s in sources)
        return self._part_of(self._cell(number, None, without, ())), sent.refs()

    def _one_part(self, number: int, fan_out: FanOut) -> tuple[SentCell, list[TaskRef]]:
        """What calls the items of a part: what is iterated does not go along whole."""
        sent = _Sent(self)
        sources: list[Source] = []
        for name, each in sources_by_parameter(self._program, number):
            if name in fan_out.iterated:
                sources += [None] * len(each)
            else:
                sources += map(sent.source, each)
        beside = self._beside(number, sent)
        cell = self._cell(number, None, tuple(sources), beside)
        return self._part_of(cell), sent.refs()

    def _part_of(self, cell: SentCell) -> SentCell:
        """A part of a cell, whose failure the whole makes good if it can."""
        carries = cell.carries or cell.fallback is not None
        return cell._replace(fallback=None, carries=carries)

    # Resources

    def needed(self, number: int, sent: "_Sent") -> Needed:
        """A resource, as the cells that need it bring it along."""
        program = self._program
        options = program.options[number]
        return Needed(
            number,
            sendable(program.functions[number]),
            tuple(map(sent.source, program.args[number])),
            options.timeout,
            program.kinds[number] is Kind.ASYNC_GENERATOR,
            self._goes_on or number in self._covered,
            self._where(number),
        )

    def _add_opening(self, number: int) -> Key:
        """Have a resource opened that no cell needs."""
        key, sent = self._key(number), _Sent(self)
        needed = self.needed(number, sent)
        cell = self._cell(number, calling.nothing, (), (needed,))
        self.graph[key] = Task(key, calling.call_sent, cell, *sent.refs())
        return key

    def source(self, source: int, sent: "_Sent") -> "int | Needed":
        """Where an argument comes from, of a cell that such values go along with."""
        is_cell = source >= 0 and source not in self._plan.overridden
        if is_cell and self._program.is_resource(source):
            return self.needed(source, sent)
        return sent.place(source)

    def refs(self, sources: Iterable[int]) -> list[TaskRef]:
        """Where values are found."""
        return [*map(self._ref, sources)]


class _Sent:
    """The values that go along with a cell, each of them once."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._places: dict[int, int] = {}

    def source(self, source: int) -> "int | Needed":
        return self._tasks.source(source, self)

    def place(self, source: int) -> int:
        return self._places.setdefault(source, len(self._places))

    def refs(self) -> list[TaskRef]:
        return self._tasks.refs(self._places)
