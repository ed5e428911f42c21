"""What a cluster cannot do, said before anything runs."""

from collections.abc import Mapping, Sequence
from typing import Any

import cloudpickle  # type: ignore[import-untyped]
from distributed import Client

from aiocells._cluster.functions import sendable
from aiocells._outcome.exceptions import text_of
from aiocells._planning.plan import Plan
from aiocells._planning.program import Program
from aiocells.errors import UnsupportedCell


def check_client(client: Any) -> None:
    """Refuse what is no client that a plain function can use.

    Raises:
        TypeError: it is none.
        ValueError: it is not connected.
    """
    if not isinstance(client, Client):
        msg = f"client= takes a distributed.Client, not {client!r}."
        raise TypeError(msg)
    if client.asynchronous:
        msg = (
            "client= is an asynchronous one, which a plain function cannot wait for. "
            "Give one that is not, and from a coroutine say "
            "await asyncio.to_thread(compute_dask, ...)."
        )
        raise TypeError(msg)
    if client.status in ("closing", "closed"):
        msg = f"client= is {client.status}: it has no cluster."
        raise ValueError(msg)


def refuse_what_cannot_run(plan: Plan, client: Client) -> None:
    """Refuse cells that need what only one process has, or what no worker has.

    Raises:
        UnsupportedCell: there is such a cell.
    """
    program = plan.program
    if plan.asks:
        number = next(each for each in plan.cells if each in program.asks)
        msg = (
            f"{program.described(number)} asks for other cells while it runs, with "
            "Lazy, which a cluster cannot answer. Have it depend on them; or give its "
            "value with overrides=."
        )
        raise UnsupportedCell(msg, cell=program.nodes[number])
    limited = [each for each in plan.order if program.options[each].limit]
    if limited:
        workers = client.scheduler_info(n_workers=-1)["workers"].values()
        known = [each.get("resources") or {} for each in workers]
        for number in limited:
            _refuse_limit(program, number, known)


def refuse_what_cannot_be_sent(plan: Plan, cause: Exception) -> None:
    """Name the cell for which a graph could not be sent, if it was for one.

    Raises:
        UnsupportedCell: there is such a cell.
    """
    program = plan.program
    for number in plan.order:
        try:
            cloudpickle.dumps(sendable(program.functions[number]))
        except Exception as error:
            msg = (
                f"{program.described(number)} cannot be sent to a cluster: "
                f"{text_of(error)}"
            )
            raise UnsupportedCell(msg, cell=program.nodes[number]) from cause


def _refuse_limit(
    program: Program, number: int, known: Sequence[Mapping[str, float]]
) -> None:
    """Refuse a limit for which no worker has a resource: Dask would wait for ever."""
    limits = program.options[number].limits
    if any(all(each.get(name, 0) >= 1 for name in limits) for each in known):
        return
    limit = program.options[number].limit
    missing = next(
        (n for n in limits if all(each.get(n, 0) < 1 for each in known)), None
    )
    what = "that resource" if isinstance(limit, str) else "these resources together"
    names = limits if missing is None else (missing,)
    example = " ".join(f"{name}=..." for name in names)
    msg = (
        f"{program.described(number)} has limit={limit!r}, but no worker of the "
        f'cluster has {what}. Start workers with --resources "{example}".'
    )
    raise UnsupportedCell(msg, cell=program.nodes[number])
