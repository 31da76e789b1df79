"""Label conflicts of galleries, found once in the background for all sessions that look at them.

The neighbours of all pictures are what takes time, and stay the same when labels change: they are kept by embeddings.
"""

from collections.abc import Sequence

import streamlit as st

from similarity.app.components.waiting import wait_with_bar, was_cancelled
from similarity.app.serving import access, visitors
from similarity.app.serving.single_flight import Computation, SingleFlight
from similarity.app.wording import wording
from similarity.evaluation.label_conflicts import Conflict, Neighbourhood, check_labels, find_label_conflicts
from similarity.evaluation.label_conflicts import find_neighbours as find_neighbours_of
from similarity.gallery import Gallery
from similarity.progress import OnProgress
from similarity.service import turns
from similarity.service.singleton import singleton

# Results in memory: conflicts, and neighbours, which take 120 bytes a picture.
MAX_CACHED, MAX_NEIGHBOURS = 4, 2
# Among up to this many pictures conflicts are looked for without a request, which takes seconds.
AT_ONCE = 20_000


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
    visited, is_large = f"conflicts\n{_name(gallery)}", len(gallery) > AT_ONCE
    is_known = (not is_large or neighbourhoods().find(name)) and not was_cancelled(visited)
    if not (is_known or conflicts().find(_name(gallery))):
        check_labels(gallery)
        if not access.may_manage():
            st.info("Nobody has looked for label conflicts in this large gallery yet.", icon=":material/hourglass:")
            return None
        if is_large:
            st.markdown(f"Looking for label conflicts among {wording.pictures(len(gallery))} takes a minute or more.")
        if not st.button("Look for conflicts", icon=":material/label:", type="primary"):
            return None
        _start(gallery)
        st.rerun()  # without the button
    found = wait_with_bar(_start(gallery), "Looking for label conflicts", gallery.name, name=visited)
    if found is None:
        st.error("Label conflicts could not be looked for; the log of the app says why.", icon=":material/error:")
        st.button("Try again", icon=":material/refresh:")
    return found


def _start(gallery: Gallery) -> Computation[Sequence[Conflict]]:
    """Start looking, unless that runs already or is done."""
    visitor = visitors.current()

    def work(progress: OnProgress) -> Sequence[Conflict]:
        check_labels(gallery)
        found = neighbourhoods().start(_embeddings_name(gallery), lambda _: find_neighbours_of(gallery, progress))
        with turns.shared_turns().counting(visitor):
            return find_label_conflicts(gallery, near=found.result.result(), progress=progress)

    return conflicts().start(_name(gallery), work)


def _name(gallery: Gallery) -> str:
    return f"{gallery.directory}\n{gallery.state}"


def _embeddings_name(gallery: Gallery) -> str:
    """Return the name of a gallery's embeddings, the same for all generations that have them."""
    return f"{gallery.directory}\n{gallery.manifest.embeddings_sha256}"
