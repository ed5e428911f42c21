"""The standard streams: what they cannot show, and how they end."""

import codecs
import contextlib
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aiocells._cli.commands import commands
from tests.command_line import ended, run
from tests.helpers import Modules

SIGNS = """\
    @cell
    def arrow(): return "→ \\ud800 é"

    @cell
    def names(arrow): return ["a\\udcff.txt", "é"]

    @cell
    def last(): return "x" * 99
"""


@pytest.fixture
def signs(modules: Modules) -> Path:
    """The file of a module whose values are hard to show."""
    return modules.write("signs", SIGNS)


@pytest.mark.needs_processes
@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("ascii", (r"\u2192 \ud800 \xe9", r"['a\udcff.txt', '\xe9']", "...")),
        ("cp1252", (r"\u2192 \ud800 é", r"['a\udcff.txt', 'é']", "…")),
        ("utf-8", (r"→ \ud800 é", r"['a\udcff.txt', 'é']", "…")),
        ("utf-8:surrogateescape", (r"→ \ud800 é", r"['a\udcff.txt', 'é']", "…")),
        ("ascii:replace", ("? ? ?", r"['a\udcff.txt', '?']", "?")),
    ],
)
def test_what_cannot_be_shown_is_spelled_out(
    signs: Path, encoding: str, shown: tuple[str, str, str]
) -> None:
    """No character of a value keeps the next value from being shown."""
    arrow, names, dots = shown
    code, stdout, stderr = ended(
        "-m",
        "aiocells",
        "run",
        "signs",
        env={"PYTHONIOENCODING": encoding},
        encoding=encoding.partition(":")[0],
    )
    last = f"{'x' * 56}{dots} (99 characters)"
    assert (code, stderr) == (0, "")
    assert stdout == f"arrow  {arrow}\nnames  {names}\nlast   {last}\n"


def test_a_tree_is_drawn_with_what_there_is(signs: Path) -> None:
    """An encoding without lines gets a tree all the same."""
    result = run("draw", "signs", charset="ascii")
    assert result.stdout == "names\n`- arrow\nlast\n"
    assert run("draw", "signs", charset="cp437").stdout == "names\n└─ arrow\nlast\n"


def test_one_value_is_spelled_out_too(signs: Path) -> None:
    """The text of the one cell asked for is shown as the others are."""
    assert (
        run("run", "signs:arrow", charset="ascii").stdout == "\\u2192 \\ud800 \\xe9\n"
    )


def test_what_a_cell_prints_is_spelled_out(modules: Modules) -> None:
    """A cell does not fail for a character that it prints."""
    modules.write("printing", "@cell\ndef printing(): print('→')")
    result = run("run", "printing:printing", charset="ascii")
    assert (result.exit_code, result.stdout) == (0, "\\u2192\n")


@pytest.mark.needs_processes
def test_an_error_is_spelled_out(modules: Modules) -> None:
    """Standard error spells out as well, for sentences and tracebacks."""
    modules.write("failing", "@cell\ndef failing(): raise ValueError('→\\udcff')")
    env = {"PYTHONIOENCODING": "ascii"}
    code, stdout, stderr = ended("-m", "aiocells", "run", "failing", env=env)
    assert (code, stdout) == (1, "")
    assert "ValueError: \\u2192\\udcff\nin cell 'failing'" in stderr
    code, _, stderr = ended("-m", "aiocells", "run", "→.py", env=env)
    assert (code, stderr) == (1, "Error: There is no file '\\u2192.py'.\n")


def test_streams_are_as_before_afterwards(signs: Path) -> None:
    """A program that runs a command has its streams back as they were."""
    before = sys.stdout.errors
    with pytest.raises(SystemExit):
        commands(["run", "signs"])
    assert sys.stdout.errors == before


def test_only_encoding_is_helped() -> None:
    """What cannot be decoded is no matter of what to write."""
    with pytest.raises(UnicodeDecodeError):
        b"\xff".decode("ascii", "aiocells")
    assert codecs.encode("…", "ascii", "aiocells") == b"..."


# Closed streams

sh = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")

CLOSED = """\
    import os

    @cell
    def one():
        with open("found.txt", "w") as file:
            print("printed", flush=True)
            os.system("echo from below; echo from below >&2")
            file.write("written")
        return 1
"""


def in_shell(command: str) -> tuple[int, str, str]:
    """The exit code of a shell's `aiocells COMMAND`, and what it printed."""
    script = (
        "import subprocess, sys; sys.exit(subprocess.run("
        f"sys.executable + ' -m aiocells {command}', shell=True).returncode)"
    )
    return ended("-c", script)


