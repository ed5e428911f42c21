"""The examples: each runs as its first lines say, and its figures are right."""

import asyncio
import csv
import importlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import aiocells
from aiocells import (
    Graph,
    async_compute_concurrent,
    async_compute_concurrent_simple,
    async_compute_sequential,
    compute_sequential,
)

EXAMPLES = Path(__file__).parents[2] / "examples"
ASYNC_COMPUTERS = (
    async_compute_sequential,
    async_compute_concurrent,
    async_compute_concurrent_simple,
)


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Imports an example by its name."""
    monkeypatch.syspath_prepend(EXAMPLES)
    return importlib.import_module


def environment() -> dict[str, str]:
    """The environment of a program, which finds this aiocells."""
    path = [str(Path(aiocells.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    env = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, path)),
        "PYTHONIOENCODING": "utf-8",
    }
    # Programs look for modules beside themselves, as they do for the reader.
    env.pop("PYTHONSAFEPATH", None)
    return env


def run(*arguments: str | Path, cwd: Path) -> str:
    """What Python prints with these arguments; a warning on the way is an error."""
    done = subprocess.run(
        [sys.executable, "-W", "error", *map(str, arguments)],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.mark.needs_processes
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("weather.py", "Hottest day  19 Jul, 35.0 °C"),
        ("ledger.py", "The bank account was lowest on 2025-01-06: 900.00"),
        ("trip.py", "Transfer  Metro, red line at 13:30"),
        ("shop", "Paid: PAY-008802"),
    ],
    ids=["weather", "ledger", "trip", "shop"],
)
def test_each_example_is_a_program(name: str, expected: str, tmp_path: Path) -> None:
    """`python examples/NAME` prints its result, whatever the current folder is."""
    if name == "trip.py":
        pytest.importorskip("aiohttp")
    assert expected in run(EXAMPLES / name, cwd=tmp_path)


# weather.py


def observations(city: str, year: int) -> list[dict[str, str]]:
    """Rows of the data set, read without the example."""
    with (EXAMPLES / "data" / "weather.csv").open(encoding="utf-8", newline="") as file:
        return [
            row
            for row in csv.DictReader(file)
            if row["location"] == city and row["date"].startswith(str(year))
        ]


@pytest.mark.parametrize("city", ["Seattle", "New York"])
@pytest.mark.parametrize("year", [2012, 2013, 2014, 2015])
def test_the_weather_figures_are_those_of_the_data(
    load: Callable[[str], Any], city: str, year: int
) -> None:
    """Extremes, rain and anomalies agree with a calculation made here."""
    weather = load("weather")
    results = compute_sequential(
        Graph.from_module(weather), inputs={"city": city, "year": year}
    )
    rows = observations(city, year)
    highs = [float(row["temp_max"]) for row in rows]
    rain = [float(row["precipitation"]) for row in rows]
    assert len(results[weather.year_days]) == len(rows)
    hottest = rows[highs.index(max(highs))]
    assert results[weather.hottest_day].date.isoformat() == hottest["date"]
    wettest = rows[rain.index(max(rain))]
    assert results[weather.wettest_day].date.isoformat() == wettest["date"]
    assert results[weather.yearly_rain][year] == pytest.approx(sum(rain))
    wet = "".join("#" if amount else "." for amount in rain)
    assert len(results[weather.wet_spell]) == max(map(len, wet.split(".")))
    assert len(results[weather.dry_spell]) == max(map(len, wet.split("#")))

    def mean_july(years: range) -> float:
        julies = [
            float(row["temp_max"])
            for each in years
            for row in observations(city, each)
            if row["date"][5:7] == "07"
        ]
        return sum(julies) / len(julies)

    unusual = mean_july(range(year, year + 1)) - mean_july(range(2012, 2016))
    assert results[weather.anomalies][7] == pytest.approx(unusual)


@pytest.mark.asyncio
async def test_the_weather_report_is_the_same_under_every_computer(
    load: Callable[[str], Any],
) -> None:
    """A graph of plain functions gives one report in order and concurrently."""
    weather = load("weather")
    graph = Graph.from_module(weather)
    report = compute_sequential(graph, targets=["report"])["report"]
    assert report.startswith("Seattle in 2015\n")
    for compute in ASYNC_COMPUTERS:
        results = await compute(graph, targets=[weather.report])
        assert results[weather.report] == report


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"city": "Paris"}, "no observations of 'Paris'; there are some of New York"),
        ({"year": 1999}, "no observations of 1999; there are some of 2012 to 2015"),
    ],
)
def test_the_weather_example_says_what_it_knows(
    load: Callable[[str], Any], inputs: dict[str, Any], message: str
) -> None:
    """A city or year that is not in the data is refused with those that are."""
    with pytest.raises(ValueError, match=message):
        compute_sequential(Graph.from_module(load("weather")), inputs=inputs)


# ledger.py


def test_the_ledger_adds_up(load: Callable[[str], Any], tmp_path: Path) -> None:
    """Profit and balances agree with sums made here, and with the database file."""
    ledger = load("ledger")
    results = compute_sequential(
        Graph.from_module(ledger), overrides={ledger.folder: tmp_path}
    )
    with ledger.JOURNAL.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    earned = -sum(
        Decimal(row["amount"]) for row in rows if row["kind"] in {"income", "expense"}
    )
    bank = sum(Decimal(row["amount"]) for row in rows if row["account"] == "bank")
    assert Decimal(results[ledger.profit]) / 100 == earned
    assert sum(results[ledger.monthly_profit].values()) == results[ledger.profit]
    assert Decimal(results[ledger.balances]["asset"]["bank"]) / 100 == bank
    connection = sqlite3.connect(tmp_path / "ledger.sqlite")
    try:
        (count,) = connection.execute("SELECT count(*) FROM posting").fetchone()
    finally:
        connection.close()
    assert count == results[ledger.entered] == len(rows)


@pytest.mark.asyncio
async def test_the_ledger_is_the_same_under_every_computer(
    load: Callable[[str], Any],
) -> None:
    """Queries come after the entries they read, in order and concurrently."""
    ledger = load("ledger")
    graph = Graph.from_module(ledger)
    statement = compute_sequential(graph)[ledger.statement]
    for compute in ASYNC_COMPUTERS:
        assert (await compute(graph))[ledger.statement] == statement


def test_uneven_books_are_refused_and_cleaned_up(
    load: Callable[[str], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names its cell, and the database and its folder are gone."""
    ledger = load("ledger")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    journal = tmp_path / "journal.csv"
    journal.write_text(
        "date,text,account,kind,amount\n"
        "2025-03-01,Rent,rent,expense,900.00\n"
        "2025-03-01,Rent,bank,asset,-90.00\n"
    )
    with pytest.raises(
        ValueError, match="'Rent' of 2025-03-01 is off by 810"
    ) as caught:
        compute_sequential(Graph.from_module(ledger), inputs={"path": journal})
    assert caught.value.__notes__[0].startswith("in cell 'audited' (")
    assert list(temporary.iterdir()) == []


