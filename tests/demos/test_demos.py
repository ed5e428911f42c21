"""The demos: each imports as in 1.x, takes a scale, and prints what it should."""

import ast
import asyncio
import importlib
import inspect
import re
import sys
import textwrap
import time
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import aiocells
import aiocells.demos

NUMBERS = [number for number in range(1, 21) if number != 18]
FLOWS = [16, 17, 19, 20]

# Every time in the output is written here as T.
TIMES = re.compile(r"\d+:\d\d:\d\d(\.\d+)?")

PRINTED = {
    1: """\
        A decorated module:
        Hello, world!
        The 1.x way, a graph built by hand:
        Hello, world!
        """,
    2: """\
        A decorated module:
        Hello, world!
        Hello, moon!
        Greeted 2: world, moon.
        The 1.x way, a graph built by hand:
        Hello, world!
        Hello, moon!
        """,
    3: """\
        Each way sleeps for 0 s.
        A decorated module: T
        The 1.x way:        T
        """,
    4: """\
        A decorated module:
        Sleeping...
        Woke up!
        The 1.x way, a graph built by hand:
        Sleeping...
        Woke up!
        """,
    5: """\
        A decorated module:
        Sleeping...
        Woke up!
        The 1.x way, a graph built by hand:
        Sleeping...
        Woke up!
        """,
    6: """\
        Two sleeps in order, each way: 0 s + 0 s.
        A decorated module: T
        The 1.x way:        T
        """,
    7: """\
        Two sleeps at once, each way: 0 s beside 0 s.
        A decorated module: T
        The 1.x way:        T
        """,
    8: """\
        Two calls that block: 0 s + 0 s.
          async_compute_concurrent_simple: T
          async_compute_concurrent:        T
        The same in threads: 0 s beside 0 s.
          async_compute_concurrent:        T
        """,
    9: """\
        1,000 cells that each sleep for 0 s:
          async_compute_concurrent_simple: T
          async_compute_concurrent:        T
        """,
    10: """\
        1,000 cells that do nothing:
          compute_sequential, first time:  T
          compute_sequential, again:       T
          async_compute_sequential:        T
          async_compute_concurrent_simple: T
          async_compute_concurrent:        T
        """,
    11: """\
        Ten inner graphs, each sleeping for 0 s.
        All together took T
          inner graph 0 is done
          inner graph 1 is done
          inner graph 2 is done
          inner graph 3 is done
          inner graph 4 is done
          inner graph 5 is done
          inner graph 6 is done
          inner graph 7 is done
          inner graph 8 is done
          inner graph 9 is done
        """,
    12: """\
        Nothing was set:
        Apples and pears were set:
          apples changed to 1
          pears  changed to 2
          fruit  changed to 3
        Apples were set:
          apples changed to 3
          fruit  changed to 5
        Pears were set to what they were:
        """,
    13: """\
        First computation:  the clock shows T
        Second computation: the clock shows T
        """,
    14: """\
        Tomatoes: 27.5 °C, open the windows
        Lettuces: 16.0 °C, close the windows
        """,
    15: """\
        Computation  1: the time is T
        Computation  2: the time is T
        Computation  3: the time is T
        Computation  4: the time is T
        Computation  5: the time is T
        Computation  6: the time is T
        Computation  7: the time is T
        Computation  8: the time is T
        Computation  9: the time is T
        Computation 10: the time is T
        """,
}

# What a flow prints at a time depends on which timers end together, so for flows it
# is the first line, and what the other lines look like.
FLOW_PRINTED = {
    16: (
        "Two timers, 10 iterations. Ctrl-C ends it sooner.",
        {"  every second:    T", "  every 3 seconds: T"},
    ),
    17: (
        "Two timers and one place, 10 iterations. Ctrl-C ends it sooner.",
        {"  the time changed to T"},
    ),
    19: (
        "Two flows in a flow, 10 iterations. Ctrl-C ends it sooner.",
        {"  quick: T", "  slow:  T"},
    ),
    20: (
        "A timer and an async printer, 10 iterations. Ctrl-C ends it sooner.",
        {"  the time is T"},
    ),
}


def demo(number: int) -> ModuleType:
    """The demo of a number, imported as in 1.x."""
    return importlib.import_module(f"aiocells.demo_{number}")


def runnable(numbers: Iterable[int]) -> list[Any]:
    """Numbers of demos, as parameters: demo 8 needs threads."""
    threads = pytest.mark.needs_threads
    return [
        pytest.param(number, marks=[threads] if number == 8 else [])
        for number in numbers
    ]


