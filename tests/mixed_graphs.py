"""Random graphs that mix features: cells of all kinds, fan-outs, failures, fallbacks.

Their functions hold nothing that a process could not be sent.
"""

import asyncio
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from hypothesis import strategies as st

from aiocells import Cached, Graph, Input, Results, cell, depends_on, each, resource

XS = Input("xs")
INPUTS = {"xs": [1, 2, 3, 4]}
PLAIN = ("plain", "each", "each_kept", "resource", "ordered")
ASYNC = ("async", "each_async", "async_resource")
IN_THREADS = ("thread", "each_thread")


class Mixed(NamedTuple):
    """A graph, and the cells that may be asked for."""

    graph: Graph
    targets: list[Any]


def told(error: BaseException) -> tuple[Any, ...]:
    """What a user sees of an exception, but in which order others are told of."""
    notes = [re.sub(" at 0x[0-9a-f]+", "", note) for note in error.__notes__]
    return type(error), str(error), sorted(notes)


def outcome(results: Results) -> Any:
    """What a computation that went on has given."""
    return (
        {node: shown(value) for node, value in results.items()},
        {node: told(error) for node, error in results.failures.items()},
        results.skipped,
        {node: told(error) for node, error in results.fallbacks.items()},
    )


def shown(value: Any) -> Any:
    """A value, with the exceptions in it as a user sees them."""
    if isinstance(value, list):
        return [shown(part) for part in value]
    return told(value) if isinstance(value, BaseException) else value


@st.composite
def mixed_graphs(draw: st.DrawFn, kinds: tuple[str, ...]) -> Mixed:
    """Cells of some kinds that need others, of which some fail, and some fall back."""
    cells: list[Any] = []
    usable: list[Any] = [XS]
    for number in range(draw(st.integers(1, 7))):
        kind = draw(st.sampled_from(kinds))
        needs = draw(st.lists(st.sampled_from(usable), max_size=3, unique=True))
        act = draw(st.sampled_from(["value", "value", "value", "raise"]))
        fallback = draw(st.sampled_from(["", "", "value", "decline", "raise"]))
        options: dict[str, Any] = {"name": f"c{number}"}
        if "resource" not in kind:
            options["cache"] = draw(st.sampled_from([None, Cached(version="1")]))
            if fallback:
                options["fallback"] = FALLBACKS[fallback]
        made = made_cell(kind, needs or usable[:1], act, options)
        cells.append(made)
        usable.append(made)
    targets = [each_cell for each_cell in cells if not is_resource(each_cell)]
    return Mixed(Graph.from_cells(*cells), targets)


def is_resource(each_cell: Any) -> bool:
    """Whether it is no target."""
    return bool(each_cell.__aiocells__.spec.options.is_resource)


def size_of(values: Any) -> int:
    """A number that tells what a cell was given."""
    if isinstance(values, list):
        return sum(map(size_of, values)) % 1000 + len(values)
    return values if isinstance(values, int) else len(str(values))


def declines(error: BaseException) -> None:
    """A fallback that has no value."""
    raise error


def raises(error: BaseException) -> None:
    """A fallback that fails itself."""
    raise KeyError from error


FALLBACKS: dict[str, Callable[[BaseException], Any]] = {
    "value": lambda error: [len(str(error))],
    "decline": declines,
    "raise": raises,
}


def made_cell(kind: str, needs: list[Any], act: str, options: dict[str, Any]) -> Any:
    """A cell that sums up what it needs."""
    name = options["name"]

    def result(parts: Any) -> list[int]:
        if act == "raise":
            raise ValueError(name)
        return [size_of(parts), size_of(parts) + 1, 3]

    async def later(parts: Any) -> list[int]:
        await asyncio.sleep(0)
        return result(parts)

    if kind.startswith("each"):
        return made_fan_out(kind, needs, act, options)
    if "resource" in kind:
        # On a cluster it is not opened where all that need it are skipped: so it does
        # not fail.
        act = "value"
        return made_resource(kind, needs, result, name)
    if kind == "async":
        return cell(**options)(depends_on(parts=needs)(later))
    if kind == "thread":
        options["run_in"] = "thread"
    order = [need for need in needs[1:] if not isinstance(need, Input)]
    order = order if kind == "ordered" else []
    return cell(**options)(depends_on(*order, parts=needs[:1])(result))


def made_resource(
    kind: str, needs: list[Any], result: Callable[[Any], Any], name: str
) -> Any:
    """A resource of what it needs."""
    if kind == "async_resource":

        @resource(name=name)
        @depends_on(parts=needs)
        async def opened(parts: list[Any]) -> Any:
            await asyncio.sleep(0)
            yield result(parts)

        return opened

    @resource(name=name)
    @depends_on(parts=needs)
    def opened_at_once(parts: list[Any]) -> Iterator[Any]:
        yield result(parts)

    return opened_at_once


def made_fan_out(kind: str, needs: list[Any], act: str, options: dict[str, Any]) -> Any:
    """A fan-out over the first of what it needs, which gets the others too."""
    name = options["name"]

    def item(x: Any, parts: Any) -> int:
        found = size_of([x, parts])
        if act == "raise" and found % 2:
            raise ValueError(name, found)
        return found

    async def later(x: Any, parts: Any) -> int:
        await asyncio.sleep(0)
        return item(x, parts)

    is_cell = not isinstance(needs[0], Input) and not is_resource(needs[0])
    # On a cluster no part knows all that is iterated, so that what a fallback raises
    # cannot tell it.
    is_told = options.get("fallback") is raises
    over = needs[0] if is_cell and not is_told else XS
    more: dict[str, Any] = {}
    if kind == "each_kept":
        more["on_error"] = "keep"
    if kind == "each_thread":
        more["run_in"] = "thread"
    function: Any = later if kind == "each_async" else item
    return each(depends_on(parts=needs)(function), x=over, **options, **more)
