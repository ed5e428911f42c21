"""Plan a weekend trip by asking six web services, each as soon as it can be asked.

Flights can be looked up only when both places are known, a transfer only when hotel
and flight are chosen; what does not wait for an answer is asked at the same time.
No cell says so: each names the values that it needs. The services are stand-ins that
the example starts itself, as slow as real ones. Needs aiohttp.

    python examples/trip.py
    aiocells run examples/trip.py
    aiocells run examples/trip.py:plan --set city=Naples --set budget=120
"""

import asyncio
import datetime as dt
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

from aiohttp import ClientSession, web

from aiocells import (
    Graph,
    async_compute_concurrent,
    async_compute_sequential,
    cell,
    resource,
)


@dataclass(frozen=True)
class Place:
    """A town, its airport and its currency."""

    name: str
    airport: str
    currency: str


@dataclass(frozen=True)
class Hotel:
    """A hotel and what a night costs there, in the currency of its place."""

    name: str
    stars: int
    price: float


@dataclass(frozen=True)
class Flight:
    """A flight, when it lands, and what it costs in the traveller's currency."""

    number: str
    lands: str
    price: float


@resource
async def server(pace: float = 1.0) -> AsyncIterator[str]:
    """The address of the stand-in services; `pace` scales how long they take."""
    # A request whose client has gone is given up, so that closing need not wait for it.
    runner = web.AppRunner(services(pace), handler_cancellation=True)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


@resource
async def session(server: str) -> AsyncIterator[ClientSession]:
    """A client of the services; an answer of 400 or more raises."""
    async with ClientSession(server, raise_for_status=True) as client:
        yield client


@cell
async def origin(session: ClientSession, home: str = "Oslo") -> Place:
    """Where the traveller lives."""
    return Place(**await ask(session, "/place", name=home))


@cell
async def destination(session: ClientSession, city: str = "Lisbon") -> Place:
    """Where the traveller goes."""
    return Place(**await ask(session, "/place", name=city))


@cell
async def forecast(session: ClientSession, destination: Place) -> str:
    """The weather to be expected there."""
    answer = await ask(session, "/weather", near=destination.airport)
    return f"{answer['sky']}, {answer['high']} °C"


@cell
async def hotels(session: ClientSession, destination: Place) -> list[Hotel]:
    """Hotels there that have a room."""
    answer = await ask(session, "/hotels", near=destination.airport)
    return [Hotel(**hotel) for hotel in answer]


@cell
async def flights(
    session: ClientSession, origin: Place, destination: Place
) -> list[Flight]:
    """Flights from one place to the other that have a seat."""
    answer = await ask(
        session, "/flights", start=origin.airport, end=destination.airport
    )
    return [Flight(**flight) for flight in answer]


@cell
async def rate(session: ClientSession, origin: Place, destination: Place) -> float:
    """What one unit of the destination's currency costs in the traveller's."""
    answer = await ask(session, "/rate", buy=destination.currency, sell=origin.currency)
    return float(answer["rate"])


@cell
def hotel(hotels: list[Hotel], budget: float = 150.0) -> Hotel:
    """The best hotel that costs no more than `budget` a night, in local currency."""
    affordable = [hotel for hotel in hotels if hotel.price <= budget]
    if not affordable:
        cheapest = min(hotel.price for hotel in hotels)
        msg = f"no hotel for {budget:g} a night; the cheapest costs {cheapest:g}"
        raise ValueError(msg)
    return max(affordable, key=lambda hotel: hotel.stars)


@cell
def flight(flights: list[Flight]) -> Flight:
    """The cheapest flight."""
    if not flights:
        msg = "no flight between these two places"
        raise ValueError(msg)
    return min(flights, key=lambda flight: flight.price)


@cell
async def transfer(
    session: ClientSession, destination: Place, hotel: Hotel, flight: Flight
) -> str:
    """How to get from that flight to that hotel."""
    answer = await ask(
        session,
        "/transfer",
        airport=destination.airport,
        hotel=hotel.name,
        after=flight.lands,
    )
    return f"{answer['line']} at {answer['leaves']}"


