"""The first start: the sample gallery is indexed, once, before anything else is shown."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from similarity.app.serving import resources
from similarity.app.wording import messages, wording
from similarity.errors import SimilarityError
from similarity.progress import Progress
from similarity.sample import SAMPLE, has_sample, is_ready
from similarity.storage.inventory import list_galleries


def prepare_sample() -> None:
    """Index the sample gallery if there is no gallery yet, or if it was made by an older version."""
    names = [directory.name for directory in list_galleries()]
    if not has_sample() or (names and (SAMPLE not in names or is_ready())):
        return
    try:
        index_sample()
    except SimilarityError as error:
        messages.show_error(error)
        return
    if is_ready():
        st.rerun()


def index_sample(*, anew: bool = False) -> None:
    """Index the sample gallery, with a progress bar on the page.

    Draw the page anew then: what comes after the bar has other places than without it, and would be taken for what
    another page has there.
    """
    place = st.empty()
    with place.container():
        st.markdown("Preparing the sample gallery. This happens once and takes about half a minute.")
        state = st.empty()
        _show_progress(state, Progress("Starting"))
        resources.index_sample(lambda progress: _show_progress(state, progress), anew=anew)
    place.empty()


def _show_progress(place: DeltaGenerator, progress: Progress) -> None:
    """Draw what is done: a bar once something is counted, since one that stays empty looks as if nothing were."""
    text = messages.sentence_as_markdown(wording.progress(progress))
    if progress.total:
        place.progress(progress.done / progress.total, text=text)
    else:
        place.status(text)
