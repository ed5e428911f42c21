"""reaktiv: https://pypi.org/project/reaktiv"""

from typing import Any

from reaktiv import Computed, Signal, set_thread_safety

from benchmarks.layered import INPUTS, Function, Layered
from benchmarks.peers import Prepared

DISTRIBUTION = "reaktiv"


def sequential(made: Layered) -> Prepared:
    """A signal for each input and cell. One input changes, and all is read anew."""
    set_thread_safety(False)
    inputs = [Signal(value) for value in INPUTS.values()]
    computed: list[Any] = []
    for function, needs in zip(made.functions, made.needs, strict=True):
        computed.append(
            _cell(function, *([computed[each] for each in needs] or inputs))
        )
    x = INPUTS["x"]
    other = x + 1
    inputs[0].set(other)

    def compute() -> list[Any]:
        # The same value again would change nothing, so that nothing would be computed.
        inputs[0].set(x if inputs[0]() == other else other)
        return [each() for each in computed]

    return compute, list


def _cell(function: Function, a: Any, b: Any, c: Any) -> Any:
    return Computed(lambda: function(a(), b(), c()))
