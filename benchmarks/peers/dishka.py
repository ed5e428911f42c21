"""dishka: https://pypi.org/project/dishka

It knows a value by its type, so that each cell gives a type of its own. It awaits one
function after the other.
"""

import inspect
import types
from typing import Any, NewType

from dishka import Provider, Scope, make_async_container

from benchmarks.page import INPUTS, cells_of, copied
from benchmarks.peers import AsyncPrepared

DISTRIBUTION = "dishka"


async def page(shop: types.ModuleType) -> AsyncPrepared:
    """A container for all pages, and in it one for each, as for each request."""
    given: dict[str, Any] = {name: NewType(name, str) for name in INPUTS}
    provider = Provider(scope=Scope.REQUEST)
    for name in INPUTS:
        provider.from_context(provides=given[name])
    kinds = dict(given)
    for function in cells_of(shop):
        name = function.__name__
        kinds[name] = NewType(name, object)
        typed = copied(function, vars(shop))
        typed.__annotations__ = {
            each: kinds[each] for each in inspect.signature(function).parameters
        }
        provider.provide(typed, provides=kinds[name])
    container = make_async_container(provider)
    context = {given[name]: value for name, value in INPUTS.items()}
    target = kinds["page"]

    async def compute() -> Any:
        async with container(context) as request:
            return await request.get(target)

    return compute, str
