"""Label conflicts of galleries, found once in the background for all sessions that look at them.

The neighbours of all pictures are what takes time, and stay the same when labels change: they are kept by embeddings.
"""

import logging
import time
from collections.abc import Sequence
from concurrent.futures import wait

import streamlit as st

from similarity.app.serving import access, visitors
from similarity.app.serving.single_flight import Computation, SingleFlight
from similarity.app.wording import wording
from similarity.app.wording.messages import sentence_as_markdown
from similarity.errors import SimilarityError
from similarity.evaluation.label_conflicts import Conflict, Neighbourhood, check_labels, find_label_conflicts
from similarity.evaluation.label_conflicts import find_neighbours as find_neighbours_of
from similarity.gallery import Gallery
from similarity.paths import EMBEDDINGS
from similarity.progress import OnProgress
from similarity.service import turns
from similarity.service.singleton import singleton

# Results in memory: conflicts, and neighbours, which take 120 bytes a picture.
MAX_CACHED, MAX_NEIGHBOURS = 4, 2
# Seconds before the progress is drawn, and between two updates of it.
TICK = 0.5
# Among up to this many pictures conflicts are looked for without a request, which takes seconds.
AT_ONCE = 20_000

logger = logging.getLogger(__name__)


@singleton
def conflicts() -> SingleFlight[Sequence[Conflict]]:
    """Return the conflicts that this process has found."""
    return SingleFlight(MAX_CACHED)


@singleton
def neighbourhoods() -> SingleFlight[Neighbourhood]:
    """Return the neighbours that this process has found."""
    return SingleFlight(MAX_NEIGHBOURS)


def find(gallery: Gallery) -> Sequence[Conflict] | None:
    """Find the conflicts of a gallery, or draw why there are none yet.

    Raises:
        SimilarityError: the gallery has no labels, or its store cannot be asked.
    """
    name = _embeddings_name(gallery)
    if len(gallery) > AT_ONCE and not neighbourhoods().find(name):
        check_labels(gallery)
        if not access.may_manage():
            st.info("Nobody has looked for label conflicts in this large gallery yet.", icon=":material/hourglass:")
            return None
        st.markdown(f"Looking for label conflicts among {wording.pictures(len(gallery))} takes a minute or more.")
        if not st.button("Look for conflicts", icon=":material/label:", type="primary"):
            return None
    return _wait_for(gallery, _start(gallery))


def _start(gallery: Gallery) -> Computation[Sequence[Conflict]]:
    """Start looking, unless that runs already or is done."""
    visitor = visitors.current()

    def work(progress: OnProgress) -> Sequence[Conflict]:
        check_labels(gallery)
        found = neighbourhoods().start(_embeddings_name(gallery), lambda _: find_neighbours_of(gallery, progress))
        with turns.shared_turns().counting(visitor):
            return find_label_conflicts(gallery, near=found.result.result(), progress=progress)

    return conflicts().start(f"{gallery.directory}\n{gallery.state}", work)


def _wait_for(gallery: Gallery, computation: Computation[Sequence[Conflict]]) -> Sequence[Conflict] | None:
    """Wait for the conflicts, with a progress bar on the page; None after an unexpected error, which is in the log."""
    wait([computation.result], timeout=TICK)
    place = st.empty()
    while not computation.result.done():
        progress = computation.progress
        share = progress.done / progress.total if progress and progress.total else 0.0
        elapsed = time.monotonic() - computation.started
        text = sentence_as_markdown(wording.progress(progress)) if progress else f"Looking … {elapsed:.0f} s"
        # Streamlit stops a script where it draws, so this lets the visitor leave; the search goes on.
        place.progress(min(1.0, share), text)
        wait([computation.result], timeout=TICK)
    place.empty()
    try:
        return computation.result.result()
    except SimilarityError:
        raise
    except Exception:
        logger.exception("Label conflicts of %s cannot be found", gallery.name)
        st.error("Label conflicts could not be looked for; the log of the app says why.", icon=":material/error:")
        st.button("Try again", icon=":material/refresh:")
        return None


def _embeddings_name(gallery: Gallery) -> str:
    """Return the name of a gallery's embeddings, the same for all generations that have them."""
    return f"{gallery.directory}\n{gallery.manifest.files[EMBEDDINGS]['sha256']}"
