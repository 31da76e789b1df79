"""Plots of an evaluation, as options of Apache ECharts."""

from typing import Any

from similarity.evaluation import Evaluation

RIGHT, WRONG, MAIN, SECOND = "#1f9a57", "#d8434b", "#14a394", "#8468e0"
# If there are more labels, only the worst are shown.
MAX_LABELS = 20
ROW, AXIS = 24, 70
FAINT = "rgba(128,140,134,0.25)"


def recall(evaluation: Evaluation) -> dict[str, Any]:
    """Plot the share of queries with a right result among the first k."""
    points = [[k, round(float(value), 4)] for k, value in enumerate(evaluation.recall_curve, start=1)]
    low = min(value for _, value in points)
    return {
        "animation": False,
        "grid": {"left": 46, "right": 16, "top": 16, "bottom": 40},
        "xAxis": {"type": "log", "name": "k", "nameLocation": "middle", "nameGap": 26, "min": 1, "max": len(points)},
        "yAxis": {"type": "value", "min": int(low * 10) / 10, "max": 1},
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
    middles = [f"{value:.2f}" for value in (histogram.edges[:-1] + histogram.edges[1:]) / 2]
    pairs = (("Right", histogram.right, RIGHT), ("Wrong", histogram.wrong, WRONG))
    return {
        "animation": False,
        "grid": {"left": 56, "right": 16, "top": 34, "bottom": 40},
        "legend": {"top": 0, "data": [name for name, *_ in pairs]},
        "xAxis": {"type": "category", "data": middles, "name": "score", "nameLocation": "middle", "nameGap": 26},
        "yAxis": {"type": "value"},
        "tooltip": {"trigger": "axis"},
        "series": [
            {
                "type": "line",
                "step": "middle",
                "name": name,
                "data": counts.tolist(),
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
        "grid": {"left": 8, "right": 24, "top": 34, "bottom": 8, "containLabel": True},
        "legend": {"top": 0, "data": [name for name, *_ in pairs]},
        "xAxis": {"type": "value", "min": 0, "max": 1},
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
    axis = {"type": "category", "splitArea": {"show": False}, "axisLabel": {"width": 90, "overflow": "truncate"}}
    return {
        "animation": False,
        "grid": {"left": 8, "right": 8, "top": 8, "bottom": 30, "containLabel": True},
        "xAxis": axis | {"data": columns, "axisLabel": {"width": 90, "overflow": "truncate", "rotate": 40}},
        "yAxis": axis | {"data": names, "inverse": True},
        "visualMap": {"min": 0, "max": 1, "show": False, "inRange": {"color": [FAINT, MAIN]}, "dimension": 2},
        "tooltip": {"trigger": "item", "valueFormatter": "percent"},
        "series": [{"type": "heatmap", "name": "First result", "data": cells}],
    }


def labels_height(evaluation: Evaluation) -> int:
    """Return the height of the plot of labels, in pixels."""
    return AXIS + ROW * 2 * min(MAX_LABELS, max(3, len(evaluation.per_label)))
