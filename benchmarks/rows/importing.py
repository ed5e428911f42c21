"""`import aiocells`, against the imports that it cannot do without."""

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from benchmarks.alone import HERE
from benchmarks.effort import Effort
from benchmarks.row import Row, at_most

GROUP = "import"
TARGET = at_most(1.15)
FLOOR = "import asyncio, attrs"
OURS = "import aiocells"
PROGRAM = """
from time import process_time
start = process_time()
{statement}
print(process_time() - start)
"""


def rows(effort: Effort) -> Iterator[Row]:
    """Measure imports in fresh interpreters, in turns."""
    found = []
    with tempfile.TemporaryDirectory() as compiled:
        for statement in (FLOOR, OURS):
            _seconds(statement, compiled)  # compiles what is imported
        for turn in range(effort.imports):
            order = (OURS, FLOOR) if turn % 2 else (FLOOR, OURS)
            took = {statement: _seconds(statement, compiled) for statement in order}
            found.append((took[FLOOR], took[OURS]))
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
        note="processor time of the import itself, with all code compiled before",
    )


def _seconds(statement: str, compiled: str) -> float:
    # Whatever is said elsewhere of files with compiled code: here there are some.
    env = os.environ | {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": compiled}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(statement=statement)],
        cwd=HERE.parent,
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)
