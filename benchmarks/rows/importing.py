"""`import aiocells`, against the imports that it cannot do without."""

import statistics
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.alone import HERE
from benchmarks.effort import Effort
from benchmarks.row import Row

GROUP = "import"
TARGET = 1.3
FLOOR = "import asyncio, attrs"
OURS = "import aiocells"
PROGRAM = """
from time import perf_counter
start = perf_counter()
{statement}
print(perf_counter() - start)
"""


def rows(effort: Effort) -> Iterator[Row]:
    """Measure imports in fresh interpreters, in turns."""
    for statement in (FLOOR, OURS):
        _seconds(statement)  # compiles what was not
    found = []
    for turn in range(effort.imports):
        if turn % 2:
            ours, floor = _seconds(OURS), _seconds(FLOOR)
        else:
            floor, ours = _seconds(FLOOR), _seconds(OURS)
        found.append((floor, ours))
    ratios = [ours / floor for floor, ours in found]
    low, _, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
    yield Row(
        group=GROUP,
        workload=f"{OURS}; floor: {FLOOR}",
        unit="ms",
        floor=statistics.median(each for each, _ in found) * 1e3,
        ours=statistics.median(each for _, each in found) * 1e3,
        ratio=statistics.median(ratios),
        low=low,
        high=high,
        target=TARGET,
        note="the import itself, without the start of the interpreter",
    )


def _seconds(statement: str) -> float:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(statement=statement)],
        cwd=HERE.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)
