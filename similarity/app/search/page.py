"""The search page: the query on the left, the most similar pictures on the right."""

from pathlib import Path

import streamlit as st

from similarity.app.search import object_rows, objects, query_panel, results, starting_points
from similarity.app.serving import resources
from similarity.app.shell import first_start, gallery_choice, links, navigation, tab_title
from similarity.app.shell.links import Link
from similarity.app.wording import messages, wording
from similarity.errors import GalleryDamagedError, SimilarityError
from similarity.gallery import Gallery
from similarity.sample import SAMPLE, has_sample


def show() -> None:
    """Draw the page."""
    st.title("Similarity", anchor=False)
    st.markdown("Search by image: find the pictures of a gallery that look most like yours.")
    directories = gallery_choice.available_galleries()
    if not directories:
        return
    link = links.read()
    left, right = st.columns([2, 5], gap="large")
    left = left.container(key="query-rail")  # stays in sight; see `style.py`
    try:
        with left:
            directory = gallery_choice.choose(directories, link)
            gallery = _open(directory)
            _show_facts(gallery)
        with right:
            _show_what_changed(gallery, link)
        _search(gallery, link, left, right)
    except SimilarityError as error:
        with right:
            messages.show_error(error)


def _search(
    gallery: Gallery, link: Link, left: st.delta_generator.DeltaGenerator, right: st.delta_generator.DeltaGenerator
) -> None:
    with left:
        like, unlike = query_panel.show(gallery, link, can_group=True)
        tab_title.show(gallery.name, like[0].title if like else "")
    with right:
        if like and objects.is_grouped(link) and (boxes := objects.find(gallery, like[0])):
            object_rows.show(gallery, like[0], boxes)
        elif like:
            results.show(gallery, like, unlike)
        else:
            navigation.forget_search()
            if link.like:
                st.info("Remove the picture that cannot be used, or show it another one.", icon=":material/arrow_back:")
            elif link.unlike:
                st.info("Add a picture that results should look like, too.", icon=":material/arrow_back:")
            starting_points.show(gallery)


def _open(directory: Path) -> Gallery:
    """Open a gallery; a damaged sample gallery is built again."""
    try:
        return resources.load_gallery(directory)
    except GalleryDamagedError:
        if directory.name != SAMPLE or not has_sample():
            raise
        first_start.index_sample(anew=True)
        return resources.load_gallery(directory)


def _show_what_changed(gallery: Gallery, link: Link) -> None:
    """Say so if the gallery, its model or its state is another than the page's address names."""
    manifest = gallery.manifest
    links.remember_gallery(gallery.name, manifest.generation, manifest.model)
    if link.gallery and link.gallery != gallery.name:
        gallery_choice.say_missing(link.gallery, shown=gallery.name)
    elif link.model and link.model != manifest.model:
        st.warning(
            f"This link was made when the gallery used {_model(link.model)}. It was built again with "
            f"{_model(manifest.model)} since, so results and scores differ.",
            icon=":material/history:",
        )
    elif link.generation and link.generation != manifest.generation:
        st.info(
            f"This link was made for state {link.generation:d} of the gallery. It is at state "
            f"{manifest.generation:d} now, so results may differ.",
            icon=":material/history:",
        )


def _show_facts(gallery: Gallery) -> None:
    """Draw the number of pictures and the model, with a note if a fallback model was used."""
    why = messages.sentence_as_markdown(gallery.manifest.note) or None
    st.caption(f"{len(gallery):,} pictures · {_model(gallery.manifest.model)}", help=why)


def _model(name: str) -> str:
    return messages.as_markdown(wording.model_title(name))
