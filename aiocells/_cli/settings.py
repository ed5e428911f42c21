"""The values that --set gives to inputs, as they are written."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import click

from aiocells._declaring.showing import SECRET, is_secret_name

_STDIN = "-"


@attrs.frozen
class Setting:
    """What was written for an input.

    Attributes:
        text: the value, which for @FILE is what the file holds.
        shown: the value as messages show it.
    """

    text: str
    shown: str

    def guessed(self) -> Any:
        """The value where nothing says what it should be: JSON, or else the text."""
        try:
            return json.loads(self.text, parse_constant=_refuse_constant)
        except ValueError:
            return self.text


def _refuse_constant(constant: str) -> None:
    # Python's JSON has NaN and Infinity. JSON has not: there they are text.
    raise ValueError(constant)


def settings(
    ctx: click.Context, _param: click.Parameter, given: tuple[str, ...]
) -> Mapping[str, Setting]:
    """What was written for each input, given as NAME=VALUE or NAME=@FILE.

    Raises:
        BadParameter: something else was written, or a name comes twice.
    """
    found: dict[str, Setting] = {}
    if ctx.resilient_parsing:  # the Tab key should open no file
        return {each.partition("=")[0]: Setting("", "") for each in given}
    for written in given:
        name, equals, value = written.partition("=")
        if not (name and equals):
            msg = f"{written!r} is not of the form NAME=VALUE."
            raise click.BadParameter(msg)
        if name in found:
            msg = f"{name!r} is given twice. Keep one of the two."
            raise click.BadParameter(msg)
        if value.startswith("@@"):
            found[name] = Setting(value[1:], repr(value[1:]))
        elif value.startswith("@"):
            found[name] = Setting(_read(name, value[1:]), value)
        else:
            found[name] = Setting(value, repr(value))
    return found


def _read(name: str, path: str) -> str:
    """The text of a file, without the newline at its end; of "-", standard input."""
    try:
        data = sys.stdin.buffer.read() if path == _STDIN else Path(path).read_bytes()
        text = data.decode("utf-8-sig")
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text in UTF-8"
        # It may be a text that begins with @, as a password does.
        shown = SECRET if is_secret_name(name) else path
        msg = (
            f"the file {shown!r} cannot be read: {reason}. To give a text that begins "
            f"with @, write '@@{shown}'."
        )
        raise click.BadParameter(msg) from None
    return text.removesuffix("\n").removesuffix("\r")