def options(number: int, count: int = 1_000) -> dict[str, Any]:
    """Arguments that make a demo quick."""
    return {"scale": 0, "count": count} if number in (9, 10) else {"scale": 0}


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of every sleep, which is cut short."""
    seconds: list[float] = []
    real_sleep = asyncio.sleep

    async def sleep(delay: float, result: object = None) -> object:
        seconds.append(delay)
        await real_sleep(0)
        return result

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(time, "sleep", seconds.append)
    return seconds


def test_demos_are_those_of_1x() -> None:
    """There are demos 1 to 20, without 18, and no other."""
    folder = Path(aiocells.demos.__file__).parent
    found = {path.stem for path in folder.glob("demo_*.py")}

    assert found == {f"demo_{number}" for number in NUMBERS}


@pytest.mark.parametrize("number", NUMBERS)
def test_imports_as_in_1x(number: int) -> None:
    """`import aiocells.demo_N` gives a module with a `main` that needs no arguments."""
    parameters = inspect.signature(demo(number).main).parameters

    assert parameters["scale"].default == 1.0
    assert all(each.default is not each.empty for each in parameters.values())


@pytest.mark.parametrize("number", NUMBERS)
def test_says_first_what_it_shows(number: int) -> None:
    """The first line of a demo's docstring is a sentence, and more follows it."""
    first, blank, *more = (demo(number).__doc__ or "").splitlines()

    assert re.fullmatch(r"[A-Z1-9].{20,}\.", first)
    assert not blank
    assert more


@pytest.mark.parametrize("number", NUMBERS)
def test_uses_public_names_only(number: int) -> None:
    """A demo imports from the standard library, from `aiocells`, and other demos."""
    tree = ast.parse(inspect.getsource(demo(number)))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert {alias.name for alias in node.names} <= sys.stdlib_module_names
        elif isinstance(node, ast.ImportFrom) and node.module == "aiocells":
            assert {alias.name for alias in node.names} <= set(aiocells.__all__)
        elif isinstance(node, ast.ImportFrom):
            assert node.module in {"aiocells.demos", *sys.stdlib_module_names}


@pytest.mark.parametrize("number", runnable(PRINTED))
def test_prints_what_it_should(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    """A demo prints these lines, and nothing else."""
    demo(number).main(**options(number))
    out, err = capsys.readouterr()

    assert TIMES.sub("T", out) == textwrap.dedent(PRINTED[number])
    assert not err


@pytest.mark.parametrize("number", FLOW_PRINTED)
def test_flow_prints_what_it_should(
    number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """A flow says how to end it, then prints lines like these until it ends."""
    demo(number).main(**options(number))
    out, err = capsys.readouterr()
    first, *lines = TIMES.sub("T", out).splitlines()

    assert (first, set(lines)) == FLOW_PRINTED[number]
    assert not err


@pytest.mark.parametrize("number", runnable(NUMBERS))
def test_scale_multiplies_every_sleep(number: int, slept: list[float]) -> None:
    """With a scale of 0 a demo sleeps for no time at all."""
    demo(number).main(**options(number, count=10))

    assert not any(slept)


@pytest.mark.parametrize("number", runnable([3, 4, 5, 6, 7, 8, 9, 11, 13, 14, 15]))
def test_sleeps_for_seconds_without_a_scale(number: int, slept: list[float]) -> None:
    """Without a scale a demo sleeps for 1 or 2 seconds at a time."""
    arguments = {"count": 10} if number == 9 else {}
    demo(number).main(**arguments)

    assert {seconds for seconds in slept if seconds} <= {1, 2}
    assert any(slept)


@pytest.mark.parametrize("number", FLOWS)
async def test_flow_leaves_nothing_running(number: int) -> None:
    """When a flow has ended, the tasks of its inputs have ended, too."""
    before = asyncio.all_tasks()
    arguments = {"iterations": 10} if number == 16 else {}

    await demo(number).run(scale=0, **arguments)

    assert asyncio.all_tasks() == before


@pytest.mark.parametrize(
    ("wanted", "said"), [(3, "3 iterations"), (None, "10 iterations")]
)
def test_demo_16_takes_iterations(
    wanted: int | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Demo 16 ends after the iterations that are asked for, 10 by default."""
    demo(16).main(wanted, scale=0)

    assert said in capsys.readouterr().out


def test_demo_7_computes_the_graph_of_demo_6(slept: list[float]) -> None:
    """Demo 7 sleeps twice as cells and twice by hand, as demo 6 does."""
    demo(7).main()

    assert sorted(slept) == [1, 1, 2, 2]
