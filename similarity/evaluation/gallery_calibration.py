"""The calibration of a gallery: confidence in hits, fitted on its own pictures, each left out of its own results.

cache/confidence/
  margins1-5c1e….json    named by the method, and by the gallery's state and the column
"""

import logging
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from similarity.cache import StateCache
from similarity.embedding.backbones.tuned import find_tuned
from similarity.errors import SearchError
from similarity.evaluation.confidence.calibration import (
    MIN_QUERIES,
    Calibration,
    cross_chances,
    estimate_all,
    fit,
)
from similarity.evaluation.confidence.reliability import Reliability, Values, measure_reliability
from similarity.gallery import Gallery
from similarity.progress import OnProgress
from similarity.sources.base import LABEL

if TYPE_CHECKING:
    from similarity.evaluation.queries import Round

# The method is to be changed whenever the same gallery would get another calibration. A file has some kilobytes.
CACHE = StateCache("confidence", "margins1", most_bytes=1_000_000)
# Calibrations of earlier versions, without margins.
BEFORE = replace(CACHE, method="votes1")
# Enough queries to distinguish a precision of 95 % from one of 94 %.
MOST_QUERIES = 2_000

logger = logging.getLogger(__name__)


def calibrate(gallery: Gallery, *, by: str = LABEL, progress: OnProgress | None = None) -> Calibration:
    """Return the calibration of a gallery, from the cache or else computed and stored there.

    A gallery with a head has the calibration that was fitted on held-out pictures during training, since results for
    the pictures that the head was trained on are too good.

    Args:
        by: the column in which a right hit has the query's value: `label`, or a column of the metadata.

    Raises:
        SearchError: too few pictures have a value in the column, or all have the same.
    """
    if (known := _of_head(gallery, by) or CACHE.read(cache_key(gallery, by), Calibration.from_json)) is not None:
        return known
    if gallery.head is not None:
        raise SearchError(
            f"{gallery.name} has a head that was trained on its own pictures, and none were held out to measure "
            f"confidence by {by} with the refinement {gallery.manifest.refinement}."
        )
    if was_taught(gallery):
        raise SearchError(
            f"The network of {gallery.name} was fine-tuned, maybe with its own pictures, so confidence cannot be "
            "measured on them."
        )
    from similarity.evaluation.queries import run_queries  # which a calibration in the cache does without

    results = run_queries(gallery, by=by, most=MOST_QUERIES, progress=progress)
    if len(results.labels) < 2:
        raise SearchError(
            f"All pictures of {gallery.name} that have a {by} have the same one, {results.labels[0]!r}, so confidence "
            "cannot be measured: no result would be wrong."
        )
    fitted = fit(results.outcomes.scores, results.outcomes.right, results.hits, by=by)
    CACHE.write(cache_key(gallery, by), fitted.to_json())
    return fitted


def was_taught(gallery: Gallery) -> bool:
    """Whether the gallery's head or network may have been trained on its own pictures."""
    manifest = gallery.manifest
    return gallery.head is not None or find_tuned(manifest.model, manifest.weights_sha256) is not None


def read_calibration(gallery: Gallery, *, by: str = LABEL) -> Calibration | None:
    """Read the calibration of a gallery from its head or the cache, also one of an earlier version; None without."""
    key = cache_key(gallery, by)
    cached = (cache.read(key, Calibration.from_json) for cache in (CACHE, BEFORE) if gallery.head is None)
    return _of_head(gallery, by) or next(filter(None, cached), None)


def _of_head(gallery: Gallery, by: str) -> Calibration | None:
    card = gallery.head.card if gallery.head else None
    if card is None or not card.calibration or by != LABEL:
        return None
    if card.settings.get("refinement") != gallery.manifest.refinement:
        return None
    try:
        return Calibration.from_json(card.calibration)
    except ValueError as error:
        logger.warning("The calibration of %s cannot be read: %s", gallery.name, error)
        return None


def cache_key(gallery: Gallery, by: str) -> str:
    """Return the key of a gallery's calibration in the cache."""
    return f"{gallery.state}\n{by}"


def find_reliability(
    gallery: Gallery, results: "Round", by: str = LABEL, progress: OnProgress | None = None
) -> Reliability | None:
    """Measure the reliability of a gallery's probabilities, see `held_out_chances`; None if it has none."""
    chances = held_out_chances(gallery, results, by, progress)
    if chances is None:
        return None
    estimated = np.isfinite(chances)
    return measure_reliability(chances[estimated], results.outcomes.right[estimated])


def held_out_chances(
    gallery: Gallery, results: "Round", by: str = LABEL, progress: OnProgress | None = None
) -> Values | None:
    """Return the probabilities of the first hits of queries, float64 (queries, hits); NaN where a hit has none.

    None if the gallery has none, or there are too few queries.

    The calibration is never fitted on the queries that it is measured on: if these are the gallery's own pictures, each
    half is evaluated with a calibration fitted on the other half.
    """
    measured = (results.outcomes.scores, results.outcomes.right, results.hits)
    if len(results.outcomes) < MIN_QUERIES or len(results.labels) < 2:
        return None
    from similarity.evaluation.results import LEAVE_ONE_OUT

    if results.queries.name == LEAVE_ONE_OUT and not was_taught(gallery):
        return cross_chances(*measured)
    with suppress(SearchError):
        return estimate_all(calibrate(gallery, by=by, progress=progress), results.outcomes.scores, results.hits)
    return None
