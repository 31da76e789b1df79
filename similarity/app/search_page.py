"""The search page: show it a picture on the left, see the most similar pictures on the right."""

from pathlib import Path

import streamlit as st

from similarity.app import messages, query_panel, resources, results
from similarity.errors import GalleryDamagedError, SimilarityError
from similarity.gallery import Gallery, list_galleries
from similarity.models import get_backbone
from similarity.progress import Progress
from similarity.sample import SAMPLE, has_sample, is_ready, sample_queries
from similarity.weights import PREFERRED

FIRST_GALLERY = "python -m similarity index FOLDER --gallery NAME"


def show() -> None:
    """Draw the page."""
    st.title("Similarity", anchor=False)
    st.markdown("Show it a picture, and it finds the pictures of a gallery that look most like it.")
    try:
        galleries = [directory.name for directory in list_galleries()]
        if has_sample() and (not galleries or (SAMPLE in galleries and not is_ready())):
            _index_sample()
    except SimilarityError as error:
        messages.show_error(error)
    directories = list_galleries()
    if not directories:
        _show_no_gallery()
        return
    left, right = st.columns([2, 5], gap="large")
    try:
        with left:
            gallery = _open(query_panel.choose_gallery(directories))
            _show_facts(gallery)
        _search(gallery, left, right)
    except SimilarityError as error:
        with right:
            messages.show_error(error)


def _search(
    gallery: Gallery, left: st.delta_generator.DeltaGenerator, right: st.delta_generator.DeltaGenerator
) -> None:
    with left:
        picture = query_panel.choose_picture()
        if picture:
            query_panel.show_picture(picture)
        k = query_panel.choose_count()
    with right:
        if picture:
            vector = resources.embed_query(gallery, picture)
            results.show_hits(gallery, gallery.search_vector(vector, k))
        elif gallery.name == SAMPLE and (samples := sample_queries()):
            results.show_samples(samples, query_panel.take_sample)
        else:
            results.show_preview(gallery)


def _open(directory: Path) -> Gallery:
    """A gallery; the sample, which is here to be made again, is if it is damaged."""
    try:
        return resources.load_gallery(directory)
    except GalleryDamagedError:
        if directory.name != SAMPLE or not has_sample():
            raise
        _index_sample(anew=True)
        return resources.load_gallery(directory)


def _index_sample(*, anew: bool = False) -> None:
    """The first start: the sample gallery is indexed before anything else is shown."""
    place = st.empty()
    with place.container():
        st.markdown("Indexing the sample gallery. This happens once and takes a few seconds.")
        bar = st.progress(0.0, text="Loading the model …")
        resources.index_sample(lambda progress: _show_progress(bar, progress), anew=anew)
    place.empty()


def _show_progress(bar: st.delta_generator.DeltaGenerator, progress: Progress) -> None:
    if not progress.done:
        bar.progress(0.0, text=f"{progress.task} …")
        return
    rate = f"{progress.images_per_second:.0f} a second, {progress.seconds_left:.0f} s left"
    bar.progress(progress.done / progress.total, text=f"{progress.done} of {progress.total} pictures, {rate}")


def _show_facts(gallery: Gallery) -> None:
    """What is searched, and with what; if the model is not the one hoped for, why."""
    st.caption(f"{len(gallery):,} pictures · {get_backbone(gallery.manifest.model).title}")
    why, _, remedy = gallery.manifest.note.partition("\n")
    if why:
        st.caption(messages.as_text(why))
        with st.expander(f"Use {get_backbone(PREFERRED).title} instead"):
            st.markdown(messages.as_text(remedy))


def _show_no_gallery() -> None:
    """What a person sees first where nothing has been indexed and there is no sample."""
    st.subheader("There is no gallery yet", anchor=False)
    st.markdown(
        "A gallery is a folder of pictures that has been indexed. Make one in a terminal, then reload this page:"
    )
    st.code(FIRST_GALLERY, language="bash")
    st.markdown("`FOLDER` is where the pictures are, and `NAME` is what you want to call the gallery.")
