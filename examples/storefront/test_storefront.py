"""The service under load, and how such a service is tested.

Run it from the folder `examples`: `python -m pytest storefront`.
"""

import asyncio
import logging
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import ClientError, ClientSession

from aiocells import async_compute_concurrent, cell
from storefront import cells
from storefront.app import AT_ONCE, GRAPH, create_app
from storefront.backends import BACKENDS, Backends

VISITS = range(1, 201)
AT_A_TIME = 20


class Gate:
    """Holds back all answers; tells when so many questions are waiting for one."""

    def __init__(self, count: int) -> None:
        """Let nothing through yet."""
        self.missing = count
        self.full = asyncio.Event()
        self.open = asyncio.Event()

    async def pass_through(self, seconds: float) -> None:
        """Wait until it is open; the time of an answer does not matter."""
        self.missing -= 1
        if self.missing == 0:
            self.full.set()
        await self.open.wait()


async def at_once(seconds: float) -> None:
    """Take no time for an answer."""


@asynccontextmanager
async def asking(address: str, graph: Any = GRAPH) -> AsyncIterator[httpx.AsyncClient]:
    """Run the service, without a server of its own, and give a client of it."""
    app = create_app(address, graph)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://shop") as client,
    ):
        yield client


# Under load


# The timeout of a slow machine is not what the test is about.
@cell(limit="recommendations", fallback=cells.nothing)
async def patient(
    client: ClientSession, customer: dict[str, Any], taste: str
) -> list[str]:
    """Wait for recommendations as long as it takes."""
    return await cells.recommendations(client, customer, taste)


async def visit(address: str, gate: Gate) -> dict[int, dict[str, Any]]:
    """The pages of all visits, so many at a time."""
    pages = {}
    numbers = iter(VISITS)

    async def visitor() -> None:
        for number in numbers:
            response = await client.get(f"/pages/{number}")
            pages[number] = response.raise_for_status().json()

    graph = GRAPH.replace({cells.recommendations: patient})
    async with asking(address, graph) as client, asyncio.TaskGroup() as group:
        for _ in range(AT_A_TIME):
            group.create_task(visitor())
        await gate.full.wait()
        gate.open.set()
    return pages


def open_files() -> set[str]:
    """The file descriptors of this process, sockets included, where it has a list."""
    folder = Path("/dev/fd")
    return set(os.listdir(folder)) if folder.exists() else set()


def test_backends_get_no_more_than_they_take_and_nothing_is_left() -> None:
    """The limits hold for all requests together; the rest of a page is shown."""

    async def main() -> tuple[dict[int, dict[str, Any]], Backends]:
        # What 20 visitors want first is who they are, and offers.
        gate = Gate(AT_ONCE["customers"] + AT_ONCE["offers"])
        async with asyncio.timeout(60), Backends(gate.pass_through) as backends:
            pages = await visit(backends.address, gate)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return pages, backends

    threads, files = set(threading.enumerate()), open_files()
    pages, backends = asyncio.run(main())
    assert set(threading.enumerate()) == threads
    assert open_files() == files

    # They would have refused more.
    assert {status for _, status in backends.answered} == {200, 503}
    for name, backend in BACKENDS.items():
        assert backends.most_inside[name] <= backend.most == AT_ONCE[name]
    for name in ("customers", "offers"):
        assert backends.most_inside[name] == AT_ONCE[name]
    # Where the backend of the taste is down, nobody asks for recommendations.
    down = [number for number in VISITS if number % 10 == 5]
    assert backends.answered["taste", 503] == len(down)
    assert backends.answered["recommendations", 200] == len(VISITS) - len(down)
    assert sorted(pages) == list(VISITS)
    for number, page in pages.items():
        assert page["offers"] == ["teapot", "sieve"]
        assert bool(page["recommendations"]) == (number not in down)
        assert page["without"] == ["recommendations"] * (number in down)
    # Vouchers are asked for where there are points for one.
    gold = [number for number in VISITS if number % 10 == 0]
    assert backends.answered["vouchers", 200] == len(gold)
    assert [number for number in VISITS if pages[number]["vouchers"]] == gold


