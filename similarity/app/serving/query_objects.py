"""Objects in the pictures of queries, found once and shared by all sessions."""

from collections.abc import Sequence

import streamlit as st

from similarity.app.serving.computing import take_turn
from similarity.app.serving.query_vectors import file_key, model_key
from similarity.gallery import Gallery
from similarity.images.decoding import decode, thumbnail
from similarity.images.picture import Box, QueryFile

# Pixels of a chip's longer side, for screens that have two for each.
CHIP_SIDE = 128


@st.cache_data(max_entries=256, show_spinner=False, hash_funcs={Gallery: model_key, QueryFile: file_key})
def find(gallery: Gallery, file: QueryFile) -> list[Box]:
    """Find the objects in a picture with the gallery's model; see `query.objects.find_objects`, which this raises as.

    Returns:
        Boxes with the digits that an address keeps.
    """
    # OpenCV and SciPy are loaded only where they are needed.
    from similarity.query.objects import find_objects

    with take_turn(file):
        boxes = find_objects(gallery.embedder, file)
    return [Box(*(round(edge, 4) for edge in (box.left, box.top, box.right, box.bottom))) for box in boxes]


@st.cache_data(max_entries=256, show_spinner=False)
def thumbnails(picture: bytes, boxes: Sequence[Box]) -> list[bytes]:
    """Cut small JPEGs of parts out of a picture; raises ImageError if it is not one."""
    image = decode(picture, "The picture")
    return [thumbnail(box.cut(image), side=CHIP_SIDE) for box in boxes]
