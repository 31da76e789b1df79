"""The choice of a source for a gallery: a path on this computer, an upload, or a public dataset."""

from collections.abc import Callable

import streamlit as st

from similarity.app.serving.access import text_for_visitor
from similarity.app.shell import fields
from similarity.app.wording.messages import as_markdown
from similarity.paths import full_path
from similarity.service.tasks import Finding, at, of_dataset
from similarity.sources import open_source
from similarity.sources.datasets import DATASETS
from similarity.sources.locations import unquoted
from similarity.sources.uploads import SUFFIXES, keep_upload
from similarity.text import plain

PLACE, UPLOAD, DATASET = "On this computer", "Upload", "Dataset"
ABOUT_PLACE = (
    "The label of a picture is the name of its folder. A CSV has a column `path` or `url`; `label` is optional."
)
ABOUT_UPLOAD = (
    "A zip of pictures, or a CSV with their web addresses in a column `url`; full paths of this computer work too, and "
    "paths relative to the CSV do not. A copy is kept until the gallery is deleted. Larger zip? Enter its path."
)

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


def find_place(place: str) -> Finding:
    """Return how to list the pictures in a place; raises SimilarityError if it is not a source."""
    place = unquoted(place)
    if not full_path(place).is_dir():  # a large folder is listed in the background
        open_source(place)
    return at(place)


def _choose_place(key: str) -> Prepare | None:
    place = fields.text_line("Path of a folder, a zip or a CSV", placeholder="/home/me/pictures", key=f"{key}_place")
    st.caption(ABOUT_PLACE)
    return (lambda _: find_place(place)) if place else None


def _choose_upload(key: str) -> Prepare | None:
    file = st.file_uploader("Zip or CSV", type=[suffix[1:] for suffix in SUFFIXES], key=f"{key}_upload")
    st.caption(ABOUT_UPLOAD)
    return (lambda gallery: at(keep_upload(gallery, plain.short(file.name), file.getbuffer()))) if file else None


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
