"""The details of one gallery: its facts, its health, and the forms that change it."""

import streamlit as st

from similarity.app.galleries import editing, feedback, job_messages, maintenance, overview
from similarity.app.galleries.skipped import show_skipped
from similarity.app.serving import access, resources
from similarity.app.serving.access import text_for_visitor
from similarity.app.shell import navigation
from similarity.app.wording import learned, wording
from similarity.app.wording.messages import (
    as_markdown,
    error_as_markdown,
    sentence_as_markdown,
    show_error,
    show_missing,
)
from similarity.errors import GalleryUnreadableError, SimilarityError
from similarity.gallery import Gallery
from similarity.service.jobs import shared_jobs
from similarity.storage.inventory import Entry

PREVIEWED, PREVIEW_WIDTH = 12, 76
# Number of pictures whose files are checked for existence; more would take too long.
MAX_CHECKED = 5_000
DAMAGED = "This gallery is damaged and cannot be searched. Restore its last sound state, or build it again."


def show(entry: Entry) -> None:
    """Draw the details of a gallery."""
    st.button("All galleries", icon=":material/arrow_back:", type="tertiary", on_click=overview.show_all)
    gallery = _open(entry)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader(as_markdown(entry.name), anchor=False, width="content")
        if gallery:
            with st.container(horizontal=True, gap="small", width="content"):
                if st.button("How good is it?", icon=":material/speed:"):
                    navigation.go("evaluate", {overview.GALLERY: entry.name})
                if st.button("Search it", icon=":material/image_search:", type="primary"):
                    navigation.go("search", {overview.GALLERY: entry.name})
    if gallery:
        _show_preview(gallery)
        _show_facts(gallery)
        _show_health(gallery)
    if not access.may_manage():
        return
    if shared_jobs().active(entry.directory):
        st.info("A task is running on this gallery. It can be changed once that is done.")
        return
    if gallery:
        editing.show(gallery)
        feedback.show(gallery)
    maintenance.show(entry, is_sound=gallery is not None)


def _open(entry: Entry) -> Gallery | None:
    """Open a gallery; if that fails, show the fault and return None."""
    if entry.condition == "unfinished":
        st.warning(overview.UNFINISHED, icon=":material/pending:")
        return None
    try:
        return resources.load_gallery(entry.directory)
    except GalleryUnreadableError as error:
        show_error(error)
        return None
    except SimilarityError as error:
        st.error(DAMAGED, icon=":material/heart_broken:")
        st.caption(error_as_markdown(error))
        return None


def _show_preview(gallery: Gallery) -> None:
    """Draw a few pictures, evenly spread over the gallery."""
    sample = gallery.items[:: max(1, len(gallery) // PREVIEWED)][:PREVIEWED]
    with st.container(key="gallery-some"):
        st.image(
            [gallery.thumbnail(item) for item in sample],
            width=PREVIEW_WIDTH,
            alt=[text_for_visitor(item.label or "") for item in sample],
        )


def _show_facts(gallery: Gallery) -> None:
    manifest = gallery.manifest
    facts = {
        "Pictures": job_messages.count_pictures(manifest),
        "Size on disk": overview.size_on_disk(gallery.directory),
        "Model": wording.model_title(manifest.model),
        "Search": f"{job_messages.search(manifest)} ({manifest.recipe})",
        "Refinement": manifest.refinement,
        "Head": learned.summary(gallery.head.card) if gallery.head else "none",
        "View": manifest.view,
        "Precision": manifest.precision,
        "Built": wording.moment(manifest.created),
    }
    if manifest.parts:
        facts["Parts"] = "can be searched, too"
    if manifest.shards:
        facts["Shards"] = f"{len(manifest.shards)}, searched and changed as one"
    if access.may_manage():
        facts |= {
            "Vector store": manifest.store.title,
            "Source": manifest.source,
            "Folder": str(gallery.directory),
        }
    with st.container(key="gallery-facts"):
        st.table(
            {as_markdown(name): as_markdown(value) for name, value in facts.items()},
            border="horizontal",
            hide_header=True,
        )
    why, _, remedy = manifest.note.partition("\n")
    if why:
        st.caption(f"{sentence_as_markdown(why)} {sentence_as_markdown(remedy)}")


def _show_health(gallery: Gallery) -> None:
    """Draw the report of the last run, and problems with single files."""
    manifest, run = gallery.manifest, gallery.manifest.last_run
    st.markdown("##### Health")
    doing = job_messages.DOING.get(run.task, run.task)
    source = f" from {run.source}" if run.source and access.may_manage() else ""
    st.markdown(
        f"Last run: {as_markdown(doing.lower())} this gallery{sentence_as_markdown(source)}, "
        f"in {wording.duration(run.seconds)}: {as_markdown(job_messages.count_changes(run))}."
    )
    for note in run.notes:
        st.markdown(sentence_as_markdown(note))
    show_missing(gallery.name, gallery.left_out)
    if manifest.duplicates:
        st.markdown(job_messages.copies(manifest.duplicates))
    if gone := sum(item.is_gone for item in gallery.items[:MAX_CHECKED]):
        st.markdown(job_messages.gone(gone))
    if gallery.drift:
        st.warning(
            f"The index has drifted: {sentence_as_markdown(gallery.drift)}. Rebuild it below, under *Search index*.",
            icon=":material/trending_down:",
        )
    if manifest.skipped:
        show_skipped(manifest.skipped)
    else:
        st.markdown(":green[:material/check_circle:] Every file could be used.")
