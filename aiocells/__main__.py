"""`python -m aiocells` is the command `aiocells`."""

from aiocells._cli.main import main

if __name__ == "__main__":
    main()
