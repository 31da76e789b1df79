"""Curves of a training, as options of Apache ECharts."""

import math
from collections.abc import Sequence
from typing import Any

from similarity.app.evaluate.charts import MAIN, SECOND, axis, share_axis
from similarity.finetuning import Epoch

TRIAL, FINAL, RECALL, BEST = "Some held out", "All pictures", "Recall@1", "Best"


def loss(epochs: Sequence[Epoch]) -> dict[str, Any]:
    """Plot the loss after each epoch, with some pictures held out and then with all."""
    stages = (("trial", TRIAL, MAIN, "solid"), ("final", FINAL, SECOND, "dashed"))
    series = [
        _line(name, [[epoch.number, round(epoch.loss, 5)] for epoch in epochs if epoch.stage == stage], colour, kind)
        for stage, name, colour, kind in stages
    ]
    losses = axis("Loss", 44, type="value", scale=True)
    return _plot(epochs, losses, series) | {"legend": {"top": 0, "data": [TRIAL, FINAL]}}


def recall(epochs: Sequence[Epoch], *, with_best: bool = True) -> dict[str, Any]:
    """Plot the held-out recall@1 after each epoch, and mark the best if its weights are the ones taken."""
    points = [[epoch.number, round(epoch.recall, 4)] for epoch in epochs if epoch.recall is not None]
    series = [_line(RECALL, points, MAIN, "solid")]
    if points and with_best:
        best = max(points, key=lambda point: (point[1], point[0]))  # the last of equal ones
        series.append(
            {"type": "scatter", "name": BEST, "data": [best], "symbolSize": 11, "itemStyle": {"color": SECOND}}
        )
    shares = share_axis(RECALL, *_bounds([value for _, value in points]))
    return _plot(epochs, shares, series) | {"legend": {"top": 0, "data": [RECALL, BEST] if with_best else [RECALL]}}


def _bounds(shares: Sequence[float]) -> tuple[float, float]:
    """Return the bounds of an axis, in tenths, so that it does not jump with every epoch."""
    if not shares:
        return 0.0, 1.0
    low = min(9, math.floor(10 * min(shares)))
    return low / 10, max(low + 1, math.ceil(10 * max(shares))) / 10


def _plot(epochs: Sequence[Epoch], values: dict[str, Any], series: list[dict[str, Any]]) -> dict[str, Any]:
    most = max((epoch.of for epoch in epochs if epoch.stage == "trial"), default=1)
    return {
        "animation": False,
        "grid": {"left": 4, "right": 16, "top": 34, "bottom": 4},
        "xAxis": axis("Epoch", type="value", min=1, max=max(2, most), minInterval=1),
        "yAxis": values,
        "tooltip": {"trigger": "axis"},
        "series": series,
    }


def _line(name: str, points: list[list[float]], colour: str, kind: str) -> dict[str, Any]:
    return {
        "type": "line",
        "name": name,
        "data": points,
        # A single point makes no line.
        "showSymbol": len(points) < 3,
        "symbolSize": 7,
        "lineStyle": {"color": colour, "width": 3, "type": kind},  # not by colour alone
        "itemStyle": {"color": colour},
    }
