"""FastAPI: https://pypi.org/project/fastapi

What it does with `Depends` before it calls the function of a path, with no server and
no response. It awaits one dependency after the other.
"""

import inspect
import types
from contextlib import AsyncExitStack
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Request
from fastapi.dependencies.utils import get_dependant, solve_dependencies

from benchmarks.layered import Function
from benchmarks.page import INPUTS, cells_of, copied
from benchmarks.peers import AsyncPrepared

DISTRIBUTION = "fastapi"


async def page(shop: types.ModuleType) -> AsyncPrepared:
    """The page as the function of a path, for a request of its own each time."""
    dependencies: dict[str, Function] = {}
    for function in cells_of(shop):
        dependencies[function.__name__] = _depending(function, dependencies)
    shown = dependencies["page"]
    dependant = get_dependant(path="/", call=shown)
    query = urlencode(INPUTS).encode()

    async def compute() -> Any:
        async with AsyncExitStack() as stack:
            scope = {
                "type": "http",
                "method": "GET",
                "path": "/",
                "headers": [],
                "query_string": query,
                "fastapi_inner_astack": stack,
                "fastapi_function_astack": stack,
            }
            solved = await solve_dependencies(
                request=Request(scope),
                dependant=dependant,
                async_exit_stack=stack,
                embed_body_fields=False,
            )
            if solved.errors:
                raise ValueError(solved.errors)
            return await shown(**solved.values)

    return compute, str


def _depending(function: Function, dependencies: dict[str, Function]) -> Function:
    """A cell as FastAPI wants it: each parameter says which function gives its value.

    A plain function becomes async, or it would be called in a thread.
    """
    depending: Any = copied(function, function.__globals__)
    if not inspect.iscoroutinefunction(function):

        async def depending(**given: Any) -> Any:
            return function(**given)

    depending.__signature__ = inspect.Signature(
        [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                annotation=Annotated[Any, Depends(dependencies[name])]
                if name in dependencies
                else str,
            )
            for name in inspect.signature(function).parameters
        ]
    )
    return depending
