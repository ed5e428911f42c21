"""A cell that may fail, or that is rarely needed, in the graph of ten cells.

Against `try` and `if` written by hand, and against the same graph without.
"""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import attrs

from aiocells import (
    Graph,
    Lazy,
    async_compute_concurrent,
    cell,
    compute_sequential,
    depends_on,
)
from benchmarks.effort import Effort
from benchmarks.layered import Function, renamed
from benchmarks.measure import Comparison, compare_async, compare_plain
from benchmarks.row import Row, at_most, compared
from benchmarks.small import NEVER_SUSPEND, PLAIN, SLEEP, Bodies, small

GROUP = "optional"
TARGET = at_most(2.0)
# The cell that is optional, and one of those that take it; it asks for it where it may.
OPTIONAL, ASKER = "c6", "c8"
# Stands for the value of the optional cell; the same one, so that all give one value.
INSTEAD = 4.0
# The optional cell is asked for where another value is above this.
LEAST = 0.0
NEVER = 99.0
X = 1.0


def plain_fails(a, b):  # type: ignore[no-untyped-def]  # noqa: D103
    raise ValueError


async def quick_fails(a, b):  # type: ignore[no-untyped-def]  # noqa: D103
    raise ValueError


async def sleeping_fails(a, b):  # type: ignore[no-untyped-def]  # noqa: D103
    await asyncio.sleep(0)
    raise ValueError


def plain_asks(a, b):  # type: ignore[no-untyped-def]  # noqa: D103
    return a + (b() if a > LEAST else INSTEAD)


async def quick_asks(a, b):  # type: ignore[no-untyped-def]  # noqa: D103
    return a + (await b() if a > LEAST else INSTEAD)


async def sleeping_asks(a, b):  # type: ignore[no-untyped-def]  # noqa: D103
    await asyncio.sleep(0)
    return a + (await b() if a > LEAST else INSTEAD)


@attrs.frozen
class Kind:
    """What the cells are like, and how they are computed.

    Attributes:
        name: tells it in a row.
        bodies: of usual cells.
        fails: the body of a cell that fails.
        asks: that of a cell that may ask for its second value.
    """

    name: str
    bodies: Bodies
    fails: Function
    asks: Function

    @property
    def is_async(self) -> bool:
        """Whether it takes an event loop."""
        return self.bodies is not PLAIN


KINDS = (
    Kind("in order", PLAIN, plain_fails, plain_asks),
    Kind("never suspending", NEVER_SUSPEND, quick_fails, quick_asks),
    Kind("each awaits sleep(0)", SLEEP, sleeping_fails, sleeping_asks),
)


def rows(effort: Effort) -> Iterator[Row]:
    """Measure a fallback and a lazy cell, each where it is used and where it is not."""
    for kind in KINDS:
        without = ours(kind, functions_of(kind, cell))
        for name, decorate, by_hand, target in cases(kind):
            functions = functions_of(kind, decorate)
            computation = ours(kind, functions)
            # The code by hand calls the usual functions, but for the one that fails.
            usual = functions_of(kind, lambda function: function)
            fails = name == "a fallback, used"
            usual[6] = functions[6] if fails else usual[6]
            program = functools.partial(by_hand, usual)
            yield compared(
                GROUP,
                f"{name}, {kind.name}, floor: by hand",
                versus(kind, program, computation, effort),
            )
            note = (
                "without it the graph would fail: the floor does not" if fails else ""
            )
            yield compared(
                GROUP,
                f"{name}, {kind.name}, floor: the graph without",
                versus(kind, without, computation, effort),
                target=target,
                note=note,
            )


def cases(kind: Kind) -> Iterator[tuple[str, Any, Any, float | None]]:
    """What is measured: its name, how cells are declared, the code by hand, target."""
    tried, asked = (tasks_try, tasks_if) if kind.is_async else (by_try, by_if)
    yield "a fallback, not used", with_fallback, tried, TARGET
    failing = functools.partial(failing_with_fallback, kind)
    yield "a fallback, used", failing, tried, None
    for name, least in (("asked for", LEAST), ("not asked for", NEVER)):
        by_hand = functools.partial(asked, least=least)
        yield f"a lazy cell, {name}", asking(kind, least), by_hand, TARGET


def functions_of(kind: Kind, decorate: Callable[[Function], Function]) -> list[Any]:
    """The ten cells, each after those that it needs."""
    return small(10, kind.bodies, decorate).functions


def with_fallback(function: Function) -> Function:
    """Declare a cell; the optional one has a fallback."""
    if function.__name__ != OPTIONAL:
        return cell(function)
    return cell(fallback=lambda error: INSTEAD)(function)


