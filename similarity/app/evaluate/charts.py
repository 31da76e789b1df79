"""Plots of an evaluation, as options of Apache ECharts."""

import math
from typing import Any

from similarity.evaluation import Evaluation

RIGHT, WRONG, MAIN, SECOND = "#1f9a57", "#d8434b", "#14a394", "#8468e0"
# If there are more labels, only the worst are shown.
MAX_LABELS = 20
ROW, AXIS = 24, 70
FAINT = "rgba(128,140,134,0.25)"


def axis(title: str, gap: int = 26, **options: Any) -> dict[str, Any]:
    """Return an axis with its title in the middle, `gap` pixels from it."""
    return {"name": title, "nameLocation": "middle", "nameGap": gap, **options}


def share_axis(title: str, low: float, high: float) -> dict[str, Any]:
    """Return the axis of a share between two tenths, with ticks that are evenly apart up to both ends."""
    span = high - low
    step = 0.02 if span < 0.15 else 0.05 if span < 0.25 else 0.1
    return axis(title, 44, type="value", min=low, max=high, interval=step)


def recall(evaluation: Evaluation) -> dict[str, Any]:
    """Plot the share of queries with a right result among the first k."""
    points = [[k, round(float(value), 4)] for k, value in enumerate(evaluation.recall_curve, start=1)]
    low = min(value for _, value in points)
    return {
        "animation": False,
        "grid": {"left": 4, "right": 16, "top": 16, "bottom": 4},
        "xAxis": axis("First k results", type="log", min=1, max=len(points)),
        "yAxis": share_axis("Share of queries", min(9, int(low * 10)) / 10, 1),
        "tooltip": {"trigger": "axis"},
        "series": [
            {
                "type": "line",
                "name": "Recall@k",
                "data": points,
                "showSymbol": False,
                "lineStyle": {"color": MAIN, "width": 3},
                "areaStyle": {"color": MAIN, "opacity": 0.12},
                "itemStyle": {"color": MAIN},
            }
        ],
    }


def scores(evaluation: Evaluation) -> dict[str, Any]:
    """Plot the scores of right and wrong results among the first ten."""
    histogram = evaluation.histogram
    middles = [round(float(value), 4) for value in (histogram.edges[:-1] + histogram.edges[1:]) / 2]
    low, high = math.floor(10 * middles[0]) / 10, math.ceil(10 * middles[-1]) / 10
    pairs = (("Right", histogram.right, RIGHT), ("Wrong", histogram.wrong, WRONG))
    return {
        "animation": False,
        "grid": {"left": 4, "right": 16, "top": 34, "bottom": 4},
        "legend": {"top": 0, "data": [name for name, *_ in pairs]},
        "xAxis": axis("Score", type="value", min=low, max=high),
        "yAxis": axis("Results among the first ten", 50, type="value"),
        "tooltip": {"trigger": "axis"},
        "series": [
            {
                "type": "line",
                "step": "middle",
                "name": name,
                "data": [list(point) for point in zip(middles, counts.tolist(), strict=True)],
                "showSymbol": False,
                # Not by colour alone.
                "lineStyle": {"color": colour, "width": 2, "type": "solid" if name == "Right" else "dashed"},
                "areaStyle": {"color": colour, "opacity": 0.18},
                "itemStyle": {"color": colour},
            }
            for name, counts, colour in pairs
        ],
    }


def labels(evaluation: Evaluation) -> dict[str, Any]:
    """Plot recall@1 and mAP@R of each label, or of the worst labels."""
    shown = sorted(evaluation.per_label, key=lambda row: row.map_r)[:MAX_LABELS][::-1]
    pairs = (("Recall@1", "recall_1", SECOND), ("mAP@R", "map_r", MAIN))
    return {
        "animation": False,
        "grid": {"left": 4, "right": 24, "top": 34, "bottom": 4},
        "legend": {"top": 0, "data": [name for name, *_ in pairs]},
        "xAxis": axis("Value, 1 is best", type="value", min=0, max=1),
        "yAxis": {
            "type": "category",
            "data": [row.label for row in shown],
            "axisLabel": {"width": 110, "overflow": "truncate"},
        },
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}},
        "series": [
            {
                "type": "bar",
                "name": name,
                "data": [round(getattr(row, key), 4) for row in shown],
                "itemStyle": {"color": colour},
            }
            for name, key, colour in pairs
        ],
    }


def confusions(evaluation: Evaluation) -> dict[str, Any]:
    """Plot the label of the first result against the label of the query."""
    names, table = evaluation.confusion_matrix()
    columns = [*names, "other"] if table[:, -1].any() else names
    shares = table / table.sum(axis=1, keepdims=True)
    cells = [
        [column, row, round(float(shares[row, column]), 3)]
        for row in range(len(names))
        for column in range(len(columns))
    ]
    look = {"type": "category", "splitArea": {"show": False}}
    text = {"width": 90, "overflow": "truncate"}
    return {
        "animation": False,
        "grid": {"left": 4, "right": 8, "top": 8, "bottom": 4},
        "xAxis": axis("Label of the first result", 70, data=columns, axisLabel=text | {"rotate": 40}, **look),
        "yAxis": axis("Label of the query", 84, data=names, axisLabel=text, inverse=True, **look),
        "visualMap": {"min": 0, "max": 1, "show": False, "inRange": {"color": [FAINT, MAIN]}, "dimension": 2},
        "tooltip": {"trigger": "item", "valueFormatter": "percent"},
        "series": [{"type": "heatmap", "name": "First result", "data": cells}],
    }


def labels_height(evaluation: Evaluation) -> int:
    """Return the height of the plot of labels, in pixels."""
    return AXIS + ROW * 2 * min(MAX_LABELS, max(3, len(evaluation.per_label)))
