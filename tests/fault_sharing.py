"""Random computations of tests/faults.py with limits that are shared, and in holds."""

import asyncio
from typing import Any
from unittest import mock

import attrs

import aiocells
from tests.fault_runs import FaultRun
from tests.faults import Case


class SharedLimit:
    """A limiter that counts who is inside, and takes its turns to let them in.

    Args:
        few: how many it lets in.
        turns: how often it lets others run before.
    """

    def __init__(self, few: int, turns: int) -> None:
        """Have nobody inside."""
        self.few = few
        self.turns = turns
        self.semaphore = asyncio.Semaphore(few)
        self.inside = 0

    async def __aenter__(self) -> None:
        """Wait for room."""
        for _ in range(self.turns):
            await asyncio.sleep(0)
        await self.semaphore.acquire()
        self.inside += 1
        assert self.inside <= self.few

    async def __aexit__(self, *told: object) -> None:
        """Leave, whatever happened."""
        assert told == (None, None, None)
        self.inside -= 1
        self.semaphore.release()


@attrs.frozen
class SharedCase(Case):
    """A random computation whose limit "few" is a limiter.

    Attributes:
        turns: how often the limiter lets others run before it lets in anybody.
        limiters: those that were made for it.
    """

    turns: int = 0
    limiters: list[SharedLimit] = attrs.field(factory=list, eq=False, repr=False)

    @property
    def options(self) -> dict[str, Any]:
        """What the computer is told; each time with a limiter of its own."""
        options = super().options
        if self.is_limited and self.computer != "sequential":
            limiter = SharedLimit(self.few or 1, self.turns)
            self.limiters.append(limiter)
            options["limits"] = {"few": limiter}
        return options

    def check(self) -> None:
        """All that have entered have left."""
        for limiter in self.limiters:
            assert limiter.inside == 0
            assert limiter.semaphore._value == limiter.few


def shared(case: Case, turns: int) -> SharedCase:
    """The same computation, with a limiter."""
    told = {field.name: getattr(case, field.name) for field in attrs.fields(Case)}
    return SharedCase(**told, turns=turns)


class HeldRun(FaultRun):
    """A run of the concurrent computer in whose place all is held for some turns.

    Attributes:
        held_values: the values by rank, but for those of resources.
    """

    def __init__(self, case: Case) -> None:
        """Make the cells."""
        super().__init__(case)
        self.held_values: dict[int, Any] = {}

    async def _compute(self) -> Any:
        compute = aiocells.async_compute_concurrent

        def hold_or_compute(graph: Any, **options: Any) -> Any:
            how: Any = self._hold if graph is self.made.graph else compute
            return how(graph, **options)

        name = "async_compute_concurrent"
        with mock.patch.object(aiocells, name, hold_or_compute):
            return await super()._compute()

    async def _hold(self, graph: Any, **options: Any) -> Any:
        for other in ("on_error", "max_concurrency"):
            del options[other]
        cells = options.pop("targets")
        async with aiocells.hold(graph, cells, **options) as held:
            for cell, value in held.items():
                rank = self.made.ranks[cell]
                if not self.case.nodes[rank].is_resource:
                    self.held_values[rank] = value
            for _ in range(2):
                await asyncio.sleep(0)
        return held

    @property
    def values(self) -> dict[int, Any]:
        """The values by rank, which are gone by now."""
        return self.held_values
