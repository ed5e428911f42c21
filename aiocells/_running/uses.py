"""Letting go of values that nobody will use any more."""

from typing import Any

from aiocells._planning.plan import Plan


class Uses:
    """How often each value is still to be used in a computation with targets.

    Args:
        plan: what is run.
        values: the values by source; those that nobody will use become None.
    """

    def __init__(self, plan: Plan, values: list[Any]) -> None:
        self._values = values
        self._used = plan.used
        self._left = plan.uses.copy()

    def over(self, number: int) -> None:
        """Record that a cell needs no value any more: it is done, failed or skipped."""
        values, left = self._values, self._left
        for source in self._used[number]:
            left[source] -= 1
            if not left[source]:
                values[source] = None
