"""Hamilton: https://pypi.org/project/apache-hamilton"""

import functools
from typing import Any

from hamilton import ad_hoc_utils, async_driver, base, driver

from benchmarks.layered import INPUTS, Layered
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


def _module(made: Layered) -> Any:
    """Its functions must have annotations."""
    for number, function in enumerate(made.functions):
        function.__annotations__ = dict.fromkeys(
            (*made.parameters(number), "return"), float
        )
    return ad_hoc_utils.create_temporary_module(
        *made.functions, module_name="layered_for_hamilton"
    )
