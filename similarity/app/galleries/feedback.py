"""Feedback on a gallery's results: the number of entries, with buttons to export or delete them."""

from functools import partial
from pathlib import Path

import streamlit as st

from similarity.app.wording.messages import as_markdown, error_as_markdown
from similarity.errors import SimilarityError
from similarity.gallery import Gallery
from similarity.storage.feedback import FEEDBACK, export_feedback, forget_all, read_feedback
from similarity.text import plain

TO_FORGET = "feedback_to_forget"


def show(gallery: Gallery) -> None:
    """Draw the number of entries, and buttons to export and delete them."""
    st.markdown("##### Marks")
    try:
        count = count_feedback(gallery.directory)
    except SimilarityError as error:
        st.error(error_as_markdown(error), icon=":material/error:")
        return
    if not count:
        st.caption("Results that are marked “More like this” or “Not like this” on the search page are kept here.")
        return
    st.markdown(f"{_count_in_words(count)} kept.")
    with st.container(horizontal=True):
        st.download_button(
            "Download (JSON)",
            partial(export_feedback, gallery.directory, gallery.items),
            file_name=plain.entry(f"{gallery.name}-marks.json"),
            mime="application/json",
            key="export_feedback",
            icon=":material/download:",
            on_click="ignore",
        )
        st.button("Forget all …", key="forget_marks", icon=":material/delete:", on_click=_ask, args=(gallery.name,))
    if st.session_state.get(TO_FORGET) == gallery.name:
        st.dialog("Forget all marks?", on_dismiss=_cancel)(_confirm)(gallery, count)


def count_feedback(directory: Path) -> int:
    """Count the feedback on a gallery's results; raises GalleryError if it cannot be read."""
    return _count(directory, stamp(directory))


def stamp(directory: Path) -> tuple[int, int]:
    """Return a value that changes with every new entry."""
    try:
        status = (directory / FEEDBACK).stat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size


@st.cache_data(max_entries=64, show_spinner=False)
def _count(directory: Path, stamp: tuple[int, int]) -> int:  # noqa: ARG001 - part of the key
    return len(read_feedback(directory))


def _count_in_words(count: int) -> str:
    return "1 mark" if count == 1 else f"{count:,} marks"


def _ask(name: str) -> None:
    st.session_state[TO_FORGET] = name


def _cancel() -> None:
    st.session_state.pop(TO_FORGET, None)


def _confirm(gallery: Gallery, count: int) -> None:
    """Ask for confirmation, and delete all feedback."""
    st.markdown(
        f"{_count_in_words(count)} of **{as_markdown(gallery.name)}** would be gone for good. Download them first to "
        "keep them."
    )
    with st.container(horizontal=True):
        is_sure = st.button("Forget them", key="danger-forget", type="primary", icon=":material/delete_forever:")
        if st.button("Keep them", on_click=_cancel):
            st.rerun()
    if not is_sure:
        return
    try:
        forget_all(gallery.directory)
    except SimilarityError as error:
        st.error(error_as_markdown(error), icon=":material/error:")
        return
    _cancel()
    st.rerun()
