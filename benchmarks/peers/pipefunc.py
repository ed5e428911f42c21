"""pipefunc: https://pypi.org/project/pipefunc"""

import functools
from collections.abc import Callable

from pipefunc import PipeFunc, Pipeline

from benchmarks.layered import INPUTS, Layered
from benchmarks.peers import Prepared

DISTRIBUTION = "pipefunc"


def sequential(made: Layered) -> Prepared:
    """`Pipeline.map`, which here is quicker than `Pipeline.run`."""
    names = made.names
    pipeline = Pipeline(
        [
            PipeFunc(function, output_name=name)
            for name, function in zip(names, made.functions, strict=True)
        ],
        validate_type_annotations=False,
    )
    compute = functools.partial(
        pipeline.map, INPUTS, parallel=False, storage="dict", show_progress=False
    )
    return compute, lambda found: [found[name].output for name in names]


def items(function: Callable[[int], int], xs: list[int]) -> Prepared:
    """A function with a `mapspec`."""
    mapped = PipeFunc(function, output_name="y", mapspec="x[i] -> y[i]")
    pipeline = Pipeline([mapped], validate_type_annotations=False)
    compute = functools.partial(
        pipeline.map, {"x": xs}, parallel=False, storage="dict", show_progress=False
    )
    return compute, lambda found: list(found["y"].output)
