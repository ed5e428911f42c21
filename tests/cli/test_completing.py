"""What the Tab key completes."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from aiocells._cli.commands import commands
from tests.helpers import Modules

MANY = """\
    import os, sys
    print("imported"); os.system("echo from below; echo from below >&2")

    @resource
    def connection(host): yield

    @cell
    def plan(connection, city, nights=2): ...

    @cell
    def places(country): ...

    @cell
    def other(): ...

    spaced = cell(name="with a space")(lambda: 1)
    listed = cell(name="a,b")(lambda: 1)
"""


@pytest.fixture(autouse=True)
def many(modules: Modules) -> Path:
    """The file of a module with cells, inputs, and much to say when it is imported."""
    return modules.write("many", MANY)


def offered(line: str, shell: str = "bash") -> list[str]:
    """What a shell is told after a line, of which it takes spaces and | to be breaks.

    The | are the places where bash alone begins another word.
    """
    words = line.replace("|", " ").split(" ")
    env = {
        "_AIOCELLS_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": " ".join(words),
        "COMP_CWORD": words[-1] if shell == "fish" else str(len(words) - 1),
    }
    result = CliRunner(env=env).invoke(commands, prog_name="aiocells")
    assert (result.exit_code, result.stderr) == (0, "")
    return [*filter(None, result.stdout.splitlines())]


def plain(*values: str) -> list[str]:
    """How bash and fish are told of words."""
    return [f"plain,{value}" for value in values]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_can_complete(shell: str) -> None:
    """For each shell there is a script that completes the command."""
    env = {"_AIOCELLS_COMPLETE": f"{shell}_source"}
    if shell == "bash":
        pytest.importorskip("pty")  # click asks bash for its version
    result = CliRunner(env=env).invoke(commands, prog_name="aiocells")
    assert result.exit_code == 0
    assert "_aiocells_completion" in result.output
    # A space after "city=" would be in the way of its value.
    mark = {"bash": "compopt -o nospace", "zsh": "compadd -U -S ''", "fish": ""}
    assert mark[shell] in result.output


def test_commands_options_and_files_are_completed() -> None:
    """Tab completes commands, demos, choices, and files for a TARGET."""
    assert offered("aiocells d")[:2] == plain("draw", "demo-1")
    assert offered("aiocells run --computer s") == plain("sequential", "simple")
    assert offered("aiocells run man") == ["file,man"]
    assert offered("aiocells run man.py") == ["file,man.py"]
    assert offered("aiocells run ") == ["file,"]


@pytest.mark.parametrize("where", ["many.py", "many", "./many.py"])
def test_cells_are_completed(where: str) -> None:
    """After a colon, Tab completes the cells of a file or module, in their order."""
    assert offered(f"aiocells run {where}:pl") == plain(
        f"{where}:plan", f"{where}:places"
    )
    assert offered(f"aiocells run {where}:") == plain(
        *(f"{where}:{name}" for name in ("plan", "places", "other"))
    )
    assert offered(f"aiocells run {where}:plan,o") == plain(f"{where}:plan,other")
    assert offered(f"aiocells run {where}:plan,p") == plain(f"{where}:plan,places")


def test_a_resource_is_completed_to_be_drawn() -> None:
    """It can be drawn, though it is no target to compute."""
    assert offered("aiocells draw many:c") == plain("many:connection")
    assert offered("aiocells run many:c") == []


@pytest.mark.parametrize(
    ("target", "typed", "names"),
    [
        ("many:plan", "", ("host=", "city=", "nights=")),
        ("many.py:plan", "c", ("city=",)),
        ("many.py", "c", ("city=", "country=")),
        ("many:other", "", ()),
        ("many:plan --set city=Oslo", "", ("host=", "nights=")),
        ("--set city=@nowhere many:plan", "", ("host=", "nights=")),
        ("many:plan --json --computer simple", "n", ("nights=",)),
        ("many:plan", "city=O", ()),
        ("many:plam", "", ()),
        ("", "", ()),
    ],
)
def test_inputs_are_completed(target: str, typed: str, names: tuple[str, ...]) -> None:
    """Tab completes the inputs that the cells of TARGET want, those not yet given."""
    words = " ".join(filter(None, ["aiocells run", target, "--set"]))
    found = offered(f"{words} {typed}")
    assert sorted(found) == sorted(plain(*names))
    assert sorted(offered(f"{words}={typed}")) == sorted(
        plain(*(f"--set={name}" for name in names))
    )


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("aiocells run many.py|:|pla", "plan"),
        ("aiocells run many.py|:|", "plan"),
        ("aiocells run many.py|:", "plan"),
        ("aiocells run many.py|:|other,pla", "other,plan"),
        ("aiocells run many|:|plan --set c", "city="),
        ("aiocells run many|:|plan --set nights|=|2 --set c", "city="),
        ("aiocells run many|:|plan --set|=|c", "city="),
        ("aiocells run many|:|plan --computer|=|sequ", "sequential"),
        ("aiocells run many|:|plan --computer|=", "concurrent"),
    ],
)
def test_bash_gets_the_part_that_it_replaces(line: str, value: str) -> None:
    """For bash a colon is a word, and only what follows it is replaced."""
    assert offered(line)[0] == f"plain,{value}"


def test_other_shells_get_whole_words() -> None:
    """zsh and fish replace the whole word."""
    assert offered("aiocells run many.py:plan,o", "fish") == plain("many.py:plan,other")
    assert offered("aiocells run many.py:plan --set ci", "fish") == plain("city=")
    assert offered("aiocells run many.py:ot", "zsh") == ["plain", "many.py:other", "_"]
    shown = ["plain", "--computer=simple", "_"]
    assert offered("aiocells run --computer=si", "zsh") == shown


@pytest.mark.parametrize(
    "source", ["1 / 0", "import sys; sys.exit(3)", "def f(:", "@cell\ndef a(a, b): b("]
)
def test_what_cannot_be_loaded_completes_nothing(modules: Modules, source: str) -> None:
    """Tab never shows an error in the middle of a line."""
    modules.write("failing", f"{source}\n@depends_on('nobody')\n@cell\ndef f(): ...")
    assert offered("aiocells run failing.py:") == []
    assert offered("aiocells run failing.py --set ") == []
    assert offered("aiocells run nowhere.py:") == []


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_with_the_script(many: Path) -> None:
    """What the script makes of the answer is what bash then offers."""
    env = {**os.environ, "_AIOCELLS_COMPLETE": "bash_source"}
    script = CliRunner(env=env).invoke(commands, prog_name="aiocells").stdout
    asked = f"""
        {script}
        aiocells() {{ :; }}
        compopt() {{ echo compopt "$@"; }}
        env() {{ echo plain,city=; echo plain,plan; }}
        COMP_WORDS=(aiocells run many.py : pl) COMP_CWORD=4
        _aiocells_completion aiocells
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", asked], capture_output=True, text=True)
    assert done.stdout == "compopt -o nospace\ncity=\nplan\n", done.stderr
