"""The command `aiocells`."""

import importlib.util
import sys

_NEEDED = ("click", "pydantic", "rich")


def main() -> None:
    """Run the command line, or say what it needs where that is not installed."""
    for name in _NEEDED:
        if importlib.util.find_spec(name) is None:
            sys.exit(f"The command aiocells needs {name}: pip install 'aiocells[cli]'")
    from aiocells._cli.commands import commands

    commands()
