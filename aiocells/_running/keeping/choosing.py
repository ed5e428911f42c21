"""Which cells of a computation a cache keeps, and which values it loads at once."""

import itertools

from aiocells._keeping.cache import Cache
from aiocells._keeping.refusing import NothingToKeep
from aiocells._planning.plan import Plan
from aiocells._running.keeping.stored import why_not


class Choice:
    """What is done with each cell.

    Args:
        plan: what is run.
        cache: what was given as `cache=`.

    Attributes:
        reasons: why each that is not kept is not.
        kept: the others.
        fan_outs: those of them that are kept item by item.
        whole: those of them whose value is kept as a whole.
        at_the_call: the cells that take values as they are: those that ask for others,
            or are asked for.
        loaded: the sources whose values are loaded at once.
        follows: for each kept cell those that it needs for their order alone.

    Raises:
        ValueError: no cell is to be kept.
    """

    def __init__(self, plan: Plan, cache: Cache) -> None:
        program = plan.program
        options = program.options
        if not cache.everything and not any(options[n].cache for n in plan.cells):
            msg = (
                "cache: no cell has cache=... Mark those to keep with "
                "@cell(cache=True), or give Cache(..., everything=True)."
            )
            raise NothingToKeep(msg)
        self.reasons = {
            number: f"ran: {reason}"
            for number in plan.cells
            if (reason := why_not(program, number, cache.everything))
        }
        self.kept = set(plan.cells).difference(self.reasons)
        self.fan_outs = self.kept.intersection(plan.fan_outs)
        self.whole = self.kept.difference(self.fan_outs)
        self.at_the_call = {*program.asks, *plan.lazy}
        self.loaded = {
            *plan.target_set,
            *itertools.chain.from_iterable(program.asks.values()),
            *(
                source
                for number in (*plan.resources, *self.at_the_call)
                for source in program.args[number]
            ),
        }
        among = set(plan.cells)
        self.follows = {
            number: [
                each
                for each in program.needs[number]
                if each in among and each not in program.args[number]
            ]
            for number in self.kept
        }
        self._args = program.args

    def takes_stored(self, number: int) -> bool:
        """Whether an argument of a cell may be found, and not loaded yet."""
        return any(
            source in self.whole and source not in self.loaded
            for source in self._args[number]
        )
