"""The jobs of the app: one list that all visitors share, so that any tab sees what any other has begun."""

import threading
from pathlib import Path

import streamlit as st
from cachetools import cached

from similarity.app.serving import access
from similarity.app.wording import messages
from similarity.errors import SimilarityError
from similarity.service.jobs import Job, Jobs, Task, Work
from similarity.sources.uploads import drop_unused

NOTICE = "gallery_notice"


@cached({}, lock=threading.Lock())
def jobs() -> Jobs:
    """All of them."""
    return Jobs()


def start(directory: Path, task: Task, work: Work) -> bool:
    """Begin a task for whoever is in front of the browser; if it is refused, the page says why."""
    if not access.may_manage():
        st.session_state[NOTICE] = access.REFUSAL
        return False
    try:
        jobs().start(directory, task, work)
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
        jobs().dismiss(job)
        if not jobs().active(job.directory):
            drop_unused(job.directory.name)


def go_on(job: Job) -> None:
    """Do the work of a job that has ended again; for a button's callback."""
    if start(job.directory, job.task, job.work):
        jobs().dismiss(job)


def show_notice() -> None:
    """Say why something was refused, once."""
    if said := st.session_state.pop(NOTICE, ""):
        st.error(messages.said(said), icon=":material/error:")
