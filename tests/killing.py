"""Caches that are killed at random moments, and what is found on disk afterwards.

    python tests/killing.py [ROUNDS [SEED]]

Each round begins processes that keep values, and kills them with SIGKILL. Whatever is
found then must be right, and all but the last 50 milliseconds of work must be found.
Some do so with a store alone, and some with a computation, which is then begun again
and must compute nothing that was on disk.
"""

import functools
import hashlib
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parent.parent))  # after the installed package

from aiocells import Cache, Graph, cell, compute_sequential, depends_on
from aiocells._keeping.packing import packed
from aiocells._keeping.store import INLINE, PENDING_SECONDS, Entry, Store

VALUES = 120
# What each value is said to take, and what each cell does.
SECONDS = 0.01
STEP = 0.005
# Some games make little progress.
MOST_KILLS = 20
# Killing a process loses nothing that is written to a file, wherever that is.
MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else None


def key_of(number: int) -> bytes:
    """The key of a value."""
    return hashlib.sha256(b"%d" % number).digest()[:20]


def make(number: int) -> bytes:
    """A value; every fifth is a file."""
    size = 2 * INLINE if number % 5 == 0 else 200
    return b"%d " % number * (size // len(b"%d " % number))


def work(folder: str, report: int) -> None:
    """Find or make each value in turn, and report each that is kept."""
    store = Store(folder)
    for number in range(VALUES):
        key = key_of(number)
        if store.get([key]):
            assert store.load(key) == make(number)
        else:
            store.put(Entry(key, "made", b"digest"), packed(make(number)), SECONDS)
        os.write(report, bytes([number]))
    store.close()


CELLS = 12


def step(number: int, before: int) -> int:
    """What each cell of the computation does."""
    time.sleep(STEP)
    os.write(sys.report_of_killing, bytes([number]))  # type: ignore[attr-defined]
    return before + number


def chain() -> Graph:
    """Cells in a row."""
    cells: list[Any] = []
    for number in range(CELLS):
        mark = cell(name=f"c{number}", cache=True)
        function = mark(functools.partial(step, number))
        if cells:
            depends_on(before=cells[-1])(function)
        cells.append(function)
    return Graph.from_cells(*cells)


def compute(folder: str, report: int) -> None:
    """Compute the cells in a row; those that run report it when they have done."""
    sys.report_of_killing = report  # type: ignore[attr-defined]
    results = compute_sequential(chain(), inputs={"before": 0}, cache=Cache(folder))
    assert [*results.values()][-1] == sum(range(CELLS))


def play_computing(folder: str, choose: random.Random, most: int) -> int:
    """Kill a computation until all is computed, at most so often; gives how often.

    Raises:
        AssertionError: a cell ran again that was on disk, or too many were lost.
    """
    known: set[int] = set()
    rounds = 0
    while len(known) < CELLS and rounds < most:
        process, reading = begin(folder, compute)
        reported = {*os.read(reading, 1)}
        time.sleep(choose.random() * 5 * STEP)  # a moment that nothing decides
        reported |= end(process, reading)
        assert not reported & known, f"computed again: {reported & known}"
        cache = Cache(folder)
        now = {int(each["cell"].rpartition(".c")[2]) for each in cache.ls()}
        del cache
        lost = reported - now
        # The last has reported, and may not have come to be kept.
        assert (len(lost) - 1) * STEP <= PENDING_SECONDS, f"lost {lost}"
        known = now
        rounds += 1
    return rounds


def begin(folder: str, work: Callable[[str, int], None] = work) -> tuple[int, int]:
    """A process that works, and where it reports."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        code = 1
        try:
            os.close(reading)
            work(folder, writing)
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    return process, reading


def end(process: int, reading: int) -> set[int]:
    """Kill a process; gives the numbers that it has reported.

    Raises:
        AssertionError: it failed before.
    """
    os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    reported = bytearray()
    while data := os.read(reading, VALUES):
        reported += data
    os.close(reading)
    failed = os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0
    assert not failed, "a process that kept values failed"
    return {*reported}


def check(folder: str, reported: set[int]) -> int:
    """Check what is on disk; gives how many values are.

    Raises:
        AssertionError: a value is wrong, or too many are lost.
    """
    store = Store(folder)
    found = [n for n in range(VALUES) if store.get([key_of(n)])]
    for number in found:
        assert store.load(key_of(number)) == make(number), number
    lost = reported - {*found}
    assert len(lost) * SECONDS <= PENDING_SECONDS, f"lost {lost}"
    store.close()
    return len(found)


def play(folder: str, choose: random.Random, processes: int, most: int) -> int:
    """Kill processes until all values are kept, at most so often; gives how often.

    Raises:
        AssertionError: a value is wrong, too many are lost, or a process failed.
    """
    rounds = 0
    while True:
        begun = [begin(folder) for _ in range(processes)]
        reported: set[int] = set()
        for _, reading in begun:
            reported |= {*os.read(reading, choose.randrange(1, 6))}
        time.sleep(choose.random() * 0.004)  # a moment that nothing decides
        for each in begun:
            reported |= end(*each)
        rounds += 1
        if check(folder, reported) == VALUES or rounds == most:
            return rounds


def main(rounds: int, seed: int) -> None:
    """Kill so many times, one process at a time and three at once."""
    choose = random.Random(seed)
    done = games = 0
    while done < rounds:
        with tempfile.TemporaryDirectory(dir=MEMORY) as parent:
            # The folder itself is made by those who are killed.
            folder = os.path.join(parent, "cache")
            most = min(MOST_KILLS, rounds - done)
            if games % 2:
                done += play_computing(folder, choose, most)
            else:
                done += play(folder, choose, 3 if games % 4 == 2 else 1, most)
        games += 1
    print(f"killed {done} times in {games} games")


if __name__ == "__main__":
    arguments = [int(each) for each in sys.argv[1:]]
    main(*(*arguments, *[100, 0][len(arguments) :]))
