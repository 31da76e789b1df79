"""The plots of evaluations and trainings, as what is drawn of them says."""

from typing import Any

import numpy as np
import pytest

from similarity import Gallery
from similarity.app.evaluate import charts, reliability_chart
from similarity.app.train import charts as training_charts
from similarity.evaluation import evaluate
from similarity.evaluation.confidence.reliability import measure_reliability
from similarity.finetuning import Epoch


def axes(option: dict[str, Any]) -> list[dict[str, Any]]:
    """The axes of a plot, of which there may be two at its sides."""
    sides = option["yAxis"]
    return [option["xAxis"], *(sides if isinstance(sides, list) else [sides])]


@pytest.fixture(scope="module")
def options(shapes: Gallery) -> dict[str, dict[str, Any]]:
    found = evaluate(shapes)
    epochs = [Epoch("trial", 1, 2, 0.9, 0.5), Epoch("trial", 2, 2, 0.5, 0.75)]
    return {
        "recall": charts.recall(found),
        "scores": charts.scores(found),
        "confusions": charts.confusions(found),
        "reliability": reliability_chart.draw(measure_reliability(np.array([0.2, 0.9]), np.array([False, True]))),
        "training's loss": training_charts.loss(epochs),
        "training's recall": training_charts.recall(epochs),
    }


@pytest.mark.parametrize(
    "name", ["recall", "scores", "confusions", "reliability", "training's loss", "training's recall"]
)
def test_each_axis_says_what_it_measures(options: dict[str, dict[str, Any]], name: str) -> None:
    assert all(one["name"][0].isupper() for one in axes(options[name]))


def test_bars_of_labels_say_what_their_length_is(shapes: Gallery) -> None:
    across, down = axes(charts.labels(evaluate(shapes)))
    assert across["name"] == "Value, 1 is best"
    assert "name" not in down, "labels say that they are labels"


@pytest.mark.parametrize(("low", "high"), [(0.8, 1), (0.9, 1), (0.3, 1), (0, 1), (0.7, 0.9)])
def test_ticks_of_a_share_are_evenly_apart_up_to_both_ends(low: float, high: float) -> None:
    ticks = (high - low) / charts.share_axis("Recall@1", low, high)["interval"]
    assert ticks == pytest.approx(round(ticks))
    assert 4 <= round(ticks) <= 10
