"""`Cache`: where a caller has the values of cells kept."""

import os
import weakref
from collections.abc import Callable
from typing import Any

from aiocells._declaring.caching import check_ttl
from aiocells._declaring.names import name_of
from aiocells._keeping.store import Store


class Cache:
    """A folder that keeps the values of cells from one computation to the next.

    Given to a computer as `cache=`, it keeps what `@cell(cache=True)` marks. A value is
    found again when the cell, its code and all that this uses, and its arguments are
    the same. A cache is trusted input, as code is: never take one from elsewhere.

    Args:
        folder: where; it is made when it is first used. It must not be one that others
            can write to, nor on a network drive.
        max_bytes: how much is left at the end of a computation, the least recently used
            going first; None for all.
        ttl: for how many seconds a value is found, where `Cached` does not say it.
        everything: whether cells that say nothing of `cache` are kept too, but for
            those that take a resource, and those that return None.

    >>> import tempfile
    >>> from aiocells import Cache, Graph, cell, compute_sequential
    >>> @cell(cache=True)
    ... def total(price: float, count: int) -> float:
    ...     print("computing")
    ...     return price * count
    >>> graph = Graph.from_cells(total)
    >>> folder = tempfile.TemporaryDirectory()
    >>> cache = Cache(f"{folder.name}/cache")
    >>> inputs = {"price": 2.5, "count": 2}
    >>> compute_sequential(graph, inputs=inputs, cache=cache)[total]
    computing
    5.0
    >>> results = compute_sequential(graph, inputs=inputs, cache=cache)
    >>> results[total], results.cached == {total}
    (5.0, True)
    >>> cache.clear()
    1
    >>> folder.cleanup()
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        max_bytes: int | None = 10 * 2**30,
        ttl: float | None = None,
        everything: bool = False,
    ) -> None:
        check_ttl(ttl)
        if max_bytes is not None and not (
            isinstance(max_bytes, int) and not isinstance(max_bytes, bool)
        ):
            msg = f"max_bytes={max_bytes!r}: expected a number of bytes, or None."
            raise TypeError(msg)
        self.folder = os.path.abspath(os.fspath(folder))
        self.max_bytes = max_bytes
        self.ttl = ttl
        self.everything = everything
        self._store = Store(self.folder, max_bytes, ttl)
        weakref.finalize(self, self._store.close)

    def __repr__(self) -> str:
        return f"Cache({self.folder!r})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return _made, (self.folder, self.max_bytes, self.ttl, self.everything)

    def ls(self) -> list[dict[str, Any]]:
        """What is kept: for each cell a dict of cell, entries, bytes and last used.

        The last is in seconds since the epoch, as `time.time` has it.
        """
        found: dict[str, dict[str, Any]] = {}
        for _, cell, size, used in self._rows():
            told = found.setdefault(
                cell, {"cell": cell, "entries": 0, "bytes": 0, "last used": used}
            )
            told["entries"] += 1
            told["bytes"] += size
            told["last used"] = max(told["last used"], used)
        return [found[cell] for cell in sorted(found)]

    def clear(self, *cells: Any) -> int:
        """Remove what is kept.

        Args:
            cells: of these cells only, each a cell or a name, as "trip.plan" or
                "plan"; of all cells where none is given.

        Returns:
            How many values were removed.
        """
        names = {each if isinstance(each, str) else label_of(each) for each in cells}
        return self._store.remove(
            key
            for key, cell, *_ in self._rows()
            if not cells or cell in names or cell.rpartition(".")[2] in names
        )

    def _rows(self) -> list[tuple[bytes, str, int, float]]:
        # What a disk refused the last computation it may give now.
        self._store.is_broken = False
        return self._store.rows()


def _made(folder: str, max_bytes: int | None, ttl: float | None, all_: bool) -> Cache:
    return Cache(folder, max_bytes=max_bytes, ttl=ttl, everything=all_)


def store_of(cache: Cache) -> Store:
    """Where the values of a cache are; ready for a computation.

    Raises:
        PermissionError: others can write to its folder.
    """
    cache._store.begin()
    return cache._store


def newest_in(cache: Cache, cell: str, before: float) -> str | None:
    """What the newest key of a cell was made of, of those from before a time."""
    return cache._store.newest(cell, before)


def label_of(function: Any, name: str | None = None) -> str:
    """A cell as a cache calls it: "trip.plan".

    Args:
        function: what was written for it.
        name: its name in the graph, where that is known.
    """
    module = getattr(function, "__module__", None)
    qualified = getattr(function, "__qualname__", None)
    if not isinstance(qualified, str) or qualified.rpartition(".")[2] == "<lambda>":
        qualified = name_of(function) if name is None else name
    return f"{module}.{qualified}" if isinstance(module, str) else qualified
