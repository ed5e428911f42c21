"""What the Tab key completes: files, the cells of one, and its inputs."""

import os
import re
from collections.abc import Iterable
from typing import Any

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    split_arg_string,
)

from aiocells._cli.streams import silence
from aiocells._cli.target import load, split

# What bash takes for words of their own, while a command sees one word.
_BREAK = re.compile("[:=]+")


def complete_target(
    ctx: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """A file, or after a colon the cells of the file or module before it."""
    where, names = split(incomplete)
    if names is None:
        return [CompletionItem(incomplete, type="file")]
    *before, last = names.split(",")
    # A resource can be drawn, but is no target.
    found = _names(where, resources=ctx.info_name == "draw")
    return [
        CompletionItem(f"{where}:{','.join([*before, name])}")
        for name in found
        if name.startswith(last) and name not in before
    ]


def complete_input(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The name of an input that the cells to be computed want, once."""
    if "=" in incomplete:
        return []
    # While an option lacks its value, click leaves arguments where they are.
    target = ctx.params.get("target") or next(iter(ctx.args), "")
    given = ctx.params.get(param.name or "") or {}
    return [
        CompletionItem(f"{name}=")
        for name in _inputs(target)
        if name.startswith(incomplete) and name not in given
    ]


def _names(where: str, resources: bool) -> Iterable[str]:
    try:
        with silence():
            return load(where).names(resources=resources)
    except (Exception, SystemExit):  # to complete nothing is better than to complain
        return ()


def _inputs(target: str) -> Iterable[str]:
    try:
        with silence():
            return load(target).wanted()
    except (Exception, SystemExit):
        return ()


class _WholeWords(ShellComplete):
    """Completes words like --set=ci whole, of which click gives what follows only."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """What the word may become."""
        items = super().get_completions(args, incomplete)
        option, equals, _ = incomplete.partition("=")
        if equals and option.startswith("-"):
            for item in items:
                item.value = f"{option}={item.value}"
        return items


# After "city=" the value is to follow, and not the space that shells add to a word.


@add_completion_class
class Bash(_WholeWords, BashComplete):
    """Completion in bash, which takes a colon and an equals sign for words.

    It replaces the part of a word after them only, and so gets no other.
    """

    source_template = BashComplete.source_template.replace(
        "COMPREPLY+=($value)",
        "COMPREPLY+=($value)\n            [[ $value == *= ]] && compopt -o nospace",
    )

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._before = ""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one that is completed, and that word."""
        parts = split_arg_string(os.environ["COMP_WORDS"])
        current = int(os.environ["COMP_CWORD"])
        words: list[str] = []
        is_open = False
        # Where the line ends in a space, the word that is completed is not among them.
        for part in [*parts, ""][: current + 1]:
            is_break = _BREAK.fullmatch(part) is not None
            if words and (is_open or is_break):
                self._before = words[-1] + part * is_break
                words[-1] += part
            else:
                self._before = ""
                words.append(part)
            is_open = is_break
        return words[1:-1], words[-1]

    def format_completion(self, item: CompletionItem) -> str:
        """A line for the script: what bash is to put in the place of its own word."""
        item.value = item.value.removeprefix(self._before)
        return super().format_completion(item)


@add_completion_class
class Zsh(_WholeWords, ZshComplete):
    """Completion in zsh."""

    source_template = ZshComplete.source_template.replace(
        "compadd -U -V unsorted -a completions",
        "compadd -U -S '' -V unsorted -- ${(M)completions:#*=}\n"
        "        compadd -U -V unsorted -- ${completions:#*=}",
    )


@add_completion_class
class Fish(_WholeWords, FishComplete):
    """Completion in fish, which adds no space after an equals sign."""