async def test_a_backend_refuses_who_is_too_much() -> None:
    """What the limits are for: the question that comes too early has no answer."""
    gate = Gate(AT_ONCE["customers"])
    headers = {"Authorization": "Bearer x"}
    async with (
        Backends(gate.pass_through) as backends,
        httpx.AsyncClient(base_url=backends.address, headers=headers) as client,
        asyncio.TaskGroup() as group,
    ):
        for _ in range(AT_ONCE["customers"]):
            group.create_task(client.get("/customers/7"))
        await gate.full.wait()
        refused = await client.get("/customers/7")
        gate.open.set()
    assert refused.status_code == httpx.codes.TOO_MANY_REQUESTS
    assert backends.answered["customers", 200] == AT_ONCE["customers"]


# One request


async def test_recommendations_that_do_not_come_are_given_up() -> None:
    """The page is there without them, and the backend is asked no longer."""
    async with Backends(at_once) as backends, asking(backends.address) as client:
        page = (await client.get("/pages/460")).json()
    assert page["without"] == ["recommendations"]
    assert page["vouchers"] == ["TEA-460"]
    assert backends.inside.total() == 0


async def test_an_unknown_customer_is_told_so() -> None:
    """What is wrong with the request is the client's business."""
    async with Backends(at_once) as backends, asking(backends.address) as client:
        response = await client.get("/pages/501")
    assert response.status_code == httpx.codes.NOT_FOUND
    assert response.json() == {"detail": "no customer has the number 501"}


# With other functions, or values, in the place of cells


async def test_what_fails_is_told_to_the_log_without_secrets(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log says which cell failed with what, the client sees none of it."""

    def no_card(customer: dict[str, Any], api_key: str) -> str:
        msg = f"no route for {customer['name']}"
        raise ClientError(msg)

    monkeypatch.setenv("STOREFRONT_API_KEY", "correct horse")
    graph = GRAPH.replace({cells.card: no_card})
    async with Backends(at_once) as backends, asking(backends.address, graph) as client:
        with caplog.at_level(logging.ERROR):
            response = await client.get("/pages/7")
    assert response.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert response.json() == {"detail": "try again in a moment"}
    assert "no route for Dan" in caplog.text
    assert "in cell 'card'" in caplog.text
    assert "api_key=•••" in caplog.text
    assert "correct horse" not in caplog.text


async def test_no_request_waits_for_recommendations_of_another() -> None:
    """A slow backend holds up those pages that want something of it."""
    asked = asyncio.Event()
    go_on = asyncio.Event()

    @cell(limit="recommendations")
    async def slow(customer: dict[str, Any]) -> list[str]:
        if customer["number"] == 7:
            asked.set()
            await go_on.wait()
        return ["tea"]

    graph = GRAPH.replace({cells.recommendations: slow})
    async with (
        Backends(at_once) as backends,
        asking(backends.address, graph) as client,
        asyncio.TaskGroup() as group,
    ):
        first = group.create_task(client.get("/pages/7"))
        await asked.wait()
        assert (await client.get("/pages/8")).is_success
        assert not first.done()
        go_on.set()
    assert first.result().json()["recommendations"] == ["tea"]
    # What only recommendations needed is not asked for.
    assert backends.answered["taste", 200] == 0


async def test_a_page_of_values() -> None:
    """With all values given, no backend and no service is needed."""
    values = {
        cells.customer: {"number": 7, "name": "Dan"},
        cells.card: "0123",
        cells.offers: [],
        cells.parcels: "on its way",
        cells.points: 70,
        cells.recommendations: [],
        cells.vouchers: ["not asked for"],
    }
    results = await async_compute_concurrent(
        GRAPH, targets=[cells.page], overrides=values
    )
    assert results[cells.page]["vouchers"] == []
