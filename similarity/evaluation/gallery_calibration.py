"""The calibration of a gallery: confidence in hits, fitted on its own pictures, each left out of its own results.

cache/confidence/
  votes1-5c1e….json    named by the method, and by the gallery's state and the column
"""

import hashlib
import json
import logging
from contextlib import suppress
from pathlib import Path

from similarity.embedding.backbones.tuned import find_tuned
from similarity.errors import SearchError
from similarity.evaluation.confidence.calibration import MIN_QUERIES, Calibration, cross_fit, fit, measure
from similarity.evaluation.confidence.reliability import Reliability
from similarity.evaluation.queries import Round, run_queries
from similarity.evaluation.results import LEAVE_ONE_OUT
from similarity.files import read_json, write_atomically
from similarity.gallery import Gallery
from similarity.paths import cache_folder
from similarity.progress import OnProgress
from similarity.sources.base import LABEL

# To be changed whenever the same gallery would get another calibration.
METHOD = "votes1"
# Enough queries to distinguish a precision of 95 % from one of 94 %.
MOST_QUERIES = 2_000
MOST_BYTES = 1_000_000  # of the file, which has some kilobytes

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
    if (cached := read_calibration(gallery, by=by)) is not None:
        return cached
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
    results = run_queries(gallery, by=by, most=MOST_QUERIES, progress=progress)
    if len(results.labels) < 2:
        raise SearchError(
            f"All pictures of {gallery.name} that have a {by} have the same one, {results.labels[0]!r}, so confidence "
            "cannot be measured: no result would be wrong."
        )
    fitted = fit(results.outcomes.scores, results.outcomes.right, results.hits, by=by)
    _write(_file(gallery, by), fitted)
    return fitted


def was_taught(gallery: Gallery) -> bool:
    """Whether the gallery's head or network may have been trained on its own pictures."""
    manifest = gallery.manifest
    return gallery.head is not None or find_tuned(manifest.model, manifest.weights_sha256) is not None


def read_calibration(gallery: Gallery, *, by: str = LABEL) -> Calibration | None:
    """Read the calibration of a gallery from its head or the cache; None if there is none."""
    try:
        if gallery.head is not None:
            card = gallery.head.card
            is_valid = by == LABEL and card.settings.get("refinement") == gallery.manifest.refinement
            return Calibration.from_json(card.calibration) if card.calibration and is_valid else None
        return Calibration.from_json(read_json(_file(gallery, by), MOST_BYTES))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        logger.warning("The calibration of %s cannot be read: %s", gallery.name, error)
        return None


def find_reliability(
    gallery: Gallery, results: Round, by: str = LABEL, progress: OnProgress | None = None
) -> Reliability | None:
    """Measure the reliability of a gallery's probabilities; None if it has none, or there are too few queries.

    The calibration is never fitted on the queries that it is measured on: if these are the gallery's own pictures, each
    half is evaluated with a calibration fitted on the other half.
    """
    measured = (results.outcomes.scores, results.outcomes.right, results.hits)
    if len(results.outcomes) < MIN_QUERIES or len(results.labels) < 2:
        return None
    if results.queries.name == LEAVE_ONE_OUT and not was_taught(gallery):
        return cross_fit(*measured)
    with suppress(SearchError):
        return measure(calibrate(gallery, by=by, progress=progress), *measured)
    return None


def _file(gallery: Gallery, by: str) -> Path:
    name = hashlib.sha256(f"{gallery.state}\n{by}".encode()).hexdigest()
    return cache_folder() / "confidence" / f"{METHOD}-{name}.json"


def _write(path: Path, calibration: Calibration) -> None:
    """Write a calibration atomically; if that fails, it is computed again the next time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(calibration.to_json()))
    except OSError as error:
        logger.warning("The calibration cannot be stored in %s: %s", path.parent, error)
