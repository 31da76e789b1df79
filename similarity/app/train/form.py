"""The form of training settings: the loss, the split, and settings that few need to change."""

import streamlit as st

from similarity.app.serving.access import text_for_visitor
from similarity.app.wording import learned
from similarity.finetuning import LOSSES, SPLITS, From, Loss, Settings, Split
from similarity.finetuning.settings import MOST_DIM, MOST_EPOCHS

ABOUT_LOSSES = {
    "multi-similarity": "Looks at all pairs of a batch and weighs each by how hard it still is. Begin with this one.",
    "triplet": "A picture is to be nearer to one of its own label than to one of another, by a margin.",
    "contrastive": "Pictures of one label are pulled together, and others pushed apart. The simplest.",
    "proxy-anchor": "Each label gets a point of its own that its pictures are drawn to.",
}
ABOUT_SPLITS = {
    "item": "Tells how well more pictures of these labels will be found. Each picture is held out once.",
    "label": "Tells how well pictures will be found of labels that it was never taught. Each label is held out once.",
}
LAYERS = {1: "One: linear", 2: "Two"}
DEFAULTS: dict[From, Settings] = {"labels": Settings.choose("labels"), "marks": Settings.choose("marks")}
# Feedback has no labels, which proxies need.
FEEDBACK_LOSSES = tuple(loss for loss in LOSSES if loss != "proxy-anchor")


def choose_source(key: str, feedback_count: int) -> From:
    """Draw the choice between labels and feedback, if there is feedback; returns the choice.

    Args:
        key: sets this form apart from those of other galleries.
        feedback_count: number of results with feedback.
    """
    if not feedback_count:
        return "labels"
    titles: dict[From, str] = {"labels": "Labels", "marks": f"Marks ({feedback_count:,})"}
    source: From = st.segmented_control(
        "Learn from",
        list(titles),
        default="labels",
        format_func=titles.__getitem__,
        required=True,
        key=f"train-source-{key}",
        help="Marks were made on results on the search page: more like this, or not like this.",
    )
    return source


def choose(key: str, source: From) -> Settings:
    """Draw the settings; returns the chosen ones.

    Raises:
        HeadError: the settings contradict each other.
    """
    losses, key, usual = LOSSES if source == "labels" else FEEDBACK_LOSSES, f"{source}-{key}", DEFAULTS[source]
    loss: Loss = st.selectbox(
        "Loss", losses, format_func=lambda loss: text_for_visitor(learned.loss_title(loss)), key=f"train-loss-{key}"
    )
    st.caption(ABOUT_LOSSES[loss])
    split: Split = _choose_split(key) if source == "labels" else "item"
    with st.expander("More settings"):
        layers, dim, keep = _choose_shape(key, usual)
        epochs, seed = _choose_course(key, usual)
    return Settings.choose(source, loss=loss, split=split, layers=layers, dim=dim, keep=keep, epochs=epochs, seed=seed)


def _choose_shape(key: str, usual: Settings) -> tuple[int, int, float]:
    """Draw the shape of the head: its layers, its dimension, and the share kept of the original similarity."""
    layers = st.segmented_control(
        "Layers",
        list(LAYERS),
        default=usual.layers,
        format_func=LAYERS.__getitem__,
        required=True,
        key=f"train-layers-{key}",
        help="With two it can learn more; with one, explanations of results are more exact.",
    )
    dim = st.number_input(
        "Dimension",
        2,
        MOST_DIM,
        usual.dim,
        key=f"train-dim-{key}",
        help="Number of learned dimensions. The same number of the original embedding is added.",
    )
    keep = st.slider(
        "Share kept of the original similarity",
        0.0,
        0.95,
        usual.keep,
        0.05,
        key=f"train-keep-{key}",
        help="A larger share is better for kinds of pictures that were not in the training.",
    )
    return layers, dim, keep


def _choose_course(key: str, usual: Settings) -> tuple[int, int]:
    """Draw the number of epochs and the seed."""
    epochs = st.number_input(
        "Epochs at most",
        1,
        MOST_EPOCHS,
        usual.epochs,
        key=f"train-epochs-{key}",
        help=f"It ends earlier if held-out results have not improved for {usual.patience:d} epochs."
        if usual.patience
        else None,
    )
    seed = st.number_input(
        "Seed",
        0,
        2**31 - 1,
        usual.seed,
        key=f"train-seed-{key}",
        help="The same seed, settings and pictures give the same result.",
    )
    return epochs, seed


def _choose_split(key: str) -> Split:
    split: Split = st.radio(
        "Held out, to measure the result", SPLITS, format_func=learned.SPLITS.__getitem__, key=f"train-split-{key}"
    )
    st.caption(ABOUT_SPLITS[split])
    return split
