"""Query pictures and words as vectors, computed once and shared by all sessions."""

import json

import numpy as np
import streamlit as st

from similarity.app.serving.computing import take_turn
from similarity.app.serving.resources import gallery_key
from similarity.gallery import Gallery
from similarity.images.picture import Box, QueryFile
from similarity.query import turns
from similarity.query.explain import Look
from similarity.query.inputs import decode_query
from similarity.vectors.arrays import Vectors


def file_key(file: QueryFile) -> str:
    """Return the cache key of a picture file: its contents, whatever its name."""
    return file.sha256


def model_key(gallery: Gallery) -> str:
    """Return a cache key of everything that an embedding depends on beside the picture."""
    return json.dumps(gallery.manifest.identity, sort_keys=True)


def _space_key(gallery: Gallery) -> tuple[str, str]:
    """Return a cache key of everything that a refined embedding depends on beside the picture or the words."""
    return model_key(gallery), gallery.manifest.refinement


def embed_query(gallery: Gallery, file: QueryFile, box: Box | None = None) -> Vectors:
    """Embed a picture file or a part of it and refine it as the gallery's vectors are: float32 (dim,).

    Raises:
        ImageError: the file is not a picture that can be read. GalleryError: the model cannot be loaded.
    """
    refined: Vectors = gallery.refine(embed_picture(gallery, file, box)[np.newaxis])[0]
    return refined


@st.cache_data(max_entries=256, show_spinner=False, hash_funcs={Gallery: model_key, QueryFile: file_key})
def embed_picture(gallery: Gallery, file: QueryFile, box: Box | None) -> Vectors:
    """Embed a picture file or a part of it with the gallery's model, not refined; raises as `embed_query`."""
    embedder = gallery.embedder
    with take_turn(file):
        image = decode_query(file, side=embedder.backbone.preprocessing.resize, box=box)
        vector: Vectors = embedder.embed([image])[0]
    return vector


@st.cache_data(max_entries=256, show_spinner=False, hash_funcs={Gallery: model_key, QueryFile: file_key})
def embed_turns(gallery: Gallery, file: QueryFile, box: Box | None) -> Vectors:
    """Embed a picture file or a part of it turned by 90, 180 and 270 degrees clockwise, float32 (3, dim), not refined;
    raises as `embed_query`.
    """
    embedder = gallery.embedder
    with take_turn(file):
        image = decode_query(file, side=embedder.backbone.preprocessing.resize, box=box)
        return turns.embed_turns(gallery, image)


@st.cache_resource(max_entries=16, show_spinner=False, hash_funcs={Gallery: gallery_key, QueryFile: file_key})
def look(gallery: Gallery, file: QueryFile, box: Box | None, degrees: int = 0) -> Look:
    """Take a picture file or a part of it apart into regions, once for several explanations; see `Gallery.look`.

    Args:
        degrees: that it is turned by first; see `query/turns.py`.
    """
    with take_turn(file):
        if not degrees:
            return gallery.look(file, box)
        image = decode_query(file, side=gallery.embedder.backbone.preprocessing.resize, box=box)
        return gallery.look(turns.turn(image, degrees))


@st.cache_data(max_entries=256, show_spinner="Reading the words …", hash_funcs={Gallery: _space_key})
def embed_text(gallery: Gallery, words: str) -> Vectors:
    """Embed words as they are compared with a gallery, float32 (dim,); raises as `Gallery.embed_text`."""
    with take_turn():
        return gallery.embed_text(words)
