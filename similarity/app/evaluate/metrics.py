"""Metrics of an evaluation: the most important, a table of all, and downloads."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from similarity.app.evaluate import redacted
from similarity.app.serving import access
from similarity.app.wording import messages
from similarity.evaluation import Evaluation, render_report
from similarity.evaluation.report.wording import DEFINITIONS, NAMES
from similarity.exports.results import to_json_file
from similarity.gallery import Gallery
from similarity.text import plain

HEADLINES = ("recall@1", "precision@10", "map@r", "ndcg@10")


def show(gallery: Gallery, evaluation: Evaluation) -> None:
    """Draw the metrics, and downloads of a report and of all data."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        left_out = (
            f" Left out: {messages.sentence_as_markdown(str(evaluation.left_out))}."
            if evaluation.left_out.total
            else ""
        )
        queries = "query" if evaluation.queries == 1 else "queries"
        st.markdown(f"**{evaluation.queries:,} {queries},** in {evaluation.seconds:.1f} s.{left_out}", width="content")
        with st.container(horizontal=True, width="content", gap="small"):
            _downloads(gallery, evaluation)
    for column, name in zip(st.columns(len(HEADLINES)), HEADLINES, strict=True):
        metric = evaluation.metrics[name]
        with column:
            st.metric(NAMES[name], f"{metric.value:.3f}", help=DEFINITIONS[name], border=True)
            st.caption(f"{metric.low:.3f} to {metric.high:.3f}", help="95 % confidence interval (bootstrap).")
    with st.expander("All metrics"):
        st.table(_rows(evaluation), border="horizontal")


def _rows(evaluation: Evaluation) -> list[dict[str, str]]:
    return [
        {
            "Metric": NAMES[name],
            "Value": f"{metric.value:.3f}",
            "95 %": f"{metric.low:.3f} to {metric.high:.3f}",
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
