"""How one year's weather compares with the years around it, in Seattle or New York.

Reads four years of daily observations (`data/README.md` says where they come from)
and derives a report from them, step by step. Each step is a cell, so each can be
computed alone, and another city or year is one input away:

    python examples/weather.py
    aiocells run examples/weather.py
    aiocells run examples/weather.py:report --set "city=New York" --set year=2013
"""

import csv
import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from statistics import fmean

from aiocells import Graph, cell, compute_sequential

DATA = Path(__file__).parent / "data" / "weather.csv"


@dataclass(frozen=True)
class Day:
    """What was observed in one city on one day; rain in mm, temperatures in °C."""

    city: str
    date: dt.date
    rain: float
    high: float
    low: float


@cell
def records(path: str | Path = DATA) -> list[Day]:
    """Every observation in the file."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        return [
            Day(
                city=row["location"],
                date=dt.date.fromisoformat(row["date"]),
                rain=float(row["precipitation"]),
                high=float(row["temp_max"]),
                low=float(row["temp_min"]),
            )
            for row in csv.DictReader(file)
        ]


@cell
def city_days(records: list[Day], city: str = "Seattle") -> list[Day]:
    """The observations of one city, over all years."""
    days = [day for day in records if day.city == city]
    if not days:
        known = ", ".join(sorted({day.city for day in records}))
        msg = f"no observations of {city!r}; there are some of {known}"
        raise ValueError(msg)
    return days


@cell
def year_days(city_days: list[Day], year: int = 2015) -> list[Day]:
    """The observations of that city in one year."""
    days = [day for day in city_days if day.date.year == year]
    if not days:
        first, last = city_days[0].date.year, city_days[-1].date.year
        msg = f"no observations of {year}; there are some of {first} to {last}"
        raise ValueError(msg)
    return days


@cell
def usual_highs(city_days: list[Day]) -> dict[int, float]:
    """Mean daily high of each month, over all years."""
    return mean_highs(city_days)


@cell
def highs(year_days: list[Day]) -> dict[int, float]:
    """Mean daily high of each month of the year."""
    return mean_highs(year_days)


@cell
def anomalies(
    highs: dict[int, float], usual_highs: dict[int, float]
) -> dict[int, float]:
    """How much warmer than usual each month of the year was, in °C."""
    return {month: high - usual_highs[month] for month, high in highs.items()}


@cell
def yearly_rain(city_days: list[Day]) -> dict[int, float]:
    """Total rain of each year, the wettest year first."""
    by_year = groupby(city_days, key=lambda day: day.date.year)
    totals = {year: sum(day.rain for day in days) for year, days in by_year}
    return dict(sorted(totals.items(), key=lambda item: -item[1]))


@cell
def hottest_day(year_days: list[Day]) -> Day:
    """The day with the year's highest temperature, the first of several."""
    return max(year_days, key=lambda day: day.high)


@cell
def wettest_day(year_days: list[Day]) -> Day:
    """The day with the year's most rain, the first of several."""
    return max(year_days, key=lambda day: day.rain)


@cell
def dry_spell(year_days: list[Day]) -> list[Day]:
    """The year's longest run of days without rain."""
    return longest_run(year_days, lambda day: day.rain == 0)


@cell
def wet_spell(year_days: list[Day]) -> list[Day]:
    """The year's longest run of days with rain on every one of them."""
    return longest_run(year_days, lambda day: day.rain > 0)


@cell
def extremes(
    hottest_day: Day, wettest_day: Day, dry_spell: list[Day], wet_spell: list[Day]
) -> str:
    """The year's records, one a line."""
    return "\n".join(
        [
            f"  Hottest day  {day_month(hottest_day)}, {hottest_day.high:.1f} °C",
            f"  Wettest day  {day_month(wettest_day)}, {wettest_day.rain:.1f} mm",
            f"  Dry spell    {len(dry_spell)} days from {day_month(dry_spell[0])}",
            f"  Wet spell    {len(wet_spell)} days from {day_month(wet_spell[0])}",
        ]
    )


@cell
def rain_ranking(yearly_rain: dict[int, float]) -> str:
    """All years by their rain, one a line."""
    most = max(yearly_rain.values())
    return "\n".join(
        f"  {year}  {rain:6.0f} mm  {'#' * round(30 * rain / most)}"
        for year, rain in yearly_rain.items()
    )


@cell
def temperature_table(highs: dict[int, float], anomalies: dict[int, float]) -> str:
    """Each month's mean high and how unusual it was, one a line."""
    return "\n".join(
        f"  {dt.date(2000, month, 1):%b}  {high:5.1f} °C  {anomalies[month]:+z5.1f}"
        for month, high in highs.items()
    )


@cell
def report(
    year_days: list[Day], extremes: str, rain_ranking: str, temperature_table: str
) -> str:
    """The whole report, as text."""
    title = f"{year_days[0].city} in {year_days[0].date.year}"
    return "\n\n".join(
        [
            f"{title}\n{extremes}",
            f"Rain of each year\n{rain_ranking}",
            f"Mean high of each month, and how far from usual\n{temperature_table}",
        ]
    )


def mean_highs(days: Iterable[Day]) -> dict[int, float]:
    """Mean daily high of each month among these days."""
    by_month: dict[int, list[float]] = {}
    for day in days:
        by_month.setdefault(day.date.month, []).append(day.high)
    return {month: fmean(highs) for month, highs in by_month.items()}


def longest_run(days: Iterable[Day], wanted: Callable[[Day], bool]) -> list[Day]:
    """The longest unbroken run of wanted days, the first of several."""
    runs = (list(run) for is_wanted, run in groupby(days, key=wanted) if is_wanted)
    return max(runs, key=len)


def day_month(day: Day) -> str:
    """Its date without the year, such as '5 Jul'."""
    return f"{day.date.day} {day.date:%b}"


if __name__ == "__main__":
    results = compute_sequential(Graph.from_module(__name__), targets=[report])
    print(results[report])
