"""Changing labels of a gallery from the page: as a job in the background, with its outcome and undo."""

from collections.abc import Sequence

import streamlit as st

from similarity.app.galleries import jobs, jobs_background
from similarity.app.serving import access, drawing
from similarity.app.wording import wording
from similarity.app.wording.messages import as_markdown, sentence_as_markdown
from similarity.errors import GalleryError
from similarity.gallery import Gallery
from similarity.service.jobs import Job, shared_jobs
from similarity.service.relabelling import Relabelling, TakingBack
from similarity.sources import Item
from similarity.sources.base import LABEL
from similarity.sources.originals import file_name
from similarity.storage.given_labels import check_label

# Seconds that a click waits for its job, so that a small gallery is drawn only once, when all is done.
PATIENCE = 3.0
# Pictures that are named.
MOST_NAMED = 2


def give(gallery: Gallery, items: Sequence[Item], label: str | None = None) -> None:
    """Start to give pictures a label, or to confirm those that they have; for the callback of a button."""
    _start(Relabelling.of(gallery, items, label))


def give_chosen(gallery: Gallery, item: Item, key: str) -> None:
    """Start to give a picture the label in a field; for its callback."""
    label = st.session_state.get(key)
    if not isinstance(label, str) or item.labels == [label]:
        return
    try:
        give(gallery, [item], label if label in gallery.facets.counts(LABEL) else check_label(label))
    except GalleryError as error:
        st.session_state[jobs_background.NOTICE] = str(error)


def show(gallery: Gallery) -> bool:
    """Draw the job of a gallery that runs, or the outcome of one that changed labels; returns whether one runs."""
    if not access.may_manage():
        return False
    if shared_jobs().active(gallery.directory):
        drawing.fragment(_show_active, run_every=jobs.BUSY)(gallery)
        return True
    for job in shared_jobs().listed():
        if job.directory == gallery.directory and isinstance(job.work, Relabelling | TakingBack) and not job.is_active:
            _show_ended(gallery, job, job.work)
    return False


def _start(work: Relabelling | TakingBack) -> None:
    started = jobs_background.start(work.directory, "relabel", work)
    if started and (job := shared_jobs().active(work.directory)):
        drawing.shared_drawing().give_back()
        job.wait(PATIENCE)


def _show_active(gallery: Gallery) -> None:
    job = shared_jobs().active(gallery.directory)
    if job is None:
        st.rerun()
    with st.container(border=True):
        jobs.show_active(job)


def _show_ended(gallery: Gallery, job: Job, work: Relabelling | TakingBack) -> None:
    """Draw the outcome of a job, with what can be done next."""
    state = job.status.state
    row = st.container(
        border=True,
        key="relabelling-outcome",
        horizontal=True,
        vertical_alignment="center",
        horizontal_alignment="distribute",
    )
    with row:
        text = sentence_as_markdown(job.status.error) if state == "failed" else _outcome(gallery, job, work)
        st.markdown(f"{jobs.ICONS[state]} {text}", width="content")
        with st.container(horizontal=True, width="content"):
            if state == "done" and isinstance(work, Relabelling):
                undo = TakingBack(work)
                st.button("Undo", key="relabelling-undo", icon=":material/undo:", on_click=_start, args=(undo,))
            st.button(
                "Dismiss", key="relabelling-dismiss", type="tertiary", on_click=jobs_background.dismiss, args=(job,)
            )


def _outcome(gallery: Gallery, job: Job, work: Relabelling | TakingBack) -> str:
    if job.status.state == "cancelled":
        return "It was cancelled: the labels are as they were."
    if isinstance(work, TakingBack):
        return _outcome_of_undoing(work)
    if work.is_confirmed:
        verb = "stays" if len(work.labels) == 1 else "stay"
        return f"Confirmed: {_pictures(gallery, work)} {verb} labelled as before, also after a sync."
    label, verb = next(iter(work.labels.values())), "is" if len(work.labels) == 1 else "are"
    said = as_markdown(label) if isinstance(label, str) else ""
    return f"{_pictures(gallery, work)} {verb} now labelled **{said}**. A sync keeps that."


def _pictures(gallery: Gallery, work: Relabelling) -> str:
    """Name the pictures that were labelled, as Markdown, if they are few; or else count them."""
    rows = [gallery.items.find(sha256) for sha256 in work.labels]
    known = gallery.items.at([row for row in rows if row is not None])
    if len(known) != len(rows) or len(rows) > MOST_NAMED:
        return wording.pictures(len(rows))
    return " and ".join(f"**{as_markdown(file_name(item))}**" for item in known)


def _outcome_of_undoing(work: TakingBack) -> str:
    """Say what was undone, and what was left as others have it now."""
    done = work.done
    if done is None or not (done.changed or done.gone):
        return "The labels are as they were."
    said = [f"{wording.pictures(done.undone)} {'has' if done.undone == 1 else 'have'} the label of before."]
    if done.changed:
        verb = "was" if done.changed == 1 else "were"
        said.append(f"{wording.pictures(done.changed)} {verb} labelled anew since, so nothing was undone there.")
    if done.gone:
        said.append(f"{wording.pictures(done.gone)} {'is' if done.gone == 1 else 'are'} not in the gallery any more.")
    return " ".join(said if done.undone else said[1:])
