"""The standard streams, which may lack a character, be closed, or break."""

import codecs
import contextlib
import errno
import io
import os
import select
import sys
from collections.abc import Iterator
from typing import Any

import click

# How a stream deals with what its encoding lacks, where that may raise.
_RAISING = {"strict", "surrogateescape", "surrogatepass"}
_SPELLING = "aiocells"
_LOOKALIKES = {"…": "...", "─": "-", "╌": ".", "│": "|", "├": "+", "└": "`"}


def _spelled_out(error: UnicodeError) -> tuple[str | bytes, int]:
    """What to write for characters that an encoding lacks: a likeness, or its code."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    characters = error.object[error.start : error.end]
    shown = "".join(
        _LOOKALIKES.get(each) or each.encode("ascii", "backslashreplace").decode()
        for each in characters
    )
    return shown, error.end


codecs.register_error(_SPELLING, _spelled_out)


@contextlib.contextmanager
def steady_streams() -> Iterator[None]:
    """Have what is written in the block end well, whatever the streams are.

    A character that a stream cannot show is spelled out. What goes to a stream that is
    closed goes nowhere. One that breaks ends the block with an exit code, and without
    a word where its reader has just gone.
    """
    _open_closed()
    with _spelling_out(sys.stdout), _spelling_out(sys.stderr):
        try:
            try:
                yield
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
        # What a cell raises is told elsewhere: this is from writing.
        except OSError as error:
            if error.errno != errno.EPIPE:
                with contextlib.suppress(OSError):
                    click.echo(
                        f"Error: cannot write: {error.strerror}.", file=sys.stderr
                    )
            _let_go(sys.stdout)
            _let_go(sys.stderr)
            raise SystemExit(_code(error.__context__)) from None


def _open_closed() -> None:
    """Open in the place of a closed stream one that nobody reads.

    The number of a closed one would be given to the next file that is opened, and what
    is printed would be written there.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            try:
                os.fstat(number)
            except OSError:
                os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
            nowhere = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(nowhere, "w" if number else "r"))


@contextlib.contextmanager
def _spelling_out(stream: Any) -> Iterator[None]:
    if not isinstance(stream, io.TextIOWrapper) or stream.errors not in _RAISING:
        yield
        return
    errors = stream.errors
    stream.reconfigure(errors=_SPELLING)
    try:
        yield
    finally:
        with contextlib.suppress(OSError, ValueError):  # it is broken, or closed
            stream.reconfigure(errors=errors)


def _let_go(stream: Any) -> None:
    """Have Python not complain at its end of what could not be written."""
    try:
        stream.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _code(before: BaseException | None) -> int:
    """The exit code that was on its way when writing failed; at least 1."""
    code = before.code if isinstance(before, SystemExit) else None
    return code if isinstance(code, int) and code else 1


def is_reader_gone() -> bool:
    """Whether nobody reads standard output any more, where the system can tell."""
    if not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(1, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


@contextlib.contextmanager
def stdout_for_data() -> Iterator[None]:
    """Send what is printed in the block, by subprocesses too, to standard error."""
    stdout = sys.stdout
    stdout.flush()
    with _sent(1, 2):
        try:
            with contextlib.redirect_stdout(sys.stderr):
                yield
        finally:
            stdout.flush()  # someone may have kept hold of it


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Send what is printed in the block, by subprocesses too, nowhere."""
    with (
        open(os.devnull, "w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
        _sent(1, nowhere.fileno()),
        _sent(2, nowhere.fileno()),
    ):
        yield


@contextlib.contextmanager
def _sent(number: int, to: int) -> Iterator[None]:
    """Have what is written to one file go to another in the block."""
    kept = os.dup(number)
    os.dup2(to, number)
    try:
        yield
    finally:
        os.dup2(kept, number)
        os.close(kept)
