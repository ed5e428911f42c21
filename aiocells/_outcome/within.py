"""What failed in computations within each other, brought together at the outermost.

A cell may compute a graph. What failed there beside the exception that came out of it
is attached to that exception, which may then be dropped, as a cancellation is, or be
one of several. The computation around it takes it over.
"""

from collections.abc import Iterable

from aiocells._outcome.exceptions import cause_of, members_of
from aiocells._outcome.failures import Failure, failures_told


def failures_within(errors: Iterable[BaseException]) -> list[Failure]:
    """What is attached to exceptions, to what they hold, and to what they came from.

    Returns:
        Each failure once; what came out of a computation is among its own.
    """
    found: dict[int, Failure] = {}
    seen: set[int] = set()
    waiting = list(errors)[::-1]
    while waiting:
        error = waiting.pop()
        if id(error) in seen:
            continue
        seen.add(id(error))
        for failure in failures_told(error):
            found.setdefault(id(failure.error), failure)
        cause = cause_of(error)
        if cause is not None:
            waiting.append(cause)
        waiting += reversed(members_of(error))
    return list(found.values())


def unlike(errors: Iterable[BaseException], failures: list[Failure]) -> list[Failure]:
    """The failures whose exceptions are none of `errors`, each exception once."""
    known = set(map(id, errors))
    found: dict[int, Failure] = {}
    for failure in failures:
        if id(failure.error) not in known:
            found.setdefault(id(failure.error), failure)
    return list(found.values())


def held_by(errors: Iterable[BaseException]) -> set[int]:
    """The identities of exceptions, and of those in them that are groups."""
    held: set[int] = set()
    waiting = list(errors)
    while waiting:
        error = waiting.pop()
        if id(error) not in held:
            held.add(id(error))
            waiting += members_of(error)
    return held
