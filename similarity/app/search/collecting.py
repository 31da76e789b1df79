"""Making a gallery of the selected pictures, under a name that the visitor gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from similarity.app.components import focus
from similarity.app.galleries import jobs_background
from similarity.app.serving import access
from similarity.app.shell import fields, links
from similarity.app.shell.parameters import Link
from similarity.app.wording.messages import as_markdown, error_as_markdown
from similarity.app.wording.wording import pictures
from similarity.errors import GalleryError, SimilarityError
from similarity.gallery import Gallery
from similarity.service import tasks
from similarity.service.jobs import shared_jobs
from similarity.storage.inventory import look_at, named_gallery

IS_ASKED, MADE = "collection_is_asked", "collection_made"


@dataclass(frozen=True, slots=True)
class Made:
    """A gallery that this visitor has made of pictures of another one.

    Attributes:
        source: the folder of the gallery that its pictures are from.
        directory: its own folder.
        count: the number of its pictures.
    """

    source: Path
    directory: Path
    count: int


def ask() -> None:
    """Ask for the name of the gallery when the page is drawn; for the callback of a button."""
    st.session_state[IS_ASKED] = True


def show_if_asked(gallery: Gallery, ids: Sequence[str]) -> None:
    """Draw the dialog on top of the page, if it was asked for."""
    if st.session_state.get(IS_ASKED) and ids and access.may_manage():
        st.dialog("Make a gallery", on_dismiss=_cancel)(_show)(gallery, ids)


def made(gallery: Gallery) -> Made | None:
    """Return the gallery that was just made of pictures of a gallery, if it is there."""
    collection: Made | None = st.session_state.get(MADE)
    is_of = collection is not None and collection.source == gallery.directory
    return collection if is_of and collection and look_at(collection.directory) else None


def show_made(collection: Made) -> None:
    """Draw what was made, with the way to it."""
    name = as_markdown(collection.directory.name)
    st.markdown(f"**{name}** has {pictures(collection.count)}.", width="content")
    if st.button("Open it", icon=":material/arrow_forward:", key="collection-open"):
        _dismiss()
        links.write(Link(gallery=collection.directory.name))
        st.rerun()
    st.button("Dismiss", key="collection-dismiss", type="tertiary", on_click=_dismiss)


def _show(gallery: Gallery, ids: Sequence[str]) -> None:
    st.markdown(
        f"A new gallery of {pictures(len(ids))} of **{as_markdown(gallery.name)}**. "
        f"{'It stays' if len(ids) == 1 else 'They stay'} there as well, and no file is moved."
    )
    with st.form("collection", border=False):
        with st.container(key=focus.BEGIN):
            name = fields.text_line("Name", key="collection_name", placeholder="For example: summer shoes")
        is_sent = st.form_submit_button("Make it", type="primary", icon=":material/library_add:")
    if not is_sent:
        return
    try:
        _make(gallery, ids, name)
    except SimilarityError as error:
        st.error(error_as_markdown(error), icon=":material/error:")
        return
    _cancel()
    st.session_state.pop("selection", None)
    st.rerun()


def _make(gallery: Gallery, ids: Sequence[str], name: str) -> None:
    """Make the gallery, and wait a moment for it; raises SimilarityError if it cannot be made."""
    if not name:
        raise GalleryError("Give the gallery a name.")
    directory = named_gallery(name)
    if look_at(directory):
        raise GalleryError(f"There is a gallery named {name} already: choose another name.")
    if not jobs_background.start(directory, "collect", tasks.collect(gallery.directory, ids, directory)):
        raise GalleryError(st.session_state.pop(jobs_background.NOTICE, "It could not be started."))
    jobs_background.wait_a_moment(directory)
    job = next(job for job in reversed(shared_jobs().listed()) if job.directory == directory)
    if job.status.state == "failed":
        jobs_background.dismiss(job)
        raise GalleryError(job.status.error)
    st.session_state[MADE] = Made(gallery.directory, directory, len(ids))


def _cancel() -> None:
    st.session_state.pop(IS_ASKED, None)


def _dismiss() -> None:
    st.session_state.pop(MADE, None)
