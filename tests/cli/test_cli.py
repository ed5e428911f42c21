"""The command line: what it runs, what it prints where, and how it ends."""

import importlib.metadata
import json
import os
import re
import select
import subprocess
from pathlib import Path

import pytest

from aiocells._cli import showing
from tests.command_line import ended, printed, refused, run, start
from tests.helpers import Modules

# Fallbacks


@pytest.mark.parametrize("computer", ["concurrent", "sequential"])
def test_what_fell_back_is_told_on_standard_error(
    modules: Modules, computer: str
) -> None:
    """The values are what there is; with --json standard output has them only."""
    modules.write(
        "shop",
        """
        def broken(): raise OSError("down")

        offers = cell(name="offers", fallback=lambda error: [])(broken)

        @cell
        def page(offers): return len(offers)
        """,
    )
    told = "'offers' (shop.py:2) fell back: OSError: down\n"
    for options, shown in (([], "0\n"), (["--json"], '{\n  "page": 0\n}\n')):
        result = run("run", "shop:page", "--computer", computer, *options)
        assert (result.exit_code, result.stderr) == (0, told)
        assert json.loads(result.stdout) == json.loads(shown)


# Targets


@pytest.mark.parametrize("target", ["trip", "trip.py", "./trip.py", "trip:plan"])
def test_target_is_a_module_a_file_or_a_cell(trip: Path, target: str) -> None:
    """TARGET may be a module, the path of a file, or a cell of either."""
    assert "To Grand Oslo" in printed("run", target, "--set", "city=Oslo")


def test_file_outside_of_the_path_is_a_target(modules: Modules) -> None:
    """A file in any folder may be given with a cell of it."""
    path = modules.write("deep.down.one", "@cell\ndef one(): return 'one'")
    assert printed("run", f"{path}:one") == "one\n"


@pytest.mark.needs_processes
def test_module_in_the_current_folder_is_found(trip: Path) -> None:
    """A module is looked for in the current folder, as `python -m` does."""
    script = "from aiocells._cli.main import main; main()"
    # A script's own folder comes first on the path, not the current one.
    Path("bin").mkdir()
    Path("bin", "aiocells").write_text(script, encoding="utf-8")
    args = ("bin/aiocells", "run", "trip:plan", "--set", "city=Oslo")
    assert ended(*args) == (0, "To Grand Oslo\n  for 200\n", "")


@pytest.mark.needs_processes
def test_safe_path_keeps_the_current_folder_out(trip: Path) -> None:
    """With PYTHONSAFEPATH the current folder is not looked into."""
    args = ("-m", "aiocells", "run", "trip")
    code, stdout, stderr = ended(*args, env={"PYTHONSAFEPATH": "1"})
    assert (code, stdout) == (1, "")
    assert stderr.startswith("Error: No module named 'trip'.")


def test_several_cells_are_several_targets(trip: Path) -> None:
    """Cells with commas between them are computed together, in that order."""
    shown = printed("run", "trip:plan, nothing,hotel", "--set", "city=Oslo", "--json")
    assert list(json.loads(shown)) == ["plan", "nothing", "hotel"]


def test_cell_of_the_module_is_meant_where_names_are_shared(modules: Modules) -> None:
    """Of two cells of one name, TARGET means the one that its module has."""
    modules.write("lower", "@cell\ndef load(): return 'lower'")
    modules.write(
        "upper",
        """
        import lower

        @cell
        @depends_on(below=lower.load)
        def load(below): return f'above {below}'
        """,
    )
    assert printed("run", "upper:load") == "above lower\n"


def test_cell_is_found_by_its_name_and_by_that_of_its_function(
    modules: Modules,
) -> None:
    """A cell with a name of its own answers to it, and to its name in the module."""
    modules.write("named", "@cell(name='bill')\ndef make_bill(): return 'the bill'")
    assert printed("run", "named:bill") == "the bill\n"
    assert printed("run", "named:make_bill") == "the bill\n"


