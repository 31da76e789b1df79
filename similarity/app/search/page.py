"""The search page: a place for a picture, then the query beside the most similar pictures."""

from pathlib import Path

import streamlit as st

from similarity.app.search import detail, home, object_rows, objects, query_panel, results, several, starting_points
from similarity.app.serving import resources
from similarity.app.serving.session_uploads import UploadGoneError
from similarity.app.shell import first_start, gallery_choice, links, navigation, tab_title
from similarity.app.shell.parameters import Link
from similarity.app.wording import messages, wording
from similarity.errors import GalleryDamagedError, SimilarityError
from similarity.gallery import Gallery
from similarity.sample import SAMPLE, has_sample


def show() -> None:
    """Draw the page."""
    directories = gallery_choice.available_galleries()
    if not directories:
        return
    link = links.read()
    # Each has a place of its own: the other one is gone at once, and nothing of it is moved by what comes.
    if link.like or link.unlike:
        st.empty()
        with st.container():
            _show_search(directories, link)
    else:
        with st.container():
            _show_start(directories, link)
        st.empty()


def _show_start(directories: list[Path], link: Link) -> None:
    """Draw the page without a query, or with several that are searched one by one."""
    with st.container(
        horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute", key="start-head"
    ):
        with st.container(gap="xsmall", key="start-title"):
            st.title("Search by image", anchor=False)
            facts = st.container()
        with st.container(key="start-gallery", width=260):
            directory = gallery_choice.choose(directories, link)
    try:
        gallery = _open(directory)
        with facts:
            _show_facts(gallery)
        _show_what_changed(gallery, link)
        navigation.forget_search()
        if link.each:
            home.take_anywhere(gallery)
            several.show(gallery)
        else:
            home.show(gallery)
    except SimilarityError as error:
        messages.show_error(error)


def _show_search(directories: list[Path], link: Link) -> None:
    """Draw the query on the left, and its results on the right."""
    left, right = st.columns([2, 5], gap="large")
    left = left.container(key="query-rail")  # stays in sight; see `style.py`
    try:
        with left:
            directory = gallery_choice.choose(directories, link)
            gallery = _open(directory)
            _show_facts(gallery)
        with right:
            with st.container(key="results-title"):  # for whoever hears the page; see `style.py`
                st.title("Results", anchor=False)
            _show_what_changed(gallery, link)
            home.take_anywhere(gallery)
        _search(gallery, link, left, right)
    except SimilarityError as error:
        with right:
            messages.show_error(error)


def _search(
    gallery: Gallery, link: Link, left: st.delta_generator.DeltaGenerator, right: st.delta_generator.DeltaGenerator
) -> None:
    """Draw the results, then the query's panel, which would keep them waiting, then what a second look finds."""
    with left:
        loaded = query_panel.load(gallery, link)
    like, rest = loaded.like, results.Rest()
    tab_title.show(gallery.name, like[0].name if like else "")
    if loaded.failure:
        with right:
            _show_failure(loaded.failure)
            if isinstance(loaded.failure, UploadGoneError):  # what was sent is the result, which is nobody's secret
                detail.show_if_open(gallery, (), ())
        return
    with right:
        if like and objects.is_grouped(link) and (boxes := objects.find(gallery, like[0])):
            object_rows.show(gallery, like[0], boxes)
        elif like:
            results.show(gallery, like, loaded.unlike, rest)
        else:
            _show_what_lacks(gallery, link)
    with left:
        query_panel.show(gallery, link, loaded, can_group=True)
    rest.finish()


def _show_failure(error: SimilarityError) -> None:
    """Say why nothing can be searched with, and draw the way on: whoever opens a link has nothing to remove."""
    navigation.forget_search()
    if isinstance(error, UploadGoneError):
        st.info(messages.sentence_as_markdown(str(error)), icon=":material/hide_image:")
        label, icon = "Search with a picture", ":material/image_search:"
    else:
        messages.show_error(error)
        label, icon = "Start over", ":material/restart_alt:"
    st.button(label, icon=icon, key="search-anew", type="primary", on_click=query_panel.start_over)


def _show_what_lacks(gallery: Gallery, link: Link) -> None:
    """Say what a query without an example needs, with pictures to start from."""
    navigation.forget_search()
    with st.container(key="query-lacks"):  # a telephone shows the panel of the query, too; see `style.py`
        if link.like:
            st.info("Remove the picture that cannot be used, or add another one.", icon=":material/error:")
        else:
            st.info("Add a picture that results should look like, too.", icon=":material/add_photo_alternate:")
    starting_points.show(gallery)


def _open(directory: Path) -> Gallery:
    """Open a gallery; a damaged sample gallery is built again."""
    try:
        return resources.load_gallery(directory)
    except GalleryDamagedError:
        if directory.name != SAMPLE or not has_sample():
            raise
        first_start.index_sample(anew=True)
        resources.load_gallery(directory)  # if it is damaged again, it is said
        st.rerun()


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
    elif link.generation and not links.has_seen(gallery.name, link.generation):
        st.info(
            f"This link was made for state {link.generation:d} of the gallery. It is at state "
            f"{manifest.generation:d} now, so results may differ.",
            icon=":material/history:",
        )


def _show_facts(gallery: Gallery) -> None:
    """Draw the number of pictures and the model, with a note if a fallback model was used."""
    why = messages.sentence_as_markdown(gallery.manifest.note.replace("\n", " ")) or None
    st.caption(f"{wording.pictures(len(gallery))} · {_model(gallery.manifest.model)}", help=why)
    messages.show_missing(gallery.name, gallery.left_out)


def _model(name: str) -> str:
    return messages.as_markdown(wording.model_title(name))
