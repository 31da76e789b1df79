"""The job of a gallery, on every page that shows it: a strip over a corner of the page, which moves nothing."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from similarity.app.galleries import job_messages
from similarity.app.galleries.jobs import BUSY, ICONS
from similarity.app.serving import access, drawing
from similarity.app.wording import wording
from similarity.app.wording.messages import as_markdown, sentence_as_markdown
from similarity.service.jobs import Job, shared_jobs
from similarity.storage.inventory import look_at

# What Streamlit puts around the strip has no height, but would have a gap.
CSS = """<style>
[data-testid="stLayoutWrapper"]:has(> * > * > .st-key-job-strip),
[data-testid="stLayoutWrapper"]:has(> * > * > * > * > .st-key-job-strip):not(:has([data-testid="stColumn"])) {
  position: absolute; }
:has(> .st-key-job-strip) { position: fixed !important; z-index: 999970; right: 1rem; bottom: 1rem;
  width: 19rem !important; }
.st-key-job-strip { padding: 0.6rem 0.9rem !important; border-radius: 0.6rem; gap: 0.25rem !important;
  background: light-dark(#ffffff, #1b2226); border: 1px solid color-mix(in srgb, currentColor 22%, transparent);
  box-shadow: 0 4px 16px rgb(0 0 0 / 18%); }
.st-key-job-strip p { font-size: 0.875rem !important; }
/* Above the bar of selected pictures where there is no room beside it. */
@media (max-width: 1160px) { body:has([class*="st-key-selection-bar"]) :has(> .st-key-job-strip) { bottom: 5.5rem; } }
@media (max-width: 640px) {
  :has(> .st-key-job-strip) { left: 1rem; bottom: calc(1rem + var(--bottom-bar)); width: auto !important; }
  body:has([class*="st-key-selection-bar"]) :has(> .st-key-job-strip) { bottom: calc(8rem + var(--bottom-bar)); }
}
</style>"""


def show(directories: Sequence[Path]) -> None:
    """Draw the job that runs on one of some galleries, and its outcome when it ends."""
    job = next((job for directory in directories if (job := shared_jobs().active(directory))), None)
    with st.container():  # is there without a job, too, or what follows would be drawn anew when one begins
        if job:
            drawing.fragment(_strip, run_every=BUSY)(job)


def _strip(job: Job) -> None:
    with st.container(key="job-strip"):
        if job.is_active:
            _show_progress(job)
            return
        outcome = job_messages.outcome(job, look_at(job.directory), tells_all=access.may_manage())
        st.markdown(f"{ICONS[job.status.state]} {sentence_as_markdown(outcome)}")
        if st.button("Show it" if job.status.state == "done" else "OK", key="job-strip-end"):
            st.rerun()


def _show_progress(job: Job) -> None:
    """Draw what the job does and how far it is, in two lines."""
    progress, doing = job.status.progress, f"{job_messages.DOING[job.task]} **{as_markdown(job.directory.name)}**"
    if job.status.state == "waiting":
        st.markdown(f"{doing} · waiting for its turn")
        return
    share = min(1.0, progress.done / progress.total) if progress and progress.total else 0.0
    text = sentence_as_markdown(wording.progress(progress)) if progress else "Starting …"
    st.markdown(doing)
    st.progress(share, text=text)
