"""The project's own rules: who imports whom, how long things are, what is public."""

import ast
import importlib.metadata
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import aiocells

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "aiocells"
FILES = sorted(PACKAGE.rglob("*.py"))
MOST_LINES = 350
MOST_FUNCTION_LINES = 60

# The stack: a module imports only those before it. "" is aiocells/__init__.py.
STACK = [
    "errors",
    "_kinds",
    "_timeouts",
    "_unawaited",
    "_parameters",
    "_source",
    "_spec",
    "_names",
    "_cell",
    "_declared",
    "_objects",
    "_toposort",
    "_graph",
    "_labels",
    "_finding",
    "_quick_binding",
    "_binding",
    "_loading",
    "_collect",
    "_plan",
    "_failures",
    "_results",
    "observers",
    "stopwatch",
    "places",
    "mod",
    "computers",
    "computers._notifier",
    "computers._waiting",
    "computers._cancellation",
    "computers._watchdog",
    "computers._processes",
    "computers._resources",
    "computers._run",
    "computers._resource_tasks",
    "computers._observing",
    "computers._offload",
    "computers._prepare",
    "computers._segments",
    "computers._generated",
    "computers._scheduler",
    "computers._limits",
    "computers._in_order",
    "computers.sequential",
    "computers.concurrent",
    "computers.flow",
    "",
    "drawing._picture",
    "drawing.tree",
    "drawing.mermaid",
    "drawing.dot",
    "drawing",
    "demos",
    *(f"demos.demo_{number}" for number in range(1, 21) if number != 18),
    "_cli_errors",
    "_cli_target",
    "_cli_json",
    "_cli_show",
    "_cli_run",
    "_cli_demos",
    "_cli_commands",
    "cli",
    "__main__",
]


def module_of(path: Path) -> str:
    """The name within the package of the module in a file."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts).removesuffix("__init__").removesuffix(".")


MODULES = {module_of(path): path for path in FILES}


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


def test_stack_names_every_module() -> None:
    """The stack in this file lists each module of the package, and no other."""
    missing = sorted(set(MODULES) - set(STACK))
    gone = sorted(set(STACK) - set(MODULES))
    assert not missing, f"{missing}: add them to STACK, below all that they import"
    assert not gone, f"{gone} are in STACK but not in {PACKAGE}: take them out"


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_one_way(module: str) -> None:
    """A module imports only from modules that stand above it in the stack."""
    if module not in STACK:
        pytest.skip("test_stack_names_every_module says what to do")
    path = MODULES[module]
    above = STACK[: STACK.index(module)]
    wrong = sorted(
        f"{path.relative_to(ROOT)}:{line} imports aiocells.{found}".rstrip(".")
        for found, line in set(imported_modules(module, path))
        if found not in above
    )
    assert not wrong, "not above it in STACK:\n" + "\n".join(wrong)


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


def test_public_names_are_sorted() -> None:
    """`aiocells.__all__` is sorted and has no name twice."""
    assert list(aiocells.__all__) == sorted(set(aiocells.__all__))


@pytest.mark.parametrize("name", aiocells.__all__)
def test_public_name_is_documented(name: str) -> None:
    """Each public name exists, has a docstring, and is in the reference."""
    assert getattr(aiocells, name).__doc__
    pages = (ROOT / "docs" / "reference").glob("*.md")
    reference = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    directive = rf"^\.\. auto\w+:: aiocells\.{name}$"
    msg = f"add aiocells.{name} to the page of docs/reference/ that it belongs to"
    assert re.search(directive, reference, re.MULTILINE), msg


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
    in_subprocess = run_python("import aiocells; print(aiocells.__file__)")
    for file in (aiocells.__file__, in_subprocess):
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
