"""Jobs that have to do with a gallery's head, and the one that goes on, drawn anew every second."""

import time
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from similarity.app.galleries import jobs as panel
from similarity.app.train import charts
from similarity.app.train.saving import SaveHead
from similarity.app.wording import learned, wording
from similarity.app.wording.messages import as_markdown
from similarity.service.jobs import Job, shared_jobs
from similarity.service.tasks import Training

TASKS = ("finetune", "keep", "drop")
PLOT = 260
RECALL, LOSS = "Recall@1 of what is held out", "Loss"

# The jobs, and whether each was going on when they were looked at: they may end while a page is drawn.
Snapshot = Sequence[tuple[Job, bool]]


def list_jobs(directory: Path) -> Snapshot:
    """The jobs of a gallery, and those that put a head of its onto another one; the latest first."""

    def concerns(job: Job) -> bool:
        return job.directory == directory or (
            isinstance(job.work, SaveHead) and job.work.training.directory == directory
        )

    return [(job, job.is_active) for job in reversed(shared_jobs().listed()) if concerns(job)]


def active(seen: Snapshot) -> Job | None:
    """The one that goes on."""
    return next((job for job, is_active in seen if is_active), None)


def ended(seen: Snapshot) -> list[Job]:
    """Those that have ended and had to do with a head; none as long as another one goes on."""
    return [] if active(seen) else [job for job, _ in seen if job.task in TASKS]


def show(directory: Path, seen: Snapshot) -> None:
    """Draw the one that goes on, and the page when anything is other than it was seen."""
    every = panel.BUSY if active(seen) else panel.IDLE
    st.fragment(_panel, run_every=every)(directory, seen)


def _panel(directory: Path, seen: Snapshot) -> None:
    if list_jobs(directory) != seen:
        st.rerun()
    job = active(seen)
    if job is None:
        return
    with st.container(border=True, key=f"job-{job.number}"):
        panel.show_active(job)
        if isinstance(job.work, Training):
            st.caption(_facts(job.work))
            show_curves(job)


def _facts(training: Training) -> str:
    """What is trained, and how long that has gone on."""
    asked = training.settings
    held_out = "some searches" if asked.source == "marks" else learned.SPLITS[asked.split].lower()
    facts = [f"{as_markdown(learned.loss_title(asked.loss))} loss", f"held out: {held_out}"]
    if training.begun:
        facts.append(f"{wording.duration(time.monotonic() - training.begun)} so far")
    return " · ".join(facts)


def show_curves(job: Job) -> None:
    """Draw how the training of a job went so far."""
    if not isinstance(job.work, Training) or not job.work.epochs:
        return
    epochs = job.work.epochs
    plots = ((RECALL, charts.recall(epochs, with_best=job.work.settings.patience > 0)), (LOSS, charts.loss(epochs)))
    for column, (title, option) in zip(st.columns(2, gap="medium"), plots, strict=True):
        with column:
            st.markdown(f"**{title}**")
            st.echarts_chart(option, height=PLOT, key=f"curve-{title}", alt=title)
