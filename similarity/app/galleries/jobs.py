"""The panel of background jobs, drawn again every second while one runs."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import streamlit as st

from similarity.app.galleries import job_messages, jobs_background
from similarity.app.galleries.skipped import show_skipped
from similarity.app.serving import access, drawing
from similarity.app.shell import navigation
from similarity.app.wording import wording
from similarity.app.wording.messages import as_markdown, sentence_as_markdown
from similarity.service.jobs import Job, shared_jobs
from similarity.storage.inventory import Entry, look_at
from similarity.storage.manifest import Report

# Seconds between updates: while a job runs, and while none does, since another tab may start one.
BUSY, IDLE = 1.0, 4.0
# Seconds for which it is said that a job is done.
NEWS_SECONDS = 600
# Tasks after which a gallery is searched.
MAKES = ("index", "collect")
ICONS = {
    "done": ":green[:material/check_circle:]",
    "failed": ":red[:material/error:]",
    "cancelled": ":orange[:material/do_not_disturb_on:]",
}


def show(*, is_hidden: Callable[[Job], bool], gallery: str | None = None) -> None:
    """Draw the jobs, the latest first.

    Args:
        is_hidden: whether to leave out a job that has ended.
        gallery: the name of the gallery that the page shows below, if it shows one.
    """
    listed = shared_jobs().listed()
    every = BUSY if any(job.is_active for job in listed) else IDLE
    drawing.fragment(_panel, run_every=every)(_signature(), is_hidden, gallery)


def _signature() -> list[tuple[int, bool]]:
    """Return the state of all jobs on which the rest of the page depends."""
    return [(job.number, job.is_active) for job in shared_jobs().listed()]


def _panel(drawn: list[tuple[int, bool]], is_hidden: Callable[[Job], bool], gallery: str | None) -> None:
    if _signature() != drawn:
        st.rerun()
    shown = [job for job in reversed(shared_jobs().listed()) if job.is_active or not (_is_old(job) or is_hidden(job))]
    ended = [job for job in shown if not (job.is_active or job.is_undecided)]
    if len(ended) > 1 and access.may_manage():
        with st.container(horizontal=True, horizontal_alignment="right"):
            st.button("Dismiss all", icon=":material/done_all:", on_click=_dismiss_all, args=(ended,))
    newest = next((job for job in shown if is_news(job)), None)
    for job in shown:
        with st.container(border=True, key=f"job-{job.number}"):
            if job.is_active:
                show_active(job)
            else:
                has_links = job.is_undecided or job.directory.name != gallery
                show_ended(job, has_links=has_links, is_next=job is newest)


def is_news(job: Job) -> bool:
    """Whether a job has just made something that can be searched, which is what one does next."""
    return job.task in MAKES and job.status.state == "done" and not _is_old(job)


def _is_old(job: Job) -> bool:
    """Whether a job has done its work so long ago that nobody waits for the news."""
    return job.status.state == "done" and not job.is_undecided and time.time() - job.status.ended > NEWS_SECONDS


def _dismiss_all(ended: Sequence[Job]) -> None:
    for job in ended:
        jobs_background.dismiss(job)


def show_active(job: Job) -> None:
    """Draw a job that runs: its task, its progress, and a button to cancel it."""
    name, progress = as_markdown(job.directory.name), job.status.progress
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"{job_messages.DOING[job.task]} **{name}**", width="content")
        if access.may_manage():
            label = "Cancelling …" if job.is_cancelled else "Cancel"
            st.button(
                label,
                key=f"cancel-{job.number}",
                icon=":material/close:",
                on_click=jobs_background.cancel,
                args=(job,),
                disabled=job.is_cancelled,
            )
    if job.status.state == "waiting":
        st.progress(0.0, text="Waiting for another gallery …")
    elif progress is None:
        st.progress(0.0, text="Starting …")
    else:
        share = min(1.0, progress.done / progress.total) if progress.total else 0.0
        st.progress(share, text=sentence_as_markdown(wording.progress(progress)))


def show_active_of(directory: Path) -> None:
    """Draw the job of a gallery that runs, and the page again once it has ended."""
    drawing.fragment(_show_active_of, run_every=BUSY)(directory)


def _show_active_of(directory: Path) -> None:
    job = shared_jobs().active(directory)
    if job is None:
        st.rerun()
    with st.container(border=True):
        show_active(job)


def show_ended(job: Job, *, has_links: bool = True, is_next: bool = False) -> None:
    """Draw a job that has ended: its outcome, and buttons for the next steps.

    Args:
        has_links: whether there are buttons that lead to its result, which the page may have itself.
        is_next: whether to search its result is what one most likely does next.
    """
    status, entry = job.status, look_at(job.directory)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(key=f"gallery-text-job-{job.number}"):
            outcome = job_messages.outcome(job, entry, tells_all=access.may_manage())
            st.markdown(f"{ICONS[status.state]} {sentence_as_markdown(outcome)}")
        with st.container(horizontal=True, width="content"):
            _show_next_steps(job, entry, has_links=has_links, is_next=is_next)
    if isinstance(status.result, Report) and status.result.skipped:
        show_skipped(status.result.skipped)


def _show_next_steps(job: Job, entry: Entry | None, *, has_links: bool, is_next: bool) -> None:
    state = job.status.state
    if state == "done":
        if has_links and entry is not None and entry.condition == "sound":
            _show_links(job, is_next=is_next)
    elif access.may_manage():
        goes_on = state == "cancelled" and job.task in job_messages.RESUMES
        label, icon = ("Resume", "play_arrow") if goes_on else ("Try again", "refresh")
        st.button(
            label, key=f"again-{job.number}", icon=f":material/{icon}:", on_click=jobs_background.run_again, args=(job,)
        )
    if access.may_manage():
        label = "Discard" if job.is_undecided else "Dismiss"
        st.button(label, key=f"dismiss-{job.number}", type="tertiary", on_click=jobs_background.dismiss, args=(job,))


def _show_links(job: Job, *, is_next: bool) -> None:
    """Draw buttons that lead to the result of a job, with which the news of it is done."""
    address = {"gallery": job.directory.name}
    if job.is_undecided:
        if access.may_manage() and st.button(
            "See how good it is", key=f"decide-{job.number}", icon=":material/model_training:"
        ):
            navigation.go("train", address)
        return
    kind: Literal["primary", "secondary"] = "primary" if is_next else "secondary"
    if st.button("Search it", key=f"search-{job.number}", icon=":material/image_search:", type=kind):
        jobs_background.dismiss(job)
        navigation.go("search", address)
    if job.task in ("keep", "drop") and st.button("Evaluate it", key=f"evaluate-{job.number}", icon=":material/speed:"):
        jobs_background.dismiss(job)
        navigation.go("evaluate", address)
