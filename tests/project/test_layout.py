"""The project's own rules: who imports whom, how long things are, what is public."""

import ast
import graphlib
import importlib.metadata
import json
import pydoc
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import aiocells
from tests.helpers import IN_BROWSER

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "aiocells"
FILES = sorted(PACKAGE.rglob("*.py"))
MOST_LINES = 350
MOST_FUNCTION_LINES = 60

# The house, from the ground up: a module imports from its own room and from those
# before it. A room is a package, or a module that stands alone; "" is the package's own
# __init__.py.
FLOORS = [
    "_typing",
    "errors",
    "_declaring",
    "_fingerprints",
    "_graphs",
    "_collecting",
    "_planning",
    "_outcome",
    "_keeping",
    "observers",
    "_running",
    "_running.keeping",
    "_running.elsewhere",
    "_fan_out",
    "_cluster",
    "_running.loops",
    "_running.tasks",
    "computers",
    "_first_version",
    "drawing",
    "",
    "demos",
    "_cli",
    "__main__",
]


def module_of(path: Path) -> str:
    """The name within the package of the module in a file."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts).removesuffix("__init__").removesuffix(".")


MODULES = {module_of(path): path for path in FILES}


def room_of(module: str) -> str:
    """The room that a module is in."""
    is_package = MODULES[module].name == "__init__.py"
    package = module if is_package else module.rpartition(".")[0]
    return package or module


def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), path)


def named_by_import(node: ast.AST, module: str, path: Path) -> Iterator[str]:
    """The full dotted names that an import statement of a module asks for."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        package = ["aiocells", *filter(None, module.split("."))]
        if path.name != "__init__.py":
            package.pop()
        # One dot is this package, each further dot one package up.
        base = package[: len(package) + 1 - node.level] if node.level else []
        base += [node.module] if node.module else []
        yield from (".".join([*base, alias.name]) for alias in node.names)


def imported_modules(module: str, path: Path) -> Iterator[tuple[str, int]]:
    """The modules of the package that one imports, and the lines where it does."""
    for node in ast.walk(parsed(path)):
        for name in named_by_import(node, module, path):
            if name != "aiocells" and not name.startswith("aiocells."):
                continue
            found = name.removeprefix("aiocells").removeprefix(".")
            if found not in MODULES:
                found = found.rpartition(".")[0]
            yield found, getattr(node, "lineno", 0)


def test_floors_name_every_room() -> None:
    """The floors in this file list each room of the package, and no other."""
    rooms = {room_of(module) for module in MODULES}
    missing = sorted(rooms - set(FLOORS))
    gone = sorted(set(FLOORS) - rooms)
    assert not missing, f"{missing}: add them to FLOORS, below all that they import"
    assert not gone, f"{gone} are in FLOORS but not in {PACKAGE}: take them out"


def imports_from_below(module: str) -> list[str]:
    """The imports of a module from rooms that do not stand before its own."""
    path = MODULES[module]
    reachable = FLOORS[: FLOORS.index(room_of(module)) + 1]
    return sorted(
        f"{path.relative_to(ROOT)}:{line} imports aiocells.{found}".rstrip(".")
        for found, line in set(imported_modules(module, path))
        if room_of(found) not in reachable
    )


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_one_way(module: str) -> None:
    """A module imports only from its own room, and from those that stand before it."""
    if room_of(module) not in FLOORS:
        pytest.skip("test_floors_name_every_room says what to do")
    wrong = imports_from_below(module)
    assert not wrong, "not before it in FLOORS:\n" + "\n".join(wrong)


def test_no_modules_import_each_other() -> None:
    """Within a room, too, imports run one way."""
    imported = {
        module: {found for found, _ in imported_modules(module, path)} - {module}
        for module, path in MODULES.items()
    }
    list(graphlib.TopologicalSorter(imported).static_order())


@pytest.mark.parametrize("room", [room for room in FLOORS if room in MODULES])
def test_every_room_says_what_it_is_for(room: str) -> None:
    """The first thing in a room, or in a module that stands alone, is a docstring."""
    assert ast.get_docstring(parsed(MODULES[room]))


def test_tests_are_grouped_by_room() -> None:
    """The tests of a room are found by its name; `project` holds what is about us."""
    tests = ROOT / "tests"
    rooms = {room.replace("_", "", 1) if room[:1] == "_" else room for room in FLOORS}
    groups = {
        ".".join(path.parent.relative_to(tests).parts)
        for path in tests.rglob("test_*.py")
    }
    assert groups - rooms == {"project"}


def test_no_module_is_long() -> None:
    """No module of the package has more than 350 lines."""
    counts = {str(path): len(path.read_text("utf-8").splitlines()) for path in FILES}
    long = {path: count for path, count in counts.items() if count > MOST_LINES}
    assert not long, f"is it one idea? {long}"


def test_no_function_is_long() -> None:
    """No function of the package has more than 60 lines, its docstring included."""
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {lines} lines"
        for path in FILES
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or 0) - node.lineno + 1) > MOST_FUNCTION_LINES
    ]
    assert not long, "\n".join(long)


def run_python(script: str) -> str:
    """What a fresh interpreter prints that runs a script in the checkout."""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.needs_processes
def test_import_is_light() -> None:
    """`import aiocells` loads attrs and the standard library."""
    # The environment may load things of its own before.
    script = (
        "import sys; before = set(sys.modules); import aiocells;"
        "print(*(set(sys.modules) - before))"
    )
    loaded = {name.partition(".")[0] for name in run_python(script).split()}
    assert "aiocells" in loaded
    # The last is what multiprocessing calls the main module.
    allowed = {"aiocells", "attr", "attrs"}
    assert loaded - allowed - sys.stdlib_module_names == set()


