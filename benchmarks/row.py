"""One line of the table: what was measured, and what it should be."""

import sys

import attrs

from benchmarks.measure import Comparison

OK, MISSED, UNKNOWN = VERDICTS = ("ok", "missed", "not measured yet")


@attrs.frozen
class Row:
    """A workload, measured.

    Attributes:
        group: the row of the issue's table that it belongs to; `--only` takes it.
        workload: which workload, in a few words.
        unit: of `floor` and `ours`.
        ours: what aiocells took; None for a row that was not measured yet.
        floor: what the code written by hand took, where there is one.
        ratio: of the two; the median of many pairs, not the ratio of medians.
        low: the first quartile of those ratios.
        high: their third quartile.
        target: the ratio must not be above it; where there is none, `ours` must not.
        note: what is needed to understand the figures.
    """

    group: str
    workload: str
    unit: str
    ours: float | None
    floor: float | None = None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    target: float | None = None
    note: str = ""

    @property
    def measured(self) -> float | None:
        """What is held against the target."""
        return self.ours if self.ratio is None else self.ratio

    @property
    def verdict(self) -> str:
        """Whether the target is met; empty where there is none."""
        measured = self.measured
        if measured is None:
            return UNKNOWN
        if self.target is None:
            return ""
        if self.ratio is not None:
            measured = round(measured, 2)
        return OK if measured <= self.target else MISSED


def at_most(target: float, newer: float | None = None) -> float:
    """The target for this Python.

    Args:
        target: for Python 3.11, and for all where there is no other.
        newer: for Python 3.12 and newer ones.
    """
    is_newer = sys.version_info >= (3, 12)
    return newer if is_newer and newer is not None else target


def compared(
    group: str,
    workload: str,
    found: Comparison,
    *,
    count: int | None = None,
    target: float | None = None,
    note: str = "",
) -> Row:
    """The row of a comparison, in microseconds.

    Args:
        group: as of the row.
        workload: as of the row.
        found: what was measured.
        count: the cells of a run, for figures a cell; without it they are of a run.
        target: as of the row.
        note: as of the row.
    """
    scale = 1e6 / (count or 1)
    return Row(
        group=group,
        workload=workload,
        unit="us/cell" if count else "us/run",
        ours=found.ours * scale,
        floor=found.floor * scale,
        ratio=found.ratio,
        low=found.low,
        high=found.high,
        target=target,
        note=note,
    )
