"""Async items, each in a task of its own."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiocells._fan_out.gathering import Gathering
from aiocells._fan_out.items import Items
from aiocells._fan_out.places import Places
from aiocells._fan_out.pulling import PullingWindow
from aiocells._fan_out.window import Window


async def run_as_tasks(
    items: Items,
    gathering: Gathering,
    call: Callable[..., Awaitable[Any]],
    width: int,
    places: Places,
    name: str,
) -> Any:
    """Await each item.

    Args:
        items: what to call.
        gathering: where it goes what becomes of them.
        call: what is awaited for each.
        width: how many may run at once.
        places: what else bounds that.
        name: that of the tasks.

    Returns:
        The value of the fan-out, when no item runs any more.

    Raises:
        BaseException: an item failed, or what is iterated did, or this was cancelled.
    """
    if items.source is None:
        await Window(call, gathering, width, places, name).run(items.rows)
    else:
        window = PullingWindow(call, gathering, width, places, name)
        await window.pull(aiter(items.source), items.recipe.filled)
    return gathering.value()
