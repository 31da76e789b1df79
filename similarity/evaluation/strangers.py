"""Strangers: how a gallery answers queries whose kind it does not have, beside those whose kind it has.

Every hit of a stranger is wrong, so each probability that is high, and each hit that counts as confident, is false.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from similarity.errors import SearchError
from similarity.evaluation.confidence.calibration import (
    VOTERS,
    Calibration,
    count_votes,
    estimate_all,
    find_margins,
)
from similarity.evaluation.confidence.estimate import RATHER_RIGHT
from similarity.evaluation.confidence.reliability import Reliability, Values, measure_reliability
from similarity.evaluation.findings import StrangerResults
from similarity.evaluation.gallery_calibration import calibrate, held_out_chances
from similarity.evaluation.queries import Queries, Round, embed_queries
from similarity.evaluation.results import label_of
from similarity.gallery import Gallery
from similarity.progress import OnProgress
from similarity.query.belonging import DOUBTFUL, MIN_PICTURES, NOTHING_LIKE, WITHOUT_DOUBT, Belonging, weight
from similarity.query.gallery_belonging import CANDIDATES
from similarity.sources import Source
from similarity.sources.base import LABEL

PRECISIONS = (0.9, 0.95)
LIKELY = 0.8
# Shares of strangers among all queries.
MIXED = (0.0, 0.1, 0.5)


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """What some queries found.

    Attributes:
        nearest: the cosine to the nearest picture before refinement, float64 (q,).
        shares: of the gallery's own pictures that are no nearer to others of it, likewise.
        rows, scores: of the first hits, (q, VOTERS); -1 and NaN for none.
    """

    nearest: Values
    shares: Values
    rows: npt.NDArray[np.int64]
    scores: Values


def ask_strangers(
    gallery: Gallery, results: Round, source: Source, *, by: str = LABEL, progress: OnProgress | None = None
) -> StrangerResults:
    """Search a gallery with pictures whose kind it does not have, beside the queries of an evaluation.

    Args:
        results: of the queries whose kind it has.
        source: the strangers; those that are pictures of the gallery are left out.
        by: the column in which a right hit has the query's value.
        progress: called with the progress.

    Raises:
        SearchError: the gallery has too few pictures, or none of the strangers can be read.
        GalleryError: the gallery's model cannot be loaded.
    """
    belonging = gallery.belonging
    if belonging is None:
        raise SearchError(
            f"{gallery.name} has too few pictures to tell strangers: it needs {MIN_PICTURES} that are not alike."
        )
    asked = embed_queries(gallery, source, progress)
    chosen = np.flatnonzero(asked.own < 0)
    if not len(chosen):
        raise SearchError(f"All pictures in {source.name} are in {gallery.name}, so none of them is a stranger.")
    strangers, own = (
        _search(gallery, asked, chosen, belonging),
        _search(gallery, results.queries, results.rows, belonging),
    )
    likely, confident, reliability = _judge(gallery, results, strangers, own, by, progress)
    return StrangerResults(
        name=source.name,
        pictures=len(chosen),
        auroc=_auroc(own.nearest, strangers.nearest),
        nothing_like=float((strangers.shares < NOTHING_LIKE).mean()),
        own_nothing_like=float((own.shares < NOTHING_LIKE).mean()),
        likely=likely,
        confident=confident,
        reliability=reliability,
    )


def _search(gallery: Gallery, queries: Queries, rows: npt.NDArray[np.int64], belonging: Belonging) -> _Found:
    """Search with some of the queries, each without itself."""
    nearest = np.full(len(rows), -1.0)
    places, scores = np.full((len(rows), VOTERS), -1, np.int64), np.full((len(rows), VOTERS), np.nan)
    for number, row in enumerate(rows):
        embedding, vector = queries.read_embeddings(row[np.newaxis])[0], queries.read_vectors(row[np.newaxis])[0]
        found = gallery.nearest_rows(vector, CANDIDATES + 1)
        found = found[found != queries.own[row]][:CANDIDATES]
        nearest[number] = (gallery.embeddings[found] @ embedding).max(initial=-1.0)
        first = found[:VOTERS]
        places[number, : len(first)], scores[number, : len(first)] = first, gallery.vectors[first] @ vector
    return _Found(nearest, np.array([belonging.share(cosine) for cosine in nearest.tolist()]), places, scores)


def _judge(
    gallery: Gallery, results: Round, strangers: _Found, own: _Found, by: str, progress: OnProgress | None
) -> tuple[float | None, dict[float, float], dict[float, Reliability]]:
    """Return the shares of strangers with a likely hit and with confident ones, and reliability, where measured."""
    try:
        calibration = calibrate(gallery, by=by, progress=progress)
    except SearchError:  # there are too few pictures, or all have one label
        return None, {}, {}
    labels = _labels(gallery, strangers.rows, by)
    called = _discounted(estimate_all(calibration, strangers.scores, labels), strangers.shares)
    confident = {one: _share_confident(calibration, strangers, labels, called, one) for one in PRECISIONS}
    likely = float((np.nan_to_num(called) >= LIKELY).any(axis=1).mean())
    chances = held_out_chances(gallery, results, by, progress)
    if chances is None:
        return likely, confident, {}
    shown = _discounted(chances, own.shares)
    return likely, confident, {share: _mix(shown, results.outcomes.right, called, share) for share in MIXED}


def _labels(gallery: Gallery, rows: npt.NDArray[np.int64], by: str) -> npt.NDArray[np.int64]:
    """Return the labels of pictures by their rows as numbers; -1 for none."""
    values = [label_of(item, by) for item in gallery.items.at(np.maximum(rows, 0).ravel())]
    numbers = {value: number for number, value in enumerate(dict.fromkeys(filter(None, values)))}
    labels = np.array([numbers.get(value or "", -1) for value in values], np.int64).reshape(rows.shape)
    return np.where(rows >= 0, labels, -1)


def _share_confident(
    calibration: Calibration, found: _Found, labels: npt.NDArray[np.int64], chances: Values, precision: float
) -> float:
    """Return the share of queries with a hit that counts as confident; see `Chances.is_sure`."""
    if (start := calibration.threshold(precision)) is None:
        return 0.0
    evidence = calibration.weigh(found.scores, count_votes(found.scores, labels), find_margins(found.scores, labels))
    is_sure = (np.nan_to_num(chances) >= RATHER_RIGHT) & (evidence >= start)
    return float((is_sure & (found.shares >= WITHOUT_DOUBT)[:, np.newaxis]).any(axis=1).mean())


def _discounted(chances: Values, shares: Values) -> Values:
    """Return probabilities as they are shown: less where it is doubtful that the query belongs, and then none."""
    weights = np.array([np.nan if share < DOUBTFUL else weight(share) for share in shares.tolist()])
    return np.asarray(chances * weights[:, np.newaxis])


def _mix(own: Values, right: npt.NDArray[np.bool_], strangers: Values, share: float) -> Reliability:
    """Measure reliability where a share of the queries are strangers, each counting as much as that takes."""
    each = share / (1 - share) * len(own) / len(strangers)
    chances = np.concatenate([own.ravel(), strangers.ravel()])
    is_right = np.concatenate([right.ravel(), np.zeros(strangers.size, bool)])
    weights = np.concatenate([np.ones(own.size), np.full(strangers.size, each)])
    shown = np.isfinite(chances)
    return measure_reliability(chances[shown], is_right[shown], weights[shown])


def _auroc(own: Values, strangers: Values) -> float:
    from sklearn.metrics import roc_auc_score

    belongs = np.concatenate([np.ones(len(own)), np.zeros(len(strangers))])
    return float(roc_auc_score(belongs, np.concatenate([own, strangers])))
