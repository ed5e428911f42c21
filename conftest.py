"""Runs what README.md and docs/ show: each block is a test.

A document is one module, and its examples run one after another in a folder of its own:

- a `python` block runs; with `>>>` prompts, what it prints is compared. One whose first
  line is a comment like `# trip.py` is not run, but written to a file of that name,
  which later blocks import. Top-level `await` is refused, as in a script, but for
  sections that name what takes it: a notebook, or `python -m asyncio`.
- a `console` block runs its lines that begin with `$ ` in a shell, and compares what
  they print with the lines that follow; `...` stands for any text.

Docstrings are run by tests/project/test_docstrings.py.
"""

import ast
import asyncio
import doctest
import gc
import importlib
import inspect
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from sybil import Document, Example, Sybil
from sybil.parsers.myst import CodeBlockParser, PythonCodeBlockParser, SkipParser

ROOT = Path(__file__).parent
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
FILE_NAME = re.compile(r"# (\w+\.py)\n")
COMMAND = re.compile(
    r"^\$ (?P<command>.*)\n(?P<wanted>(?:(?!\$ ).*\n?)*)", re.MULTILINE
)

# Tests send Ctrl-C, which a job in the background of a shell is born to ignore.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says more about the machine than about the code.
hypothesis.settings.register_profile("untimed", deadline=None)
# WebAssembly is slow, and the same Python code has seen many examples by then.
hypothesis.settings.register_profile("browser", deadline=None, max_examples=20)
hypothesis.settings.load_profile(
    "browser" if sys.platform == "emscripten" else "untimed"
)


class ModuleDocument(Document):
    """A document whose namespace is that of a module, so that cells know theirs."""

    def __init__(self, text: str, path: str) -> None:
        """Make the module, named after the file: `docs_how_to_testing`."""
        super().__init__(text, path)
        name = re.sub(r"\W", "_", str(Path(path).relative_to(ROOT).with_suffix("")))
        sys.modules[name] = types.ModuleType(name)
        self.namespace = vars(sys.modules[name])


class PythonParser(PythonCodeBlockParser):
    """Parses Python blocks; those that are not in doctest style are run by `run`."""

    def __init__(self) -> None:
        """Compare what doctest examples print, by `FLAGS`."""
        super().__init__(doctest_optionflags=FLAGS)
        self.codeblock_parser = CodeBlockParser("python", run_python)


def write_module(path: Path, source: str) -> None:
    """Write a file so that the next import of its name reads it."""
    path.write_text(source, encoding="utf-8")
    sys.modules.pop(path.stem, None)
    # Within a second, a file of the same length passes for the one that was compiled.
    shutil.rmtree("__pycache__", ignore_errors=True)
    importlib.invalidate_caches()


def run_python(example: Example) -> None:
    """Run a block of code, or write the file that it names."""
    source = example.parsed
    if named := FILE_NAME.match(source):
        write_module(Path(named[1]), source)
        return
    # The empty lines make the line numbers of a traceback those of the document.
    padded = "\n" * (example.line + source.line_offset) + source
    section = example.document.text[: example.start].rpartition("\n## ")[2]
    in_loop = "`python -m asyncio`" in section
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT if in_loop else 0
    code = compile(padded, example.path, "exec", flags=flags, dont_inherit=True)
    waiting = eval(code, example.namespace)
    if inspect.iscoroutine(waiting):
        asyncio.run(waiting)


def run_console(example: Example) -> str | None:
    """Run the commands of a block and tell what they print otherwise than shown."""
    checker = doctest.OutputChecker()
    scripts = str(Path(sys.executable).parent)
    env = os.environ | {
        "COLUMNS": "80",
        "NO_COLOR": "1",
        "PATH": os.pathsep.join([scripts, os.environ["PATH"]]),
    }
    # The folder is the document's own: here `python trip.py` may import from it.
    env.pop("PYTHONSAFEPATH", None)
    for command, wanted in COMMAND.findall(example.parsed):
        done = subprocess.run(
            command,
            shell=True,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )
        if not wanted and done.returncode != 0:
            return f"{command!r} ended with {done.returncode}:\n{done.stdout}"
        shown = doctest.Example(command, wanted)
        if wanted and not checker.check_output(wanted, done.stdout, FLAGS):
            return checker.output_difference(shown, done.stdout, FLAGS)
    return None


def enter_folder(namespace: dict[str, Any]) -> None:
    """Give a document its folder, where it can import what it writes."""
    folder = tempfile.TemporaryDirectory()
    Path(folder.name, "examples").symlink_to(ROOT / "examples")
    namespace["_undo"] = (folder, Path.cwd(), sys.path.copy(), sys.modules.copy())
    sys.path.insert(0, folder.name)
    os.chdir(folder.name)


def leave_folder(namespace: dict[str, Any]) -> None:
    """Undo what `enter_folder` did, and what was imported from the folder."""
    folder, home, path, modules = namespace.pop("_undo")
    os.chdir(home)
    sys.path[:] = path
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(folder.name):
            del sys.modules[name]
    for name, module in modules.items():
        sys.modules.setdefault(name, module)
    folder.cleanup()


documents = Sybil(
    parsers=[PythonParser(), CodeBlockParser("console", run_console), SkipParser()],
    patterns=["README.md", "docs/*.md", "docs/**/*.md"],
    setup=enter_folder,
    teardown=leave_folder,
    document_types={".md": ModuleDocument},
)
pytest_collect_file = documents.pytest()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `-n`, share out the tests one by one, and each document as a whole.

    Groups, which are xdist's own way to say so, are lost where pytest is 9.2.
    """
    from xdist.scheduler import LoadScopeScheduling

    class DocumentsWhole(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            path = nodeid.partition("::")[0]
            return path if path.endswith(".md") else nodeid

    return DocumentsWhole(config, log)


def pytest_collection_finish() -> None:
    """Have the garbage collector leave alone what pytest itself holds.

    Otherwise each of the many tests that collect garbage goes through all of it.
    """
    gc.collect()
    gc.freeze()
