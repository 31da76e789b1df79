"""Evaluation of a gallery: how well it answers queries with known right answers.

There are two protocols. Leave-one-out: every picture of the gallery is a query, and not a hit of its own. Or the
pictures of another source are the queries; one that is also in the gallery is not a hit of its own either.
"""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from similarity.evaluation.aggregates import confusions, estimate, per_label, recall_curve, score_histogram
from similarity.evaluation.confidence.reliability import Reliability
from similarity.evaluation.gallery_calibration import find_reliability, was_taught
from similarity.evaluation.queries import Round, ask_all
from similarity.evaluation.results import LEAVE_ONE_OUT, Evaluation
from similarity.gallery import Gallery
from similarity.progress import OnProgress
from similarity.sources import Source
from similarity.sources.base import LABEL

SEEN = (
    "The gallery was taught with pictures of its own, which ask here as well: the figures flatter it. Ask with other "
    "pictures, or see what was found of those that were held out in training."
)


def evaluate(
    gallery: Gallery,
    queries: Source | None = None,
    *,
    by: str = LABEL,
    most: int | None = None,
    seed: int = 0,
    progress: OnProgress | None = None,
) -> Evaluation:
    """Measure how well a gallery answers.

    Pictures of the gallery without a label are never right; queries without one, and those with a label that no other
    picture has, are left out and counted.

    Args:
        queries: the query pictures; by default the gallery's own, each left out of its own results.
        by: the column in which a right hit has the query's value: `label`, or a column of the metadata.
        most: the largest number of queries; of more, some are drawn.
        seed: of the draws, also of those for the intervals.
        progress: called as it goes on.

    Raises:
        SearchError: there is no such column, or no query is left.
        GalleryError: the gallery's model cannot be loaded, which a source of queries takes.
    """
    started = time.perf_counter()
    results = ask_all(gallery, queries, by=by, most=most, seed=seed, progress=progress)
    reliability = find_reliability(gallery, results, by, progress)
    evaluation = _summarise(gallery, results, reliability, by, seed)
    return replace(evaluation, seconds=time.perf_counter() - started)


def _summarise(gallery: Gallery, results: Round, reliability: Reliability | None, by: str, seed: int) -> Evaluation:
    """The evaluation of a gallery from the results of its queries."""
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
        asked=task.queries,
        found=results.hits[:, 0],
        relevant=task.relevant,
        items=queries.items,
        rows=results.rows,
        pictures_of_gallery=gallery.items,
        sha256=np.array(queries.sha256, np.bytes_)[results.rows],
        seconds=0.0,  # known once all of this is computed
        caution=SEEN if queries.name == LEAVE_ONE_OUT and was_taught(gallery) else "",
    )


def _digest(contents: Sequence[str], values: Sequence[str | None]) -> str:
    """A digest of pictures and labels, independent of their order."""
    lines = sorted(f"{content} {value}" for content, value in zip(contents, values, strict=True))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