USAGE = (
    " TARGET is a module, a file, or cells of one: module, module:cell, path.py or "
    "path.py:cell."
)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("nowhere", f"No module named 'nowhere'.{USAGE}"),
        ("trip.plan", f"No module named 'trip.plan'; 'trip' is not a package.{USAGE}"),
        ("nowhere.py", "There is no file 'nowhere.py'."),
        ("nowhere.py:plan", "There is no file 'nowhere.py'."),
        ("./trip", "'./trip' is no module. Did you mean './trip.py'?"),
        ("./nowhere", f"'./nowhere' is no module.{USAGE}"),
        (":plan", f"'' is no module.{USAGE}"),
        ("empty", "empty has no cells. Mark its functions with @cell."),
        ("importing", "importing has no cells. Mark its functions with @cell."),
        (
            "trip:plam",
            "targets: there is no cell 'plam' in the graph. Did you mean 'plan'?",
        ),
    ],
)
def test_bad_target_is_refused(
    trip: Path, modules: Modules, target: str, message: str
) -> None:
    """A TARGET that is not there is refused with a sentence that helps."""
    modules.write("empty", "")
    modules.write("importing", "from trip import plan")
    assert refused("run", target) == f"Error: {message}\n"
    if target != "trip:plam":
        assert refused("draw", target) == f"Error: {message}\n"


def test_a_function_to_be_marked_is_not_to_be_set(modules: Modules) -> None:
    """The remedy is that of the error; other inputs can be set."""
    modules.write("mod", "def a(): ...\n@cell\ndef b(a): ...\n@cell\ndef c(a, x): ...")
    assert refused("run", "mod:b") == (
        "Error: Missing input: 'a' is needed by 'b' (mod.py:3). 'a' is a function of "
        "mod.py (line 2) without @cell: mark it.\n"
    )
    assert refused("run", "mod:c").endswith(
        "mark it. 'x' is needed by 'c' (mod.py:5). Give it with --set x=VALUE.\n"
    )


def test_families_are_run_and_shown_by_name(modules: Modules) -> None:
    """Each cell by its place, all of them or one."""
    modules.write(
        "mod",
        """
        from functools import partial
        family = [cell(partial(str, number)) for number in (1, 2)]
        keyed = {"a": cell(partial(str, 3))}
        """,
    )
    shown = json.loads(printed("run", "mod", "--json"))
    assert shown == {"family[0]": "1", "family[1]": "2", "keyed['a']": "3"}
    assert json.loads(printed("run", "mod:family[1],keyed['a']", "--json")) == {
        "family[1]": "2",
        "keyed['a']": "3",
    }


def test_draw_refuses_an_unknown_cell(trip: Path) -> None:
    """An unknown cell is told by `draw` as it is by `run`."""
    assert refused("draw", "trip:plam") == refused("run", "trip:plam")


def test_resource_is_refused_as_a_target(modules: Modules) -> None:
    """A resource has no value to show, but can be drawn."""
    modules.write("base", "@resource\ndef database(): yield 1")
    assert "'database' (base.py:2) is a resource, which is no target" in refused(
        "run", "base:database"
    )
    assert printed("draw", "base:database") == "database\n"


# Computers


@pytest.mark.parametrize("computer", ["concurrent", "async-sequential", "simple"])
def test_computer_can_be_chosen(trip: Path, computer: str) -> None:
    """Each computer that awaits gives the same."""
    args = ("run", "trip:plan", "--set", "city=Oslo", "--computer", computer)
    assert printed(*args) == "To Grand Oslo\n  for 200\n"


def test_sequential_computer_can_be_chosen(trip: Path) -> None:
    """The computer without an event loop runs plain cells, and refuses async ones."""
    args = ("--computer", "sequential", "--set", "city=Oslo")
    assert printed("run", "trip:nothing", *args) == ""
    assert refused("run", "trip", *args) == (
        "Error: 'hotel' (trip.py:9) is an async function, which the computer "
        "sequential cannot await. Choose another one with --computer.\n"
    )


