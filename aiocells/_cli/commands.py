"""The commands: what each takes, and the order in which it does things."""

import contextlib
import importlib.metadata
import math
import sys
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from aiocells._cli import cache as _cache
from aiocells._cli import demos
from aiocells._cli.completing import complete_input, complete_target
from aiocells._cli.converting import convert
from aiocells._cli.errors import reporting
from aiocells._cli.running import COMPUTERS, compute, tell_fallbacks, tell_whys
from aiocells._cli.settings import Setting, settings
from aiocells._cli.stopping import Signals
from aiocells._cli.streams import stdout_for_data, steady_streams
from aiocells._cli.target import load

Command = TypeVar("Command", bound=Callable[..., Any])


def _seconds(_ctx: click.Context, _param: click.Parameter, given: str) -> float | None:
    """A number of seconds; None for "none", which 0 is too."""
    if given == "none":
        return None
    try:
        seconds = float(given)
    except ValueError:
        seconds = -1
    if not 0 <= seconds < math.inf:
        msg = f"{given!r} is neither a number of seconds nor none."
        raise click.BadParameter(msg)
    return seconds or None


class Commands(click.Group):
    """The group of commands; the demos among them are found when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the order in which help lists them."""
        return [*self.commands, *demos.names()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, if there is one."""
        if cmd_name in self.commands:
            return self.commands[cmd_name]
        return demos.command(cmd_name)

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """List the demos in a section of their own."""
        for title, names in (
            ("Commands", list(self.commands)),
            ("Demos", demos.names()),
        ):
            found = [self.get_command(ctx, name) for name in names]
            rows = [
                (each.name or "", each.get_short_help_str(60)) for each in found if each
            ]
            with formatter.section(title):
                formatter.write_dl(rows)

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command line, whatever the standard streams are."""
        with steady_streams():
            return super().main(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; Ctrl-C ends it without further words."""
        ctx.obj = signals = Signals()
        try:
            with signals.taken():
                return super().invoke(ctx)
        except KeyboardInterrupt:
            raise SystemExit(signals.code) from None


def _print_version(ctx: click.Context, _param: click.Parameter, asked: bool) -> None:
    if asked:
        click.echo(
            f"aiocells {importlib.metadata.version('aiocells')}", file=sys.stdout
        )
        ctx.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
def commands() -> None:
    """Compute a graph of plain Python functions.

    TARGET is a module, or some cells of one: module, module:cell, module:cell,cell,
    path.py or path.py:cell.
    """


commands.add_command(_cache.cache)

_target = click.argument("target", shell_complete=complete_target)
_traceback = click.option(
    "--traceback",
    "full",
    is_flag=True,
    help="Show whole tracebacks, not only the lines of your own code.",
)


@commands.command()
@_target
@click.option(
    "--set",
    "given",
    metavar="NAME=VALUE",
    multiple=True,
    callback=settings,
    shell_complete=complete_input,
    help="The value of an input, as the cells that want it are annotated; else JSON or "
    "text. NAME=@FILE takes the text of a file. May be repeated.",
)
@click.option(
    "--computer",
    type=click.Choice(list(COMPUTERS)),
    default="concurrent",
    show_default=True,
    help="What runs the cells.",
)
@click.option(
    "--watchdog",
    metavar="SECONDS",
    callback=_seconds,
    default="0.05",
    show_default=True,
    help="How long a plain cell may hold up async ones without a word; none for ever.",
)
@click.option(
    "--cache",
    metavar="FOLDER",
    type=click.Path(file_okay=False),
    help="Where the values of cells with @cell(cache=...) are found and kept.",
)
@click.option("--why", is_flag=True, help="Say why each cell ran, beside a cache.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
@_traceback
@click.pass_obj
def run(
    signals: Signals,
    target: str,
    given: Mapping[str, Setting],
    computer: str,
    watchdog: float | None,
    cache: str | None,
    why: bool,
    as_json: bool,
    full: bool,
) -> None:
    """Compute the cells of TARGET and show their values.

    \b
    aiocells run trip.py
    aiocells run trip.py:plan --set city=Oslo --set nights=3
    """
    from aiocells._cli import json, showing
    from aiocells._declaring.showing import SECRET
    from aiocells._outcome.secrets import is_secret
    from aiocells._planning.compiling import plan_of

    if why and cache is None:
        msg = "--why tells of a cache. Give its folder: --cache FOLDER."
        raise click.UsageError(msg)
    with reporting(full), stdout_for_data() if as_json else contextlib.nullcontext():
        loaded = load(target)
        inputs = convert(loaded, given)
        results = compute(loaded, inputs, computer, watchdog, cache, signals)
    tell_fallbacks(loaded, results)
    if why:
        tell_whys(loaded, results)
    program = plan_of(loaded.graph).program
    shown = {
        name: SECRET if is_secret(program, program.find(cell)[0]) else value
        for name, (cell, value) in zip(results.by_name(), results.items(), strict=True)
    }
    if as_json:
        click.echo(json.dumps(shown), file=sys.stdout)
    elif loaded.cells is not None and len(loaded.cells) == 1:
        showing.show_one(*shown.values())
    else:
        showing.show_all(shown)


@commands.command()
@_target
@click.option(
    "--as",
    "style",
    type=click.Choice(["tree", "mermaid", "dot"]),
    default="tree",
    show_default=True,
    help="What to draw it with.",
)
@_traceback
def draw(target: str, style: str, full: bool) -> None:
    """Draw the cells of TARGET and what they need.

    \b
    aiocells draw trip.py:plan
    aiocells draw trip.py --as dot | dot -Tsvg > trip.svg
    """
    from aiocells import drawing

    with reporting(full):
        loaded = load(target)
        picture = drawing.draw(loaded.graph, style, targets=loaded.cells)
    click.echo(picture, file=sys.stdout)
