"""The left side of the search page: which gallery, which picture, how many results."""

from pathlib import Path

import streamlit as st

from similarity.app.resources import fetch_picture
from similarity.images import decode_scaled, read_file, thumbnail
from similarity.queries import QueryFile
from similarity.sources import Item

UPLOAD, ADDRESS = "Upload", "Image URL"
FILE_TYPES = ["jpg", "jpeg", "png", "webp", "gif", "avif", "bmp", "jfif", "jpe"]
SAMPLE_KEY = "sample_query"
PREVIEW_SIDE = 640


def choose_gallery(directories: list[Path]) -> Path:
    """A gallery, by name; the page's address names it too, and can name none but these."""
    chosen: Path = st.selectbox(
        "Gallery",
        directories,
        format_func=lambda directory: directory.name,
        key="gallery",
        bind="query-params",
    )
    return chosen


def choose_picture() -> QueryFile | None:
    """A picture from the person's computer, from the web or from the samples, or None as long as there is none.

    Raises:
        FetchError: the address cannot be fetched. ImageError: the sample is gone.
    """
    if sample := st.session_state.get(SAMPLE_KEY):
        st.button("Show it another picture", icon=":material/arrow_back:", on_click=_forget_sample, width="stretch")
        return QueryFile(read_file(sample)[0], "The sample picture")
    way = st.segmented_control("Your picture", [UPLOAD, ADDRESS], default=UPLOAD, required=True, width="stretch")
    if way == UPLOAD:
        file = st.file_uploader("Picture file", type=FILE_TYPES, label_visibility="collapsed")
        return QueryFile(file.getvalue(), file.name) if file else None
    with st.form("address", border=False):
        url = st.text_input("Address of a picture", placeholder="https://…", label_visibility="collapsed").strip()
        st.form_submit_button("Search", icon=":material/search:", width="stretch", type="primary")
    return QueryFile(fetch_picture(url), url) if url else None


def take_sample(item: Item) -> None:
    """Make a sample the query; for a button's callback."""
    st.session_state[SAMPLE_KEY] = item.path


def choose_count() -> int:
    """How many results."""
    return int(st.slider("Number of results", min_value=1, max_value=50, value=10))


def show_picture(picture: QueryFile) -> None:
    """The picture itself; raises ImageError if it is none."""
    preview = thumbnail(decode_scaled(picture.data, picture.name, side=PREVIEW_SIDE).image, side=PREVIEW_SIDE)
    with st.container(key="query"):
        st.image(preview, alt="Your picture", width="stretch")


def _forget_sample() -> None:
    del st.session_state[SAMPLE_KEY]