LIMITED = """\
    @cell(limit="db")
    def limited(): return 1

    @cell(run_in="gpu")
    def elsewhere(): return 2
"""


def test_what_only_a_program_can_give_is_told_in_other_words(modules: Modules) -> None:
    """Where the command lacks an option, the message says what does without it."""
    modules.write("limited", LIMITED)
    assert refused("run", "limited:limited") == (
        "Error: 'limited' (limited.py:2) has limit='db', but how many that is was not "
        "said. The command sets no limits; --computer async-sequential needs none, "
        "since it runs one cell at a time.\n"
    )
    args = ("--computer", "async-sequential")
    assert printed("run", "limited:limited", *args) == "1\n"
    assert refused("run", "limited:elsewhere") == (
        "Error: 'elsewhere' (limited.py:5) has run_in='gpu', but there is no executor "
        "of that name. The command has 'thread' and 'process' only; --computer "
        "sequential needs none.\n"
    )
    args = ("--computer", "sequential")
    assert printed("run", "limited:elsewhere", *args) == "2\n"


def test_a_name_that_two_cells_have_is_told_by_module(modules: Modules) -> None:
    """Of two cells of one name that other modules have, neither is meant."""
    modules.write("one", "@cell\ndef load(): ...")
    modules.write("two", "@cell\ndef load(): ...")
    modules.write(
        "both",
        """
        import one, two

        @cell
        @depends_on(one.load, two.load)
        def both(): ...
        """,
    )
    assert refused("run", "both:load") == (
        "Error: targets: 'load' is the name of 'load' (one.py:2) and 'load' "
        "(two.py:2). Give the module that has the one you mean as TARGET.\n"
    )


# Results for people


def test_results_are_lined_up(modules: Modules) -> None:
    """Values stand in a column, texts below their name, and None is told last."""
    modules.write(
        "shown",
        """
        @cell
        def number(): return 42

        @cell
        def effect(): ...

        @cell
        def a_word(): return "Oslo\\t1"

        @cell
        def blank(): return " "

        @cell
        def report(): return "Report\\n\\n  one  1\\n"

        @cell
        def many(): return list(range(1000))

        @cell
        def long_text(): return "x" * 500

        @cell
        def long_list(): return ["y" * 50] * 3

        @cell
        def long_object(): return type("Long", (), {"__repr__": lambda _: "z" * 99})()
        """,
    )
    assert printed("run", "shown") == (
        "number       42\n"
        "a_word       Oslo    1\n"
        "blank        ' '\n"
        "report\n"
        "  Report\n"
        "\n"
        "    one  1\n"
        "many         [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ... +990]\n"
        f"long_text    {'x' * 49}… (500 characters)\n"
        f"long_list    ['{'y' * 50}', '… (3 items)\n"
        f"long_object  {'z' * 66}…\n"
        "(no value: effect)\n"
    )


def test_long_report_among_others_is_shortened(modules: Modules) -> None:
    """Beside other values a text of very many lines is cut; alone it is whole."""
    modules.write("long", "@cell\ndef long(): return 'line\\n' * 1041")
    shown = printed("run", "long").splitlines()
    assert shown == ["long", *["  line"] * 40, "  ... 1,001 more lines"]
    assert printed("run", "long:long") == "line\n" * 1041


def test_many_cells_without_value_are_counted(modules: Modules) -> None:
    """Of many cells that give None, some are named and the rest are counted."""
    cells = "\n".join(f"@cell\ndef c{number}(): ..." for number in range(25))
    modules.write("effects", cells)
    named = ", ".join(f"c{number}" for number in range(20))
    assert printed("run", "effects") == f"(no value: {named} and 5 more)\n"