@pytest.mark.needs_processes
@pytest.mark.parametrize(
    "module",
    [
        "datetime",
        "concurrent.futures.thread",
        "multiprocessing",
        "difflib",
        "aiocells._first_version",
    ],
)
def test_what_few_use_waits_until_it_is_used(module: str) -> None:
    """Beside what asyncio and attrs load, `import aiocells` loads little."""
    script = (
        "import sys, asyncio, attrs; before = set(sys.modules); import aiocells;"
        f"print({module!r} in set(sys.modules) - before)"
    )
    assert run_python(script).split() == ["False"]


def reference() -> str:
    """The pages of the reference."""
    pages = (ROOT / "docs" / "reference").glob("*.md")
    return "\n".join(page.read_text(encoding="utf-8") for page in pages)


@pytest.mark.needs_processes
def test_what_few_need_is_there_when_asked_for() -> None:
    """`import aiocells` is enough for modules, version, and 1.x, and loads none."""
    script = (
        "import sys, aiocells;"
        "print('aiocells.drawing' in sys.modules, 'importlib.metadata' in sys.modules);"
        "print(aiocells.drawing.draw.__name__, aiocells.observers.Recorder.__name__);"
        "print(aiocells.Place(value=3).value, 'Place' in vars(aiocells));"
        "print(aiocells.__version__)"
    )
    version = importlib.metadata.version("aiocells")
    assert run_python(script) == f"False False\ndraw Recorder\n3 True\n{version}"


def test_a_wrong_attribute_is_refused_as_ever() -> None:
    """The package says what it has not, and Python suggests what may be meant."""
    with pytest.raises(
        AttributeError, match="'aiocells' has no attribute 'sell'"
    ) as it:
        aiocells.sell  # type: ignore[attr-defined]  # noqa: B018
    assert (it.value.name, it.value.obj) == ("sell", aiocells)


def test_dir_lists_what_is_public() -> None:
    """`dir(aiocells)`, and so the Tab key, offer the public names and no others."""
    offered = {name for name in dir(aiocells) if not name.startswith("__")}
    documented = re.findall(r"^\.\. automodule:: aiocells\.(\w+)$", reference(), re.M)
    # What the computers share is explained there, and imported from nowhere.
    modules = {*documented, "errors"} - {"computers"}
    assert offered == {*aiocells.__all__, *modules}
    assert "__version__" in dir(aiocells)


def test_help_begins_with_what_a_user_needs() -> None:
    """The first page of `help(aiocells)` has an example, and names to start with."""
    page = pydoc.plain(pydoc.render_doc(aiocells)).split("PACKAGE CONTENTS")[0]
    assert len(page.splitlines()) < 50
    for name in ("cell", "resource", "depends_on", "Graph.from_module", "failures"):
        assert f"`{name}`" in page
    assert "results[plan]" in page


def test_public_names_are_sorted() -> None:
    """`aiocells.__all__` is sorted and has no name twice."""
    assert list(aiocells.__all__) == sorted(set(aiocells.__all__))


@pytest.mark.parametrize("name", aiocells.__all__)
def test_public_name_is_documented(name: str) -> None:
    """Each public name exists, has a docstring, and is in the reference."""
    assert getattr(aiocells, name).__doc__
    directive = rf"^\.\. auto\w+:: aiocells\.{name}$"
    msg = f"add aiocells.{name} to the page of docs/reference/ that it belongs to"
    assert re.search(directive, reference(), re.MULTILINE), msg


def package_under_test() -> Path:
    """Where the package should come from: where it is installed, else the checkout."""
    try:
        installed = importlib.metadata.distribution("aiocells")
    except importlib.metadata.PackageNotFoundError:
        return PACKAGE
    origin = json.loads(installed.read_text("direct_url.json") or "{}")
    if origin.get("dir_info", {}).get("editable"):
        return PACKAGE
    return Path(str(installed.locate_file("aiocells"))).resolve()


def test_installed_package_is_the_tested_one() -> None:
    """Where a wheel is installed, no test imports the checkout in its place."""
    files = [aiocells.__file__]
    if not IN_BROWSER:
        files.append(run_python("import aiocells; print(aiocells.__file__)"))
    for file in files:
        assert Path(file).resolve().parent == package_under_test()


def test_installed_package_is_complete() -> None:
    """Every file of the package is installed, as it is in the checkout."""
    sources = [path for path in PACKAGE.rglob("*") if path.is_file()]
    sources = [path for path in sources if "__pycache__" not in path.parts]
    assert PACKAGE / "py.typed" in sources
    for source in sources:
        installed = package_under_test() / source.relative_to(PACKAGE)
        assert installed.read_bytes() == source.read_bytes(), installed


def readme_commands() -> list[str]:
    """The shell blocks of the README."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(r"^```sh\n(.*?)\n```$", readme, re.MULTILINE | re.DOTALL)


def test_readme_has_two_commands() -> None:
    """The README has two shell blocks of one line each: compute, and test."""
    assert [command.count("\n") for command in readme_commands()] == [0, 0]


def test_ci_runs_the_readme_test_command() -> None:
    """`.ci/run` runs the README's second command, letter by letter."""
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert readme_commands()[1] in script.splitlines()


def test_ci_runs_every_check() -> None:
    """The nox sessions that `.ci/run` names are those that `nox` alone runs."""
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    named = " ".join(re.findall(r"/nox -s ([a-z ]+)", script)).split()
    [sessions] = [
        ast.literal_eval(node.value)
        for node in parsed(ROOT / "noxfile.py").body
        if isinstance(node, ast.Assign)
        and ast.unparse(node.targets[0]) == "nox.options.sessions"
    ]
    assert sorted(named) == sorted(sessions)
