"""The graph: texts, their ratings, and a report."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import stamina
from aiohttp import ClientSession

from aiocells import Cached, cell, depends_on, each, resource

# The model refuses more questions than 64 at once; others may ask it as well.
AT_ONCE = 40

# What is tried again is no news here.
stamina.instrumentation.set_on_retry_hooks(())


class Busy(Exception):
    """The model may answer if it is asked again."""


class Unrated(Exception):
    """The model will not rate a text."""


@cell
def texts(path: str, count: int = 10_000) -> list[str]:
    """The texts of a file with a text after the second tabulator of each line."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return [line.split("\t", 2)[2] for line in lines[:count]]


@resource
async def model(address: str) -> AsyncIterator[ClientSession]:
    """What asks the model; its connections are closed at the end."""
    async with ClientSession(address) as session:
        yield session


@depends_on(model=model)
@stamina.retry(on=Busy, attempts=20, timeout=None, wait_initial=0.01, wait_max=0.1)
async def rate(text: str, model: ClientSession) -> int:
    """Ask for the stars of one text, from 1 to 5."""
    async with model.post("/stars", data=text.encode()) as answer:
        if answer.status in (429, 503):
            raise Busy(answer.reason)
        if answer.status == 422:
            raise Unrated(await answer.text())
        answer.raise_for_status()
        return int(await answer.text())


# Who is asked does not count, only what: so the model is no part of the key.
ratings = each(
    rate, text=texts, limit=AT_ONCE, on_error="keep", cache=Cached(ignore=["model"])
)


@cell(fallback=lambda error: "a model without a name")
async def name(model: ClientSession) -> str:
    """What the model calls itself; it is not worth a failure."""
    async with model.get("/name", raise_for_status=True) as answer:
        return await answer.text()


@cell
def report(ratings: list[int | Exception], name: str) -> str:
    """How many stars there were, and how many texts were not rated."""
    rated = [each_one for each_one in ratings if isinstance(each_one, int)]
    counts = Counter(rated)
    mean = sum(rated) / len(rated)
    lines = [f"{len(rated):,} texts, rated by {name}: {mean:.2f} stars"]
    lines += [f"{'*' * stars:5} {counts[stars]:7,}" for stars in range(5, 0, -1)]
    unrated = len(ratings) - len(rated)
    return "\n".join([*lines, f"none  {unrated:7,}"])
