"""The charts that the documentation shows."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.results import Results
from benchmarks.row import Row
from benchmarks.table import figure as in_figures

# Colours that people who see colours differently can tell apart (Okabe and Ito).
BLUE, ORANGE, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#777777"
COLOURS = (BLUE, ORANGE, GREEN)
SETTINGS: dict[Any, Any] = {
    "font.size": 11,
    "font.family": "DejaVu Sans",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "savefig.facecolor": "white",
    "svg.hashsalt": "aiocells",
}


def draw(results: dict[str, Results], folder: Path) -> None:
    """Draw all charts.

    Args:
        results: by Python version.
        folder: where they go.
    """
    import matplotlib

    matplotlib.use("svg")
    folder.mkdir(parents=True, exist_ok=True)
    with matplotlib.rc_context(SETTINGS):
        _save(_targets(results), folder / "targets.svg")
        for kinds, name in ((PAGES, "page.svg"), (LAYERED, "peers.svg")):
            for each in results.values():
                if any(entry.kind in kinds for entry in each.entries):
                    _save(_peers(each, kinds), folder / name)
                    break
        for each in results.values():
            if each.growth:
                _save(_growth(each), folder / "growth.svg")
                break


def named(results: Iterable[Results]) -> str:
    """The machine and the versions, as a caption."""
    results = list(results)
    first = results[0].machine
    pythons = ", ".join(each.machine["python"] for each in results)
    return (
        f"aiocells {first['aiocells']}, {first['implementation']} {pythons}, "
        f"{first['cpu']}, {first['cores']} cores, {first['date']}"
    )


def _save(figure: Any, path: Path) -> None:
    # Without the date, so that the same results give the same file.
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})


def _caption(figure: Any, results: Iterable[Results]) -> None:
    # Below the figure; saving makes room for it.
    figure.text(0.01, -0.01, named(results), fontsize=9, color=GREY, va="top")


def _plain_ticks(axis: Any) -> None:
    """Numbers such as 100 and 0.1 on a logarithmic axis, in place of powers."""
    axis.set_major_formatter(lambda value, _: f"{value:,.9g}")


def _targets(results: dict[str, Results]) -> Any:
    """Each ratio beside its target, for each version."""
    from matplotlib import pyplot

    labels = list(
        dict.fromkeys(
            label for each in results.values() for label in _judged_rows(each)
        )
    )
    figure, axes = pyplot.subplots(
        figsize=(10, 0.3 * len(labels) + 1.5), layout="constrained"
    )
    for (version, each), colour in zip(results.items(), COLOURS, strict=False):
        judged = _judged_rows(each)
        places = [place for place, label in enumerate(labels) if label in judged]
        rows = [judged[labels[place]] for place in places]
        axes.hlines(
            places,
            [row.low or 0 for row in rows],
            [row.high or 0 for row in rows],
            color=colour,
            linewidth=5,
            alpha=0.3,
        )
        axes.plot(
            [row.measured for row in rows],
            places,
            "o",
            color=colour,
            label=f"measured, Python {version}",
        )
        axes.plot(
            [row.target for row in rows],
            places,
            "|",
            color=colour,
            markersize=15,
            markeredgewidth=2,
            label=f"target, Python {version}",
        )
    axes.axvline(1, color=GREY, linewidth=1)
    axes.set_xscale("log")
    axes.set_xticks([0.1, 0.2, 0.5, 1, 2])
    axes.minorticks_off()
    _plain_ticks(axes.xaxis)
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_xlabel("time or memory, as a multiple of the code written by hand")
    figure.legend(loc="outside upper left", ncols=2 * len(results), frameon=False)
    _caption(figure, results.values())
    return figure


def _judged_rows(results: Results) -> dict[str, Row]:
    """The rows with a ratio and a target, by their label."""
    return {
        f"{row.group}: {row.workload}": row
        for row in results.rows
        if row.ratio is not None and row.target is not None
    }


# What the panels of the two charts of other libraries show.
PAGES = {
    "page, sleep(0)": "each question awaits sleep(0)",
    "page, never suspending": "each answer is there at once",
}
LAYERED = {
    "sequential": "plain cells, in order",
    "concurrent": "async cells, each awaits sleep(0)",
}


def _peers(results: Results, kinds: dict[str, str]) -> Any:
    """How much each contestant takes, as a multiple of the code written by hand."""
    from matplotlib import pyplot

    counts = [sum(each.kind == kind for each in results.entries) for kind in kinds]
    figure, panels = pyplot.subplots(
        2,
        1,
        figsize=(8, 0.42 * sum(counts) + 2.2),
        height_ratios=counts,
        layout="constrained",
    )
    for axes, (kind, title) in zip(panels, kinds.items(), strict=True):
        entries = [each for each in results.entries if each.kind == kind]
        names = [
            each.name
            if each.name.endswith(each.version)
            else f"{each.name} ({each.version})"
            for each in entries
        ]
        ratios = [each.ratio or 1 for each in entries]
        colours = [_colour_of(each.name) for each in entries]
        # From 1 on: the length is what it takes beyond the code written by hand.
        lengths = [ratio - 1 for ratio in ratios]
        axes.barh(range(len(entries)), lengths, color=colours, left=1)
        axes.axvline(1, color=GREY, linewidth=1)
        for place, each in enumerate(entries):
            said = (
                f" failed: {each.error}"[:60]
                if each.ratio is None
                else f" {each.ratio:.3g}x,  {in_figures(each.us)} us"
            )
            axes.text(max(1, ratios[place]), place, said, va="center", fontsize=10)
        axes.set_xscale("log")
        axes.set_yticks(range(len(entries)), names)
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
        axes.set_title(title, loc="left", fontsize=11)
        axes.set_xlim(min(0.3, 0.7 * min(ratios)), max(ratios) * 10)
        _plain_ticks(axes.xaxis)
    what = "for the page" if kinds is PAGES else "a cell"
    panels[-1].set_xlabel(f"time {what}, as a multiple of the code written by hand")
    _caption(figure, [results])
    return figure


def _colour_of(name: str) -> str:
    if name == "aiocells" or name.startswith("aiocells,"):
        return BLUE
    return ORANGE if name == "aiocells 1.0.4" else GREY


# The lines of the chart of growth: what it is, its label, colour and style.
LINES = (
    ("building", "building", GREEN, "o-"),
    ("concurrent", "run, concurrent", BLUE, "o-"),
    ("TaskGroup", "run, hand-written TaskGroup", GREY, "o-"),
    ("sequential", "run, sequential", ORANGE, "o-"),
)


def _growth(results: Results) -> Any:
    """What a cell takes, in graphs of any size."""
    from matplotlib import pyplot

    figure, (times, sizes) = pyplot.subplots(
        1, 2, figsize=(11, 5), layout="constrained"
    )
    for what, label, colour, style in LINES:
        _line(times, results, f"{what} us", style, color=colour, label=label)
        _line(
            times,
            results,
            f"{what} us, no collector",
            "--",
            color=colour,
            label="the same, garbage collector off" if what == "building" else None,
        )
        _line(sizes, results, f"{what} bytes", style, color=colour, label=label)
    for axes, unit in ((times, "microseconds a cell"), (sizes, "bytes a cell")):
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("cells in the graph")
        axes.set_title(unit, loc="left", fontsize=11)
        axes.set_ylim(bottom=0.05 if axes is times else 10)
        _plain_ticks(axes.xaxis)
        _plain_ticks(axes.yaxis)
    figure.legend(
        *times.get_legend_handles_labels(),
        loc="outside upper left",
        ncols=3,
        frameon=False,
    )
    _caption(figure, [results])
    return figure


def _line(axes: Any, results: Results, key: str, style: str, **options: Any) -> None:
    points = [(each["cells"], each[key]) for each in results.growth if key in each]
    if points:
        axes.plot(*zip(*points, strict=True), style, **options)
