"""The curves of a training: what Apache ECharts is told to draw."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from similarity.app.evaluate.charts import MAIN, SECOND
from similarity.finetuning import Epoch

TRIAL, FINAL, RECALL, BEST = "some held out", "all pictures", "recall@1", "best"


def loss(epochs: Sequence[Epoch]) -> dict[str, Any]:
    """The loss after each epoch, with some pictures held out and then with all."""
    stages = (("trial", TRIAL, MAIN, "solid"), ("final", FINAL, SECOND, "dashed"))
    series = [
        _line(name, [[one.number, round(one.loss, 5)] for one in epochs if one.stage == stage], colour, kind)
        for stage, name, colour, kind in stages
    ]
    return _plot(epochs, "loss", {"scale": True}, series) | {"legend": {"top": 0, "data": [TRIAL, FINAL]}}


def recall(epochs: Sequence[Epoch], *, with_best: bool = True) -> dict[str, Any]:
    """Recall@1 of what is held out after each epoch, and which was best, if that is the one that is taken."""
    points = [[one.number, round(one.recall, 4)] for one in epochs if one.recall is not None]
    series = [_line(RECALL, points, MAIN, "solid")]
    if points and with_best:
        best = max(points, key=lambda point: (point[1], point[0]))  # of equal ones the last is taken
        series.append(
            {"type": "scatter", "name": BEST, "data": [best], "symbolSize": 11, "itemStyle": {"color": SECOND}}
        )
    axis = _bounds([value for _, value in points])
    return _plot(epochs, "recall@1", axis, series) | {
        "legend": {"top": 0, "data": [RECALL, BEST] if with_best else [RECALL]}
    }


def _bounds(shares: Sequence[float]) -> dict[str, float]:
    """What an axis shows, in tenths, so that it does not jump with every epoch."""
    if not shares:
        return {"min": 0.0, "max": 1.0}
    low = min(9, math.floor(10 * min(shares)))
    return {"min": low / 10, "max": max(low + 1, math.ceil(10 * max(shares))) / 10}


def _plot(epochs: Sequence[Epoch], what: str, axis: Mapping[str, Any], series: list[dict[str, Any]]) -> dict[str, Any]:
    most = max((one.of for one in epochs if one.stage == "trial"), default=1)
    return {
        "animation": False,
        "grid": {"left": 4, "right": 16, "top": 34, "bottom": 4},
        "xAxis": {
            "type": "value",
            "name": "epoch",
            "nameLocation": "middle",
            "nameGap": 26,
            "min": 1,
            "max": max(2, most),
            "minInterval": 1,
        },
        "yAxis": {"type": "value", "name": what, "nameLocation": "middle", "nameGap": 44, **axis},
        "tooltip": {"trigger": "axis"},
        "series": series,
    }


def _line(name: str, points: list[list[float]], colour: str, kind: str) -> dict[str, Any]:
    return {
        "type": "line",
        "name": name,
        "data": points,
        # One epoch makes no line.
        "showSymbol": len(points) < 3,
        "symbolSize": 7,
        "lineStyle": {"color": colour, "width": 3, "type": kind},  # not by colour alone
        "itemStyle": {"color": colour},
    }
