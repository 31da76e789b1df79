"""The form for a new gallery."""

import importlib.util
from pathlib import Path

import streamlit as st

from similarity.app.components import attention
from similarity.app.galleries import job_messages, jobs_background, overview, source
from similarity.app.galleries.source import FORM_WIDTH
from similarity.app.serving.access import text_for_visitor
from similarity.app.shell import fields
from similarity.app.wording import wording
from similarity.app.wording.messages import as_markdown
from similarity.embedding.backbones import BACKBONES, Backbone
from similarity.embedding.backbones.weights import AT_HAND, AUTO, DOWNLOADS, FALLBACK, PREFERRED, whereabouts
from similarity.embedding.precision import Precision
from similarity.embedding.view_names import Quality
from similarity.errors import GalleryError, SimilarityError
from similarity.indexing.options import IndexOptions
from similarity.service import tasks
from similarity.service.jobs import shared_jobs
from similarity.storage.inventory import look_at, named_gallery

NAME, REPLACED = "new_name", "new_replaced"
ABOUT_NAME = "Letters, digits, spaces, dots, dashes and underscores."
PRECISIONS: dict[Precision, str] = {
    "auto": "Automatic: the fastest that gives the same results",
    "int8": "int8: faster still, scores differ a little",
}
VIEWS = {
    "auto": "Automatic: what was measured best for the model",
    "crop": "The centre, cut to a square as in the model's training",
    "fit": "More of long pictures, which costs nothing",
    "both": "Both, averaged, which takes twice the time",
}
QUALITIES: dict[Quality, str] = {
    "standard": "Standard",
    "best": "Best: both views, and two bundled models; two to three times the time",
}


def show() -> None:
    """Draw the form."""
    st.button("All galleries", icon=":material/arrow_back:", type="tertiary", on_click=overview.show_all)
    st.subheader("New gallery", anchor=False)
    with st.container(border=True, width=FORM_WIDTH):
        name = fields.text_line("Name", placeholder="For example: shoes", key=NAME, help=ABOUT_NAME)
        at_name = st.empty()
        prepare = source.choose("new", source.PLACE, source.UPLOAD, source.DATASET)
        at_source = st.empty()
        model, precision = _choose_model()
        recipe, refinement = _choose_search()
        view, quality, parts = _choose_view()
        is_pressed = st.button("Build the gallery", type="primary", icon=":material/construction:")
        if not (is_pressed or st.session_state.pop(REPLACED, None) == name):
            return
        try:
            directory = _check_name(name)
        except SimilarityError as error:
            attention.show_fault(at_name, error, field=NAME)
            return
        options = IndexOptions(model, precision, recipe, refinement, view=view, quality=quality, parts=parts)
        try:
            _build(directory, prepare, options, is_sure=not is_pressed)
        except SimilarityError as error:
            attention.show_fault(at_source, error, field=source.field("new"))


def _choose_model() -> tuple[str, Precision]:
    with st.expander("Model"):
        model = st.selectbox(
            "Model",
            [AUTO, *BACKBONES],
            format_func=lambda name: text_for_visitor(_model_title(name)),
            key="new_model",
            accept_new_options=True,
            help="CLIP models understand words, too. Any model of timm can be typed here: timm:convnext_tiny.fb_in22k",
        )
        model = fields.refuse_too_long(model) or AUTO
        if not importlib.util.find_spec("nncf"):
            return model, "auto"
        chosen = st.selectbox("Precision", list(PRECISIONS), format_func=PRECISIONS.__getitem__, key="new_precision")
        return model, chosen


def _model_title(name: str) -> str:
    if name == AUTO:
        return f"Automatic: {BACKBONES[PREFERRED].title} if available, otherwise {BACKBONES[FALLBACK].title}"
    return f"{BACKBONES[name].title}{_availability(BACKBONES[name])}" if name in BACKBONES else name


def _availability(backbone: Backbone) -> str:
    state = whereabouts(backbone)
    return {AT_HAND: "", DOWNLOADS: " (downloaded first)"}.get(state, f" (first: {state})")


def _choose_search() -> tuple[str, str]:
    """Draw the choice of the index's recipe and of the refinement of embeddings."""
    with st.expander("Search index"):
        recipe = st.selectbox(
            "How pictures are compared",
            list(job_messages.RECIPES),
            format_func=lambda name: text_for_visitor(job_messages.recipe_title(name)),
            key="new_recipe",
        )
        refinement = st.selectbox(
            "Refinement",
            list(job_messages.REFINEMENTS),
            format_func=job_messages.REFINEMENTS.__getitem__,
            key="new_refinement",
        )
        return recipe, refinement


def _choose_view() -> tuple[str, Quality, bool]:
    """Draw the choice of what a model sees of a picture, of more time for better results, and of parts of pictures."""
    with st.expander("More settings"):
        view = st.selectbox(
            "What the model sees of a picture", list(VIEWS), format_func=VIEWS.__getitem__, key="new_view"
        )
        quality = st.selectbox("Quality", list(QUALITIES), format_func=QUALITIES.__getitem__, key="new_quality")
        parts = st.toggle(
            "Parts of pictures, too",
            key="new_parts",
            help="Searches can find a thing that is one of several in a picture. It takes up to 67 kB more for each.",
        )
        return view, quality, parts


def _check_name(name: str) -> Path:
    """Return the folder of a gallery of this name; raises SimilarityError if there cannot be one now."""
    if not name:
        raise GalleryError("Give the gallery a name.")
    directory = named_gallery(name)
    if shared_jobs().active(directory):
        raise GalleryError(f"Another task is running on {name}: wait for it, cancel it, or choose another name.")
    return directory


def _build(directory: Path, prepare: source.Prepare | None, options: IndexOptions, *, is_sure: bool) -> None:
    """Start the build unless the name is taken; raises SimilarityError if the pictures are missing."""
    if not prepare:
        raise GalleryError(source.say_missing("new"))
    if _is_taken(directory) and not is_sure:
        _ask(directory)
        return
    work = tasks.index(directory, prepare(directory.name), options)
    jobs_background.start(directory, "index", work)
    overview.show_all()
    st.rerun()


def _is_taken(directory: Path) -> bool:
    entry = look_at(directory)
    return entry is not None and entry.condition != "unfinished"


def _ask(directory: Path) -> None:
    name, entry = directory.name, look_at(directory)
    count = f", with {wording.pictures(entry.manifest.count)}" if entry and entry.manifest else ""
    with st.container():
        st.warning(
            f"There is a gallery named {as_markdown(name)}{count}. It can be searched until the new one is "
            "complete, and is then replaced.",
            icon=":material/warning:",
        )
        with st.container(horizontal=True):
            st.button("Replace it", on_click=_confirm, args=(name,))
            st.button("Keep it", type="tertiary")
        attention.bring_into_sight()


def _confirm(name: str) -> None:
    st.session_state[REPLACED] = name
