"""Taking duplicates out of a gallery in the background, and undoing that."""

from collections.abc import Callable, Collection, Sequence
from typing import cast

import streamlit as st

from similarity.app.duplicates import background
from similarity.app.duplicates.choices import Kept
from similarity.app.galleries import jobs, jobs_background
from similarity.app.serving import access
from similarity.app.wording import wording
from similarity.app.wording.messages import sentence_as_markdown
from similarity.gallery import Gallery
from similarity.service.jobs import Job, Task, shared_jobs
from similarity.service.taking_out import PuttingBack, TakingOut
from similarity.storage.current import live_state

# Whether something was started that the page has not told of yet, and what is told of what was not started.
HAS_STARTED, NOT_STARTED = "duplicates_taking_out", "duplicates_not_started"
IS_BACK = "These files are in the gallery already."
CHANGED = "This can no longer be undone here: the gallery has changed since."


def take_out(gallery: Gallery, kept: Sequence[Kept]) -> TakingOut:
    """Start to take the other files of some groups out of a gallery; for the callback of a button."""
    ids = [file.id for one in kept for file in one.others]
    work = TakingOut.of(gallery, ids, [one.file.id for one in kept])
    start(gallery, "remove", work)
    return work


def put_back(gallery: Gallery, taken: TakingOut) -> None:
    """Start to undo that, unless another tab has undone it or has changed the gallery; for the callback of a button."""
    live = live_state(gallery.directory)
    if live == taken.after:
        start(gallery, "restore", PuttingBack(taken))
        return
    st.session_state[HAS_STARTED] = True
    st.session_state[NOT_STARTED] = IS_BACK if live == taken.seen else CHANGED


def rerun_after_start() -> None:
    """Draw the whole page again if a job was started from a part of it."""
    if HAS_STARTED in st.session_state:  # `show` then takes it
        st.rerun()


def show(gallery: Gallery) -> bool:
    """Draw the job of a gallery that runs, or tell what one has done that just ended; returns whether one runs."""
    if not access.may_manage():
        return False
    if shared_jobs().active(gallery.directory):
        jobs.show_active_of(gallery.directory)
        return True
    for job in _ended(gallery):
        if isinstance(job.work, TakingOut) and job.work.after == gallery.state:
            background.carry_over(gallery, job.work.seen, frozenset(job.work.ids))
    if st.session_state.pop(HAS_STARTED, False):
        _tell(gallery)
    return False


def _tell(gallery: Gallery) -> None:
    """Say what was done wherever the visitor has scrolled to."""
    refusal, ended = st.session_state.pop(NOT_STARTED, ""), _ended(gallery)
    if refusal:
        st.toast(sentence_as_markdown(refusal), icon=":material/info:", duration="long")
    elif ended:
        is_done = ended[-1].status.state == "done"
        icon = ":material/check_circle:" if is_done else ":material/error:"
        st.toast(sentence_as_markdown(_outcome(gallery, ended[-1])), icon=icon, duration="short" if is_done else "long")


def show_outcome(
    gallery: Gallery, told: Collection[object] = (), *, undo: Callable[[Gallery, TakingOut], None] = put_back
) -> bool:
    """Draw what the last job of this page has done, with what can be done next; returns whether there is one.

    Args:
        told: the work that is told of elsewhere on the page.
        undo: puts the files of a work back.
    """
    ended = [job for job in _ended(gallery) if job.work not in told] if access.may_manage() else []
    for job in ended:
        _show_ended(gallery, job, undo)
    return bool(ended)


def start(gallery: Gallery, task: Task, work: TakingOut | PuttingBack) -> None:
    """Start a job of this page and wait a moment for it; `show` then tells what became of it."""
    st.session_state[HAS_STARTED] = True
    if not jobs_background.start(gallery.directory, task, work):
        st.session_state[NOT_STARTED] = st.session_state.get(jobs_background.NOTICE, "")
    else:
        jobs_background.wait_a_moment(gallery.directory)


def jobs_of(gallery: Gallery) -> list[Job]:
    """Return the jobs that take files out of a gallery or put them back, also ended ones."""
    ours = [job for job in shared_jobs().listed() if job.directory == gallery.directory]
    return [job for job in ours if isinstance(job.work, TakingOut | PuttingBack)]


def _ended(gallery: Gallery) -> list[Job]:
    return [job for job in jobs_of(gallery) if not job.is_active]


def _show_ended(gallery: Gallery, job: Job, undo: Callable[[Gallery, TakingOut], None]) -> None:
    work, state = job.work, job.status.state
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="small"):
        st.markdown(f"{jobs.ICONS[state]} {sentence_as_markdown(_outcome(gallery, job))}", width="content")
        with st.container(horizontal=True, width="content"):
            if isinstance(work, TakingOut) and state == "done" and work.after == gallery.state:
                show_undo(gallery, work, key="duplicates-undo", undo=undo)
            st.button(
                "Dismiss", key="duplicates-dismiss", type="tertiary", on_click=jobs_background.dismiss, args=(job,)
            )


def show_undo(
    gallery: Gallery, work: TakingOut, *, key: str, undo: Callable[[Gallery, TakingOut], None] = put_back
) -> None:
    """Draw the button that puts files back."""
    st.button("Undo", key=key, type="tertiary", icon=":material/undo:", on_click=undo, args=(gallery, work))


def _outcome(gallery: Gallery, job: Job) -> str:
    status, work = job.status, job.work
    if status.state == "cancelled":
        return "It was cancelled: the gallery is as it was."
    if status.state == "failed":
        return status.error
    if isinstance(work, PuttingBack):
        count = len(work.taken.ids)
        return f"{wording.files(count)} {'is' if count == 1 else 'are'} in the gallery again."
    taken = cast("TakingOut", work)
    if taken.after == gallery.state:
        return f"{wording.files(len(taken.ids))} removed. Nothing was deleted from a disk."
    return f"{wording.files(len(taken.ids))} removed. The gallery has changed since, so this cannot be undone here."
