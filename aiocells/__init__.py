"""Compute a graph of plain Python functions: in order, or concurrently.

A cell is a function. The name of a parameter says whose value it takes; where there is
no cell of that name, it is an input:

>>> import asyncio
>>> from aiocells import Graph, async_compute_concurrent, cell
>>> @cell
... async def weather(city: str) -> str:
...     return "rain"
>>> @cell
... async def hotel(city: str) -> str:
...     return f"Grand {city}"
>>> @cell
... def plan(weather: str, hotel: str) -> str:
...     return f"{weather}; stay at the {hotel}"
>>> graph = Graph.from_cells(plan)  # or Graph.from_module(trip)
>>> results = asyncio.run(async_compute_concurrent(graph, inputs={"city": "Oslo"}))
>>> results[plan]
'rain; stay at the Grand Oslo'

Declare: `cell` marks a function as a cell, and `resource` a generator function that
opens something, yields it, and closes it. `depends_on` and `Input` bind a parameter to
something of another name, or give an order; `Lazy` has a cell computed only when it is
asked for.

Collect: `Graph.from_module`, `Graph.from_cells` and `Graph.from_object`.

Compute: `compute_sequential`, `async_compute_sequential`, `async_compute_concurrent`.
All take `targets=`, `inputs=` and `overrides=`, and return `Results`. `hold` keeps what
was opened for many computations.

Errors: what is refused before a cell runs is a `GraphException`, which says what to do.
What a cell raises arrives as it was raised; `failures` tells all of it by cell.

Keep: `cell(cache=True)` says that a value may be kept, and a computer's `cache=` where:
a `Cache`.

See also: the modules `aiocells.drawing` and `aiocells.observers`, and the command
`aiocells`. The other names are from version 1.
"""

import os as _os
from typing import TYPE_CHECKING

from aiocells._collecting.graph import Graph
from aiocells._declaring.caching import Cached
from aiocells._declaring.decorators import cell, depends_on, resource
from aiocells._declaring.spec import Input, Lazy
from aiocells._graphs.dependency_graph import DependencyGraph
from aiocells._outcome.failures import failures
from aiocells._outcome.results import Results
from aiocells.computers.concurrent import (
    async_compute_concurrent,
    async_compute_concurrent_simple,
)
from aiocells.computers.sequential import (
    async_compute_sequential,
    compute_sequential,
)
from aiocells.errors import (
    AmbiguousCell,
    CircularDependency,
    DeclarationError,
    GraphException,
    MissingInput,
    MissingValue,
    UnbindableParameter,
    UnknownCell,
    UnknownInput,
    UnsupportedCell,
    WorkerDied,
)

__all__ = [
    "AmbiguousCell",
    "Cache",
    "Cached",
    "CircularDependency",
    "DeclarationError",
    "DependencyGraph",
    "Graph",
    "GraphException",
    "Input",
    "Lazy",
    "MissingInput",
    "MissingValue",
    "ModAdder",
    "ModClock",
    "ModPlace",
    "ModPrinter",
    "Place",
    "Results",
    "Stopwatch",
    "UnbindableParameter",
    "UnknownCell",
    "UnknownInput",
    "UnsupportedCell",
    "WorkerDied",
    "assign",
    "async_compute_concurrent",
    "async_compute_concurrent_simple",
    "async_compute_sequential",
    "cancel_flow",
    "cell",
    "compute_dask",
    "compute_flow",
    "compute_sequential",
    "depends_on",
    "each",
    "failures",
    "hold",
    "print_value",
    "resource",
    "timer",
]

# `import aiocells.demo_6` is how 1.x code reaches a demo.
__path__.append(_os.path.join(__path__[0], "demos"))

# Imported when they are used: modules; and by its module what few need.
_MODULES = ("drawing", "observers")
_LATER = {
    "Cache": "_keeping.cache",
    "each": "_fan_out.each",
    "compute_dask": "computers.dask",
    "hold": "computers.holding",
    "ModAdder": "_first_version.mod",
    "ModClock": "_first_version.mod",
    "ModPlace": "_first_version.mod",
    "ModPrinter": "_first_version.mod",
    "Place": "_first_version.places",
    "Stopwatch": "_first_version.stopwatch",
    "assign": "_first_version.places",
    "cancel_flow": "_first_version.flow",
    "compute_flow": "_first_version.flow",
    "print_value": "_first_version.places",
    "timer": "_first_version.places",
}

if TYPE_CHECKING:
    from aiocells import drawing as drawing
    from aiocells import observers as observers
    from aiocells._fan_out.each import each
    from aiocells._first_version.flow import cancel_flow, compute_flow
    from aiocells._first_version.mod import ModAdder, ModClock, ModPlace, ModPrinter
    from aiocells._first_version.places import Place, assign, print_value, timer
    from aiocells._first_version.stopwatch import Stopwatch
    from aiocells._keeping.cache import Cache
    from aiocells.computers.dask import compute_dask
    from aiocells.computers.holding import hold

    __version__: str
else:

    def __getattr__(name):
        """Get what few need, the first time that it is asked for."""
        import importlib
        import sys

        if name in _MODULES:
            return importlib.import_module(f"aiocells.{name}")
        if name in _LATER:
            module = importlib.import_module(f"aiocells.{_LATER[name]}")
            found = globals()[name] = getattr(module, name)
            return found
        if name == "__version__":
            return importlib.import_module("importlib.metadata").version("aiocells")
        msg = f"module 'aiocells' has no attribute {name!r}"
        raise AttributeError(msg, name=name, obj=sys.modules[__name__])


def __dir__() -> list[str]:
    # Without what is private, or imported for this module alone.
    own = [name for name in globals() if name.startswith("__")]
    return sorted({*own, *__all__, *_MODULES, "errors", "__version__"})
