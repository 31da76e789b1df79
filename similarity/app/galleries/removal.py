"""The form that removes pictures from a gallery: they are named, counted, and removed once the visitor confirms it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from similarity.app.components import attention
from similarity.app.galleries import jobs_background
from similarity.app.serving.access import text_for_visitor
from similarity.app.shell import fields
from similarity.app.wording.messages import as_markdown
from similarity.app.wording.wording import pictures
from similarity.errors import GalleryError, SimilarityError
from similarity.gallery import Gallery
from similarity.service import tasks
from similarity.sources.base import LABEL, files_of
from similarity.sources.locations import full_place

TO_CONFIRM = "pictures_to_remove"


@dataclass(frozen=True, slots=True)
class Removal:
    """Pictures to remove from a gallery, by what the visitor named."""

    directory: Path
    ids: Sequence[str]
    paths: Sequence[str]
    labels: Sequence[str]
    count: int


def show(gallery: Gallery) -> None:
    """Draw the form, and the question whether to remove what it names."""
    st.markdown("Removed pictures are no longer found. Their files stay where they are.")
    labels = gallery.facets.counts(LABEL)
    chosen: list[str] = []
    if labels:
        chosen = st.multiselect(
            "All with a label",
            sorted(labels),
            format_func=lambda label: text_for_visitor(f"{label} ({labels[label]:,})"),
            key="remove_labels",
        )
    lines = fields.text_lines("Pictures or folders", placeholder="One id or path on each line", key="remove_lines")
    if st.button("Remove …", icon=":material/remove:", key="do_remove"):
        try:
            st.session_state[TO_CONFIRM] = _plan(gallery, lines, chosen)
        except SimilarityError as error:
            attention.show_fault(st.empty(), error)
    removal: Removal | None = st.session_state.get(TO_CONFIRM)
    if removal and removal.directory == gallery.directory:
        st.dialog("Remove a picture?" if removal.count == 1 else "Remove pictures?", on_dismiss=_cancel)(_confirm)(
            gallery.name, removal
        )


def _plan(gallery: Gallery, lines: Sequence[str], labels: Sequence[str]) -> Removal:
    """Count the pictures; raises GalleryError if none are named, or the gallery has none of that name."""
    if not (lines or labels):
        raise GalleryError("Choose a label, or name the pictures.")
    known = {file.id for file in files_of(gallery.items)} if lines else set()
    ids, paths = [line for line in lines if line in known], [full_place(line) for line in lines if line not in known]
    report = gallery.preview.remove(ids=ids, paths=paths, labels=labels)
    return Removal(gallery.directory, ids, paths, labels, report.removed)


def _confirm(name: str, removal: Removal) -> None:
    is_one = removal.count == 1
    stays = "Its file stays where it is" if is_one else "Their files stay where they are"
    st.markdown(
        f"{pictures(removal.count)} would leave **{as_markdown(name)}**. {stays}, and *Undo the last change* brings "
        f"{'it' if is_one else 'them'} back."
    )
    with st.container(horizontal=True):
        is_sure = st.button(
            f"Remove {pictures(removal.count)}", key="danger-remove", type="primary", icon=":material/remove:"
        )
        st.button("Keep it" if is_one else "Keep them", on_click=_cancel)
    if is_sure:
        _cancel()
        work = tasks.remove(removal.directory, ids=removal.ids, paths=removal.paths, labels=removal.labels)
        jobs_background.start(removal.directory, "remove", work)
    if st.session_state.get(TO_CONFIRM) is None:
        st.rerun()


def _cancel() -> None:
    st.session_state.pop(TO_CONFIRM, None)
