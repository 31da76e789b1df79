"""How sure the results are: a probability on each, and a word above them if the best one is not sure enough."""

from collections.abc import Sequence
from concurrent.futures import wait

import streamlit as st

from similarity.app.components.tiles import Tile
from similarity.app.evaluate.background import AT_ONCE
from similarity.app.search.query_parts import Example
from similarity.app.serving.single_flight import SingleFlight
from similarity.app.shell.links import ITEM, TEXT, UPLOAD, Link
from similarity.errors import SearchError
from similarity.evaluation.calibrate import calibrate, read_calibration
from similarity.evaluation.confidence.calibration import Calibration
from similarity.evaluation.confidence.estimate import Chances, find_chances, percent
from similarity.gallery import Gallery
from similarity.progress import OnProgress
from similarity.search import Hit
from similarity.service.singleton import singleton
from similarity.sources.base import LABEL
from similarity.vectors.arrays import Vectors

# How many galleries are remembered, each with a few kilobytes.
KEPT = 16
# Of more pictures than AT_ONCE a thread finds out, while results are shown without probabilities; of more than this
# nobody does before it is asked for, with `search --precision` or `evaluate --queries`.
IN_BACKGROUND = 100_000
KIND = "likely the same kind"


@singleton
def calibrations() -> SingleFlight[Calibration | None]:
    """All of this app; None for a gallery that cannot tell how sure its results are."""
    return SingleFlight(KEPT)


def estimate(
    gallery: Gallery, like: Sequence[Example], unlike: Sequence[Example], vector: Vectors, link: Link
) -> Chances | None:
    """How likely results are right; None where nothing says so (yet), and for words, for which it was not measured."""
    if any(one.part.kind == TEXT for one in (*like, *unlike)):
        return None
    calibration = _calibration(gallery)
    if calibration is None:
        return None
    try:
        return find_chances(gallery, calibration, vector, same=_same(gallery, like), accuracy=link.accuracy)
    except SearchError:
        return None


def label_tile(tile: Tile, hit: Hit, chances: Chances | None, precision: float | None) -> Tile:
    """A result with how sure it is."""
    if chances is None:
        return tile
    told, chance = describe(hit, chances), chances.of(hit)
    if chance is None:
        return tile | {"chance": told}
    is_unsure = precision is not None and not chances.is_sure(hit, precision)
    short = f"{percent(chance)} likely" + (", less sure" if is_unsure else "")
    return tile | {"chance": short, "unsure": is_unsure, "hint": f"{tile['hint']} ({told})"}


def describe(hit: Hit, chances: Chances) -> str:
    """How sure a result is, in words."""
    if hit.item.id in chances.same:
        return "the same picture"
    chance = chances.of(hit)
    return "" if chance is None else f"{percent(chance)} {KIND}"


def warn_if_unsure(hits: Sequence[Hit], chances: Chances | None, precision: float | None) -> None:
    """Say it if the best result is not as sure as was asked for, or rather wrong than right."""
    best = chances.best(hits) if chances else None
    if chances is None or best is None or chances.are_confident(hits, precision):
        return
    chance = chances.of(best)
    told = "has no label" if chance is None else f"is {percent(chance)} {KIND}"
    none = "Besides the picture itself, there is no confident match" if best is not hits[0] else "No confident match"
    why = ""
    if precision is not None and chances.calibration.threshold(precision) is None:
        why = f" This gallery cannot tell which results are right in {percent(precision)} of cases."
    elif precision is not None:
        share = percent(precision)
        why = f" It takes a higher score, or more agreement among the first results, to be right in {share} of cases."
    st.warning(f"**{none}.** The best one {told}.{why}", icon=":material/help:")


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

    computation = calibrations().start(f"{gallery.directory}\n{gallery.state}", work)
    if not computation.result.done() and len(gallery) <= AT_ONCE:
        with st.spinner("Finding out how sure its results are …"):
            wait([computation.result])
    # What went wrong is in the log, and results are there without it.
    return computation.result.result() if computation.result.done() and not computation.has_failed else None


def _same(gallery: Gallery, like: Sequence[Example]) -> list[str]:
    """The ids of pictures that are asked with."""
    whole = [one.part for one in like if not one.part.box]
    asked = [part.value for part in whole if part.kind in (ITEM, UPLOAD)]
    rows = [gallery.items.find(value) for value in asked]
    return [gallery.items[row].id for row in rows if row is not None]
