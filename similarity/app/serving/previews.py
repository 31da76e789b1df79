"""Pictures at the size at which pages show them, and whole files to download."""

import base64

import streamlit as st

from similarity.app.serving.computing import take_turn
from similarity.app.serving.query_vectors import file_key
from similarity.app.serving.resources import fetch_picture
from similarity.errors import FetchError, ImageError
from similarity.exports.sheet import draw_words
from similarity.gallery import Gallery
from similarity.images.decoding import decode, read_image, thumbnail
from similarity.images.picture import QueryFile
from similarity.query.inputs import decode_query
from similarity.sources import Item
from similarity.sources.originals import read_original

# The longer side of a preview has at most so many pixels.
PREVIEW_SIDE = 800


def _item_key(item: Item) -> str:
    return item.sha256


@st.cache_data(max_entries=128, show_spinner=False)
def card(words: str) -> bytes:
    """Draw words as a JPEG."""
    return thumbnail(draw_words(words), side=PREVIEW_SIDE)


@st.cache_data(max_entries=128, show_spinner=False, hash_funcs={QueryFile: file_key})
def preview(file: QueryFile) -> bytes:
    """Make a JPEG of a picture file; raises ImageError if the file is not a picture."""
    with take_turn(file):
        return thumbnail(file.decode(), side=PREVIEW_SIDE)


@st.cache_data(max_entries=128, ttl=600, show_spinner=False, hash_funcs={Item: _item_key})
def preview_of_item(_gallery: Gallery, item: Item) -> bytes:
    """Make a JPEG of a picture of a gallery; if its file cannot be read, return its thumbnail."""
    try:
        file = read_original(item, fetch=fetch_picture)
        with take_turn(file):
            return thumbnail(file.decode(), side=PREVIEW_SIDE)
    except (ImageError, FetchError):
        return _gallery.thumbnail(item)


def original(item: Item) -> bytes:
    """Read the file of a picture of a gallery, for any visitor who may see the gallery.

    Raises:
        ImageError: the file is gone, is another than was indexed, or is not a picture.
        FetchError: its address cannot be fetched.
    """
    file = read_original(item, fetch=fetch_picture)
    with take_turn(file):
        decode_query(file, side=1)
    return file.data


@st.cache_data(max_entries=64, show_spinner=False)
def sample_thumbnail(path: str) -> bytes:
    """Make a small JPEG of a sample picture; raises ImageError if its file is gone."""
    return thumbnail(read_image(path))


@st.cache_data(max_entries=256, show_spinner=False)
def small_address(jpeg: bytes, side: int) -> str:
    """Return a small version of a preview as a `data:` address; its longer side has at most so many pixels."""
    small = base64.b64encode(thumbnail(decode(jpeg, "preview"), side=side)).decode()
    return f"data:image/jpeg;base64,{small}"
