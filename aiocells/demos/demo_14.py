"""Methods as cells: the object's attributes are settings that they share.

`Graph.from_object` collects the marked methods of an object, bound to it. Two
objects of one class give two graphs.
"""

import asyncio

from aiocells import Graph, async_compute_concurrent, cell


class Greenhouse:
    """Measures, then decides about the windows."""

    def __init__(self, name: str, temperature: float, seconds: float) -> None:
        self.name = name
        self.temperature = temperature
        self.seconds = seconds

    @cell
    async def measured(self) -> float:
        """Wait for the thermometer, for `seconds`."""
        await asyncio.sleep(self.seconds)
        return self.temperature

    @cell
    def advice(self, measured: float) -> str:
        """Say what to do: `measured` is bound to the object's method."""
        action = "open" if measured > 25 else "close"
        return f"{self.name}: {measured:.1f} °C, {action} the windows"


def main(scale: float = 1.0) -> None:
    """Compute the methods of two objects, after 1 second each.

    Args:
        scale: multiplies the time that is slept.
    """
    for greenhouse in (
        Greenhouse("Tomatoes", 27.5, scale),
        Greenhouse("Lettuces", 16.0, scale),
    ):
        graph = Graph.from_object(greenhouse)
        results = asyncio.run(async_compute_concurrent(graph))
        print(results[greenhouse.advice])
