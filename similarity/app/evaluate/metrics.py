"""Metrics of an evaluation: the most important, a table of all, and downloads."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from similarity.app.evaluate import redacted
from similarity.app.serving import access
from similarity.app.wording import messages
from similarity.evaluation import Evaluation, render_report
from similarity.evaluation.confidence.estimate import percent
from similarity.evaluation.report.wording import DEFINITIONS, NAMES
from similarity.exports.results import to_json_file
from similarity.gallery import Gallery
from similarity.text import plain

HEADLINES = ("recall@1", "precision@10", "map@r", "ndcg@10")
RANGE = "Below each value, the range in which it most likely lies for other queries like these (95\u00a0% confidence)."


def show(gallery: Gallery, evaluation: Evaluation) -> None:
    """Draw the metrics, and downloads of a report and of all data."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        left_out = (
            f" Left out: {messages.sentence_as_markdown(str(evaluation.left_out))}."
            if evaluation.left_out.total
            else ""
        )
        queries = "query" if evaluation.queries == 1 else "queries"
        right = percent(evaluation.metrics[HEADLINES[0]].value).replace(" %", "\u00a0%")
        st.markdown(
            f"**The first result is right for {right} of queries.** "
            f"{evaluation.queries:,} {queries}, in {evaluation.seconds:.1f} s.{left_out}",
            width="content",
        )
        with st.container(horizontal=True, width="content", gap="small"):
            _downloads(gallery, evaluation)
    with st.container(key="metrics"):
        columns = st.columns(len(HEADLINES))
    for column, name in zip(columns, HEADLINES, strict=True):
        metric = evaluation.metrics[name]
        with column, st.container(border=True, gap=None):
            st.metric(NAMES[name], f"{metric.value:.3f}", help=DEFINITIONS[name])
            st.caption(f"{metric.low:.3f} to {metric.high:.3f}")
    st.caption(RANGE)
    with st.expander("All metrics"):
        st.table(_rows(evaluation), border="horizontal")


def _rows(evaluation: Evaluation) -> list[dict[str, str]]:
    return [
        {
            "Metric": NAMES[name],
            "Value": f"{metric.value:.3f}",
            "Range": f"{metric.low:.3f} to {metric.high:.3f}",
            "What it is": DEFINITIONS[name],
        }
        for name, metric in evaluation.metrics.items()
    ]


def _downloads(gallery: Gallery, evaluation: Evaluation) -> None:
    evaluation = redacted.redact_evaluation(evaluation, access.redactor())
    files: Sequence[tuple[str, Any, str, str]] = (
        ("Report", lambda: render_report(gallery, evaluation).encode(), "html", "text/html"),
        ("Data", lambda: to_json_file(evaluation.to_json()), "json", "application/json"),
    )
    for label, make, kind, mime in files:
        st.download_button(
            label,
            make,
            file_name=plain.entry(f"{gallery.name}-evaluation.{kind}"),
            mime=mime,
            key=f"evaluation-{kind}",
            icon=":material/download:",
            on_click="ignore",
        )