def test_one_cell_is_shown_without_its_name(trip: Path) -> None:
    """The value of one cell is shown alone: text as it is, None as nothing."""
    args = ("--set", "city=Oslo")
    assert printed("run", "trip:plan", *args) == "To Grand Oslo\n  for 200\n"
    assert printed("run", "trip:nothing", *args) == ""
    assert printed("run", "trip:hotel", *args) == (
        "Hotel(name='Grand Oslo', price=200.0)\n"
    )


def test_one_large_value_is_spread_over_lines(modules: Modules) -> None:
    """A value too long for a line has its parts on lines of their own, up to 20."""
    modules.write("large", "@cell\ndef large(): return ['x' * 70] * 30")
    item = f"    '{'x' * 70}',\n"
    assert printed("run", "large:large") == f"[\n{item * 20}    ... +10\n]\n"


def test_value_that_misbehaves_is_shown(modules: Modules) -> None:
    """A value that cannot be looked into does not take the others with it."""
    modules.write(
        "broken",
        """
        class Closed(list):
            def __len__(self): raise RuntimeError
            def __iter__(self): raise RuntimeError

        class Silent:
            def __repr__(self): raise RuntimeError("no words")

        @cell
        def closed(): return Closed([1])

        @cell
        def silent(): return Silent()

        @cell
        def good(): return 1
        """,
    )
    shown = printed("run", "broken")
    closed = r"closed  <broken\.Closed object at 0x\w+>"
    assert re.fullmatch(
        rf"{closed}\nsilent  <repr-error 'no words'>\ngood    1\n", shown
    )
    assert re.match("<broken.Closed object at", printed("run", "broken:closed"))
    as_json = json.loads(printed("run", "broken", "--json"))
    assert as_json.pop("silent").startswith("<broken.Silent object at 0x")
    assert as_json == {"closed": "[1]", "good": 1}


def test_value_of_no_text_at_all_is_shown() -> None:
    """A value whose repr is empty has an empty line by its name."""
    empty = type("Empty", (), {"__repr__": lambda _: ""})()
    assert [line.plain for line in showing._lines(empty)] == [""]


# Failures

FAILING = """\
    import json

    @cell
    async def load(text):
        return parsed(text)

    def parsed(text):
        return json.loads(text)

    @cell
    def plan(load): ...
"""


def test_failure_shows_the_lines_of_the_user(modules: Modules) -> None:
    """A failed cell is told with its notes and the user's own lines only."""
    path = modules.write("failing", FAILING)
    args = ("run", "failing", "--set", "text=[[")
    error = re.sub(r"\n +[~^]+\n", "\n", refused(*args))
    assert error == (
        "Traceback (most recent call last):\n"
        f'  File "{path}", line 6, in load\n'
        "    return parsed(text)\n"
        f'  File "{path}", line 9, in parsed\n'
        "    return json.loads(text)\n"
        "json.decoder.JSONDecodeError: Expecting value: line 1 column 3 (char 2)\n"
        "in cell 'load' (failing.py:4), needed by 'plan'\n"
        "  called with text='[['\n"
    )


def test_traceback_shows_all_lines(modules: Modules) -> None:
    """With --traceback the lines of libraries are shown as well."""
    modules.write("failing", FAILING)
    error = refused("run", "failing", "--set", "text=[[", "--traceback")
    assert f"{os.sep}decoder.py" in error
    assert f"{os.sep}concurrent.py" in error
    assert error.endswith(
        "in cell 'load' (failing.py:4), needed by 'plan'\n  called with text='[['\n"
    )


