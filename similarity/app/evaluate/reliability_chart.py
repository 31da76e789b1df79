"""The plot of predicted probabilities against measured shares, as options of Apache ECharts."""

from typing import Any

import numpy as np

from similarity.app.evaluate.charts import FAINT, MAIN, SECOND, axis
from similarity.evaluation.confidence.reliability import BINS, Reliability

MEASURED, PERFECT, COUNT = "Measured", "Ideal", "Number of results"


def draw(measured: Reliability) -> dict[str, Any]:
    """Plot the share of right results over their predicted probability, with their number as faint bars."""
    share: dict[str, Any] = {"type": "value", "min": 0, "max": 1}
    number: dict[str, Any] = {"type": "value", "splitLine": {"show": False}, "minInterval": 1}
    return {
        "animation": False,
        "grid": {"left": 4, "right": 4, "top": 34, "bottom": 4},
        "legend": {"top": 0, "data": [MEASURED, PERFECT, COUNT]},
        "xAxis": axis("Predicted probability", **share),
        "yAxis": [axis("Share that was right", 34, **share), axis(COUNT, 48, **number)],
        "tooltip": {"trigger": "item"},
        "series": [_bars(measured), _diagonal(), _points(measured)],
    }


def _bars(measured: Reliability) -> dict[str, Any]:
    bars = [[(place + 0.5) / BINS, count] for place, count in enumerate(measured.counts.tolist())]
    return {
        "type": "bar",
        "name": COUNT,
        "yAxisIndex": 1,
        "data": bars,
        "barWidth": 16,
        "itemStyle": {"color": FAINT},
    }


def _diagonal() -> dict[str, Any]:
    return {
        "type": "line",
        "name": PERFECT,
        "data": [[0, 0], [1, 1]],
        "showSymbol": False,
        "lineStyle": {"color": SECOND, "width": 2, "type": "dashed"},
        "itemStyle": {"color": SECOND},
    }


def _points(measured: Reliability) -> dict[str, Any]:
    # Not joined by a line, which would give a bin of one result the weight of a bin of a thousand.
    points = [
        {
            "value": [round(float(measured.predicted[place]), 4), round(float(measured.measured[place]), 4)],
            "symbolSize": round(6 + 16 * float(measured.counts[place] / measured.counts.max()) ** 0.5, 1),
        }
        for place in np.flatnonzero(measured.counts)
    ]
    return {"type": "scatter", "name": MEASURED, "data": points, "itemStyle": {"color": MAIN, "opacity": 1}}
