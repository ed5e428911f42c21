"""Digests of arrays and tables: numpy, pandas, polars, Arrow.

What is equal need not lie in memory alike: a view, a slice, the blocks of a frame. Each
is fed as if it lay in one piece. The libraries are those that the value comes from.
"""

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module as _import
from typing import Any

from aiocells._fingerprints.feeding import Feeding

Feed = Callable[[Feeding, Any], None]


def feeds_of(library: str) -> Mapping[type, Feed]:
    """How the types of a library are fed."""
    known = _known.get(library)
    if known is None:
        known = _known[library] = _MAKERS[library]()
    return known


# numpy


def _numpy() -> dict[type, Feed]:
    return {sys.modules["numpy"].ndarray: _array}


def _array(feeding: Feeding, array: Any) -> None:
    described = array.dtype.descr if array.dtype.names else array.dtype.str
    is_fortran = array.flags.f_contiguous and not array.flags.c_contiguous
    feeding.tell("array", f"{described} {array.shape} {is_fortran}")
    if array.dtype.hasobject:
        feeding.feed(array.ravel(order="K" if is_fortran else "C").tolist())
        return
    if array.nbytes:
        np: Any = sys.modules["numpy"]
        flat = (array.T if is_fortran else np.ascontiguousarray(array)).reshape(-1)
        feeding.update(flat.view(np.uint8))


# pandas


def _pandas() -> dict[type, Feed]:
    pandas = sys.modules["pandas"]
    indexes = ["Index", "DatetimeIndex", "TimedeltaIndex", "PeriodIndex"]
    indexes += ["CategoricalIndex", "IntervalIndex"]
    return {
        pandas.DataFrame: _frame,
        pandas.Series: _series,
        pandas.RangeIndex: _range_index,
        pandas.MultiIndex: _multi_index,
        **{getattr(pandas, name): _index for name in indexes},
    }


def _frame(feeding: Feeding, frame: Any) -> None:
    feeding.tell("frame", f"{frame.shape}")
    feeding.feed(frame.index)
    feeding.feed(frame.columns)
    for at in range(frame.shape[1]):
        _column(feeding, frame.iloc[:, at].array)
    feeding.feed(frame.attrs)


def _series(feeding: Feeding, series: Any) -> None:
    feeding.tell("series")
    feeding.feed(series.name)
    feeding.feed(series.index)
    _column(feeding, series.array)
    feeding.feed(series.attrs)


def _range_index(feeding: Feeding, index: Any) -> None:
    feeding.tell("range index")
    feeding.feed((index.start, index.stop, index.step, index.name))


def _multi_index(feeding: Feeding, index: Any) -> None:
    feeding.tell("multi index")
    feeding.feed(list(index.names))
    for at in range(index.nlevels):  # the levels may have more than is used
        feeding.feed(index.get_level_values(at))


def _index(feeding: Feeding, index: Any) -> None:
    feeding.tell("index", type(index).__name__)
    feeding.feed(index.name)
    _column(feeding, index.array)


def _column(feeding: Feeding, array: Any) -> None:
    feeding.tell("column", f"{array.dtype!r}")
    arrow = None
    if hasattr(array, "__arrow_array__") and array.dtype != object:
        with contextlib.suppress(ImportError):
            arrow = _import("pyarrow")
    if arrow is None:
        feeding.feed(array.to_numpy())
    else:
        _arrow_column(feeding, arrow.array(array))


# Arrow


def _pyarrow() -> dict[type, Feed]:
    arrow = sys.modules["pyarrow"]
    return {
        arrow.Table: _arrow_table,
        arrow.RecordBatch: lambda feeding, batch: _arrow_table(
            feeding, arrow.Table.from_batches([batch])
        ),
        **dict.fromkeys([arrow.ChunkedArray, *_below(arrow.Array)], _arrow_column),
    }


def _below(kind: Any) -> Iterator[Any]:
    for each in kind.__subclasses__():
        yield each
        yield from _below(each)


def _arrow_column(feeding: Feeding, column: Any) -> None:
    arrow = _import("pyarrow")
    _arrow_table(feeding, arrow.table({"": column}))


def _arrow_table(feeding: Feeding, table: Any) -> None:
    """Chunks and offsets are no part of a value: it is written out as one."""
    ipc = _import("pyarrow.ipc")
    feeding.tell("table")
    table = table.combine_chunks()
    if table.nbytes != table.get_total_buffer_size():
        # What lies beside a slice would be written into the gaps.
        table = table.take(_import("pyarrow").array(range(table.num_rows), "int64"))
    with ipc.new_stream(_Sink(feeding), table.schema) as writer:
        writer.write_table(table)


class _Sink:
    """A file that is a digest."""

    closed = False

    def __init__(self, feeding: Feeding) -> None:
        self._feeding = feeding

    def write(self, data: Any) -> int:
        """Take in bytes."""
        self._feeding.update(data)
        return len(data)

    def flush(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


# polars


def _polars() -> dict[type, Feed]:
    polars = sys.modules["polars"]
    return {polars.DataFrame: _polars_frame, polars.Series: _polars_series}


def _polars_series(feeding: Feeding, series: Any) -> None:
    feeding.tell("polars series")
    _polars_frame(feeding, series.to_frame())


def _polars_frame(feeding: Feeding, frame: Any) -> None:
    feeding.tell("polars frame", f"{frame.shape}")
    frame.rechunk().write_ipc_stream(_Sink(feeding))


_MAKERS: dict[str, Callable[[], dict[type, Feed]]] = {
    "numpy": _numpy,
    "pandas": _pandas,
    "polars": _polars,
    "pyarrow": _pyarrow,
}
LIBRARIES = frozenset(_MAKERS)
_known: dict[str, dict[type, Feed]] = {}