def test_causes_and_groups_are_cleaned_too(modules: Modules) -> None:
    """Exceptions behind and inside of a failure show the user's lines only."""
    modules.write(
        "grouped",
        """
        import asyncio, json

        async def parse(text):
            try:
                json.loads(text)
            except ValueError as error:
                raise RuntimeError("not parsed") from error

        @cell
        async def grouped():
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(parse("[["))
        """,
    )
    error = refused("run", "grouped")
    assert "ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)" in error
    assert "in cell 'grouped' (grouped.py:10)" in error
    assert "direct cause of" in error
    files = re.findall(r'File ".*?(\w+\.py)"', error)
    assert files == ["grouped.py"] * 3


@pytest.mark.needs_processes
def test_failure_in_a_process_shows_the_lines_of_the_user(modules: Modules) -> None:
    """The text that comes from a worker process is cleaned as well."""
    modules.write(
        "remote",
        """
        import json

        @cell(run_in="process")
        def remote(): return json.loads("[[")
        """,
    )
    error = refused("run", "remote")
    assert re.findall(r'File ".*?(\w+\.py)", line (\d+)', error) == [("remote.py", "5")]
    assert "in cell 'remote' (remote.py:4)" in error


def test_installed_code_counts_where_there_is_no_other(modules: Modules) -> None:
    """A package of the user's that is installed shows its lines as well."""
    path = modules.write("site-packages.mine", "@cell\ndef mine(): return 1 / 0")
    error = refused("run", str(path))
    assert re.findall(r'File ".*?(\w+\.py)"', error) == ["mine.py"]


@pytest.mark.needs_processes
def test_failure_without_lines_of_the_user_has_no_heading(modules: Modules) -> None:
    """A cell whose process dies is told by the exception and its note alone."""
    modules.write(
        "dying",
        """
        import os

        @cell(run_in="process")
        def dying(): os._exit(1)
        """,
    )
    error = refused("run", "dying")
    assert "Traceback" not in error
    assert "\naiocells.errors.WorkerDied: " in error
    assert error.endswith("\nin cell 'dying' (dying.py:4)\n")


def test_clicks_own_exceptions_of_a_cell_are_failures(modules: Modules) -> None:
    """A cell that raises an exception of click's has failed like any other."""
    modules.write(
        "clicking",
        """
        import click

        @cell
        def clicking(): raise click.UsageError("misused")
        """,
    )
    error = refused("run", "clicking")
    assert error.endswith("UsageError: misused\nin cell 'clicking' (clicking.py:4)\n")


def test_exit_of_a_cell_is_the_exit_of_the_command(modules: Modules) -> None:
    """A cell that calls sys.exit ends the command with that code."""
    modules.write("leaving", "import sys\n@cell\ndef leaving(): sys.exit(7)")
    result = run("run", "leaving")
    assert (result.exit_code, result.output) == (7, "")


# What is wrong with the module


def test_module_that_fails_to_import_shows_its_lines(modules: Modules) -> None:
    """What a module raises when it is imported is told with the user's lines."""
    path = modules.write("failing", "import json\njson.loads('[[')")
    for target in ("failing", "failing.py"):
        error = re.sub(r"\n +[~^]+\n", "\n", refused("run", target))
        assert error == (
            "Traceback (most recent call last):\n"
            f'  File "{path}", line 3, in <module>\n'
            "    json.loads('[[')\n"
            "json.decoder.JSONDecodeError: Expecting value: line 1 column 3 (char 2)\n"
        )
        assert "JSONDecodeError" in refused("draw", target)


def test_module_that_imports_what_is_not_there_is_told(modules: Modules) -> None:
    """A module that is there, but imports one that is not, shows the line."""
    modules.write("failing", "import nowhere")
    error = refused("run", "failing")
    assert 'failing.py", line 2, in <module>\n    import nowhere\n' in error
    assert error.endswith("ModuleNotFoundError: No module named 'nowhere'\n")


def test_syntax_error_is_shown_without_other_lines(modules: Modules) -> None:
    """A file that is no Python is told as Python tells it."""
    path = modules.write("failing", "def f(:")
    error = refused("run", "failing.py")
    assert error.startswith(f'  File "{path}", line 2\n    def f(:\n')
    assert error.endswith("SyntaxError: invalid syntax\n")


