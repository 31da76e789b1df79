"""Confidence: a probability on each result, and a warning above them if the best is not likely enough."""

from collections.abc import Sequence
from concurrent.futures import wait
from typing import TypeVar

import numpy as np
import streamlit as st

from similarity.app.components.tiles import Tile
from similarity.app.evaluate.background import AT_ONCE
from similarity.app.search.query_parts import Example
from similarity.app.serving.single_flight import Computation, SingleFlight
from similarity.app.shell.links import ITEM, TEXT, UPLOAD, Link
from similarity.errors import SearchError
from similarity.evaluation.confidence.calibration import VOTERS, Calibration
from similarity.evaluation.confidence.estimate import Chances, find_chances, percent
from similarity.evaluation.gallery_calibration import calibrate, read_calibration
from similarity.gallery import Gallery
from similarity.progress import OnProgress
from similarity.query.belonging import NOTHING_LIKE_IT, Belonging
from similarity.query.gallery_belonging import find_belonging, find_share, read_belonging
from similarity.search import Hit
from similarity.service.singleton import singleton
from similarity.sources.base import LABEL
from similarity.vectors.arrays import Vectors

# Calibrations kept in memory, each of a few kilobytes, and so many measured belongings.
MAX_CACHED = 16
# A gallery of more than AT_ONCE pictures is calibrated in the background, while results are shown without
# probabilities; one of more than this only on request, with `search --precision` or `evaluate --queries`.
IN_BACKGROUND = 100_000
KIND = "likely the same kind"
UNCERTAIN = "Similar, kind uncertain"
MAY_HAVE_NOTHING = "This gallery may have nothing of its kind, so no result is called likely."
NEAREST_ANYWAY = "These are the nearest pictures, but they may show something else."

T = TypeVar("T")


@singleton
def belongings() -> SingleFlight[Belonging | None]:
    """Return how near the pictures of galleries are to each other; None for a gallery of too few pictures."""
    return SingleFlight(MAX_CACHED)


@singleton
def calibrations() -> SingleFlight[Calibration | None]:
    """Return the calibrations of this process; None for a gallery that cannot be calibrated."""
    return SingleFlight(MAX_CACHED)


def estimate(
    gallery: Gallery, like: Sequence[Example], unlike: Sequence[Example], vector: Vectors, link: Link
) -> Chances | None:
    """Estimate whether the query belongs to the gallery, and how likely results are right.

    None if neither is known, and for words, which both do not cover.
    """
    embeddings = [example.embedding for example in like if example.embedding is not None]
    if any(example.part.kind == TEXT for example in (*like, *unlike)) or not embeddings:
        return None
    measured = _measure_belonging(gallery)
    calibration, belonging = _calibration(gallery), _wait(measured, gallery)
    if not measured.result.done():
        # Probabilities are those of queries that belong to the gallery, and wait until that can be told.
        belonging = read_belonging(gallery.state)
        calibration = calibration if belonging else None
    if calibration is None and belonging is None:
        return None
    try:
        belongs = find_share(gallery, belonging, np.array(embeddings)) if belonging else None
        same = _same(gallery, like)
        voters = gallery.search_vector(vector, VOTERS, exclude_ids=same, accuracy=link.accuracy)
        return find_chances(calibration, voters, same=same, belongs=belongs)
    except SearchError:
        return None


def label_tile(tile: Tile, hit: Hit, chances: Chances | None, precision: float | None) -> Tile:
    """Add the probability of being right to the tile of a result."""
    if chances is None:
        return tile
    description, chance = describe(hit, chances), chances.of(hit)
    if chance is None:
        return tile | {"chance": description}
    is_unsure = precision is not None and not chances.is_sure(hit, precision)
    short = f"{percent(chance)} likely" + (", less sure" if is_unsure else "")
    return tile | {"chance": short, "unsure": is_unsure, "hint": f"{tile['hint']} ({description})"}


def describe(hit: Hit, chances: Chances) -> str:
    """Write the probability of a result in words."""
    if hit.item.id in chances.same:
        return "the same picture"
    chance = chances.of(hit)
    return "" if chance is None else f"{percent(chance)} {KIND}"


def warn_if_unsure(hits: Sequence[Hit], chances: Chances | None, precision: float | None) -> None:
    """Show a warning if the best result is less likely right than requested, or more likely wrong than right.

    If the query looks like nothing in the gallery, the warning says that.
    """
    if chances is not None and chances.is_stranger and hits:
        st.warning(f"**{NOTHING_LIKE_IT}.** {NEAREST_ANYWAY}", icon=":material/help:")
        return
    if chances is not None and chances.is_doubtful and hits:
        st.warning(f"**{UNCERTAIN}.** {MAY_HAVE_NOTHING}", icon=":material/help:")
        return
    best = chances.best(hits) if chances else None
    if chances is None or chances.calibration is None or best is None or chances.are_confident(hits, precision):
        return
    chance = chances.of(best)
    state = "has no label" if chance is None else f"is {percent(chance)} {KIND}"
    verdict = "Besides the picture itself, there is no confident match" if best is not hits[0] else "No confident match"
    why = ""
    if precision is not None and chances.threshold(precision) is None:
        why = f" In this gallery no score means {percent(precision)} certainty."
    elif precision is not None:
        share = percent(precision)
        why = f" It takes a higher score, or more agreement among the first results, to be right in {share} of cases."
    st.warning(f"**{verdict}.** The best one {state}.{why}", icon=":material/help:")


def _calibration(gallery: Gallery) -> Calibration | None:
    if not gallery.facets.counts(LABEL):
        return None
    if len(gallery) > IN_BACKGROUND:
        return read_calibration(gallery)

    def work(progress: OnProgress) -> Calibration | None:
        try:
            return calibrate(gallery, progress=progress)
        except SearchError:  # there are too few pictures, or all have one label
            return None

    return _wait(calibrations().start(f"{gallery.directory}\n{gallery.state}", work), gallery)


def _measure_belonging(gallery: Gallery) -> Computation[Belonging | None]:
    def work(progress: OnProgress) -> Belonging | None:
        return find_belonging(gallery, gallery.state, progress)

    return belongings().start(f"{gallery.directory}\n{gallery.state}", work)


def _wait(computation: Computation[T | None], gallery: Gallery) -> T | None:
    """Return the result of a computation; None if it failed, which the log says, or if a large gallery needs longer."""
    if not computation.result.done() and len(gallery) <= AT_ONCE:
        with st.spinner("Measuring how sure its results are …"):
            wait([computation.result])
    return computation.result.result() if computation.result.done() and not computation.has_failed else None


def _same(gallery: Gallery, like: Sequence[Example]) -> list[str]:
    """Return the ids of the gallery's pictures that are whole examples of the query."""
    whole = [example.part for example in like if not example.part.box]
    values = [part.value for part in whole if part.kind in (ITEM, UPLOAD)]
    rows = [gallery.items.find(value) for value in values]
    return [gallery.items[row].id for row in rows if row is not None]
