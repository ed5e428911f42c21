"""Running a part of the benchmarks in an interpreter of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
MOST_SECONDS = 1800


class AloneFailed(Exception):
    """What ran in an interpreter of its own did not end well."""


def alone(module: str, *arguments: object) -> Any:
    """What a module prints as JSON in its last line.

    Args:
        module: its dotted name.
        arguments: its command line.

    Raises:
        AloneFailed: it failed; the message is the last line of what it said.
    """
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        # Where `benchmarks` is found, unless the environment says where that is.
        cwd=HERE.parent,
        env=os.environ | {"HAMILTON_TELEMETRY_ENABLED": "false"},
        capture_output=True,
        text=True,
        timeout=MOST_SECONDS,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        msg = lines[-1] if lines else f"{module} ended with {done.returncode}"
        raise AloneFailed(msg)
    return json.loads(done.stdout.splitlines()[-1])
