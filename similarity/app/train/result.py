"""The result of a training: how much better the head searches, and the choice to keep it."""

from collections.abc import Callable

import streamlit as st

from similarity.app.galleries import jobs_background
from similarity.app.serving.access import text_for_visitor
from similarity.app.shell import fields
from similarity.app.train import progress, saving
from similarity.app.wording import learned, wording
from similarity.app.wording.messages import as_markdown, error_as_markdown
from similarity.errors import SimilarityError
from similarity.evaluation.held_out import changes
from similarity.evaluation.report.wording import DEFINITIONS, NAMES
from similarity.gallery import Gallery
from similarity.service.jobs import Job
from similarity.storage.inventory import look_at, named_gallery
from similarity.vectors.head_card import Card
from similarity.vectors.heads import Head

HERE, NEW = "This gallery", "A new gallery"
# With fewer queries, chance alone makes visible differences.
RELIABLE_QUERIES = 200
BOXES: dict[learned.Assessment, tuple[Callable[..., object], str]] = {
    "better": (st.success, "trending_up"),
    "worse": (st.error, "trending_down"),
    "mixed": (st.warning, "swap_vert"),
    "same": (st.info, "trending_flat"),
    "unknown": (st.warning, "question_mark"),
}


def show(job: Job, gallery: Gallery) -> None:
    """Draw the result of a training, the choice to keep it, and its learning curves."""
    head = job.status.result
    if not isinstance(head, Head):
        return
    with st.container(border=True, key=f"job-{job.number}"):
        with st.container(key=f"metrics-{job.number}"):
            _show_metrics(head.card)
        _offer(job, gallery, head.card)
        progress.show_curves(job)


def _show_metrics(card: Card) -> None:
    box, icon = BOXES[learned.assess(card)]
    box(learned.verdict(card), icon=f":material/{icon}:")
    measured = changes(card)
    for column, change in zip(st.columns(max(2, len(measured))), measured, strict=False):
        with column:
            st.metric(
                NAMES[change.name],
                f"{change.after:.3f}",
                f"{change.difference:+.3f}" if change.is_visible else "0.000",
                delta_color="normal" if change.is_visible else "off",
                delta_arrow="auto" if change.is_visible else "off",
                delta_description=f"before: {change.before:.3f}",
                help=DEFINITIONS[change.name],
                border=True,
            )
    queries = card.data.get("queries", 0)
    counted = wording.pictures(queries) if card.is_of_labels else f"{queries:,} searches with marks"
    epoch, patience = card.settings.get("best_epoch"), card.settings.get("patience")
    trained = (
        f"Best after epoch {as_markdown(str(epoch))}" if patience else f"Trained for {as_markdown(str(epoch))} epochs"
    )
    held_out = f"Measured on **{counted}** that were held out. " if measured else ""
    st.markdown(f"{held_out}{trained}, in {wording.duration(card.seconds)}.")
    if measured and queries < RELIABLE_QUERIES:
        st.caption("These are few: much of the difference may be chance.")


def _offer(job: Job, gallery: Gallery, card: Card) -> None:
    """Draw the choice to keep the head, here or in a new gallery, or to discard it."""
    where = st.segmented_control("Keep it in", [HERE, NEW], default=HERE, required=True, key=f"keep-in-{job.number}")
    name = ""
    if where == NEW:
        name = fields.text_line("Name", text_for_visitor(_free_name(gallery.name)), key=f"keep-name-{job.number}")
        st.caption("With the same pictures; this gallery is not changed.")
    else:
        st.caption("No re-embedding. It can be undone.")
    is_worse = learned.assess(card) == "worse"
    with st.container(horizontal=True):
        is_pressed = st.button("Keep it", icon=":material/check:", type="secondary" if is_worse else "primary")
        st.button(
            "Discard",
            icon=":material/delete:",
            type="primary" if is_worse else "secondary",
            on_click=jobs_background.dismiss,
            args=(job,),
        )
    if not is_pressed:
        return
    try:
        saving.keep(job, saving.new_gallery(name) if where == NEW else None)
    except SimilarityError as error:
        st.error(error_as_markdown(error), icon=":material/error:")
        return
    st.rerun()


def _free_name(name: str) -> str:
    """Return a name that no gallery has, derived from a gallery's name."""
    numbers = ("", *(f"-{number}" for number in range(2, 100)))
    names = (f"{name}-trained{number}" for number in numbers)
    return next((free for free in names if look_at(named_gallery(free)) is None), "")


def show_kept(gallery: Gallery, *, is_busy: bool) -> None:
    """Draw the head of a gallery, and a button to take it off."""
    if gallery.head is None:
        return
    card = gallery.head.card
    with st.container(border=True, key="train-head"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown("**This gallery has a head**", width="content")
            st.button(
                "Take the head off",
                icon=":material/layers_clear:",
                on_click=saving.take_off,
                args=(gallery.directory,),
                disabled=is_busy,
            )
        st.caption(as_markdown(learned.origin(card)) + ".")
        if measured := changes(card):
            texts = (
                f"{NAMES[change.name]} **{change.after:.3f}**, {change.before:.3f} without it" for change in measured
            )
            st.markdown(" · ".join(texts))
