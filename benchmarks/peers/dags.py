"""dags: https://pypi.org/project/dags"""

import functools

from dags import concatenate_functions

from benchmarks.layered import INPUTS, Layered
from benchmarks.peers import Prepared

DISTRIBUTION = "dags"


def sequential(made: Layered) -> Prepared:
    """One function, made of all."""
    names = made.names
    computation = concatenate_functions(
        dict(zip(names, made.functions, strict=True)),
        targets=names,
        return_type="tuple",
        enforce_signature=False,
    )
    return functools.partial(computation, **INPUTS), list
