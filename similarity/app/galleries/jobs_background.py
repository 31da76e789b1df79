"""Jobs on galleries, as a visitor starts, cancels and dismisses them."""

from pathlib import Path

import streamlit as st

from similarity.app.serving import access, drawing
from similarity.app.wording import messages
from similarity.errors import SimilarityError
from similarity.service.jobs import Job, Task, Work, shared_jobs
from similarity.sources.uploads import drop_unused

NOTICE = "gallery_notice"
# Seconds that a click waits for its job.
PATIENCE = 3.0


def start(directory: Path, task: Task, work: Work) -> bool:
    """Start a task for the visitor; if it is refused, the page says why."""
    if not access.may_manage():
        st.session_state[NOTICE] = access.refusal()
        return False
    try:
        shared_jobs().start(directory, task, work, access.actor())
    except SimilarityError as error:
        st.session_state[NOTICE] = str(error)
        return False
    return True


def wait_a_moment(directory: Path) -> None:
    """Let a click wait for the job of a gallery, so that a page with a small one is drawn once, when all is done."""
    if job := shared_jobs().active(directory):
        drawing.shared_drawing().give_back()
        job.wait(PATIENCE)


def cancel(job: Job) -> None:
    """Cancel a job; for the callback of a button."""
    if access.may_manage():
        job.cancel(access.actor())


def dismiss(job: Job) -> None:
    """Forget a job that has ended, and its uploads if no gallery uses them; for the callback of a button."""
    if access.may_manage():
        shared_jobs().dismiss(job)
        if not shared_jobs().active(job.directory):
            drop_unused(job.directory.name)


def run_again(job: Job) -> None:
    """Start the work of an ended job again; for the callback of a button."""
    if start(job.directory, job.task, job.work):
        shared_jobs().dismiss(job)


def show_notice() -> None:
    """Show once why a task was refused."""
    if notice := st.session_state.pop(NOTICE, ""):
        st.error(messages.sentence_as_markdown(notice), icon=":material/error:")