def test_wrong_declaration_shows_its_line(modules: Modules) -> None:
    """A decorator that is given something wrong shows the line that did so."""
    path = modules.write("failing", "@depends_on(42)\ndef f(): ...")
    error = refused("run", "failing")
    assert f'File "{path}", line 2, in <module>\n    @depends_on(42)\n' in error
    assert "DeclarationError: depends_on(42): expected a cell" in error


def test_graph_that_cannot_be_assembled_is_told_in_a_sentence(modules: Modules) -> None:
    """What is wrong between cells is told without a traceback, unless asked for."""
    modules.write("failing", "@cell\ndef f(g): ...\n@cell\ndef g(f): ...")
    for command in ("run", "draw"):
        error = refused(command, "failing")
        assert error.startswith("Error: Circular dependency detected in graph: 'f' (")
        assert "Traceback" in refused(command, "failing", "--traceback")


# Progress

SLOW = """\
    import sys, threading

    @cell
    def slow():
        timers = [t for t in threading.enumerate() if isinstance(t, threading.Timer)]
        print(f"timers: {len(timers)}", flush=True)
        sys.stdin.readline()
        return "done"
"""


@pytest.mark.needs_processes
def test_progress_is_shown_on_a_terminal(modules: Modules) -> None:
    """A computation that takes long shows on the terminal that it goes on."""
    pty = pytest.importorskip("pty")
    modules.write("slow", SLOW)
    terminal, stderr = pty.openpty()
    args = ("-m", "aiocells", "run", "slow:slow")
    with start(*args, stdin=subprocess.PIPE, stderr=stderr) as process:
        os.close(stderr)
        shown = b""
        while b"Computing slow:slow" not in shown:
            ready, _, _ = select.select([terminal], [], [], 60)
            assert ready, shown
            shown += os.read(terminal, 1000)
        stdout, _ = process.communicate("\n", timeout=60)
    os.close(terminal)
    assert (process.returncode, stdout) == (0, "timers: 1\ndone\n")


@pytest.mark.needs_processes
def test_progress_is_not_shown_on_a_dumb_terminal(modules: Modules) -> None:
    """A terminal that cannot take back what it shows gets no progress."""
    pty = pytest.importorskip("pty")
    modules.write("slow", SLOW)
    terminal, stderr = pty.openpty()
    args = ("-m", "aiocells", "run", "slow:slow")
    code, stdout, _ = ended(
        *args, stdin=subprocess.DEVNULL, stderr=stderr, env={"TERM": "dumb"}
    )
    os.close(stderr)
    os.close(terminal)
    assert (code, stdout) == (0, "timers: 0\ndone\n")


@pytest.mark.needs_processes
def test_progress_is_never_shown_elsewhere(modules: Modules) -> None:
    """What is no terminal gets no progress, not even where colors are forced."""
    modules.write("slow", SLOW)
    args = ("-m", "aiocells", "run", "slow:slow")
    code, stdout, stderr = ended(
        *args, stdin=subprocess.DEVNULL, env={"FORCE_COLOR": "1", "NO_COLOR": ""}
    )
    assert (code, stdout, stderr) == (0, "timers: 0\ndone\n", "")


# Drawing


def test_draw_draws_the_target(trip: Path) -> None:
    """`draw` prints the graph of a target as a tree, or as --as says."""
    tree = "plan\n└─ hotel\n   ├─ [city]\n   └─ [nights]\n"
    assert printed("draw", "trip:plan") == tree
    assert printed("draw", "trip") == f"nothing\n{tree}"
    assert printed("draw", "trip", "--as", "mermaid").startswith("flowchart TD\n")
    assert printed("draw", "trip.py", "--as", "dot").startswith("digraph {\n")


# Demos


