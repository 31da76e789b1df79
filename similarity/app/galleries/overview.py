"""All galleries as cards: a few pictures, the name, the health and the facts of each, and buttons."""

from collections.abc import Sequence
from heapq import nsmallest
from itertools import islice
from pathlib import Path
from typing import Literal

import streamlit as st

from similarity.app.galleries import job_messages
from similarity.app.galleries.jobs import is_news
from similarity.app.serving import access
from similarity.app.shell import navigation
from similarity.app.wording import wording
from similarity.app.wording.messages import as_markdown, sentence_as_markdown
from similarity.errors import GalleryError
from similarity.paths import ITEMS
from similarity.service.jobs import Job, shared_jobs
from similarity.storage.current import live_state, read_state
from similarity.storage.generations import UNREADABLE
from similarity.storage.inventory import Entry, disk_bytes
from similarity.storage.items import read_contents
from similarity.storage.layout import generation_folder
from similarity.storage.thumbnails import read_thumbnail

GALLERY, NEW = "gallery", "new"
MOSAIC = 6  # pictures on a card
NO_MOSAIC = ":material/hide_image:"
EMPTY = (
    "A gallery is a set of pictures that has been prepared for searching: each picture is read once, and then any "
    "picture can be compared with all of them in an instant. The pictures themselves stay where they are."
)
UNFINISHED = "Not finished. Build it again under this name to resume, or delete the rest."


def show(entries: Sequence[Entry]) -> None:
    """Draw the galleries as cards, or what a gallery is while there is none."""
    jobs = {job.directory: job for job in shared_jobs().listed() if job.is_active}
    entries = [entry for entry in entries if entry.condition != "unfinished" or entry.directory not in jobs]
    if not entries and jobs:
        st.caption("As soon as the gallery is ready, it is listed here.")
    elif not entries:
        st.subheader("There is no gallery yet", anchor=False)
        st.markdown(EMPTY)
    if access.may_manage():
        is_next = not any(map(is_news, shared_jobs().listed()))
        kind: Literal["primary", "secondary"] = "primary" if is_next else "secondary"
        st.button("New gallery", icon=":material/add:", type=kind, on_click=_begin_new)
    elif not entries:
        st.caption("As soon as one has been made on the computer that this app runs on, it is listed here.")
    with st.container(key="gallery-cards"):
        for entry in entries:
            with st.container(border=True, key=f"gallery-{entry.name}"):
                _show(entry, jobs.get(entry.directory))


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
    """Return a few of a gallery's pictures, as JPEG; the gallery is not opened for them.

    Only of its present state: the small pictures of earlier ones lie beside them.
    """
    try:
        contents = read_contents(generation_folder(directory, read_state(directory).number) / ITEMS)
    except UNREADABLE:
        return []
    made = (read_thumbnail(directory, sha256) for sha256 in nsmallest(10 * MOSAIC, contents))
    pictures = list(islice(filter(None, made), MOSAIC))
    return pictures[:4] if len(pictures) == 5 else pictures  # five fill no rectangle


def _pictures(entry: Entry) -> list[bytes]:
    """Return a few pictures for a card; none of a gallery that is damaged, or has gone since it was listed."""
    if entry.condition != "sound":
        return []
    try:
        return _mosaic(entry.directory, live_state(entry.directory))
    except GalleryError:
        return []


def open_gallery(name: str) -> None:
    """Show the details of a gallery; for the callback of a button."""
    st.query_params.from_dict({GALLERY: name})


def show_all() -> None:
    """Go back to the list; for the callback of a button."""
    st.query_params.clear()


def _begin_new() -> None:
    st.query_params.from_dict({NEW: "1"})


def _show(entry: Entry, job: Job | None) -> None:
    """Draw a card: a few pictures, the name and the health, the facts, and buttons."""
    with st.container(key=f"gallery-mosaic-{entry.name}"):
        if pictures := _pictures(entry):
            st.image(pictures, alt=[""] * len(pictures))
        else:
            st.markdown(NO_MOSAIC)
    with st.container(gap="xxsmall", key=f"gallery-text-{entry.name}"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f"**{as_markdown(entry.name)}**", width="content")
            _show_health(entry, job)
        for line in _facts(entry):
            st.caption(line)
    with st.container(horizontal=True, key=f"gallery-actions-{entry.name}"):
        if entry.condition == "sound" and st.button(
            "Search", key=f"search-{entry.name}", icon=":material/image_search:"
        ):
            navigation.go("search", {GALLERY: entry.name})
        is_broken = entry.condition not in ("sound", "unreadable")
        label = "Repair or delete" if is_broken and access.may_manage() else "Details"
        st.button(label, key=f"open-{entry.name}", type="tertiary", on_click=open_gallery, args=(entry.name,))


def _show_health(entry: Entry, job: Job | None) -> None:
    """Draw what runs on a gallery, whether it can be searched, and how many files of it could not be used."""
    with st.container(horizontal=True, gap="xsmall", width="content"):
        if job:
            doing = "waiting" if job.status.state == "waiting" else job_messages.BADGES.get(job.task, "busy")
            st.badge(doing, icon=":material/progress_activity:", color="blue")
        if entry.condition != "sound":
            st.badge(
                entry.condition, icon=":material/error:", color="red" if entry.condition == "damaged" else "orange"
            )
        elif entry.manifest and entry.missing_shards:
            count, total = entry.missing_shards, len(entry.manifest.shards)
            st.badge(f"{count:,} of {total:,} shards missing", icon=":material/error:", color="orange")
        elif entry.manifest and entry.manifest.skipped:
            st.badge(f"{wording.files(len(entry.manifest.skipped))} skipped", icon=":material/warning:", color="orange")
        else:
            st.badge("OK", icon=":material/check:", color="green")


def _facts(entry: Entry) -> list[str]:
    """Return the lines of facts on a card."""
    if not entry.manifest:
        return [sentence_as_markdown(entry.fault or UNFINISHED)]
    manifest = entry.manifest
    lines = (
        (wording.pictures(manifest.count + manifest.duplicates), wording.model_title(manifest.model)),
        (size_on_disk(entry.directory), job_messages.search(manifest)),
        (wording.moment(manifest.created),),
    )
    return [" · ".join(map(as_markdown, line)) for line in lines]
