"""What the tests of the command line share: running it here, and in a process."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

import aiocells
from aiocells._cli.commands import commands


def run(*args: str, input: bytes | None = None, **options: Any) -> Result:
    """What `aiocells` does with these arguments, run in this process."""
    runner = CliRunner(**options)
    return runner.invoke(commands, args, input, prog_name="aiocells")


def printed(*args: str) -> str:
    """What a command that ends well prints, which is nothing on standard error."""
    result = run(*args)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def refused(*args: str) -> str:
    """The message of a command that is refused; nothing is printed otherwise."""
    result = run(*args)
    assert (result.exit_code, result.stdout) == (1, "")
    return result.stderr


def start(*args: str, **options: Any) -> subprocess.Popen[str]:
    """Start `python ARGS` in the current folder, where aiocells can be imported."""
    env = {**os.environ, "PYTHONPATH": str(Path(aiocells.__file__).parents[1])}
    env.pop("PYTHONSAFEPATH", None)
    env.pop("PYTHONUNBUFFERED", None)
    env.update(options.pop("env", {}))
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.Popen([sys.executable, *args], env=env, text=True, **options)


def ended(*args: str, **options: Any) -> tuple[int, str, str]:
    """The exit code of `python ARGS`, and what it printed on the two streams."""
    with start(*args, **options) as process:
        stdout, stderr = process.communicate(timeout=60)
    return process.returncode, stdout, stderr
