"""One line of the table: what was measured, and what it should be."""

import attrs

from benchmarks.measure import Comparison


@attrs.frozen
class Row:
    """A workload, measured.

    Attributes:
        group: the row of the issue's table that it belongs to; `--only` takes it.
        workload: which workload, in a few words.
        unit: of `floor` and `ours`.
        ours: what aiocells took.
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
    ours: float
    floor: float | None = None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    target: float | None = None
    note: str = ""

    @property
    def measured(self) -> float:
        """What is held against the target."""
        return self.ours if self.ratio is None else self.ratio

    @property
    def verdict(self) -> str:
        """Whether the target is met; empty where there is none."""
        if self.target is None:
            return ""
        measured = self.ours if self.ratio is None else round(self.ratio, 2)
        return "ok" if measured <= self.target else "missed"


def compared(
    group: str,
    workload: str,
    found: Comparison,
    *,
    count: int,
    target: float | None = None,
    note: str = "",
) -> Row:
    """The row of a comparison, in microseconds for each of `count` cells."""
    scale = 1e6 / count
    return Row(
        group=group,
        workload=workload,
        unit="us/cell",
        ours=found.ours * scale,
        floor=found.floor * scale,
        ratio=found.ratio,
        low=found.low,
        high=found.high,
        target=target,
        note=note,
    )


class Differs(Exception):
    """Two contestants do not compute the same values."""


def check_same(what: str, floor: object, ours: object) -> None:
    """Refuse to measure what does not compute the same.

    Raises:
        Differs: the values differ.
    """
    if floor != ours:
        msg = f"{what}: the values differ, so that comparing the times means nothing."
        raise Differs(msg)
