"""Other libraries, and this one, on one and the same page, graph and list of items.

A file for each library has functions that take the cells and prepare two things: what
computes them, to be called or awaited, and what makes of its result the page, or the
list of the values of all cells. Only the computing is timed; it leaves the values in
whatever the library gives its users. What a library can be told once for all is told in
the preparing, and in the way that its documentation recommends for speed.
"""

from collections.abc import Awaitable, Callable
from typing import Any

Values = Callable[[Any], list[Any]]
Prepared = tuple[Callable[[], Any], Values]
AsyncPrepared = tuple[Callable[[], Awaitable[Any]], Values]

# Contestants by name: the file, and the function in it that prepares.
PAGE = {
    "aiocells": ("ours", "page"),
    "aiocells, awaited in order": ("ours", "page_in_order"),
    "gather, in waves": ("standard_library", "page_in_waves"),
    "awaited one by one": ("standard_library", "page_one_by_one"),
    "dishka, one by one": ("dishka", "page"),
    "FastAPI's dependencies, one by one": ("fastapi", "page"),
    "Hamilton, async driver": ("hamilton", "page"),
    "pydantic-graph": ("pydantic_graph", "page"),
}
SEQUENTIAL = {
    "aiocells, again and again": ("ours", "again_and_again"),
    "aiocells, from the first run": ("ours", "from_the_first_run"),
    "a loop over a list": ("standard_library", "loop"),
    "aiocells 1.0.4": ("first_version", "sequential"),
    "dags": ("dags", "sequential"),
    "graphlib": ("standard_library", "graphlib_loop"),
    "reaktiv": ("reaktiv", "sequential"),
    "Hamilton": ("hamilton", "sequential"),
    "pipefunc": ("pipefunc", "sequential"),
    "dask.get": ("dask", "sequential"),
}
CONCURRENT = {
    "aiocells": ("ours", "concurrent"),
    "TaskGroup, cell by cell": ("standard_library", "task_group"),
    "aiocells 1.0.4": ("first_version", "concurrent"),
    "Hamilton, async driver": ("hamilton", "concurrent"),
}
ITEMS = {
    "aiocells": ("ours", "items"),
    "pipefunc, map": ("pipefunc", "items"),
    "Hamilton, Parallelizable": ("hamilton", "items"),
}

# What is computed, with its contestants, and what the code written by hand is called.
KINDS = {
    "page, sleep(0)": (PAGE, "TaskGroup"),
    "page, never suspending": (PAGE, "TaskGroup"),
    "sequential": (SEQUENTIAL, "written by hand"),
    "concurrent": (CONCURRENT, "TaskGroup, for any graph"),
    "items": (ITEMS, "list(map(function, items))"),
}


def is_page(kind: str) -> bool:
    """Whether figures of a kind are of the page, in place of a cell."""
    return kind.startswith("page")
