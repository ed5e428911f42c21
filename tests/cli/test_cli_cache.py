"""The command line with a cache: finding, telling why, listing and clearing."""

import re
from pathlib import Path

import pytest

from tests.command_line import printed, refused, run
from tests.helpers import IN_BROWSER, Modules

pytestmark = pytest.mark.skipif(IN_BROWSER, reason="nothing is kept there")


@pytest.fixture
def shop(modules: Modules) -> Path:
    """A module whose cells are kept, and the folder that it is in."""
    modules.write(
        "shop",
        """
        @cell(cache=True)
        def items(count: int): return ["tea"] * count
        @cell(cache=True)
        def price(items: list, rate: int = 2): return rate * len(items)
        @cell
        def page(price: int): return f"<{price}>"
        """,
    )
    return modules.folder


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("computer", ["concurrent", "sequential"])
def test_values_are_found_and_whys_are_told(computer: str) -> None:
    """On standard error, in the order of the cells; the results are as ever."""
    command = ["run", "shop:page", "--computer", computer, "--cache", "build/cache"]
    command += ["--why", "--set", "count=3"]
    first = run(*command)
    assert (first.exit_code, first.stdout) == (0, "<6>\n")
    assert first.stderr.splitlines() == [
        "'items' (shop.py:2): ran: nothing of it was kept before",
        "'price' (shop.py:4): ran: nothing of it was kept before",
        "'page' (shop.py:6): ran: it says nothing of a cache",
    ]
    second = run(*command, "--set", "rate=3")
    assert (second.exit_code, second.stdout) == (0, "<9>\n")
    assert second.stderr.splitlines()[:2] == [
        "'items' (shop.py:2): found",
        "'price' (shop.py:4): ran: argument 'rate' changed",
    ]
    printed(*[each for each in command if each != "--why"])


@pytest.mark.usefixtures("shop")
def test_cells_beyond_the_target_are_not_told_of() -> None:
    """They were not to run."""
    told = run("run", "shop:items", "--cache", "c", "--why", "--set", "count=1").stderr
    assert told == "'items' (shop.py:2): ran: nothing of it was kept before\n"


@pytest.mark.usefixtures("shop")
def test_what_is_kept_is_listed_and_cleared() -> None:
    """By cell, with how much it takes; all of it, or that of some cells."""
    for count in (1, 2):
        printed("run", "shop", "--cache", "c", "--set", f"count={count}")
    table = printed("cache", "ls", "c")
    table = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "now", table)
    assert [line.split() for line in table.splitlines()] == [
        ["cell", "entries", "size", "last", "used"],
        ["shop.items", "2", "96", "B", "now"],
        ["shop.price", "2", "64", "B", "now"],
    ]
    assert (
        printed("cache", "clear", "c", "items", "shop.price") == "Removed 4 values.\n"
    )
    assert printed("cache", "ls", "c") == "Nothing is kept.\n"
    printed("run", "shop:items", "--cache", "c", "--set", "count=500000")
    assert " MB " in printed("cache", "ls", "c")
    assert printed("cache", "clear", "c") == "Removed 1 value.\n"


@pytest.mark.usefixtures("shop")
def test_a_wrong_use_is_refused_in_a_sentence(shop: Path) -> None:
    """Before anything is computed, or made."""
    assert refused("cache", "ls", "nowhere") == "Error: there is no cache in nowhere.\n"
    assert not (shop / "nowhere").exists()
    Path("plain.py").write_text(
        "from aiocells import cell\n@cell\ndef one(): return 1", encoding="utf-8"
    )
    assert refused("run", "plain.py", "--cache", "c") == (
        "Error: cache: no cell has cache=... Mark those to keep with "
        "@cell(cache=True).\n"
    )
    Path("open").mkdir()
    Path("open").chmod(0o777)
    told = refused("run", "shop", "--cache", "open", "--set", "count=1")
    assert "open can be written by others" in told


@pytest.mark.usefixtures("shop")
def test_why_needs_a_cache() -> None:
    """There is nothing to be told without one."""
    result = run("run", "shop:page", "--why", "--set", "count=1")
    assert result.exit_code == 2
    assert "--why tells of a cache. Give its folder: --cache FOLDER." in result.stderr
