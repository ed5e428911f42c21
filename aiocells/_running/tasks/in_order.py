"""The scheduler of `async_compute_sequential`: one cell after the other.

It is the concurrent scheduler, which lets in the next cell of the plan's order when
the one before is done. So async cells have a task of their own here too, and failures,
cancellations and resources are treated as there.
"""

from collections.abc import Mapping
from heapq import heappush
from typing import TYPE_CHECKING, Any

from aiocells._running.run import Run
from aiocells._running.tasks.scheduler import Scheduler
from aiocells._typing import override

if TYPE_CHECKING:
    from aiocells._fan_out.spreading import Spreading


class OrderedScheduler(Scheduler):
    """Runs the cells of one computation in the order of its plan.

    Args:
        run: what to compute.
        limiters: by name those that cells enter.
    """

    def __init__(self, run: Run, limiters: Mapping[str, Any] | None = None) -> None:
        gate = None
        if limiters:
            from aiocells._running.tasks.gate import Gate

            gate = Gate(run, limiters)
        self._gate = gate
        super().__init__(run, watchdog=None)
        plan = run.plan
        self._order = iter(plan.order)
        self._entered = self._queues
        # The order says it all: nobody counts down, and what is ready goes nowhere.
        self._dependents = [()] * len(self._entered)
        self._queues = [[]] * len(self._entered)
        if self._resources is not None:
            self._resources.one_by_one = True
            self._resources.gate = gate

    @override
    def serve(self, spreading: "Spreading") -> None:
        if self._gate is not None:
            spreading.inside = self._gate.around

    @override
    def _admit(self) -> None:
        if self._is_stopping:
            return
        for number in self._order:
            heappush(self._entered[number], number)
            return

    @override
    def done(self, number: int, value: Any) -> None:
        super().done(number, value)
        self._created = 0  # the one task there was has had its steps
        self._admit()

    @override
    def failed(self, number: int, error: BaseException) -> None:
        super().failed(number, error)
        self._created = 0
        self._admit()
