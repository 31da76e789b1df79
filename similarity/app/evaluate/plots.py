"""Plots of an evaluation on the page."""

from typing import Any

import streamlit as st

from similarity.app.evaluate import charts, reliability_chart
from similarity.evaluation import Evaluation
from similarity.evaluation.confidence.reliability import Reliability
from similarity.evaluation.report.wording import CALIBRATED, CALIBRATION, LEARNED_OTHERS, LEARNED_OWN
from similarity.evaluation.results import LEAVE_ONE_OUT

HEIGHT = 300


def show(evaluation: Evaluation) -> None:
    """Draw all plots."""
    left, right = st.columns(2, gap="medium")
    with left:
        _plot("A right result among the first k", charts.recall(evaluation), HEIGHT)
    with right:
        _plot("Scores of right and wrong results", charts.scores(evaluation), HEIGHT)
    left, right = st.columns(2, gap="medium")
    height = charts.labels_height(evaluation)
    limit = f", the {charts.MAX_LABELS} worst" if len(evaluation.per_label) > charts.MAX_LABELS else ""
    with left:
        _plot(f"Label by label{limit}", charts.labels(evaluation), height)
    with right:
        _plot("Labels that are confused", charts.confusions(evaluation), min(height, 520))
    if evaluation.reliability is not None:
        _show_reliability(evaluation, evaluation.reliability)


def _show_reliability(evaluation: Evaluation, reliability: Reliability) -> None:
    """Draw how well the predicted probabilities match the results."""
    left, right = st.columns(2, gap="medium", vertical_alignment="center")
    with left:
        _plot("Predicted and measured probability", reliability_chart.draw(reliability), HEIGHT)
    with right:
        st.metric(CALIBRATION, f"{reliability.error:.3f}", help=CALIBRATED, border=True)
        learned = LEARNED_OWN if evaluation.protocol == LEAVE_ONE_OUT else LEARNED_OTHERS
        st.caption(f"The nearer to 0, the better its probabilities can be relied on. {learned}")


def _plot(title: str, option: dict[str, Any], height: int) -> None:
    st.markdown(f"**{title}**")
    st.echarts_chart(option, height=height, key=f"plot-{title}", alt=title)