# trip.py


@pytest.fixture
def trip(load: Callable[[str], Any]) -> Any:
    """The example that needs aiohttp."""
    pytest.importorskip("aiohttp")
    return load("trip")


@pytest.mark.asyncio
async def test_the_trip_is_the_same_under_every_computer(trip: Any) -> None:
    """Both orders of asking give the cheapest flight and the best hotel in budget."""
    graph = Graph.from_module(trip)
    for compute in ASYNC_COMPUTERS:
        results = await compute(graph, inputs={"pace": 0})
        assert results[trip.flight] == trip.Flight("DY1812", "12:55", 1790)
        assert results[trip.hotel] == trip.Hotel("Chiado", 4, 140)
        assert results[trip.plan].splitlines() == [
            "Oslo to Lisbon, 2 nights",
            "  Weather   sunny, 24 °C",
            "  Flight    DY1812, lands at 12:55",
            "  Transfer  Metro, red line at 13:30",
            "  Hotel     Chiado (4 stars)",
            "  Price     5,010 NOK",  # 1790 + 2 nights at 140 EUR, of 11.5 NOK each
        ]


@pytest.mark.asyncio
async def test_services_that_can_be_asked_together_are(
    trip: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weather, hotels, flights and rate are all being asked before one answers."""
    all_asked = asyncio.Barrier(4)

    def held_back(answer: Callable[[Any], Awaitable[Any]]) -> Callable[..., Any]:
        async def handler(request: Any) -> Any:
            await all_asked.wait()
            return await answer(request)

        return handler

    for path in ("/weather", "/hotels", "/flights", "/rate"):
        answer, _ = trip.SERVICES[path]
        monkeypatch.setitem(trip.SERVICES, path, (held_back(answer), 0))
    async with asyncio.timeout(30):
        results = await async_compute_concurrent(
            Graph.from_module(trip), targets=[trip.plan], inputs={"pace": 0}
        )
    assert results[trip.plan].startswith("Oslo to Lisbon")


@pytest.mark.asyncio
async def test_a_service_that_fails_stops_the_planning(
    trip: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names its cell; requests, client and server are all ended."""
    ports: list[int] = []

    async def unavailable(request: Any) -> Any:
        ports.append(request.url.port)
        return trip.web.Response(status=503)

    async def never(request: Any) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setitem(trip.SERVICES, "/hotels", (unavailable, 0))
    monkeypatch.setitem(trip.SERVICES, "/weather", (never, 0))
    before = asyncio.all_tasks()
    async with asyncio.timeout(30):
        with pytest.raises(Exception, match="503") as caught:
            await async_compute_concurrent(Graph.from_module(trip), inputs={"pace": 0})
    assert caught.type.__name__ == "ClientResponseError"
    assert caught.value.__notes__[0].startswith("in cell 'hotels' (")
    assert asyncio.all_tasks() == before
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", ports[0])


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"city": "Atlantis"}, "No place named Atlantis"),
        ({"budget": 50}, "no hotel for 50 a night; the cheapest costs 88"),
        ({"city": "Oslo"}, "no flight between these two places"),
    ],
)
@pytest.mark.asyncio
async def test_a_trip_that_cannot_be_made_says_why(
    trip: Any, inputs: dict[str, Any], message: str
) -> None:
    """Unknown places, a small budget and a missing flight are told apart."""
    targets = [trip.hotel if "budget" in inputs else trip.flight]
    with pytest.raises(Exception, match=message):
        await async_compute_concurrent(
            Graph.from_module(trip), targets=targets, inputs={"pace": 0, **inputs}
        )


