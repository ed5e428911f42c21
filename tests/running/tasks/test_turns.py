"""The turns that the event loop gets while cells hold it up.

The clock of these tests is moved by the cells alone.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from aiocells import Graph, cell, depends_on, resource
from aiocells._running.tasks import scheduler
from tests.helpers import ASYNC_COMPUTERS
from tests.virtual_loop import VirtualLoop

each_computer = pytest.mark.parametrize(
    "computer", ASYNC_COMPUTERS.values(), ids=ASYNC_COMPUTERS
)
COUNT = 400
SECONDS = 0.002
# Of these cells, how many the loop has to wait for.
MOST = scheduler._SLICE / SECONDS + scheduler._SELDOM


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualLoop]:
    """A loop whose clock is that of the scheduler, too."""
    made = VirtualLoop()
    monkeypatch.setattr(scheduler, "monotonic", made.time)
    yield made
    made.close()


class Cells:
    """Makes cells that hold up the loop, and counts how often one did."""

    def __init__(self, loop: VirtualLoop) -> None:
        """Make none yet."""
        self.loop = loop
        self.count = 0

    def hold_up(self) -> None:
        """Take some time of the loop."""
        self.count += 1
        self.loop.now += SECONDS

    def plain(self, number: int, *before: Any) -> Any:
        """A plain cell."""
        made = cell(lambda: self.hold_up(), name=f"plain_{number}")
        return depends_on(*before)(made)

    def quick(self, number: int, *before: Any) -> Any:
        """An async cell that never suspends, and takes no time."""

        async def body() -> None: ...

        return depends_on(*before)(cell(body, name=f"quick_{number}"))

    def busy(self, number: int, *before: Any) -> Any:
        """An async cell that takes time, and never suspends."""

        async def body() -> None:
            self.hold_up()

        return depends_on(*before)(cell(body, name=f"busy_{number}"))

    def sleeping(self, number: int, *before: Any) -> Any:
        """An async cell that sleeps as long as every other of its kind."""

        async def body() -> None:
            await asyncio.sleep(0.01)

        return depends_on(*before)(cell(body, name=f"sleeping_{number}"))

    def opened(self, number: int, *before: Any) -> Any:
        """A plain resource, which takes time to open."""

        def body() -> Iterator[None]:
            self.hold_up()
            yield

        return depends_on(*before)(resource(body, name=f"opened_{number}"))

    def closed(self, number: int, *before: Any) -> Any:
        """A plain resource, which takes time to close."""

        def body() -> Iterator[None]:
            yield
            self.hold_up()

        return depends_on(*before)(resource(body, name=f"closed_{number}"))


def wide(cells: Cells) -> list[Any]:
    """Plain cells that need nothing."""
    return [cells.plain(number) for number in range(COUNT)]


def chain(cells: Cells) -> list[Any]:
    """Plain cells that each need the one before."""
    made = [cells.plain(0)]
    for number in range(1, COUNT):
        made.append(cells.plain(number, made[-1]))
    return made


def alternating(cells: Cells) -> list[Any]:
    """A chain of plain cells and async ones that never suspend."""
    made = [cells.plain(0)]
    for number in range(1, COUNT):
        made.append(cells.quick(number, made[-1]))
        made.append(cells.plain(number, made[-1]))
    return made


def after_others(cells: Cells) -> list[Any]:
    """Plain cells after async ones that all end in the same turn."""
    before = [cells.sleeping(number) for number in range(COUNT)]
    after = [cells.plain(number, each) for number, each in enumerate(before)]
    return before + after


def resources(cells: Cells) -> list[Any]:
    """Plain resources, and a cell that needs all of them."""
    made = [cells.opened(number) for number in range(COUNT)]
    return [*made, cells.quick(0, *made)]


def closers(cells: Cells) -> list[Any]:
    """Plain resources that take long to close, and a cell that needs all of them."""
    made = [cells.closed(number) for number in range(COUNT)]
    return [*made, cells.quick(0, *made)]


def beside_a_task(cells: Cells) -> list[Any]:
    """Plain cells, while an async cell waits for ever."""

    @cell
    async def waits() -> None:
        await asyncio.Event().wait()

    return [waits, *wide(cells)]


def busy_chain(cells: Cells) -> list[Any]:
    """Async cells that hold up the loop, and each need the one before."""
    made = [cells.busy(0)]
    for number in range(1, COUNT):
        made.append(cells.busy(number, made[-1]))
    return made


SHAPES = [wide, chain, alternating, after_others, resources, beside_a_task, busy_chain]
each_shape = pytest.mark.parametrize("shape", SHAPES)


def run_until(
    loop: VirtualLoop, seconds: float, computing: Callable[[], Coroutine[Any, Any, Any]]
) -> None:
    """Run a computation in a timeout, which must come."""

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(seconds):
                await computing()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    loop.run_until_complete(main())


@pytest.mark.parametrize("options", [{}, {"max_concurrency": 3}])
@each_shape
@each_computer
def test_a_timeout_around_cells_that_hold_up_the_loop(
    computer: Any, shape: Any, options: dict[str, int], loop: VirtualLoop
) -> None:
    """It comes when its time is over; the loop then passes it on within three turns."""
    if computer is ASYNC_COMPUTERS["async_sequential"]:
        if options or shape is beside_a_task:
            pytest.skip("one cell at a time")
        if shape is after_others:
            pytest.skip("the first cells end one by one")
    if options and shape is beside_a_task:
        options = {"max_concurrency": 2}
    cells = Cells(loop)
    graph = Graph.from_cells(*shape(cells))
    run_until(loop, 0.1, lambda: computer(graph, **options))
    assert cells.count <= 0.1 / SECONDS + 3 * MOST


@pytest.mark.parametrize("shape", [*SHAPES, closers])
@each_computer
def test_other_tasks_get_a_turn_every_slice(
    computer: Any, shape: Any, loop: VirtualLoop
) -> None:
    """Whatever holds the loop up, for how long ever it does."""
    if shape is beside_a_task:
        pytest.skip("it never ends")
    cells = Cells(loop)
    graph = Graph.from_cells(*shape(cells))
    longest = 0

    async def beat() -> None:
        nonlocal longest
        while True:
            before = cells.count
            await asyncio.sleep(0)
            loop.now += SECONDS / 10
            longest = max(longest, cells.count - before)

    async def main() -> None:
        beating = asyncio.create_task(beat())
        await computer(graph)
        beating.cancel()

    loop.run_until_complete(main())
    assert cells.count == COUNT
    assert longest <= MOST


@each_computer
def test_the_slice_is_small_against_a_turn(computer: Any, loop: VirtualLoop) -> None:
    """Plain cells that take no time do not leave the loop a turn each."""
    turns = 0

    async def beat() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def main() -> None:
        beating = asyncio.create_task(beat())
        cells = [cell(lambda: None, name=f"cell_{number}") for number in range(COUNT)]
        await computer(Graph.from_cells(*cells))
        beating.cancel()

    loop.run_until_complete(main())
    if computer is not ASYNC_COMPUTERS["simple"]:
        assert turns <= 5
