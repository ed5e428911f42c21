"""What `each` said: that a cell calls a function once for each item."""

import os
from collections.abc import Callable
from typing import Any

import attrs

from aiocells._declaring.kinds import Kind

# Async items at once, and plain ones in threads, where nobody says how many.
MOST_TASKS = 100
MOST_THREADS = 40


@attrs.frozen(eq=False)
class FanOut:
    """A cell that calls a function once for each item of other cells' values.

    Attributes:
        function: what is called for each item.
        kind: what calling it gives.
        iterated: the parameters that get one item at a time, in the order written.
        positional: the parameters that the cell is given by position.
        limit: how many items may run at once; None for the usual number.
        timeout: seconds that an async item may take.
        product: whether each item of a parameter goes with each of the others.
        keeps: whether a failed item's exception takes its place among the values.
    """

    function: Callable[..., Any]
    kind: Kind
    iterated: tuple[str, ...]
    positional: tuple[str, ...]
    limit: int | None = None
    timeout: float | None = None
    product: bool = False
    keeps: bool = False

    def width(self, where: str | None) -> int:
        """How many items may run at once.

        Args:
            where: where plain items run: "thread", or what else has processes of its
                own; None for async ones.
        """
        if self.kind is Kind.ASYNC:
            return self.limit or MOST_TASKS
        if where == "thread":
            return self.limit or MOST_THREADS
        processors = os.cpu_count() or 1
        return min(self.limit or processors, processors)
