"""The calibration of a gallery: how sure its hits are, learned from its own pictures, each left out of its own answer.

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
from similarity.evaluation.queries import Round, ask_all
from similarity.evaluation.results import LEAVE_ONE_OUT
from similarity.files import read_json, write_atomically
from similarity.gallery import Gallery
from similarity.paths import cache_folder
from similarity.progress import OnProgress
from similarity.sources.base import LABEL

# Another one whenever the same gallery would get another calibration.
METHOD = "votes1"
# So many queries tell a precision of 95 % from one of 94 %.
MOST_QUERIES = 2_000
MOST_BYTES = 1_000_000  # of its file, which has some kilobytes

logger = logging.getLogger(__name__)


def calibrate(gallery: Gallery, *, by: str = LABEL, progress: OnProgress | None = None) -> Calibration:
    """How sure the hits of a gallery are; from the cache if it is there, otherwise it is made and kept.

    A head was trained on the gallery's pictures, which would say too much of how good it is: it brings what was learned
    of held-out ones.

    Args:
        by: what must be the same for a hit to be right: `label`, or a column of the metadata.

    Raises:
        SearchError: nothing says what would be right, or wrong, or too few pictures do.
    """
    if (kept := read_calibration(gallery, by=by)) is not None:
        return kept
    if gallery.head is not None:
        raise SearchError(
            f"{gallery.name} has a head that was trained on its own pictures, and none were held out to say how sure a "
            f"result by {by} is with the refinement {gallery.manifest.refinement}."
        )
    if was_taught(gallery):
        raise SearchError(
            f"The network of {gallery.name} was fine-tuned, maybe with its own pictures: nothing says how sure a "
            "result is."
        )
    made = ask_all(gallery, by=by, most=MOST_QUERIES, progress=progress)
    if len(made.labels) < 2:
        raise SearchError(
            f"All pictures of {gallery.name} that have a {by} have the same one, {made.labels[0]!r}: nothing says when "
            "a result would be wrong."
        )
    fitted = fit(made.outcomes.scores, made.outcomes.right, made.hits, by=by)
    _write(_file(gallery, by), fitted)
    return fitted


def was_taught(gallery: Gallery) -> bool:
    """Whether pictures of the gallery may have been learned from, by a head or by its network."""
    made = gallery.manifest
    return gallery.head is not None or find_tuned(made.model, made.weights_sha256) is not None


def read_calibration(gallery: Gallery, *, by: str = LABEL) -> Calibration | None:
    """The calibration of a gallery if that takes no work: of its head, or in the cache, whole."""
    try:
        if gallery.head is not None:
            card = gallery.head.card
            is_of_this = by == LABEL and card.settings.get("refinement") == gallery.manifest.refinement
            return Calibration.from_json(card.calibration) if card.calibration and is_of_this else None
        return Calibration.from_json(read_json(_file(gallery, by), MOST_BYTES))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        logger.warning("How sure the results of %s are cannot be read: %s", gallery.name, error)
        return None


def find_reliability(
    gallery: Gallery, made: Round, by: str = LABEL, progress: OnProgress | None = None
) -> Reliability | None:
    """What the probabilities of a gallery are worth for some queries; None if it has none, or these are too few.

    Nothing is learned of the pictures that are asked: if they are the gallery's own, it is learned of one half of them
    for the other.
    """
    asked = (made.outcomes.scores, made.outcomes.right, made.hits)
    if len(made.outcomes) < MIN_QUERIES or len(made.labels) < 2:
        return None
    if made.queries.name == LEAVE_ONE_OUT and not was_taught(gallery):
        return cross_fit(*asked)
    with suppress(SearchError):
        return measure(calibrate(gallery, by=by, progress=progress), *asked)
    return None


def _file(gallery: Gallery, by: str) -> Path:
    name = hashlib.sha256(f"{gallery.state}\n{by}".encode()).hexdigest()
    return cache_folder() / "confidence" / f"{METHOD}-{name}.json"


def _write(path: Path, calibration: Calibration) -> None:
    """Written whole or not at all; where that cannot be, it is made again the next time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(calibration.to_json()))
    except OSError as error:
        logger.warning("How sure results are cannot be kept in %s: %s", path.parent, error)
