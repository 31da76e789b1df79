"""The plots of a report, each an SVG file: recall, labels, scores, confusions, and the reliability of probabilities.

Text stays text in them, so that the viewer's fonts draw the letters of every script. They are meant to be shown as
images, in which nothing is run or fetched.
"""

import io
import threading
import unicodedata
import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from similarity.evaluation.confidence.reliability import Reliability
from similarity.evaluation.report.wording import NAMES
from similarity.evaluation.results import Evaluation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, FAINT, LINE = "#1c2321", "#5f6b66", "#dfe5e2"
RIGHT, WRONG = "#0f766e", "#b45309"
WIDTH = 4.9  # inches; shown a little smaller on a telephone
BARS, MATRIX, LETTERS = 20, 10, 18
FONT = "text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif !important}"

# Matplotlib's setting for text is global to the process.
_settings = threading.Lock()


def draw_recall(evaluation: Evaluation) -> bytes:
    """Plot recall@k for k = 1..100."""

    def draw(axes: "Axes") -> None:
        curve = evaluation.recall_curve
        low = min(result.low for name, result in evaluation.metrics.items() if name.startswith("recall"))
        bottom = max(0.0, float(np.floor(10 * low - 0.5) / 10))
        axes.set_ylim(bottom, 1.02)
        axes.plot(np.arange(1, len(curve) + 1), curve, color=RIGHT, linewidth=2)
        for k in (1, 5, 10, 100):
            result = evaluation.metrics[f"recall@{k}"]
            axes.plot((k, k), (result.low, result.high), color=RIGHT, linewidth=1.2)
            axes.plot(k, result.value, "o", color=RIGHT, markersize=5, markeredgecolor="white")
            side, right = ("right", -6) if k == 100 else ("left", 6)
            up = -13 if result.value - bottom > 0.15 * (1 - bottom) else 6  # not into the axis
            axes.annotate(
                f"{result.value:.3f}", (k, result.value), (right, up), textcoords="offset points", ha=side, fontsize=9
            )
        axes.set_xscale("log")
        axes.set_xticks([1, 2, 5, 10, 20, 50, 100], labels=["1", "2", "5", "10", "20", "50", "100"], minor=False)
        axes.minorticks_off()
        axes.set_xlabel("k, first hits looked at")
        axes.set_ylabel("recall@k")

    return _draw(draw, 3.1)


def draw_labels(evaluation: Evaluation) -> bytes:
    """Plot the labels with the lowest mAP@R, lowest first: mAP@R as a bar, recall@1 as a dot."""
    shown = sorted(evaluation.per_label, key=lambda result: result.map_r)[:BARS]

    def draw(axes: "Axes") -> None:
        places = np.arange(len(shown))
        axes.barh(places, [result.map_r for result in shown], height=0.62, color=RIGHT, label=NAMES["map@r"])
        axes.plot(
            [result.recall_1 for result in shown],
            places,
            "o",
            color="white",
            markeredgecolor=WRONG,
            markeredgewidth=1.8,
            markersize=6,
            label=NAMES["recall@1"],
            clip_on=False,
            zorder=3,
        )
        axes.set_yticks(places, [_short(result.label) for result in shown], parse_math=False)
        axes.set_ylim(len(shown) - 0.4, -0.6)
        axes.set_xlim(0, 1)
        axes.grid(visible=False, axis="y")
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False, fontsize=9)

    return _draw(draw, max(1.6, 0.9 + 0.235 * len(shown)))


def draw_scores(evaluation: Evaluation) -> bytes:
    """Plot the scores of the first ten hits: right ones filled, wrong ones as a line."""

    def draw(axes: "Axes") -> None:
        histogram = evaluation.histogram
        axes.stairs(histogram.right, histogram.edges, fill=True, color=RIGHT, alpha=0.75, label="right hits")
        axes.stairs(histogram.wrong, histogram.edges, color=WRONG, linewidth=2, label="wrong hits")
        axes.set_xlabel("score, cosine similarity")
        axes.set_ylabel("hits among the first ten")
        axes.legend(frameon=False, fontsize=9)
        axes.set_ylim(bottom=0)

    return _draw(draw, 3.1)