@pytest.mark.needs_processes
@sh
@pytest.mark.parametrize(
    ("closed", "options", "stdout", "stderr"),
    [
        ("2>&-", "", "printed\nfrom below\none  1\n", ""),
        (">&-", "", "", "from below\n"),
        ("<&- >&- 2>&-", "", "", ""),
        (">&-", "--json", "", "printed\nfrom below\nfrom below\n"),
        ("2>&-", "--json", '{\n  "one": 1\n}\n', ""),
    ],
)
def test_a_closed_stream_is_no_error(
    modules: Modules, closed: str, options: str, stdout: str, stderr: str
) -> None:
    """What is printed goes nowhere then, and not into the next file that is opened."""
    modules.write("closed", CLOSED)
    assert in_shell(f"run closed {options} {closed}") == (0, stdout, stderr)
    assert Path("found.txt").read_text() == "written"


@pytest.mark.needs_processes
@sh
def test_a_closed_stream_hides_no_failure(modules: Modules) -> None:
    """Exit codes are as ever where standard error is closed."""
    modules.write("failing", "@cell\ndef failing(): raise ValueError")
    assert in_shell("run failing 2>&-") == (1, "", "")
    assert in_shell("run 2>&-") == (2, "", "")


def test_a_stream_that_python_lacks_is_made(
    signs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where Python has no stream, though there is a file for it, nothing breaks."""
    monkeypatch.setattr(sys, "stderr", None)
    with pytest.raises(SystemExit, match=r"^0$"):
        commands(["draw", "signs"])
    sys.stderr.close()


# Streams that break

COMMANDS = ["run trip", "run trip:one", "run trip --json", "draw trip", "demo-1"]
COMMANDS += ["--version", "--help", "run --help", "demo-5 --scale 0"]

BROKEN = "@cell\ndef one(): return 'x' * 10_000\n@cell\ndef two(one): ..."


@contextlib.contextmanager
def unread() -> Iterator[int]:
    """A pipe whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


@pytest.mark.needs_processes
@pytest.mark.parametrize("command", COMMANDS)
def test_output_that_nobody_reads_ends_quietly(modules: Modules, command: str) -> None:
    """As `| head -1` leaves it: exit code 1, and no word on standard error."""
    modules.write("trip", BROKEN)
    with unread() as stdout:
        code, _, stderr = ended("-m", "aiocells", *command.split(), stdout=stdout)
    assert (code, stderr) == (1, "")


PRINTING = """\
    @cell
    def printing():
        for number in range(100_000):
            print(number)

    @cell
    def after(printing): ...
"""


@pytest.mark.needs_processes
@pytest.mark.skipif(not hasattr(select, "poll"), reason="needs poll")
def test_a_cell_that_prints_for_nobody_ends_quietly(modules: Modules) -> None:
    """Where the reader has gone, the cell that prints is not blamed for it."""
    modules.write("printing", PRINTING)
    with unread() as stdout:
        args = ("-m", "aiocells", "run", "printing:after")
        assert ended(*args, stdout=stdout)[::2] == (1, "")


@pytest.mark.parametrize("can_poll", [True, False])
def test_another_broken_pipe_of_a_cell_is_its_failure(
    modules: Modules, monkeypatch: pytest.MonkeyPatch, can_poll: bool
) -> None:
    """A cell that talks to somebody else who has gone has failed."""
    modules.write("broken", "@cell\ndef broken(): raise BrokenPipeError('gone')")
    if not can_poll:
        monkeypatch.delattr(select, "poll", raising=False)
    result = run("run", "broken")
    assert result.exit_code == 1
    assert "BrokenPipeError: gone\nin cell 'broken'" in result.stderr


full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")


@pytest.mark.needs_processes
@full
@pytest.mark.parametrize("command", COMMANDS)
def test_output_that_cannot_be_written_is_an_error(
    modules: Modules, command: str
) -> None:
    """A full disk is told in a sentence, with exit code 1."""
    modules.write("trip", BROKEN)
    args = ("-m", "aiocells", *command.split())
    with open("/dev/full", "w") as stdout:
        code, _, stderr = ended(*args, stdout=stdout)
    assert (code, stderr) == (1, "Error: cannot write: No space left on device.\n")


@pytest.mark.needs_processes
@full
def test_a_full_disk_changes_no_other_exit_code(modules: Modules) -> None:
    """What ended a command otherwise still tells, where its output is lost too."""
    modules.write("leaving", "import sys\n@cell\ndef leaving(): print(); sys.exit(7)")
    with open("/dev/full", "w") as nowhere:
        args = ("-m", "aiocells", "run", "leaving")
        assert ended(*args, stdout=nowhere)[0] == 7
        assert ended(*args, stdout=nowhere, stderr=subprocess.STDOUT)[0] == 7
        args = ("-m", "aiocells", "run", "nowhere.py")
        assert ended(*args, stderr=nowhere)[:2] == (1, "")
        args = ("-m", "aiocells", "draw", "leaving")
        assert ended(*args, stderr=nowhere)[:2] == (0, "leaving\n")
