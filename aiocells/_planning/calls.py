"""How a cell is called: with which arguments, and in which form.

A computer calls all cells alike, with the values of their arguments by position. What a
cell wants otherwise is put around its function here.
"""

import functools
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from aiocells._collecting.bound import Group, Keys, OwnDefault, Shape
from aiocells._declaring.kinds import Kind
from aiocells._declaring.parameters import by_position, parameters_of
from aiocells._declaring.spec import Options
from aiocells._planning.asking import Asker, asker_of, with_asking
from aiocells._planning.plan import Plan
from aiocells._planning.program import Program, taking
from aiocells._planning.timeouts import with_timeout
from aiocells._planning.unawaited import checked


def called(
    function: Callable[..., Any],
    kind: Kind,
    options: Options,
    shape: Shape | None,
    asker: Asker | None,
) -> Callable[..., Any]:
    """What to call, with values by position, in place of a cell's own function."""
    made = function
    if shape is not None:
        made = functools.partial(call_shaped, function, shape)
    if asker is not None:
        made = with_asking(made, kind, asker)
    if kind is Kind.PLAIN and options.fan_out is None:
        return checked(function, made)
    if options.timeout is not None and kind is Kind.ASYNC:
        return with_timeout(made, options.timeout)
    return made


def call_shaped(function: Callable[..., Any], shape: Shape, /, *values: Any) -> Any:
    """Call `function` with values that come one by one.

    It stands at the top of the module, so that it can be sent to a process.
    """
    args, named = shaped(function, shape, values)
    return function(*args, **named)


def shaped(
    function: Callable[..., Any], shape: Shape, values: Iterable[Any]
) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of a call, by position and by keyword, of values one by one."""
    left = iter(values)
    args = [
        next(left)
        if group is None
        else [next(left) for _ in range(group)]
        if isinstance(group, int)
        else _special(function, group, left)
        for group in shape.groups
    ]
    positional = len(args) - len(shape.keywords)
    return args[:positional], dict(zip(shape.keywords, args[positional:], strict=True))


def sources_by_parameter(
    program: Program, number: int
) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Each parameter of a cell that is given, with where its value comes from.

    A list or a dict that is made for it takes several values.
    """
    args = program.args[number]
    groups, keywords = program.shapes.get(number) or ((None,) * len(args), ())
    positional = parameters_of(program.written(number)).positional
    names = (*positional[: len(groups) - len(keywords)], *keywords)
    left = iter(args)
    for name, group in zip(names, groups, strict=False):
        yield name, tuple(itertools.islice(left, _size(group)))


def calling(
    program: Program, number: int, function: Callable[..., Any]
) -> Callable[..., Any]:
    """What is called, with values by position, to call a function in place of a cell's.

    Args:
        program: the cells.
        number: the cell.
        function: takes what the cell's own function takes; it gives a coroutine if the
            cell asks for others.
    """
    made, shape = function, program.shapes.get(number)
    if shape is not None:
        written = program.written(number)

        def made(*values: Any) -> Any:
            args, named = shaped(written, shape, values)
            return function(*args, **named)

    asker = asker_of(number, program.args[number], program.asks, program.asking)
    return made if asker is None else with_asking(made, Kind.ASYNC, asker)


def _special(
    function: Callable[..., Any], group: Keys | OwnDefault, left: Iterator[Any]
) -> Any:
    if isinstance(group, Keys):
        return {key: next(left) for key in group.keys}
    return parameters_of(function).defaults[group.parameter]


def without_inputs(plan: Plan, absent: Collection[int]) -> Plan:
    """A plan whose cells are called without the inputs that were not given.

    What is left out of a call has its default in the function's own way, which its
    signature need not show.

    Args:
        plan: of a graph, or a selection of one.
        absent: the inputs that were not given; those that a cell cannot do without
            are still asked for.
    """
    program = plan.program
    functions, args = program.functions.copy(), program.args.copy()
    arguments, shapes = program.arguments.copy(), program.shapes.copy()
    for number in program.optional.keys() & plan.cells:
        function, shape = program.written(number), shapes.pop(number, None)
        args[number], shape = _shortened(function, args[number], shape, absent)
        arguments[number] = taking(args[number])
        if shape is not None:
            shapes[number] = shape
        kind, options = program.kinds[number], program.options[number]
        asker = asker_of(number, args[number], program.asks, program.asking)
        functions[number] = called(function, kind, options, shape, asker)
    return plan.calling(program.calling(functions, args, arguments, shapes))


def _shortened(
    function: Callable[..., Any],
    args: tuple[int, ...],
    shape: Shape | None,
    absent: Collection[int],
) -> tuple[tuple[int, ...], Shape | None]:
    """A call without the parameters that have a default, and whose inputs are absent.

    What follows one of them is given by keyword. Before what can only be given by
    position nothing can be left out.
    """
    groups, keywords = shape or ((None,) * len(args), ())
    left = iter(args)
    parts = [tuple(itertools.islice(left, _size(group))) for group in groups]
    parameters = parameters_of(function)
    names = parameters.names
    gone = {
        position
        for position, (name, group) in enumerate(zip(names, groups, strict=True))
        if group is None and ~parts[position][0] in absent
        if name in parameters.defaults
    }
    if not gone:
        return args, shape
    positional = by_position(function, len(groups) - len(keywords), gone, gone)
    new_groups: list[Group] = []
    new_keywords: list[str] = []
    new_args: list[int] = []
    for position, group in enumerate(groups):
        if position not in gone:
            if position >= positional:
                new_keywords.append(names[position])
            new_groups.append(group)
            new_args += parts[position]
        elif position < positional:
            new_groups.append(OwnDefault(names[position]))
    if not new_keywords and new_groups.count(None) == len(new_groups):
        return tuple(new_args), None
    return tuple(new_args), Shape(tuple(new_groups), tuple(new_keywords))


def _size(group: Group) -> int:
    """How many values make up an argument that is given."""
    if isinstance(group, int):
        return group
    return len(group.keys) if isinstance(group, Keys) else 1