def draw_reliability(reliability: Reliability) -> bytes:
    """Plot the share of right hits over their probability; larger dots stand for more hits."""

    def draw(axes: "Axes") -> None:
        shown = reliability.counts > 0
        sizes = 25 + 200 * reliability.counts[shown] / reliability.counts.max()
        axes.plot((0, 1), (0, 1), color=FAINT, linewidth=1.2, linestyle="dashed", label="as it should be")
        # Not joined by a line, which would make as much of a bin of one hit as of one of a thousand.
        points = (reliability.predicted[shown], reliability.measured[shown], sizes)
        axes.scatter(*points, color=RIGHT, edgecolors="white", zorder=3, clip_on=False, label="measured")
        labelled = (reliability.predicted[shown], reliability.measured[shown], reliability.counts[shown])
        for x, y, count in zip(*labelled, strict=True):
            # Below the line, where there is room, but for those at the bottom.
            place = (7, -13) if y > 0.1 else (0, 11)
            axes.annotate(f"{count:,}", (x, y), place, textcoords="offset points", fontsize=8, color=FAINT)
        axes.set(xlim=(0, 1.02), ylim=(0, 1.05))
        axes.set_xlabel("predicted probability")
        axes.set_ylabel("share that was right")
        axes.legend(frameon=False, fontsize=9, loc="upper left")

    return _draw(draw, 3.1)


def draw_strangers(mixed: Mapping[float, Reliability]) -> bytes:
    """Plot the share of right hits over their probability, where shares of the queries are strangers."""

    def draw(axes: "Axes") -> None:
        axes.plot((0, 1), (0, 1), color=FAINT, linewidth=1.2, linestyle="dashed", label="as it should be")
        looks = zip(mixed.items(), ("o", "s", "^"), (RIGHT, FAINT, WRONG), strict=False)
        for (share, reliability), marker, colour in looks:
            shown = reliability.counts > 0
            points = (reliability.predicted[shown], reliability.measured[shown], marker)
            label = f"{share:.0%} strangers, error {reliability.error:.3f}"
            axes.plot(*points, color=colour, markersize=7, markeredgecolor="white", clip_on=False, label=label)
        axes.set(xlim=(0, 1.02), ylim=(0, 1.05))
        axes.set_xlabel("predicted probability")
        axes.set_ylabel("share that was right")
        axes.legend(frameon=False, fontsize=9, loc="upper left")

    return _draw(draw, 3.1)


def draw_confusions(evaluation: Evaluation) -> bytes:
    """Plot the labels of queries against those of their first hits, for the labels with most queries."""
    labels, counts = evaluation.confusion_matrix(MATRIX)
    names = [_short(label, 14) for label in labels]
    if counts[:, -1].any():
        names.append("(others)")
    else:
        counts = counts[:, :-1]

    def draw(axes: "Axes") -> None:
        shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
        places = [np.arange(size + 1) - 0.5 for size in shares.shape[::-1]]
        axes.pcolormesh(*places, shares, cmap="GnBu", vmin=0, vmax=1.15, edgecolors="white", linewidth=1.5)
        axes.invert_yaxis()
        for (row, column), count in np.ndenumerate(counts):
            if count:
                colour = "white" if shares[row, column] > 0.6 else INK
                axes.text(column, row, f"{count}", ha="center", va="center", fontsize=8.5, color=colour)
        axes.set_xticks(range(len(names)), names, rotation=40, ha="right", rotation_mode="anchor", parse_math=False)
        axes.set_yticks(range(len(labels)), names[: len(labels)], parse_math=False)
        axes.set_xlabel("label of the first hit")
        axes.set_ylabel("label of the query")
        axes.grid(visible=False)

    return _draw(draw, max(2.2, 1.4 + 0.27 * len(labels)))


def _draw(draw: Callable[["Axes"], None], height: float) -> bytes:
    """An SVG file of one plot."""
    # Figure and canvas without pyplot, whose state is shared between threads.
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    buffer = io.BytesIO()
    with _settings, rc_context({"svg.fonttype": "none", "svg.hashsalt": "similarity"}), warnings.catch_warnings():
        # Matplotlib's font lacks letters of some scripts, which the viewer of the page has.
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        figure = Figure(figsize=(WIDTH, height), layout="constrained", facecolor="white")
        canvas = FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        axes.grid(color=LINE, linewidth=0.8)
        axes.set_axisbelow(True)
        draw(axes)
        _dress(axes)
        canvas.print_svg(  # type: ignore[no-untyped-call]
            buffer, metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
        )
    return buffer.getvalue().replace(b"*{stroke", FONT.encode() + b"*{stroke", 1)


def _dress(axes: "Axes") -> None:
    """Style the axes."""
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(LINE)
    axes.tick_params(length=0, labelsize=9, colors=FAINT)
    axes.xaxis.label.set(fontsize=9.5, color=INK)
    axes.yaxis.label.set(fontsize=9.5, color=INK)


def _short(label: str, most: int = LETTERS) -> str:
    """A label that fits beside a plot; letters of East Asian scripts are twice as wide."""
    text, width = "", 0
    for letter in "".join(" " if unicodedata.category(character)[0] == "C" else character for character in label):
        width += 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if width > most:
            return text[:-1] + "…"
        text += letter
    return text