@pytest.mark.needs_processes
def test_demos_are_listed_without_importing_them() -> None:
    """Help lists each demo with its first line, and none is imported for that."""
    script = (
        "import sys, click.testing; from aiocells._cli.commands import commands;"
        "print(click.testing.CliRunner().invoke(commands, ['--help']).stdout);"
        "print([name for name in sys.modules if 'demo_' in name])"
    )
    code, stdout, stderr = ended("-c", script)
    assert (code, stderr) == (0, "")
    numbers = [int(number) for number in re.findall(r"^  demo-(\d+)  ", stdout, re.M)]
    assert numbers == [number for number in range(1, 21) if number != 18]
    assert "  demo-1   Hello, world: a graph of one cell.\n" in stdout
    assert stdout.endswith("\n[]\n")


@pytest.mark.needs_processes
def test_demo_runs_alone() -> None:
    """A demo runs, and no other one is imported."""
    script = (
        "import sys; from aiocells._cli.commands import commands;"
        "commands(['demo-5', '--scale', '0'], standalone_mode=False);"
        "print([name for name in sys.modules if 'demo_' in name])"
    )
    code, stdout, stderr = ended("-c", script)
    assert (code, stderr) == (0, "")
    assert "Woke up!" in stdout
    assert stdout.endswith("\n['aiocells.demos.demo_5']\n")


def test_demo_takes_iterations_where_it_has_them() -> None:
    """Demo 16 says how often it computes; other demos have no such option."""
    shown = printed("demo-16", "--iterations", "2", "--scale", "0")
    assert "2 iterations" in shown
    assert "--iterations" not in printed("demo-1", "--help")


@pytest.mark.parametrize("name", ["demo-18", "demo-99", "demo-x", "demos"])
def test_unknown_command_is_refused(name: str) -> None:
    """A demo that never was is as unknown as any other command."""
    result = run(name)
    assert result.exit_code == 2
    assert f"No such command '{name}'." in result.stderr


# The command itself


def test_version_is_that_of_the_distribution(monkeypatch: pytest.MonkeyPatch) -> None:
    """--version prints the version that is installed."""
    monkeypatch.setattr(importlib.metadata, "version", lambda _name: "2.3.4")
    assert printed("--version") == "aiocells 2.3.4\n"


@pytest.mark.needs_processes
@pytest.mark.parametrize("missing", ["click", "pydantic", "rich"])
def test_command_says_what_it_needs(missing: str) -> None:
    """Without the extra the command prints one line that says how to install it."""
    script = (
        f"import sys; sys.modules[{missing!r}] = None;"
        "from aiocells._cli.main import main; main()"
    )
    line = f"The command aiocells needs {missing}: pip install 'aiocells[cli]'\n"
    assert ended("-c", script) == (1, "", line)


@pytest.mark.needs_processes
def test_command_hides_no_other_import_error() -> None:
    """What else cannot be imported is an error as usual."""
    script = (
        "import sys; sys.modules['aiocells._cli.demos'] = None;"
        "from aiocells._cli.main import main; main()"
    )
    code, _, stderr = ended("-c", script)
    assert code == 1
    assert "import of aiocells._cli.demos halted" in stderr


@pytest.mark.needs_processes
def test_command_runs_as_a_module() -> None:
    """`python -m aiocells` is the command."""
    code, stdout, stderr = ended("-m", "aiocells", "draw", "aiocells.demos.demo_1")
    assert (code, stdout, stderr) == (0, "hello_world\n", "")


@pytest.mark.needs_processes
def test_library_loads_neither_command_nor_drawing() -> None:
    """`import aiocells` leaves the command line and drawing alone."""
    script = (
        "import sys, aiocells;"
        "print([n for n in sys.modules if n.startswith(('aiocells._cli',"
        " 'aiocells.drawing', 'aiocells._graphs.labels', 'click', 'rich'))])"
    )
    assert ended("-c", script) == (0, "[]\n", "")
