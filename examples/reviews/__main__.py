"""Rate what buyers wrote: killed on the way and resumed, from the cache, on Dask."""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

if not __package__:
    # `python examples/reviews` puts this folder on the path: the package is above.
    sys.path.insert(0, str(Path(__file__).parents[1]))

from reviews import runs
from reviews.model import served


def main(count: int) -> None:
    """Run all, and print how long each took, and for how many texts it asked."""
    with served() as address, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        inputs = {"address": address, "path": runs.PATH, "count": count}

        def timed(what: str, run: Callable[[], Any]) -> Any:
            before, began = runs.count_of(address), time.perf_counter()
            found = run()
            seconds = time.perf_counter() - began
            asked = runs.count_of(address) - before
            print(f"{what:26} {seconds:5.2f} s  {asked:6,} texts rated")
            return found

        timed("a run that is killed", lambda: runs.killed(inputs, folder, count // 3))
        watching = [runs.show_progress]
        first = timed(
            "one that goes on", lambda: runs.in_one_process(inputs, folder, watching)
        )
        again = timed("from the cache", lambda: runs.in_one_process(inputs, folder))
        dask = timed("on Dask, with its start", lambda: runs.on_dask(inputs))
        print(f"\n{first['report']}")
        assert first["report"] == again["report"] == dask["report"]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=3_708, help="of how many texts")
    main(parser.parse_args().count)
