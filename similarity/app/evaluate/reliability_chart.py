"""The plot of predicted probabilities against measured shares, as options of Apache ECharts."""

from typing import Any

import numpy as np

from similarity.app.evaluate.charts import FAINT, MAIN, SECOND
from similarity.evaluation.confidence.reliability import BINS, Reliability

MEASURED, PERFECT, COUNT = "Measured", "As it should be", "How many results"


def draw(measured: Reliability) -> dict[str, Any]:
    """Plot the share of right results over their predicted probability, with their number as faint bars."""
    share = {"type": "value", "min": 0, "max": 1}
    return {
        "animation": False,
        "grid": {"left": 46, "right": 52, "top": 34, "bottom": 40},
        "legend": {"top": 0, "data": [MEASURED, PERFECT, COUNT]},
        "xAxis": share | {"name": "how likely it was called", "nameLocation": "middle", "nameGap": 26},
        "yAxis": [share, {"type": "value", "splitLine": {"show": False}, "minInterval": 1}],
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
