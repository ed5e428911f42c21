"""What arrays and tables of other libraries hold. None of these is imported."""

import datetime
from typing import Any

# What pandas has for a value that is not there.
_MISSING = ("NAType", "NaTType")
# What it has for moments and times is of these as well.
_KNOWN = (datetime.date, datetime.timedelta)
# Of numpy and what is like it, array, polars, pyarrow.
_LISTING = ("tolist", "to_dicts", "to_list", "to_pylist")


def contents_of(value: Any) -> Any:
    """The whole contents of an array or table, in terms of Python.

    Args:
        value: anything.

    Returns:
        A list, of mappings for tables; a mapping for a series whose index tells
        something; a scalar for an array of one; text for an interval or the like.
        For anything else, the value itself.
    """
    kind = type(value)
    if kind.__name__ in _MISSING and _library(value) == "pandas":
        return None
    if hasattr(kind, "iloc"):  # of pandas and what is like it
        return _records(value) if hasattr(kind, "columns") else _labelled(value)
    if _library(value) == "numpy" and hasattr(kind, "dtype"):
        return _of_numpy(value)
    for name in _LISTING:
        if callable(getattr(kind, name, None)):
            return getattr(value, name)()
    if _library(value) == "pandas" and not isinstance(value, _KNOWN):
        return str(value)
    return value


def _library(value: Any) -> str:
    return type(value).__module__.partition(".")[0]


def _of_numpy(array: Any) -> Any:
    names, kind = array.dtype.names, array.dtype.kind
    if names:
        if array.ndim:
            return list(array)
        return {name: array[name] for name in names}
    if kind == "M":  # a list would have numbers where they are of nanoseconds
        return _without_missing(array.astype(str).tolist())
    if kind == "m":
        return array.astype("timedelta64[us]").tolist()
    return array.tolist()


def _without_missing(times: Any) -> Any:
    if isinstance(times, list):
        return [_without_missing(each) for each in times]
    return None if times == "NaT" else times


def _records(frame: Any) -> list[Any]:
    """The rows of a table, each a mapping, or pairs where columns share a name."""
    names, columns = _index_columns(frame.index)
    names += frame.columns.tolist()
    columns += [frame.iloc[:, number].tolist() for number in range(frame.shape[1])]
    rows = zip(*columns, strict=True) if columns else [()] * len(frame)
    return [_mapping(names, row) for row in rows]


def _labelled(series: Any) -> Any:
    """The values of a series; where its index tells something, by label."""
    values = series.tolist()
    return _mapping(series.index.tolist(), values) if _tells(series.index) else values


def _index_columns(index: Any) -> tuple[list[Any], list[Any]]:
    """The index of a table as columns, with their names."""
    if not _tells(index):
        return [], []
    levels = range(index.nlevels)
    other = "index" if index.nlevels == 1 else "level_{}"
    names = [
        other.format(level) if name is None else name
        for level, name in zip(levels, index.names, strict=True)
    ]
    return names, [index.get_level_values(level).tolist() for level in levels]


def _tells(index: Any) -> bool:
    """Whether an index is more than the numbers of rows, perhaps of some left out."""
    return bool(
        index.nlevels > 1 or index.name is not None or index.dtype.kind not in "iu"
    )


def _mapping(names: list[Any], values: Any) -> Any:
    pairs = list(zip(names, values, strict=True))
    mapping = dict(pairs)
    return mapping if len(mapping) == len(pairs) else pairs
