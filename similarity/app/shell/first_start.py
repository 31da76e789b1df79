"""The first start: the sample gallery is indexed, once, before anything else is shown."""

import streamlit as st

from similarity.app.serving import resources
from similarity.app.wording import messages, wording
from similarity.errors import SimilarityError
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


def index_sample(*, anew: bool = False) -> None:
    """Index the sample gallery, with a progress bar on the page."""
    place = st.empty()
    with place.container():
        st.markdown("Indexing the sample gallery. This happens once and takes a few seconds.")
        bar = st.progress(0.0, text="Loading the model …")
        resources.index_sample(
            lambda progress: bar.progress(
                progress.done / max(progress.total, 1), text=messages.sentence_as_markdown(wording.progress(progress))
            ),
            anew=anew,
        )
    place.empty()
