"""What the platform offers: in a browser, Python has neither threads nor processes."""

import sys

from aiocells._planning.program import Program
from aiocells.errors import UnsupportedCell

_PLURALS = {"thread": "threads", "process": "processes"}


def offers(place: str) -> bool:
    """Whether this platform has a "thread", or a "process", to run a cell in."""
    # Named so where Python is compiled to WebAssembly without threads. A pool of
    # processes needs them as well, to talk to the processes.
    if sys.thread_info.name == "pthread-stubs":
        return False
    if place == "process":
        try:  # what ProcessPoolExecutor needs itself; a phone has threads only
            import multiprocessing.synchronize  # noqa: F401
        except ImportError:
            return False
    return True


def check_offered(program: Program, number: int, place: str) -> None:
    """Refuse a cell that is to run where this platform has no such place.

    Args:
        program: the graph's cells.
        number: the cell.
        place: "thread" or "process".

    Raises:
        UnsupportedCell: the platform has none.
    """
    if offers(place):
        return
    msg = (
        f"{program.described(number)} has run_in={program.options[number].run_in!r}, "
        f"but on this platform ({sys.platform}) Python has no {_PLURALS[place]}. "
        "Leave out run_in=, so that it runs inline, as compute_sequential runs it "
        "anyway; or give its value with overrides=."
    )
    raise UnsupportedCell(msg, cell=program.nodes[number])
