"""The train page: a head is trained on labels or feedback, evaluated, and saved if it improves the search."""

import streamlit as st

from similarity.app.galleries import jobs as panel
from similarity.app.galleries import jobs_background
from similarity.app.galleries.feedback import count_feedback, stamp
from similarity.app.serving import access, resources
from similarity.app.shell import gallery_choice, navigation
from similarity.app.train import example, form, progress, result
from similarity.app.train.progress import Snapshot
from similarity.app.wording import messages, wording
from similarity.errors import HeadError, SimilarityError
from similarity.finetuning import From, Settings
from similarity.finetuning.examples import labelled_rows
from similarity.finetuning.feedback_examples import feedback_examples
from similarity.gallery import Gallery
from similarity.service.tasks import Training
from similarity.sources.base import LABEL

ABOUT = (
    "Train a *head* on a gallery's labels, or on its :material/thumb_up: and :material/thumb_down:, to move pictures "
    "that belong together nearer to each other. It is measured on held-out pictures: you see how good it is before you "
    "keep it."
)
UNDO = "To undo this, take the head off, or choose *Undo the last change* on the gallery's page."
BEGIN = (
    "No re-embedding: a thousand pictures take about half a minute. Searches go on meanwhile, and you can leave this "
    "page and come back."
)


def show() -> None:
    """Draw the page."""
    st.title("Train", anchor=False)
    st.caption(ABOUT)
    if not access.may_manage():
        st.info(access.refusal(), icon=":material/lock:")
        return
    directories = gallery_choice.available_galleries()
    if not directories:
        return
    jobs_background.show_notice()
    left, right = st.columns([2, 5], gap="large")
    try:
        with left:
            directory = gallery_choice.choose_by_address(directories)
            gallery = resources.load_gallery(directory)
            st.caption(_facts(gallery))
            source = form.choose_source(gallery.name, count_feedback(directory))
            fault = _find_fault(gallery, Settings.choose(source))
            seen = progress.list_jobs(directory)
            if not fault:
                _show_form(gallery, source, seen)
        with right:
            _show_state(gallery, fault, source, seen)
    except SimilarityError as error:
        with right:
            messages.show_error(error)


def _facts(gallery: Gallery) -> str:
    labels = len(gallery.facets.counts(LABEL))
    counted = f"{labels:,} label" if labels == 1 else f"{labels:,} labels"
    model = messages.as_markdown(wording.model_title(gallery.manifest.model))
    return f"{wording.pictures(len(gallery))} · {counted} · {model}"


def _examples_key(gallery: Gallery) -> object:
    """Return a cache key of the labels and feedback of a gallery."""
    return resources.gallery_key(gallery), stamp(gallery.directory)


def _settings_key(settings: Settings) -> object:
    """Return a cache key of the settings that decide which examples a head is trained on."""
    return settings.source, settings.split, settings.loss


@st.cache_data(
    max_entries=32,
    show_spinner="Counting examples …",
    hash_funcs={Gallery: _examples_key, Settings: _settings_key},
)
def _find_fault(gallery: Gallery, settings: Settings) -> str:
    """Return the reason why a gallery's labels or feedback cannot be learned from; empty if they can."""
    try:
        if settings.source == "marks":
            feedback_examples(gallery, settings)
        else:
            labelled_rows(gallery, settings)
    except HeadError as error:
        return str(error)
    return ""


def _show_form(gallery: Gallery, source: From, seen: Snapshot) -> None:
    settings = form.choose(gallery.name, source)
    fault = _find_fault(gallery, settings)
    if fault:
        st.warning(messages.sentence_as_markdown(fault), icon=":material/label_off:")
    is_undecided = any(job.is_undecided for job, _ in seen)
    # Not a callback: the last run would give it the settings of before, also when another was typed just now.
    if st.button(
        "Train again" if is_undecided else "Train",
        type="secondary" if is_undecided else "primary",
        icon=":material/model_training:",
        disabled=bool(fault) or progress.active(seen) is not None,
        help="The last result, which was not kept, is discarded." if is_undecided else None,
    ):
        jobs_background.start(gallery.directory, "finetune", Training(gallery.directory, settings))
        st.rerun()


def _show_state(gallery: Gallery, fault: str, source: From, seen: Snapshot) -> None:
    """Draw the running job, the results of those that ended, and the current head."""
    progress.show(gallery.directory, seen)
    for job in progress.ended(seen):
        if job.is_undecided:
            result.show(job, gallery)
            continue
        with st.container(border=True, key=f"job-{job.number}"):
            panel.show_ended(job)
            if job.task == "keep" and job.status.state == "done" and job.directory == gallery.directory:
                st.caption(UNDO)
    result.show_kept(gallery, is_busy=progress.active(seen) is not None)
    if fault:
        _show_fault(fault, source)
    elif not (progress.active(seen) or progress.ended(seen)):
        st.info(BEGIN, icon=":material/arrow_back:")
        example.show()


def _show_fault(fault: str, source: From) -> None:
    st.info(messages.sentence_as_markdown(fault), icon=":material/label_off:")
    if source == "marks":
        return
    if st.button("To the galleries", icon=":material/photo_library:"):
        navigation.go("galleries")
