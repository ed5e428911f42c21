"""docs/promises.md: each promise is a sentence that names the tests that prove it."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "promises.md"
NAMED = re.compile(r"`(test_\w+)::(test_\w+)`")


def promises() -> list[str]:
    """The list items of the page, each on one line."""
    items: list[str] = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("- "):
            items.append(line[2:])
        elif line.startswith("  ") and items:
            items[-1] += " " + line.strip()
    return items


def defined_in(module: str) -> set[str]:
    """The names of the tests that a module of tests/ defines, in whichever room."""
    path = next(TESTS.rglob(f"{module}.py"), None)
    if path is None:
        return set()
    body = ast.parse(path.read_text(encoding="utf-8")).body
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in body if isinstance(node, functions)}


def test_the_page_is_read() -> None:
    """The page lists promises in the form that this module reads."""
    assert len(promises()) > 20


@pytest.mark.parametrize("promise", promises())
def test_every_promise_names_tests_that_exist(promise: str) -> None:
    """A promise without a test is none, and a test that was renamed is noticed."""
    named = NAMED.findall(promise)
    assert named, "no test is named"
    missing = [
        f"{module}::{test}" for module, test in named if test not in defined_in(module)
    ]
    assert not missing


def test_every_promise_begins_with_a_sentence() -> None:
    """What is promised stands before what proves it."""
    for promise in promises():
        sentence = NAMED.split(promise)[0].strip()
        assert re.match(r"[A-Z`].*\.( .*\.)*$", sentence), promise
