"""What cells note, wherever in this process they run.

A cell that is sent by value has no list of the test's; it has this module.
"""

from typing import Any

LOG: list[Any] = []


def note(what: Any) -> int:
    """Note something; gives how many there are."""
    LOG.append(what)
    return len(LOG)


def noted() -> int:
    """How many there are."""
    return len(LOG)
