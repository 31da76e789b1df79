"""Taking duplicates out of a gallery in the background, and undoing that."""

from collections.abc import Sequence
from typing import cast

import streamlit as st

from similarity.app.duplicates import background
from similarity.app.duplicates.choices import Kept
from similarity.app.galleries import jobs, jobs_background
from similarity.app.serving import access, drawing
from similarity.app.wording import wording
from similarity.app.wording.messages import sentence_as_markdown
from similarity.gallery import Gallery
from similarity.service.jobs import Job, Task, shared_jobs
from similarity.service.taking_out import PuttingBack, TakingOut

HAS_STARTED = "duplicates_taking_out"
# Seconds that a click waits for its job, so that a small gallery is drawn only once, when all is done.
PATIENCE = 3.0


def take_out(gallery: Gallery, kept: Sequence[Kept]) -> None:
    """Start to take the other files of some groups out of a gallery; for the callback of a button."""
    ids = [file.id for one in kept for file in one.others]
    _start(gallery, "remove", TakingOut.of(gallery, ids, [one.file.id for one in kept]))


def rerun_after_start() -> None:
    """Draw the whole page again if a job was started from a part of it."""
    if HAS_STARTED in st.session_state:  # `show` then takes it
        st.rerun()


def show(gallery: Gallery) -> bool:
    """Draw the job of a gallery that runs, or the outcome of one that took duplicates out; returns whether one runs."""
    has_started = st.session_state.pop(HAS_STARTED, False)
    if not access.may_manage():
        return False
    if has_started:  # whoever has scrolled down does not see it
        st.toast("What was done, and how to undo it, is at the top of the page.")
    if shared_jobs().active(gallery.directory):
        drawing.fragment(_show_active, run_every=jobs.BUSY)(gallery)
        return True
    for job in _ended(gallery):
        if isinstance(job.work, TakingOut) and job.work.after == gallery.state:
            background.carry_over(gallery, job.work.seen, frozenset(job.work.ids))
        _show_ended(gallery, job)
    return False


def _start(gallery: Gallery, task: Task, work: TakingOut | PuttingBack) -> None:
    st.session_state[HAS_STARTED] = True
    started = jobs_background.start(gallery.directory, task, work)
    if started and (job := shared_jobs().active(gallery.directory)):
        drawing.shared_drawing().give_back()
        job.wait(PATIENCE)


def _put_back(gallery: Gallery, taken: TakingOut) -> None:
    _start(gallery, "restore", PuttingBack(taken))


def _ended(gallery: Gallery) -> list[Job]:
    """Return the ended jobs of this page on a gallery."""
    ours = [job for job in shared_jobs().listed() if job.directory == gallery.directory and not job.is_active]
    return [job for job in ours if isinstance(job.work, TakingOut | PuttingBack)]


def _show_active(gallery: Gallery) -> None:
    job = shared_jobs().active(gallery.directory)
    if job is None:
        st.rerun()
    with st.container(border=True):
        jobs.show_active(job)


def _show_ended(gallery: Gallery, job: Job) -> None:
    """Draw the outcome of a job, with what can be done next."""
    work, state = job.work, job.status.state
    row = st.container(
        border=True,
        key="duplicates-outcome",
        horizontal=True,
        vertical_alignment="center",
        horizontal_alignment="distribute",
    )
    with row:
        st.markdown(f"{jobs.ICONS[state]} {sentence_as_markdown(_outcome(gallery, job))}", width="content")
        with st.container(horizontal=True, width="content"):
            if isinstance(work, TakingOut) and state == "done" and work.after == gallery.state:
                st.button(
                    "Undo", key="duplicates-undo", icon=":material/undo:", on_click=_put_back, args=(gallery, work)
                )
            st.button(
                "Dismiss", key="duplicates-dismiss", type="tertiary", on_click=jobs_background.dismiss, args=(job,)
            )


def _outcome(gallery: Gallery, job: Job) -> str:
    status, work = job.status, job.work
    if status.state == "cancelled":
        return "It was cancelled: the gallery is as it was."
    if status.state == "failed":
        return status.error
    if isinstance(work, PuttingBack):
        return f"{_files_are(work.taken)} in the gallery again."
    taken = cast("TakingOut", work)
    if taken.after == gallery.state:
        return f"{_files_are(taken)} not in the gallery any more. Nothing was deleted from a disk."
    return f"{_files_are(taken)} not in the gallery any more. It has changed since, so that this cannot be undone here."


def _files_are(work: TakingOut) -> str:
    count = len(work.ids)
    return f"{wording.files(count)} {'is' if count == 1 else 'are'}"