@cell
def plan(
    origin: Place,
    destination: Place,
    forecast: str,
    hotel: Hotel,
    flight: Flight,
    rate: float,
    transfer: str,
    nights: int = 2,
) -> str:
    """The trip on a page, with its price in the traveller's currency."""
    total = flight.price + nights * hotel.price * rate
    return "\n".join(
        [
            f"{origin.name} to {destination.name}, {nights} nights",
            f"  Weather   {forecast}",
            f"  Flight    {flight.number}, lands at {flight.lands}",
            f"  Transfer  {transfer}",
            f"  Hotel     {hotel.name} ({hotel.stars} stars)",
            f"  Price     {total:,.0f} {origin.currency}",
        ]
    )


async def ask(session: ClientSession, path: str, **query: str) -> Any:
    """One question to one service, and its answer."""
    async with session.get(path, params=query) as response:
        return await response.json()


# From here on: the stand-ins. Real services would take the place of all this and of
# the cell `server`; the other cells would stay as they are.

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PLACES = {
    "Oslo": Place("Oslo", "OSL", "NOK"),
    "Lisbon": Place("Lisbon", "LIS", "EUR"),
    "Naples": Place("Naples", "NAP", "EUR"),
}
WEATHER = {
    "LIS": {"sky": "sunny", "high": 24},
    "NAP": {"sky": "showers", "high": 19},
}
HOTELS = {
    "LIS": [Hotel("Alfama", 3, 88), Hotel("Chiado", 4, 140), Hotel("Tejo", 5, 260)],
    "NAP": [Hotel("Spaccanapoli", 3, 95), Hotel("Vesuvio", 5, 210)],
}
FLIGHTS = {
    ("OSL", "LIS"): [Flight("TP763", "17:40", 2150), Flight("DY1812", "12:55", 1790)],
    ("OSL", "NAP"): [Flight("DY1872", "16:20", 1640)],
}
WORTH = {"NOK": 1.0, "EUR": 11.5}
TRANSFERS = {"LIS": "Metro, red line", "NAP": "Alibus"}


async def place_of(request: web.Request) -> web.Response:
    """The place of a name."""
    name = request.query["name"]
    if name not in PLACES:
        raise web.HTTPNotFound(reason=f"No place named {name}")
    return web.json_response(asdict(PLACES[name]))


async def weather_at(request: web.Request) -> web.Response:
    """The weather near an airport."""
    return web.json_response(WEATHER[request.query["near"]])


async def hotels_at(request: web.Request) -> web.Response:
    """The hotels near an airport."""
    found = HOTELS[request.query["near"]]
    return web.json_response([asdict(hotel) for hotel in found])


async def flights_between(request: web.Request) -> web.Response:
    """The flights from one airport to another."""
    found = FLIGHTS.get((request.query["start"], request.query["end"]), [])
    return web.json_response([asdict(flight) for flight in found])


async def rate_of(request: web.Request) -> web.Response:
    """The price of one currency in another."""
    rate = WORTH[request.query["buy"]] / WORTH[request.query["sell"]]
    return web.json_response({"rate": rate})


async def transfer_to(request: web.Request) -> web.Response:
    """The next bus or train after a landing."""
    landing = dt.datetime.strptime(request.query["after"], "%H:%M")
    leaves = landing + dt.timedelta(minutes=35)
    line = TRANSFERS[request.query["airport"]]
    return web.json_response({"line": line, "leaves": f"{leaves:%H:%M}"})


# Each service, and how long it takes to answer, in seconds.
SERVICES: dict[str, tuple[Handler, float]] = {
    "/place": (place_of, 0.05),
    "/weather": (weather_at, 0.15),
    "/hotels": (hotels_at, 0.2),
    "/flights": (flights_between, 0.15),
    "/rate": (rate_of, 0.1),
    "/transfer": (transfer_to, 0.1),
}


def services(pace: float) -> web.Application:
    """All services in one application; what they take is multiplied by `pace`."""

    async def answer(request: web.Request) -> web.StreamResponse:
        handler, seconds = SERVICES[request.path]
        await asyncio.sleep(seconds * pace)
        return await handler(request)

    app = web.Application()
    app.add_routes([web.get(path, answer) for path in SERVICES])
    return app


async def main() -> None:
    """Plan the same trip twice, to show what waiting costs."""
    graph = Graph.from_module(__name__)
    start = time.perf_counter()
    results = await async_compute_concurrent(graph, targets=[plan])
    together = time.perf_counter() - start

    start = time.perf_counter()
    await async_compute_sequential(graph, targets=[plan])
    in_turn = time.perf_counter() - start

    print(results[plan])
    print(f"\nAsked together: {together:.2f} s. One after another: {in_turn:.2f} s.")


if __name__ == "__main__":
    asyncio.run(main())
