"""The pictures of ``docs/performance/``: one for each goal, from ``results.json`` alone.

``python -m bench.plots RESULTS FOLDER``, in the environment of the peers, which has matplotlib. The same
results give the same bytes. A picture brings both its colours: for readers in the light, and in the dark.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.ticker import FuncFormatter

from bench.record import read_record
from bench.results import Figure, Outcome, Series

mpl.use("svg")

INK, PAPER, GRID = "#1f2328", "#ffffff", "#d1d9e0"
IN_THE_DARK: Final = {INK: "#e6edf3", PAPER: "#0d1117", GRID: "#3d444d"}
NAME: Final = "Hitchpost"
OURS, PEERS = "#1a7f64", "#8c959f"
LINES: Final = ("#1a7f64", "#8c959f", "#bf6a02", "#5470c6", "#b35990", "#7a6ff0")
"""Readable on both papers."""
LONG: Final = 24
WIDTH, ROW, SPACE = 7.2, 0.34, 0.75

mpl.rcParams.update(
    {
        "svg.hashsalt": "hitchpost",
        "svg.fonttype": "none",
        "font.family": "sans-serif",
        "font.size": 9,
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": GRID,
        "axes.facecolor": "none",
        "xtick.color": INK,
        "ytick.color": INK,
        "grid.color": GRID,
        "figure.facecolor": PAPER,
        "savefig.facecolor": PAPER,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "legend.frameon": False,
    }
)


def main(results: Path, folder: Path) -> None:
    """Draw every goal that was measured, and remove the pictures of those that were not."""
    record = read_record(results)
    drawn = {f"goal-{number}.svg": picture(outcome) for number, outcome in record.outcomes.items()}
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("goal-*.svg"):
        if drawn.get(old.name) is None:
            old.unlink()
    for name, svg in drawn.items():
        if svg is not None:
            (folder / name).write_text(svg)


def picture(outcome: Outcome) -> str | None:
    """Bars for the figures, a panel for each unit, then latencies, then the series; None without any."""
    panels = [*_bars(outcome.figures), *_series(outcome.series)]
    if not panels:
        return None
    heights = [height for height, _ in panels]
    figure, axes = plt.subplots(
        len(panels), 1, figsize=(WIDTH, sum(heights)), height_ratios=heights, squeeze=False
    )
    for (_, draw), axis in zip(panels, axes[:, 0], strict=True):
        draw(axis)
    figure.tight_layout()
    svg = _svg(figure)
    plt.close(figure)
    return svg


Panel = tuple[float, Callable[[Any], None]]


def _bars(figures: Any) -> list[Panel]:
    panels = [
        _bar_panel(unit, [(one.subject, one.median, min(one.runs), max(one.runs)) for one in some])
        for unit in dict.fromkeys(one.unit for one in figures)
        if (some := [one for one in figures if one.unit == unit])
    ]
    for name, value in (("p99, ms", _p99), ("CPU ms for each", _cpu)):
        if found := [(one.subject, at, at, at) for one in figures if (at := value(one)) is not None]:
            panels.append(_bar_panel(name, found))
    return panels


def _p99(figure: Figure) -> float | None:
    return figure.p99_ms


def _cpu(figure: Figure) -> float | None:
    return figure.cpu_ms


def _bar_panel(unit: str, bars: list[tuple[str, float, float, float]]) -> Panel:
    def draw(axis: Any) -> None:
        places = range(len(bars))
        values = [value for _, value, _, _ in bars]
        spread = [[value - low for _, value, low, _ in bars], [high - value for _, value, _, high in bars]]
        colours = [OURS if name.startswith(NAME) else PEERS for name, *_ in bars]
        axis.barh(places, values, color=colours, height=0.62)
        if any(low != high for _, _, low, high in bars):
            axis.errorbar(values, places, xerr=spread, fmt="none", ecolor=INK, elinewidth=0.8, capsize=2)
        most = max((high for *_, high in bars), default=1) or 1
        for place, (_, value, _, high) in zip(places, bars, strict=True):
            axis.text(high + most * 0.015, place, _short(value), va="center")
        axis.set_xlim(0, most * 1.14)
        names = [name for name, *_ in bars]
        if all(name.startswith(f"{NAME}, ") for name in names):
            names = [name.removeprefix(f"{NAME}, ") for name in names]
        axis.set_yticks(places, names)
        axis.tick_params(axis="y", length=0)
        axis.invert_yaxis()
        axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))
        _finish(axis, unit, "x")

    return SPACE + ROW * len(bars), draw


def _series(series: Any) -> list[Panel]:
    lines = [one for one in series if not isinstance(one.x[0], str)]
    sets = [one for one in series if isinstance(one.x[0], str)]
    panels: list[Panel] = []
    if lines:
        panels.append((2.6, lambda axis: _line_panel(axis, lines)))
    if sets:
        panels.append((2.6, lambda axis: _set_panel(axis, sets)))
    return panels


def _line_panel(axis: Any, lines: list[Series]) -> None:
    for number, one in enumerate(lines):
        colour = LINES[number % len(LINES)]
        axis.plot(one.x, one.y, color=colour, label=one.subject, marker="o" if len(one.x) < 25 else "", ms=3)
    axis.set_ylim(bottom=0)
    xs = [x for one in lines for x in one.x if isinstance(x, float | int) and x > 0]
    if xs and max(xs) / min(xs) >= 1000:
        axis.set_xscale("log")
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))
    _finish(axis, "", "y")
    _name(axis, [one.subject for one in lines])


def _set_panel(axis: Any, sets: list[Series]) -> None:
    names = list(dict.fromkeys(x for one in sets for x in one.x))
    width = 0.8 / len(sets)
    for number, one in enumerate(sets):
        places = [names.index(x) + (number - (len(sets) - 1) / 2) * width for x in one.x]
        axis.bar(places, one.y, width=width * 0.92, color=LINES[number % len(LINES)], label=one.subject)
    axis.set_xticks(range(len(names)), names)
    axis.tick_params(axis="x", length=0)
    _finish(axis, "", "y")
    _name(axis, [one.subject for one in sets])


def _name(axis: Any, names: list[str]) -> None:
    # Above the panel: inside, it would lie on the lines.
    columns = 1 if max(map(len, names)) > LONG else 3
    axis.legend(
        fontsize=8,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=columns,
        borderaxespad=0.2,
        handlelength=1.2,
    )
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))


def _finish(axis: Any, title: str, grid: str) -> None:
    axis.grid(visible=True, axis=grid, linewidth=0.6)
    axis.set_title(title, loc="left", fontsize=9)


def _short(value: float) -> str:
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _svg(figure: Any) -> str:
    drawn = StringIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    rules = "".join(
        f'[style*="{kind}: {light}"]{{{kind}:{dark}!important}}'
        for light, dark in IN_THE_DARK.items()
        for kind in ("fill", "stroke")
    )
    style = f"<style>@media (prefers-color-scheme: dark){{{rules}}}</style>"
    head, mark, rest = drawn.getvalue().partition("<defs>")
    return head + style + mark + rest


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
