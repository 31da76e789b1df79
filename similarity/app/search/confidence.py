"""Confidence: a probability on each of the first results, and the verdict above them."""

from collections.abc import Sequence
from concurrent.futures import wait
from typing import TypeVar

import numpy as np
import streamlit as st

from similarity.app.components.tiles import Tile
from similarity.app.evaluate.background import AT_ONCE
from similarity.app.search import parts
from similarity.app.search.query_parts import Example
from similarity.app.serving.single_flight import Computation, SingleFlight
from similarity.app.shell.parameters import TEXT, Link
from similarity.app.wording.messages import as_markdown
from similarity.errors import SearchError
from similarity.evaluation.confidence.calibration import Calibration
from similarity.evaluation.confidence.estimate import Chances, Withheld, percent
from similarity.evaluation.confidence.verdict import Kind, find_verdict
from similarity.evaluation.gallery_calibration import calibrate, read_calibration
from similarity.evaluation.gallery_chances import estimate_chances, why_withheld
from similarity.gallery import Gallery
from similarity.progress import OnProgress
from similarity.query.belonging import Belonging
from similarity.query.gallery_belonging import find_belonging, read_belonging
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
    if parts.are_searched(gallery, link):  # chances were measured for scores of whole pictures
        return None
    if any(example.part.kind == TEXT for example in (*like, *unlike)) or not embeddings:
        return None
    calibration, belonging, is_measuring = _measure(gallery)
    # A result that was marked is wanted more of, but is not what was searched with.
    same = _same(gallery, [one for place, one in enumerate(like) if not (place and one.part.is_mark)])
    is_filtered = bool(link.where or link.min_score or link.distinct)
    withheld = why_withheld(gallery, parts=len(like) + len(unlike), same=same, is_filtered=is_filtered)
    withheld = Withheld.MEASURING if is_measuring else withheld
    if calibration is None and belonging is None and withheld is not Withheld.MEASURING:
        return None
    try:
        return estimate_chances(
            gallery,
            vector,
            np.array(embeddings),
            calibration=calibration,
            belonging=belonging,
            same=same,
            withheld=withheld,
            accuracy=link.accuracy,
        )
    except SearchError:
        return None


def label_tile(tile: Tile, hit: Hit, chances: Chances | None, precision: float | None) -> Tile:
    """Add the probability of being right to the tile of a result."""
    if chances is None:
        return tile
    description, chance = describe(hit, chances), chances.of(hit)
    if chance is None:
        return tile | {"chance": description} if description else tile
    is_unsure = precision is not None and not chances.is_sure(hit, precision)
    short = f"{percent(chance)} same kind" + (", less sure" if is_unsure else "")
    return tile | {"chance": short, "unsure": is_unsure, "hint": f"{tile['hint']} ({description})"}


def describe(hit: Hit, chances: Chances) -> str:
    """Write the probability of a result in words."""
    if hit.item.id in chances.same:
        return "the same picture"
    chance = chances.of(hit)
    return "" if chance is None else f"{percent(chance)} {KIND}".replace(" %", "\u00a0%")


def show_verdict(hits: Sequence[Hit], chances: Chances | None, precision: float | None) -> None:
    """Draw what is known of the results in one line; nothing if that is nothing, unless it will be known soon."""
    verdict = find_verdict(hits, chances, precision)
    if verdict is None:
        if hits and chances is not None and chances.withheld is Withheld.MEASURING:
            st.caption(as_markdown(chances.withheld))
        return
    line = f"**{as_markdown(verdict.title)}:** {as_markdown(verdict.detail)}".replace(" %", "\u00a0%")
    if verdict.kind in (Kind.SAME, Kind.STRONG):
        st.markdown(f":green[:material/check_circle:] {line}")
    else:
        st.warning(line, icon=":material/help:")


def _measure(gallery: Gallery) -> tuple[Calibration | None, Belonging | None, bool]:
    """Return the calibration and the belonging of a gallery, where known, and whether either is being measured.

    Probabilities are those of queries that belong to the gallery, so they wait until that can be told.
    """
    measured, calibrated = _measure_belonging(gallery), _calibrate(gallery)
    calibration = _wait(calibrated, gallery) if calibrated else read_calibration(gallery)
    belonging, is_known = _wait(measured, gallery), measured.result.done()
    if not is_known:
        belonging = read_belonging(gallery.state)
    is_measuring = not (is_known or belonging) or not (calibrated is None or calibrated.result.done())
    return calibration, belonging, is_measuring


def _calibrate(gallery: Gallery) -> Computation[Calibration | None] | None:
    """Start to calibrate a gallery, unless it has no labels, or so many pictures that somebody should ask for it."""
    if not gallery.facets.counts(LABEL) or len(gallery) > IN_BACKGROUND:
        return None

    def work(progress: OnProgress) -> Calibration | None:
        try:
            return calibrate(gallery, progress=progress)
        except SearchError:  # there are too few pictures, or all have one label
            return None

    return calibrations().start(f"{gallery.directory}\n{gallery.state}", work)


def _measure_belonging(gallery: Gallery) -> Computation[Belonging | None]:
    def work(progress: OnProgress) -> Belonging | None:
        return find_belonging(gallery, gallery.state, progress)

    return belongings().start(f"{gallery.directory}\n{gallery.state}", work)


def _wait(computation: Computation[T | None], gallery: Gallery) -> T | None:
    """Return the result of a computation; None if it failed, which the log says, or if a large gallery needs longer."""
    if not computation.result.done() and len(gallery) <= AT_ONCE:
        with st.spinner("Working out how likely results are right …"):
            wait([computation.result])
    return computation.result.result() if computation.result.done() and not computation.has_failed else None


def _same(gallery: Gallery, like: Sequence[Example]) -> list[str]:
    """Return the ids of the gallery's pictures that are whole examples of the query."""
    contents = [example.sha256 for example in like if example.sha256 and not example.part.box]
    return [gallery.find(content).id for content in contents if gallery.items.find(content) is not None]
