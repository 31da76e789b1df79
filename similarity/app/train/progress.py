"""Jobs that concern a gallery's head, and the progress of the one that runs."""

import time
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from similarity.app.galleries import jobs as panel
from similarity.app.serving import drawing
from similarity.app.train import charts
from similarity.app.train.saving import SaveHead
from similarity.app.wording import learned, wording
from similarity.app.wording.messages import as_markdown
from similarity.service.jobs import Job, shared_jobs
from similarity.service.tasks import Training

TASKS = ("finetune", "keep", "drop")
PLOT = 260
RECALL, LOSS = "Held-out recall@1", "Loss"

# Jobs, each with whether it was running when they were listed: they may end while a page is drawn.
Snapshot = Sequence[tuple[Job, bool]]


def list_jobs(directory: Path) -> Snapshot:
    """List the jobs of a gallery, and those that put its head on another gallery; the latest first."""

    def concerns(job: Job) -> bool:
        return job.directory == directory or (
            isinstance(job.work, SaveHead) and job.work.training.directory == directory
        )

    return [(job, job.is_active) for job in reversed(shared_jobs().listed()) if concerns(job)]


def active(snapshot: Snapshot) -> Job | None:
    """Return the job that was running."""
    return next((job for job, is_active in snapshot if is_active), None)


def ended(snapshot: Snapshot) -> list[Job]:
    """Return the ended jobs that concern a head; none while another one runs."""
    return [] if active(snapshot) else [job for job, _ in snapshot if job.task in TASKS]


def show(directory: Path, snapshot: Snapshot) -> None:
    """Draw the running job, and the whole page again when the jobs have changed."""
    every = panel.BUSY if active(snapshot) else panel.IDLE
    drawing.fragment(_panel, run_every=every)(directory, snapshot)


def _panel(directory: Path, snapshot: Snapshot) -> None:
    if list_jobs(directory) != snapshot:
        st.rerun()
    job = active(snapshot)
    if job is None:
        return
    with st.container(border=True, key=f"job-{job.number}"):
        panel.show_active(job)
        if isinstance(job.work, Training):
            st.caption(_facts(job.work))
            show_curves(job)


def _facts(training: Training) -> str:
    """Describe the settings of a training, and how long it has run."""
    settings = training.settings
    held_out = "some searches" if settings.source == "marks" else learned.SPLITS[settings.split].lower()
    facts = [f"{as_markdown(learned.loss_title(settings.loss))} loss", f"held out: {held_out}"]
    if training.begun:
        facts.append(f"{wording.duration(time.monotonic() - training.begun)} so far")
    return " · ".join(facts)


def show_curves(job: Job) -> None:
    """Draw the learning curves of a training so far."""
    if not isinstance(job.work, Training) or not job.work.epochs:
        return
    epochs = job.work.epochs
    plots = ((RECALL, charts.recall(epochs, with_best=job.work.settings.patience > 0)), (LOSS, charts.loss(epochs)))
    for column, (title, option) in zip(st.columns(2, gap="medium"), plots, strict=True):
        with column:
            st.markdown(f"**{title}**")
            st.echarts_chart(option, height=PLOT, key=f"curve-{title}", alt=title)
