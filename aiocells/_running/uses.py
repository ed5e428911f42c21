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
        self._args = plan.program.args
        self._left = plan.uses.copy()

    def over(self, number: int) -> None:
        """Record that a cell needs no value any more: it is done, failed or skipped."""
        values, left = self._values, self._left
        if not left[number]:
            values[number] = None
        for source in self._args[number]:
            if source >= 0:
                left[source] -= 1
                if not left[source]:
                    values[source] = None
