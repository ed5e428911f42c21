"""Hamilton: https://pypi.org/project/apache-hamilton"""

import functools
import types
from collections.abc import Callable
from typing import Any

from hamilton import ad_hoc_utils, async_driver, base, driver
from hamilton.execution import executors
from hamilton.htypes import Collect, Parallelizable

from benchmarks.layered import INPUTS, Layered
from benchmarks.page import INPUTS as PAGE_INPUTS
from benchmarks.page import cells_of
from benchmarks.peers import AsyncPrepared, Prepared

DISTRIBUTION = "apache-hamilton"


def sequential(made: Layered) -> Prepared:
    """The driver that gives a dictionary."""
    names = made.names
    graph = (
        driver.Builder()
        .with_modules(_module(made))
        .with_adapters(base.DictResult())
        .build()
    )
    compute = functools.partial(graph.execute, names, inputs=INPUTS)
    return compute, lambda found: [found[name] for name in names]


async def concurrent(made: Layered) -> AsyncPrepared:
    """The async driver."""
    names = made.names
    graph = await (
        async_driver.Builder()
        .with_modules(_module(made))
        .with_adapters(base.DictResult())
        .build()
    )
    compute = functools.partial(graph.execute, names, inputs=INPUTS)
    return compute, lambda found: [found[name] for name in names]


async def page(shop: types.ModuleType) -> AsyncPrepared:
    """The page with the async driver; its functions are annotated as it wants them."""
    module = ad_hoc_utils.create_temporary_module(
        *cells_of(shop), module_name="shop_for_hamilton"
    )
    graph = await (
        async_driver.Builder()
        .with_modules(module)
        .with_adapters(base.DictResult())
        .build()
    )
    compute = functools.partial(graph.execute, ["page"], inputs=PAGE_INPUTS)
    return compute, lambda found: found["page"]


def _module(made: Layered) -> Any:
    """Its functions must have annotations."""
    for number, function in enumerate(made.functions):
        function.__annotations__ = dict.fromkeys(
            (*made.parameters(number), "return"), float
        )
    return ad_hoc_utils.create_temporary_module(
        *made.functions, module_name="layered_for_hamilton"
    )


def items(function: Callable[[int], int], xs: list[int]) -> Prepared:
    """`Parallelizable` and `Collect`, without threads."""

    def x(xs: list) -> Parallelizable[int]:  # type: ignore[type-arg]
        yield from xs

    def y(x: int) -> int:
        return function(x)

    def ys(y: Collect[int]) -> list:  # type: ignore[type-arg]
        return list(y)

    module = ad_hoc_utils.create_temporary_module(x, y, ys, module_name="items")
    graph = (
        driver.Builder()
        .with_modules(module)
        .enable_dynamic_execution(allow_experimental_mode=True)
        .with_local_executor(executors.SynchronousLocalTaskExecutor())
        .with_remote_executor(executors.SynchronousLocalTaskExecutor())
        .with_adapters(base.DictResult())
        .build()
    )
    compute = functools.partial(graph.execute, ["ys"], inputs={"xs": xs})
    return compute, lambda found: found["ys"]
