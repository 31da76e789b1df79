"""Evaluation of a gallery by queries whose right answers are known.

There are two protocols. Leave-one-out: each picture of the gallery is a query, and is not counted among its own hits.
Or the queries are pictures of another source; one that is also in the gallery is not counted among its own hits,
either.
"""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from similarity.evaluation.aggregates import confusions, estimate, per_label, recall_curve, score_histogram
from similarity.evaluation.confidence.reliability import Reliability
from similarity.evaluation.gallery_calibration import find_reliability, was_taught
from similarity.evaluation.held_out import changes_of
from similarity.evaluation.queries import Round, run_queries
from similarity.evaluation.results import LEAVE_ONE_OUT, Evaluation
from similarity.evaluation.strangers import ask_strangers
from similarity.gallery import Gallery
from similarity.progress import OnProgress
from similarity.sources import Source
from similarity.sources.base import LABEL

SEEN = (
    "The gallery was trained on its own pictures, which are also the queries here, so the metrics are too good. Use "
    "other pictures as queries, or see the metrics of the pictures that were held out in training."
)
ONE_LABEL = (
    "All pictures have the same {by}, “{label}”, so every result is right, and recall, precision and mAP@R say nothing."
)


def evaluate(
    gallery: Gallery,
    queries: Source | None = None,
    *,
    by: str = LABEL,
    most: int | None = None,
    seed: int = 0,
    strangers: Source | None = None,
    with_reliability: bool = True,
    progress: OnProgress | None = None,
) -> Evaluation:
    """Evaluate a gallery: metrics, confusions and reliability over many queries.

    Pictures of the gallery without a label are never right. Queries without a label, or with a label that no other
    picture has, are left out and counted.

    Args:
        queries: the query pictures; by default the gallery's own, each left out of its own results.
        by: the column in which a right hit has the query's value: `label`, or a column of the metadata.
        most: maximum number of queries; of more, this many are drawn at random.
        seed: seed of the draws, and of those for the intervals.
        strangers: pictures whose kind the gallery does not have, which it is to tell from the queries.
        with_reliability: whether to measure the reliability of probabilities, which may calibrate the gallery first.
        progress: called with the progress.

    Raises:
        SearchError: there is no such column, no query is left, or strangers cannot be told in such a gallery.
        GalleryError: the gallery's model, which has to embed queries from a source, cannot be loaded.
    """
    started = time.perf_counter()
    results = run_queries(gallery, queries, by=by, most=most, seed=seed, progress=progress)
    reliability = find_reliability(gallery, results, by, progress) if with_reliability else None
    evaluation = _summarise(gallery, results, reliability, by, seed)
    if strangers is not None:
        asked = ask_strangers(gallery, results, strangers, by=by, progress=progress)
        evaluation = replace(evaluation, strangers=asked)
    return replace(evaluation, seconds=time.perf_counter() - started)


def _summarise(gallery: Gallery, results: Round, reliability: Reliability | None, by: str, seed: int) -> Evaluation:
    """Return the evaluation of a gallery from the results of its queries."""
    queries, task, outcomes = results.queries, results.task, results.outcomes
    manifest = gallery.manifest
    return Evaluation(
        gallery=gallery.name,
        generation=manifest.generation,
        state=gallery.state,
        model=manifest.model,
        recipe=manifest.recipe,
        refinement=manifest.refinement,
        pictures=len(gallery),
        contents=_digest(gallery.items.contents(), results.values),
        protocol=queries.name,
        by=by,
        left_out=results.left_out,
        metrics=estimate(outcomes, seed),
        per_label=per_label(results.labels, task, outcomes),
        recall_curve=recall_curve(outcomes),
        histogram=score_histogram(outcomes),
        reliability=reliability,
        confusions=confusions(results.labels, task.queries, results.hits[:, 0]),
        labels=results.labels,
        outcomes=outcomes,
        query_labels=task.queries,
        hit_labels=results.hits[:, 0],
        relevant=task.relevant,
        items=queries.items,
        rows=results.rows,
        pictures_of_gallery=gallery.items,
        sha256=np.array(queries.sha256, np.bytes_)[results.rows],
        seconds=0.0,  # known once all of this is computed
        caution=_caution(gallery, results, by),
        held_out=changes_of(gallery),
    )


def _caution(gallery: Gallery, results: Round, by: str) -> str:
    if len(results.labels) < 2:
        return ONE_LABEL.format(by=by, label=results.labels[0])
    return SEEN if results.queries.name == LEAVE_ONE_OUT and was_taught(gallery) else ""


def _digest(contents: Sequence[str], values: Sequence[str | None]) -> str:
    """Return a digest of pictures and labels, independent of their order."""
    lines = sorted(f"{content} {value}" for content, value in zip(contents, values, strict=True))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