def failing_with_fallback(kind: Kind, function: Function) -> Function:
    """Declare a cell; the optional one fails, and has a fallback."""
    if function.__name__ == OPTIONAL:
        function = like(function, kind.fails)
    return with_fallback(function)


def asking(kind: Kind, least: float) -> Callable[[Function], Function]:
    """Give what declares a cell, whose asker asks for the optional cell."""
    made: dict[str, Function] = {}

    def declared(function: Function) -> Function:
        name = function.__name__
        if name == ASKER:
            asker = like(function, kind.asks, LEAST=least)
            function = depends_on(**{OPTIONAL: Lazy(made[OPTIONAL])})(asker)
        made[name] = cell(function)
        return function

    return declared


def like(function: Any, body: Function, **names: Any) -> Function:
    """A function of the name and the parameters of another one."""
    code = function.__code__
    parameters = code.co_varnames[: code.co_argcount]
    return renamed(body, function.__name__, parameters, globals() | names)


def ours(kind: Kind, functions: Sequence[Function]) -> Callable[[], Any]:
    """The computation of the last cell as a graph."""
    graph, last = Graph.from_cells(*functions), functions[-1]
    options: dict[str, Any] = {"targets": [last], "inputs": {"x": X}}

    def in_order() -> Any:
        return compute_sequential(graph, **options)[last]

    async def concurrent() -> Any:
        return (await async_compute_concurrent(graph, **options))[last]

    return concurrent if kind.is_async else in_order


def versus(
    kind: Kind,
    floor: Callable[[], Any],
    computation: Callable[[], Any],
    effort: Effort,
) -> Comparison:
    """Compare two ways to compute."""
    compare = compare_async if kind.is_async else compare_plain
    return compare(GROUP, floor, computation, pairs=effort.pairs, least=effort.least)


def by_try(cells: Sequence[Function], x: float = X) -> float:
    """Plain cells in order, one of which may fail."""
    c0, c1, c2, c3, c4, c5, c6, c7, c8, c9 = cells
    v1, v2 = c1(x), c2(x)
    v4, v5 = c4(c0(x), v1), c5(v1, v2)
    try:
        v6 = c6(v2, c3(x))
    except Exception:
        v6 = INSTEAD
    value: float = c9(c7(v4, v5), c8(v5, v6))
    return value


def by_if(cells: Sequence[Function], least: float, x: float = X) -> float:
    """Plain cells in order, one of which may not be needed."""
    c0, c1, c2, c3, c4, c5, c6, c7, c8, c9 = cells
    v1, v2 = c1(x), c2(x)
    v4, v5 = c4(c0(x), v1), c5(v1, v2)
    v6 = c6(v2, c3(x)) if v5 > least else INSTEAD
    value: float = c9(c7(v4, v5), c8(v5, v6))
    return value


Task = asyncio.Task[float]


async def tasks_try(cells: Sequence[Function], x: float = X) -> float:
    """A task for each cell, one of which may fail."""
    c0, c1, c2, c3, c4, c5, c6, c7, c8, c9 = cells
    async with asyncio.TaskGroup() as group:
        make = group.create_task
        t0, t1, t2, t3 = make(c0(x)), make(c1(x)), make(c2(x)), make(c3(x))
        t4, t5 = make(_awaits(c4, t0, t1)), make(_awaits(c5, t1, t2))
        t6 = make(_tries(c6, t2, t3))
        t7, t8 = make(_awaits(c7, t4, t5)), make(_awaits(c8, t5, t6))
        t9 = make(_awaits(c9, t7, t8))
    return t9.result()


async def tasks_if(cells: Sequence[Function], least: float, x: float = X) -> float:
    """A task for each cell, but for one that may not be needed, and what it needs."""
    c0, c1, c2, c3, c4, c5, c6, c7, c8, c9 = cells

    async def asks() -> float:
        v5 = await t5
        v6 = await c6(await t2, await c3(x)) if v5 > least else INSTEAD
        value: float = await c8(v5, v6)
        return value

    async with asyncio.TaskGroup() as group:
        make = group.create_task
        t0, t1, t2 = make(c0(x)), make(c1(x)), make(c2(x))
        t4, t5 = make(_awaits(c4, t0, t1)), make(_awaits(c5, t1, t2))
        t7, t8 = make(_awaits(c7, t4, t5)), make(asks())
        t9 = make(_awaits(c9, t7, t8))
    return t9.result()


async def _awaits(cell: Callable[..., Awaitable[float]], *needed: Task) -> float:
    first, second = needed
    return await cell(await first, await second)


async def _tries(cell: Callable[..., Awaitable[float]], *needed: Task) -> float:
    first, second = needed
    try:
        return await cell(await first, await second)
    except Exception:
        return INSTEAD
