"""Evaluations that are being made: each by one thread, for which every session that wants it waits."""

import logging
import time
from concurrent.futures import wait
from dataclasses import dataclass

import streamlit as st

from similarity.app.serving import access, visitors
from similarity.app.serving.single_flight import Making, Once
from similarity.app.wording import wording
from similarity.app.wording.messages import sentence_as_markdown
from similarity.errors import SimilarityError
from similarity.evaluation import Evaluation, evaluate
from similarity.evaluation.ranking import HELD, LARGER, MATRIX
from similarity.gallery import Gallery
from similarity.progress import OnProgress
from similarity.service import turns
from similarity.service.singleton import singleton
from similarity.sources import open_source

# How many are kept in memory, each of 250 bytes a query and with the list of its gallery's pictures.
KEPT = 4
# How often the waiting is told, in seconds.
TICK = 0.5
# Up to so many pictures, comparing each with all takes seconds, and nobody has to ask for it.
AT_ONCE = 5_000
# Of more, so many are drawn as queries.
MOST = 10_000
# How many products of numbers a slow computer makes in a second, and how many numbers it reads.
PER_SECOND, READ_PER_SECOND = 2e10, 2e8

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be measured.

    Attributes:
        by: the column in which a right result has the query's value.
        place: the folder, zip or CSV of the queries; the gallery's own pictures if it is empty.
        turn: another number to measure it once more.
    """

    by: str
    place: str = ""
    turn: int = 0

    def name(self, gallery: Gallery) -> str:
        """What it is kept under."""
        return "\n".join((str(gallery.directory), gallery.state, self.by, self.place, str(self.turn)))


@singleton
def evaluations() -> Once[Evaluation]:
    """All of this app."""
    return Once(KEPT)


def ask(gallery: Gallery, wanted: Wanted) -> Making[Evaluation]:
    """An evaluation, now or later."""

    visitor = visitors.current()

    def work(progress: OnProgress) -> Evaluation:
        queries = open_source(wanted.place) if wanted.place else None
        with turns.shared_turns().counting(visitor):
            return evaluate(gallery, queries, by=wanted.by, most=MOST, progress=progress)

    return evaluations().make(wanted.name(gallery), work)


def expected_seconds(gallery: Gallery) -> float:
    """How long it takes about, if the gallery's own pictures are the queries."""
    numbers, queries = len(gallery) * gallery.manifest.dim, min(MOST, len(gallery))
    times = 1 if 4 * numbers <= HELD else 1 + queries * len(gallery) / (MATRIX * LARGER)
    return queries * numbers / PER_SECOND + times * numbers / READ_PER_SECOND


def may_begin(gallery: Gallery) -> bool:
    """Whether whoever is in front of the browser may have it measured: what takes minutes is not for every visitor."""
    return len(gallery) <= AT_ONCE or access.may_manage()


def wait_for(gallery: Gallery, wanted: Wanted) -> Evaluation | None:
    """An evaluation; while it is made, how far it is is told. None if something went wrong that the log tells.

    Raises:
        SimilarityError: it makes no sense, or a picture or the model cannot be had.
    """
    making = ask(gallery, wanted)
    wait([making.result], timeout=TICK)
    place = st.empty()
    while not making.result.done():
        told = making.progress
        share = told.done / told.total if told and told.total else 0.0
        text = (
            sentence_as_markdown(wording.progress(told))
            if told
            else f"Evaluating … {time.monotonic() - making.begun:.0f} s"
        )
        # Drawing it is what lets a visitor leave the page meanwhile; it is made all the same.
        place.progress(min(1.0, share), text)
        wait([making.result], timeout=TICK)
    place.empty()
    try:
        return making.result.result()
    except SimilarityError:
        raise
    except Exception:
        logger.exception("%s cannot be evaluated", gallery.name)
        return None
