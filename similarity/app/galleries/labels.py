"""The table in which labels are edited in place: pictures, their names, and labels that can be typed over."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st

from similarity.app.galleries import jobs_background
from similarity.app.serving import pictures
from similarity.app.serving.access import text_for_visitor
from similarity.app.shell import fields
from similarity.app.wording import wording
from similarity.app.wording.messages import as_markdown, error_as_markdown
from similarity.errors import SimilarityError
from similarity.gallery import Gallery
from similarity.service.jobs import shared_jobs
from similarity.service.relabelling import Relabelling
from similarity.sources import Item
from similarity.sources.base import LABEL
from similarity.sources.originals import file_name
from similarity.storage.given_labels import check_label

ON_PAGE, ROW_HEIGHT = 50, 56
COLUMNS = {
    "Picture": st.column_config.ImageColumn(width=80),
    "Label": st.column_config.TextColumn(width="medium", max_chars=200),
    "Name": st.column_config.TextColumn(width="large"),
}
ALL, NONE = "All labels", "Without a label"


def show(gallery: Gallery) -> None:
    """Draw the choice of pictures, the table, and the button that saves what was typed."""
    st.markdown("Type over a label to change it. It counts from then on, whatever the source says.")
    rows = _choose(gallery)
    if not rows:
        st.caption("No picture has this name and label.")
        return
    pages = math.ceil(len(rows) / ON_PAGE)
    page = 1
    if pages > 1:
        page = int(st.number_input(f"Page, of {pages:,}", 1, pages, key="labels_page", width=160))
    items = gallery.items.at(rows[(page - 1) * ON_PAGE : page * ON_PAGE])
    edited = st.data_editor(
        {
            "Picture": [pictures.address(gallery.name, item.sha256) for item in items],
            "Label": [text_for_visitor(item.label or "") for item in items],
            "Name": [text_for_visitor(file_name(item)) for item in items],
        },
        hide_index=True,
        row_height=ROW_HEIGHT,
        height=min(10, len(items) + 1) * ROW_HEIGHT,
        disabled=["Picture", "Name"],
        column_config=COLUMNS,
        key=f"labels-{gallery.state}-{page}-{rows[0]}-{len(rows)}",
    )
    _show_save(gallery, changed(items, edited["Label"]))


def changed(items: Sequence[Item], labels: Sequence[object]) -> dict[str, str]:
    """Return the labels that were typed over, by the SHA-256 of their pictures; an emptied one stays as it was."""
    typed = [str(label or "").strip() for label in labels]
    return {
        item.sha256: label
        for item, label in zip(items, typed, strict=True)
        if label and label != text_for_visitor(item.label or "")
    }


def _choose(gallery: Gallery) -> Sequence[int]:
    """Draw the choice of a label and a part of a name; returns the rows of the pictures that have them."""
    counts = gallery.facets.counts(LABEL)
    options = [ALL, NONE, *sorted(counts)]
    with st.container(horizontal=True):
        position = st.selectbox(
            "Show",
            range(len(options)),
            format_func=lambda place: text_for_visitor(
                options[place] if place < 2 else f"{options[place]} ({counts[options[place]]:,})"
            ),
            key="labels_show",
        )
        part = fields.text_line("Part of the name", key="labels_name", placeholder="For example: IMG_12").casefold()
    if position == 0:
        rows: Sequence[int] = range(len(gallery))
    elif position == 1:
        rows = [row for row, item in enumerate(gallery.items) if not item.label]
    else:
        rows = gallery.facets.rows({LABEL: (options[position],)}).tolist()
    return [row for row in rows if part in file_name(gallery.items[row]).casefold()] if part else rows


def _show_save(gallery: Gallery, labels: Mapping[str, str]) -> None:
    count = len(labels)
    caption = f"{wording.pictures(count)} with another label" if count else "No label changed"
    is_pressed = st.button(
        "Save", type="primary", icon=":material/save:", key="save_labels", disabled=not count, help=caption
    )
    st.caption(as_markdown(f"{caption}. A saved change can be undone below, under Maintenance."))
    if not is_pressed:
        return
    try:
        for label in labels.values():
            check_label(label)
    except SimilarityError as error:
        st.error(error_as_markdown(error), icon=":material/error:")
        return
    if jobs_background.start(gallery.directory, "relabel", Relabelling(gallery.directory, labels)):
        jobs_background.wait_a_moment(gallery.directory)
        if _is_done(gallery.directory):  # which the top of the page says, out of sight
            st.toast("Labels saved", icon=":material/check:")
    st.rerun()


def _is_done(directory: Path) -> bool:
    """Whether the last job of a gallery has done its work."""
    jobs = [job for job in shared_jobs().listed() if job.directory == directory]
    return bool(jobs) and jobs[-1].status.state == "done"
