"""The choice of a source for a gallery: a path on this computer, an upload, or a public dataset."""

from collections.abc import Callable

import streamlit as st

from similarity.app.galleries import arriving, folder_dialog
from similarity.app.serving.access import text_for_visitor
from similarity.app.shell import fields
from similarity.app.wording.messages import as_markdown
from similarity.service.tasks import Finding, at, of_dataset
from similarity.sources import open_source
from similarity.sources.datasets import DATASETS
from similarity.sources.locations import unquoted
from similarity.sources.opening import is_folder

PLACE, UPLOAD, DATASET = "On this computer", "Upload", "Dataset"
ABOUT_PLACE = (
    "The label of a picture is the name of its folder. A CSV has a column `path` or `url`; `label` is optional."
)
ABOUT_UPLOAD = (
    "Pictures, a folder, a zip of up to 50 GB, or a CSV with web addresses in a column `url`. A copy is kept until the "
    "gallery is deleted."
)
EXAMPLE = "For example: ~/Pictures"
NO_PLACE, NO_UPLOAD = "Give the path of the pictures.", "Choose the pictures to upload, and wait until they are here."

# In pixels, where the screen has them.
FORM_WIDTH = 760

# Called with the name of a gallery: keeps the upload, if any, and returns how to list the pictures; raises
# SimilarityError.
Prepare = Callable[[str], Finding]


def choose(key: str, *ways: str) -> Prepare | None:
    """Draw the choice of a source; returns None until one is chosen.

    Args:
        key: a prefix that sets this choice apart from others on the page.
        ways: the choices to offer, of PLACE, UPLOAD and DATASET.
    """
    way = st.segmented_control("Pictures", ways, default=ways[0], required=True, key=f"{key}_way")
    if way == DATASET:
        return _choose_dataset(key)
    return _choose_upload(key) if way == UPLOAD else _choose_place(key)


def say_missing(key: str) -> str:
    """Return what to do where `choose` has returned None."""
    return NO_UPLOAD if st.session_state.get(f"{key}_way") == UPLOAD else NO_PLACE


def field(key: str) -> str:
    """Return the key of the field for the path, if that is how the source is chosen."""
    return f"{key}_place" if st.session_state.get(f"{key}_way") == PLACE else ""


def find_place(place: str) -> Finding:
    """Return how to list the pictures in a place; raises SimilarityError if it is not a source."""
    place = unquoted(place)
    if not is_folder(place):  # a large folder is listed in the background
        open_source(place)
    return at(place)


def _choose_place(key: str) -> Prepare | None:
    path = f"{key}_place"
    if (chosen := folder_dialog.take_choice(path)) is not None:
        st.session_state[path] = chosen
    with st.container(horizontal=True, vertical_alignment="bottom"):
        place = fields.text_line("Path of a folder, a zip or a CSV", placeholder="For example: ~/Pictures", key=path)
        folder_dialog.show_button(path)
    st.caption(ABOUT_PLACE)
    return (lambda _: find_place(place)) if place else None


def _choose_upload(key: str) -> Prepare | None:
    name = arriving.show(key)
    st.caption(ABOUT_UPLOAD)
    return (lambda gallery: at(arriving.take(key, name, gallery))) if name else None


def _choose_dataset(key: str) -> Prepare:
    dataset = st.selectbox(
        "Dataset",
        list(DATASETS.values()),
        format_func=lambda dataset: text_for_visitor(dataset.title),
        key=f"{key}_dataset",
    )
    options = f" Indexes `{dataset.options.strip()}`." if dataset.options else ""
    st.caption(f"Licence: {as_markdown(dataset.licence)}{options} It is downloaded once and kept.")
    return lambda _: of_dataset(dataset)
