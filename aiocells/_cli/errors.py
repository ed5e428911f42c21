"""Telling what went wrong: on standard error, and with an exit code."""

import contextlib
import os
import re
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import click

from aiocells._cli.streams import is_reader_gone
from aiocells._keeping.refusing import NothingToKeep, UnsafeFolder
from aiocells._outcome.failures import failures
from aiocells.errors import GraphException, MissingInput

_PACKAGE = os.path.join(Path(__file__).resolve().parents[1], "")
_DEMOS = os.path.join(_PACKAGE, "demos", "")
_STANDARD_LIBRARY = os.path.dirname(os.path.realpath(os.__file__)) + os.sep
_INSTALLED = {"site-packages", "dist-packages"}

# Where a line is in the source, and the source below.
_LINE_IN_TEXT = re.compile(r'  File "(?P<file>.+)", line \d+, in .*\n(?:    .*\n)*')


class CommandError(click.ClickException):
    """An error of the command line itself: a message, and exit code 1."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message; click itself would not ask what the stream can show."""
        super().show(file or sys.stderr)


@contextlib.contextmanager
def reporting(full: bool) -> Iterator[None]:
    """Tell of an exception that leaves the block, and exit with code 1.

    What was refused before a cell ran is told in a sentence. What the user's code
    raised is told by a traceback with the lines of that code.

    Args:
        full: whether to show whole tracebacks in any case.
    """
    try:
        yield
    except (CommandError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        if isinstance(error, BrokenPipeError) and is_reader_gone():
            raise SystemExit(1) from None  # as for what is printed after the cells
        if not full:
            _keep_user_lines_of_processes(error)
        shown = traceback.TracebackException.from_exception(error, compact=True)
        if not full:
            has_user_lines = _keep_user_lines(shown)
            refused = isinstance(error, _REFUSALS) and not failures(error)
            if refused and not has_user_lines:
                raise CommandError(_sentence(error)) from None
        click.echo("".join(shown.format()), file=sys.stderr, nl=False)
        raise SystemExit(1) from None


_REFUSALS = (GraphException, NothingToKeep, UnsafeFolder)

# What a program would do about a refusal, and what can be done with the command.
_ADVICE = [
    (r"^inputs: ", "--set: "),
    (
        r"(It is a cell, .*?): replace its value with overrides=",
        r"\1, and so is computed",
    ),
    (
        r"compute_sequential cannot await\..*",
        "the computer sequential cannot await. Choose another one with --computer.",
    ),
    (
        r"Give it as limits=.*",
        "The command sets no limits; --computer async-sequential needs none, since it "
        "runs one cell at a time.",
    ),
    (
        r"Give it as executors=.*",
        "The command has 'thread' and 'process' only; --computer sequential needs "
        "none.",
    ),
    (r", or give Cache\(\.\.\., everything=True\)", ""),
    (r"Give the cell itself\.", "Give the module that has the one you mean as TARGET."),
]


def _sentence(error: BaseException) -> str:
    text = str(error)
    if not isinstance(error, MissingInput):
        for advice, instead in _ADVICE:
            text = re.sub(advice, instead, text)
        return text
    text, *example = re.split(r" Give (?:it|them) as ", text)
    names = [
        name for name in error.missing if example and f"{name!r}: ..." in example[0]
    ]
    if not names:  # they are functions, to be marked
        return text
    options = " ".join(f"--set {name}=VALUE" for name in names)
    return f"{text} Give {'them' if len(names) > 1 else 'it'} with {options}."


def _keep_user_lines(shown: traceback.TracebackException) -> bool:
    """Take the lines of libraries out; tell whether the outermost has any left.

    A user's own package may be installed as a library is, so that where nothing else
    is left, such lines count.
    """
    chain = list(_chain(shown))
    wanted = {"user"}
    if not any(
        _origin(line.filename) == "user" for each in chain for line in each.stack
    ):
        wanted = {"installed"}
    for each in chain:
        lines = [line for line in each.stack if _origin(line.filename) in wanted]
        each.stack = traceback.StackSummary.from_list(lines)
    found = bool(shown.stack)
    for each in chain:
        if not each.stack:
            each.stack = None  # type: ignore[assignment]  # else it gets a heading
    return found


def _keep_user_lines_of_processes(error: BaseException) -> None:
    """The same for the traceback in another process, which comes as text."""
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        text = getattr(each, "tb", None)
        if type(each).__name__ == "_RemoteTraceback" and isinstance(text, str):
            each.tb = _LINE_IN_TEXT.sub(_if_of_user, text)  # type: ignore[attr-defined]
        each = each.__cause__


def _if_of_user(line: re.Match[str]) -> str:
    return line[0] if _origin(line["file"]) == "user" else ""


def _chain(
    shown: traceback.TracebackException,
) -> Iterator[traceback.TracebackException]:
    """An exception, its causes and contexts, and those of a group."""
    waiting = [shown]
    while waiting:
        each = waiting.pop()
        yield each
        waiting.extend(filter(None, (each.__cause__, each.__context__)))
        waiting.extend(each.exceptions or ())


def _origin(filename: str) -> str:
    """Whose code is in a file: "user", "installed", or "machinery"."""
    path = os.path.realpath(filename)
    if filename.startswith("<frozen ") or (
        path.startswith(_PACKAGE) and not path.startswith(_DEMOS)
    ):
        return "machinery"
    if _INSTALLED.intersection(Path(path).parts):
        return "installed"
    return "machinery" if path.startswith(_STANDARD_LIBRARY) else "user"
