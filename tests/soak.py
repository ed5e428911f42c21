"""Random faulty computations for minutes on end, and what they leave in memory.

    python tests/soak.py [MINUTES]

Each line tells of a thousand cases: the memory of the process, and what `gc` counts. In
a quarter of them cells ask for others, and a few run cells in processes. It ends with 1
if memory has grown.
"""

import gc
import os
import random
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.append(str(ROOT))  # after the installed package, which is what is tested

from tests.asking_runs import DisturbedRun, make_disturbed  # noqa: E402
from tests.fault_runs import FaultRun  # noqa: E402
from tests.faults import make_case  # noqa: E402

CASES_A_LINE = 1000
PROCESSES_ONE_IN = 250
ASKING_ONE_IN = 4
PLACES_WITH_PROCESSES = ("process", "async", "thread", "async_resource")
# Megabytes by which the second half may be above the first; a leak of 10 bytes a cell
# would be more within the hour.
TOLERANCE = 3.0


def resident() -> float:
    """The memory of this process, in megabytes."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def run_cases(first: int) -> None:
    """Run a thousand cases, each made from its number."""
    for seed in range(first, first + CASES_A_LINE):
        choose = random.Random(seed).choice
        if seed % ASKING_ONE_IN == 1:
            DisturbedRun(make_disturbed(choose)).run()
            continue
        if seed % PROCESSES_ONE_IN == 0:
            case = make_case(choose, PLACES_WITH_PROCESSES, max_cells=4)
        else:
            case = make_case(choose)
        FaultRun(case).run()


def main(minutes: float) -> int:
    """Run cases for so many minutes; gives the exit code."""
    end = time.monotonic() + 60 * minutes
    cases = 0
    memory: list[float] = []
    print("   cases   memory MB   objects")
    while time.monotonic() < end or len(memory) < 4:
        run_cases(cases)
        cases += CASES_A_LINE
        gc.collect()
        memory.append(resident())
        print(f"{cases:8}   {memory[-1]:9.1f}   {len(gc.get_objects()):7}", flush=True)
    # What the first cases load and cache is no growth.
    settled = memory[len(memory) // 4 :]
    half = len(settled) // 2
    first, second = max(settled[:half]), max(settled[half:])
    growth = second - first
    print(f"{cases} cases; highest memory {first:.1f} MB, then {second:.1f} MB")
    if growth > TOLERANCE:
        print(f"memory has grown by {growth:.1f} MB")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 60))
