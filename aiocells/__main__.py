"""`python -m aiocells` is the command `aiocells`."""

from aiocells.cli import main

if __name__ == "__main__":
    main()