# shop/


@pytest.mark.asyncio
async def test_the_shop_is_the_same_under_every_computer(
    load: Callable[[str], Any],
) -> None:
    """Four modules given together, or their package, make one working graph."""
    shop = load("shop")
    modules = [
        load(f"shop.{name}") for name in ("catalogue", "basket", "delivery", "checkout")
    ]
    inputs = {"order": {"tea": 2, "pot": 1}, "country": "NO", "voucher": "SPRING"}
    goods = 2 * 890 + 5400
    delivery = 1290 + 3 * 350  # 2,440 grams
    for compute in ASYNC_COMPUTERS:
        for graph in (Graph.from_module(*modules), Graph.from_module(shop)):
            results = await compute(graph, inputs=inputs)
            assert results[shop.total] == goods - goods // 10 + delivery
            assert results[shop.receipt].endswith("Paid: PAY-008802")


@pytest.mark.needs_processes
def test_the_tests_of_the_shop_pass() -> None:
    """`python -m pytest shop`, in the folder of the examples, is green."""
    printed = run("-m", "pytest", "-q", "shop", "-p", "no:cacheprovider", cwd=EXAMPLES)
    assert " passed" in printed
    assert "failed" not in printed


# storefront/

NEEDED_BY_STOREFRONT = ("aiohttp", "fastapi", "httpx", "uvicorn")


@pytest.fixture
def needs_storefront() -> None:
    """Skip where the storefront's requirements are not installed."""
    for name in NEEDED_BY_STOREFRONT:
        pytest.importorskip(name)


@pytest.mark.needs_processes
@pytest.mark.usefixtures("needs_storefront")
def test_the_storefront_serves_until_it_is_interrupted(tmp_path: Path) -> None:
    """`python examples/storefront` answers where it says it is; Ctrl-C ends it."""
    command = [sys.executable, "-W", "error", EXAMPLES / "storefront", "--port", "0"]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as serving:
        try:
            said = serving.stdout.readline()
            found = re.fullmatch(r"Serving. Try: curl (http://.*/pages/7)\n", said)
            assert found, said + serving.stderr.read()
            with urllib.request.urlopen(found[1], timeout=60) as response:
                page = response.read().decode()
            serving.send_signal(signal.SIGINT)
            printed, complaints = serving.communicate(timeout=60)
        finally:
            serving.kill()
    assert (printed, complaints, serving.returncode) == ("", "", 0)
    assert json.loads(page)["name"] == "Dan"
    # What its README shows.
    assert page in (EXAMPLES / "storefront" / "README.md").read_text("utf-8")


@pytest.mark.needs_processes
@pytest.mark.needs_threads
@pytest.mark.usefixtures("needs_storefront")
def test_the_tests_of_the_storefront_pass() -> None:
    """Under load no backend gets more than it takes, and nothing is left running."""
    printed = run(
        "-m", "pytest", "-q", "storefront", "-p", "no:cacheprovider", cwd=EXAMPLES
    )
    assert " passed" in printed
    assert "failed" not in printed


# reviews/


def test_the_tests_of_the_reviews_pass() -> None:
    """Killed and resumed, from the cache, and on Dask: the report is the same."""
    for needed in ("aiohttp", "distributed", "stamina"):
        pytest.importorskip(needed)
    printed = run(
        "-m", "pytest", "-q", "reviews", "-p", "no:cacheprovider", cwd=EXAMPLES
    )
    assert " passed" in printed
    assert "failed" not in printed
