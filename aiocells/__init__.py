"""Compute graphs of plain Python functions.

Declare cells with `cell`, `depends_on` and `resource`; collect them with
`Graph.from_module`; compute them with one of the computers.
"""

import os as _os

from aiocells._collecting.graph import Graph
from aiocells._declaring.decorators import cell, depends_on, resource
from aiocells._declaring.spec import Input
from aiocells._first_version.flow import cancel_flow, compute_flow
from aiocells._first_version.mod import ModAdder, ModClock, ModPlace, ModPrinter
from aiocells._first_version.places import Place, assign, print_value, timer
from aiocells._first_version.stopwatch import Stopwatch
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
    "CircularDependency",
    "DeclarationError",
    "DependencyGraph",
    "Graph",
    "GraphException",
    "Input",
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
    "compute_flow",
    "compute_sequential",
    "depends_on",
    "failures",
    "print_value",
    "resource",
    "timer",
]

# `import aiocells.demo_6` is how 1.x code reaches a demo.
__path__.append(_os.path.join(__path__[0], "demos"))
