"""The measured figures as a plot: one row per kind of question, one mark per way of ranking."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.question_sets import UNTUNED, Part
from benchmarks.results import Result, mean, mean_over_repositories, selected
from benchmarks.systems import CONTEXT_TOKENS, DEFAULT, NO_VECTORS, ORIGIN, RRF

if TYPE_CHECKING:
    from matplotlib.typing import MarkerType

# Colours of Okabe and Ito, told apart with any colour vision; the shapes tell them apart without any.
MARKS: dict[str, tuple[str, MarkerType]] = {
    ORIGIN: ("#000000", "X"),
    "cosine": ("#E69F00", "s"),
    "BM25": ("#56B4E9", "^"),
    RRF: ("#CC79A7", "D"),
    NO_VECTORS: ("#009E73", "v"),
    DEFAULT: ("#D55E00", "o"),
}
BACKGROUND = "#FFFFFF"  # its own, so that the black text is legible on a dark page too
GRID = "#DDDDDD"
SPAN = "#BBBBBB"
LARGE, SMALL = 110, 60  # square points
ROW_INCHES = 0.62
FRAME_INCHES = 1.1
WIDTH_INCHES = 9.0

PLOTTED: tuple[Part, ...] = (UNTUNED, "confirmation", "development")

Row = tuple[str, Callable[[Sequence[Result]], float | None]]


def _own(category: str, measure: str) -> Callable[[Sequence[Result]], float | None]:
    return lambda results: mean(selected(results, setting="own", category=category), measure)


def _published(setting: str) -> Callable[[Sequence[Result]], float | None]:
    return lambda results: mean_over_repositories(selected(results, setting=setting), "ndcg")


ROWS: tuple[Row, ...] = (
    ("overview\nanswering page in the first 3", _own("overview", "found_at_3")),
    ("usage\nanswering page in the first 3", _own("usage", "found_at_3")),
    ("code\nevidence files in the first 10", _own("code", "file_recall")),
    (f"code\nevidence lines in {CONTEXT_TOKENS:,} tokens", _own("code", "context_recall")),
    ("public benchmark\nwhole repository, NDCG@10", _published("whole")),
    ("public benchmark\nsource folder, NDCG@10", _published("source")),
)


def write_plot(results: Sequence[Result], file: Path) -> None:
    """An SVG file, the same bytes for the same figures; of our own questions the first part of PLOTTED there is."""
    own = selected(results, setting="own")
    part = next((part for part in PLOTTED if selected(own, part=part)), None)
    plotted = [each for each in results if each.setting != "own" or each.part == part]
    rows = [(label, _figures(plotted, figure)) for label, figure in ROWS]
    shown = [(label, figures) for label, figures in rows if figures]
    with mpl.rc_context({"svg.hashsalt": "askrepo", "svg.fonttype": "path", "font.size": 10}):
        figure = _drawn(shown)
        figure.savefig(file, format="svg", metadata={"Date": None}, facecolor=BACKGROUND)


def _figures(results: Sequence[Result], figure: Callable[[Sequence[Result]], float | None]) -> dict[str, float]:
    values = {system: figure(selected(results, system=system)) for system in MARKS}
    return {system: value for system, value in values.items() if value is not None}


def _drawn(rows: Sequence[tuple[str, dict[str, float]]]) -> Figure:
    figure = Figure(figsize=(WIDTH_INCHES, FRAME_INCHES + ROW_INCHES * len(rows)), layout="constrained")
    axes = figure.add_subplot()
    axes.set_axisbelow(True)
    axes.grid(axis="x", color=GRID)
    for at, (_, figures) in enumerate(rows):
        axes.hlines(at, min(figures.values()), max(figures.values()), color=SPAN, linewidth=2, zorder=1)
        if DEFAULT in figures:
            axes.text(1.03, at, f"{figures[DEFAULT]:.2f}", color=MARKS[DEFAULT][0], weight="bold", va="center")
    for system, (colour, shape) in MARKS.items():
        points = [(figures[system], at) for at, (_, figures) in enumerate(rows) if system in figures]
        if not points:
            continue
        values, places = zip(*points, strict=True)
        axes.scatter(
            values,
            places,
            c=colour,
            marker=shape,
            s=LARGE if system == DEFAULT else SMALL,
            label=system,
            edgecolors=BACKGROUND,
            linewidths=0.8,
            zorder=3 - (system == DEFAULT),
        )
    axes.set_yticks(range(len(rows)), [label for label, _ in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(0, 1.02)
    axes.set_xticks([tick / 10 for tick in range(0, 11, 2)])
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(left=False)
    figure.legend(loc="outside lower center", ncols=len(MARKS), frameon=False, handletextpad=0.2, columnspacing=1.2)
    return figure
