"""The search page: show it a picture on the left, see the most similar pictures on the right."""

import streamlit as st

from similarity.app import query_panel, resources, results
from similarity.errors import SimilarityError
from similarity.gallery import Gallery, list_galleries
from similarity.models import get_backbone

FIRST_GALLERY = "python -m similarity index FOLDER --gallery NAME"


def show() -> None:
    """Draw the page."""
    st.title("Similarity", anchor=False)
    st.markdown("Show it a picture, and it finds the pictures of a gallery that look most like it.")
    directories = list_galleries()
    if not directories:
        _show_no_gallery()
        return
    left, right = st.columns([2, 5], gap="large")
    try:
        with left:
            gallery = resources.load_gallery(query_panel.choose_gallery(directories))
            _show_facts(gallery)
        _search(gallery, left, right)
    except SimilarityError as error:
        with right:
            st.error(results.as_text(str(error)), icon=":material/error:")


def _search(
    gallery: Gallery, left: st.delta_generator.DeltaGenerator, right: st.delta_generator.DeltaGenerator
) -> None:
    with left:
        picture = query_panel.choose_picture()
        if picture:
            query_panel.show_picture(picture)
        k = query_panel.choose_count()
    with right:
        if picture is None:
            results.show_preview(gallery)
        else:
            vector = resources.embed_query(gallery, picture.data, picture.name)
            results.show_hits(gallery, gallery.search_vector(vector, k))


def _show_facts(gallery: Gallery) -> None:
    """What is searched, and with what; if the model is not the one hoped for, why."""
    st.caption(f"{len(gallery):,} pictures · {get_backbone(gallery.manifest.model).title}")
    if gallery.manifest.note:
        with st.expander("Why this model?"):
            st.markdown(results.as_text(gallery.manifest.note))


def _show_no_gallery() -> None:
    """What a person sees first where nothing has been indexed."""
    st.subheader("There is no gallery yet", anchor=False)
    st.markdown(
        "A gallery is a folder of pictures that has been indexed. Make one in a terminal, then reload this page:"
    )
    st.code(FIRST_GALLERY, language="bash")
    st.markdown("`FOLDER` is where the pictures are, and `NAME` is what you want to call the gallery.")
