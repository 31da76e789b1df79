"""Jobs on galleries, as a visitor starts, cancels and dismisses them."""

from pathlib import Path

import streamlit as st

from similarity.app.serving import access
from similarity.app.wording import messages
from similarity.errors import SimilarityError
from similarity.service.jobs import Job, Task, Work, shared_jobs
from similarity.sources.uploads import drop_unused

NOTICE = "gallery_notice"


def start(directory: Path, task: Task, work: Work) -> bool:
    """Begin a task for whoever is in front of the browser; if it is refused, the page says why."""
    if not access.may_manage():
        st.session_state[NOTICE] = access.REFUSAL
        return False
    try:
        shared_jobs().start(directory, task, work)
    except SimilarityError as error:
        st.session_state[NOTICE] = str(error)
        return False
    return True


def cancel(job: Job) -> None:
    """Cancel a job; for a button's callback."""
    if access.may_manage():
        job.cancel()


def dismiss(job: Job) -> None:
    """Forget a job that has ended, and what was uploaded for it if nothing came of it; for a button's callback."""
    if access.may_manage():
        shared_jobs().dismiss(job)
        if not shared_jobs().active(job.directory):
            drop_unused(job.directory.name)


def go_on(job: Job) -> None:
    """Do the work of a job that has ended again; for a button's callback."""
    if start(job.directory, job.task, job.work):
        shared_jobs().dismiss(job)


def show_notice() -> None:
    """Say why something was refused, once."""
    if said := st.session_state.pop(NOTICE, ""):
        st.error(messages.sentence_as_markdown(said), icon=":material/error:")
