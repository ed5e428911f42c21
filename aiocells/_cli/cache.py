"""`aiocells cache`: what a folder keeps, and letting go of it."""

import os
import sys
import time
from typing import TYPE_CHECKING

import click

from aiocells._cli.errors import CommandError, reporting

if TYPE_CHECKING:
    from aiocells import Cache

_folder = click.argument("folder", type=click.Path(file_okay=False))
_UNITS = ("B", "kB", "MB", "GB", "TB")


@click.group("cache")
def cache() -> None:
    """See and clear what computations have kept."""


@cache.command("ls")
@_folder
def ls(folder: str) -> None:
    """Show which cells have values in FOLDER, and how much they take.

    \b
    aiocells cache ls build/cache
    """
    with reporting(False):
        kept = _opened(folder).ls()
    if not kept:
        click.echo("Nothing is kept.", file=sys.stdout)
        return
    rows = [("cell", "entries", "size", "last used")]
    for each in kept:
        used = time.strftime("%Y-%m-%d %H:%M", time.localtime(each["last used"]))
        rows.append((each["cell"], f"{each['entries']}", _size(each["bytes"]), used))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for cell, entries, size, used in rows:
        line = (
            f"{cell:{widths[0]}}  {entries:>{widths[1]}}  {size:>{widths[2]}}  {used}"
        )
        click.echo(line, file=sys.stdout)


@cache.command("clear")
@_folder
@click.argument("cells", nargs=-1, metavar="[CELL]...")
def clear(folder: str, cells: tuple[str, ...]) -> None:
    """Remove what FOLDER keeps: of these cells only, where some are given.

    \b
    aiocells cache clear build/cache
    aiocells cache clear build/cache trip.plan
    """
    with reporting(False):
        count = _opened(folder).clear(*cells)
    values = "1 value" if count == 1 else f"{count} values"
    click.echo(f"Removed {values}.", file=sys.stdout)


def _opened(folder: str) -> "Cache":
    """The cache of a folder; none is made where there is none."""
    from aiocells import Cache

    if not os.path.exists(os.path.join(folder, "index.sqlite")):
        msg = f"there is no cache in {folder}."
        raise CommandError(msg)
    return Cache(folder)


def _size(count: int) -> str:
    size, unit = float(count), 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.3g} {_UNITS[unit]}"
