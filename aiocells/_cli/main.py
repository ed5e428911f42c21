"""The command `aiocells`."""

import sys


def main() -> None:
    """Run the command line, or say what it needs where that is not installed."""
    try:
        import rich as rich

        from aiocells._cli.commands import commands
    except ModuleNotFoundError as error:
        if error.name not in ("click", "rich"):
            raise
        print(
            f"The command aiocells needs {error.name}: pip install 'aiocells[cli]'",
            file=sys.stderr,
        )
        sys.exit(1)
    commands()
