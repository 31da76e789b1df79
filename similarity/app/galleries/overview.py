"""The list of all galleries, each with its facts in a line and a button to its details."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import streamlit as st

from similarity.app.galleries import job_messages
from similarity.app.serving import access
from similarity.app.shell import navigation
from similarity.app.wording import wording
from similarity.app.wording.messages import as_markdown, sentence_as_markdown
from similarity.errors import GalleryError
from similarity.service.jobs import shared_jobs
from similarity.storage.current import live_state
from similarity.storage.inventory import Entry, disk_bytes
from similarity.storage.thumbnails import iter_thumbnails

GALLERY, NEW = "gallery", "new"
# Pictures of a gallery in the list of all, and their size in pixels.
MOSAIC, TILE_WIDTH, MOSAIC_WIDTH = 4, 48, 216
EMPTY = (
    "A gallery is a set of pictures that has been prepared for searching: each picture is read once, and then any "
    "picture can be compared with all of them in an instant. The pictures themselves stay where they are."
)
UNFINISHED = "Not finished. Build it again under this name to resume, or delete the rest."


def show(entries: Sequence[Entry]) -> None:
    """Draw the list."""
    building = {job.directory for job in shared_jobs().listed() if job.is_active}
    entries = [entry for entry in entries if entry.condition != "unfinished" or entry.directory not in building]
    if not entries and building:
        st.caption("As soon as the gallery is ready, it is listed here.")
    elif not entries:
        st.subheader("There is no gallery yet", anchor=False)
        st.markdown(EMPTY)
    for entry in entries:
        with st.container(border=True, key=f"gallery-{entry.name}"):
            _show(entry)
    if access.may_manage():
        st.button("New gallery", icon=":material/add:", type="primary", on_click=_begin_new)
    elif not entries:
        st.caption("As soon as one has been made on the computer that this app runs on, it is listed here.")


def size_on_disk(directory: Path) -> str:
    """Write the disk space that a gallery takes."""
    try:
        return wording.size(_size(directory, live_state(directory)))
    except GalleryError:
        return wording.size(disk_bytes(directory))


@st.cache_data(max_entries=256, show_spinner=False)
def _size(directory: Path, state: str) -> int:  # noqa: ARG001 - part of the key
    return disk_bytes(directory)


@st.cache_data(max_entries=256, show_spinner=False)
def _mosaic(directory: Path, state: str) -> list[bytes]:  # noqa: ARG001 - part of the key
    """Return a few of a gallery's pictures, as JPEG; the gallery is not opened for them."""
    return list(islice(iter_thumbnails(directory), MOSAIC))


def open_gallery(name: str) -> None:
    """Show the details of a gallery; for the callback of a button."""
    st.query_params.from_dict({GALLERY: name})


def show_all() -> None:
    """Go back to the list; for the callback of a button."""
    st.query_params.clear()


def _begin_new() -> None:
    st.query_params.from_dict({NEW: "1"})


def _show(entry: Entry) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        if pictures := _mosaic(entry.directory, live_state(entry.directory)) if entry.condition == "sound" else []:
            with st.container(key=f"gallery-mosaic-{entry.name}", width=MOSAIC_WIDTH):
                st.image(pictures, width=TILE_WIDTH, alt=[""] * len(pictures))
        with st.container(gap="xxsmall", key=f"gallery-text-{entry.name}"):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(f"**{as_markdown(entry.name)}**", width="content")
                if entry.condition != "sound":
                    st.badge(entry.condition, color="red" if entry.condition == "damaged" else "orange")
            st.caption(_summary(entry))
        with st.container(horizontal=True, width="content"):
            if entry.condition == "sound" and st.button(
                "Search", key=f"search-{entry.name}", icon=":material/image_search:"
            ):
                navigation.go("search", {GALLERY: entry.name})
            is_broken = entry.condition not in ("sound", "unreadable")
            label = "Repair or delete" if is_broken and access.may_manage() else "Details"
            st.button(label, key=f"open-{entry.name}", on_click=open_gallery, args=(entry.name,))


def _summary(entry: Entry) -> str:
    if not entry.manifest:
        return sentence_as_markdown(entry.fault or UNFINISHED)
    manifest = entry.manifest
    facts = (
        wording.pictures(manifest.count + manifest.duplicates),
        wording.model_title(manifest.model),
        size_on_disk(entry.directory),
        job_messages.search(manifest),
        wording.moment(manifest.created),
        *([f"{wording.files(len(manifest.skipped))} skipped"] if manifest.skipped else []),
    )
    return " · ".join(map(as_markdown, facts))
