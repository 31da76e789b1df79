"""What is loaded once and shared by all sessions: models and galleries; and what a session asks for again and again."""

import json
import threading
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import streamlit as st

from similarity.app.serving import access, visitors
from similarity.embedding.embedder import Embedder, EmbedderId
from similarity.errors import FetchError, GalleryError, ImageError
from similarity.exports.sheet import draw_words
from similarity.fetch.http import fetch
from similarity.fetch.redaction import redact
from similarity.gallery import Gallery
from similarity.images.decoding import count_pixels, read_image, thumbnail
from similarity.images.picture import Box, QueryFile
from similarity.paths import galleries_folder
from similarity.progress import OnProgress
from similarity.query.explain import Look
from similarity.query.filters import Facets
from similarity.query.inputs import decode_query
from similarity.sample import SAMPLE, ensure_sample
from similarity.service import turns
from similarity.service.throttle import shared_limiter
from similarity.sources import Item
from similarity.sources.originals import read_original
from similarity.storage.current import live_state
from similarity.vectors.arrays import Vectors

# What is shown of a picture has at most so many pixels on its longer side.
PREVIEW_SIDE = 800
# Decoding a PNG of so many pixels takes about 0.3 s.
HEAVY_PIXELS = 12_000_000

_INDEXING_SAMPLE = threading.Lock()


@st.cache_resource(max_entries=4, show_spinner="Loading the model …")
def load_embedder(identity: EmbedderId) -> Embedder:
    """The model that made a gallery."""
    return Embedder.restore(identity)


def index_sample(progress: OnProgress, *, anew: bool) -> None:
    """Index the sample gallery, anew if it is damaged; whoever comes while that is going on waits for it."""
    with _INDEXING_SAMPLE:
        ensure_sample(progress, anew=anew and not _is_sound(galleries_folder() / SAMPLE))


def _is_sound(directory: Path) -> bool:
    try:
        Gallery.open(directory)
    except GalleryError:
        return False
    return True


def load_gallery(directory: Path) -> Gallery:
    """A gallery as it is now; a newer generation is noticed at the next call."""
    return _load_generation(directory, live_state(directory))


@st.cache_resource(max_entries=4, show_spinner="Opening the gallery …")
def _load_generation(directory: Path, state: str) -> Gallery:  # noqa: ARG001 - part of the key
    return Gallery.open(directory, load=load_embedder)


def facets(gallery: Gallery) -> Facets:
    """The columns and values of a gallery, as whoever is in front of the browser may know them."""
    return gallery.facets if access.may_manage() else _redacted_facets(str(gallery.directory), gallery.state, gallery)


@st.cache_resource(max_entries=4, show_spinner=False)
def _redacted_facets(directory: str, state: str, _gallery: Gallery) -> Facets:  # noqa: ARG001 - the key
    return _gallery.facets.renamed(redact)


@st.cache_data(max_entries=4, ttl=600, show_spinner="Fetching the picture …")
def fetch_picture(url: str) -> bytes:
    """What an address serves, kept for ten minutes."""
    shared_limiter().count(visitors.current().session)
    return fetch(url)


def embed_query(gallery: Gallery, file: QueryFile, box: Box | None = None) -> Vectors:
    """A picture file or a part of it as it is compared with a gallery, float32 (dim,); embedded once.

    Raises:
        ImageError: it is not a picture that can be read. GalleryError: the model cannot be loaded.
    """
    refined: Vectors = gallery.refine(embed_picture(gallery, file, box)[np.newaxis])[0]
    return refined


def embed_picture(gallery: Gallery, file: QueryFile, box: Box | None = None) -> Vectors:
    """The same as the gallery's model gives it; raises as `embed_query`."""
    return _embed(_identity(gallery), file.sha256, box, gallery, file)


@st.cache_data(max_entries=256, show_spinner=False)
def _embed(
    identity: str,  # noqa: ARG001 - part of the key, as the next one is
    sha256: str,  # noqa: ARG001
    box: Box | None,
    _gallery: Gallery,
    _file: QueryFile,
) -> Vectors:
    embedder = _gallery.embedder
    with _turn(_file):
        image = decode_query(_file, side=embedder.backbone.preprocessing.resize, box=box)
        vector: Vectors = embedder.embed([image])[0]
    return vector


def look(gallery: Gallery, file: QueryFile, box: Box | None = None) -> Look:
    """A picture file or a part of it, taken apart to be explained, once for several results; see `Gallery.look`."""
    return _look(str(gallery.directory), gallery.state, file.sha256, box, gallery, file)


@st.cache_resource(max_entries=16, show_spinner=False)
def _look(
    directory: str,  # noqa: ARG001 - part of the key, as the next two are
    state: str,  # noqa: ARG001
    sha256: str,  # noqa: ARG001
    box: Box | None,
    _gallery: Gallery,
    _file: QueryFile,
) -> Look:
    with _turn(_file):
        return _gallery.look(_file, box)


def _identity(gallery: Gallery) -> str:
    """All that an embedding depends on beside what is embedded."""
    return json.dumps(gallery.manifest.identity, sort_keys=True)


def embed_text(gallery: Gallery, words: str) -> Vectors:
    """What words are compared as with a gallery, float32 (dim,), computed once; raises as `Gallery.embed_text`."""
    return _embed_text(_identity(gallery), gallery.manifest.refinement, words, gallery)


@st.cache_data(max_entries=256, show_spinner="Reading the words …")
def _embed_text(
    identity: str,  # noqa: ARG001 - part of the key, as the next one is
    refinement: str,  # noqa: ARG001
    words: str,
    _gallery: Gallery,
) -> Vectors:
    with _turn():
        return _gallery.embed_text(words)


@st.cache_data(max_entries=128, show_spinner=False)
def card(words: str) -> bytes:
    """Words as a JPEG to look at."""
    return thumbnail(draw_words(words), side=PREVIEW_SIDE)


def preview(file: QueryFile) -> bytes:
    """A picture file as a JPEG to look at; raises ImageError if it is none."""
    return _preview(file.sha256, file)


@st.cache_data(max_entries=128, show_spinner=False)
def _preview(sha256: str, _file: QueryFile) -> bytes:  # noqa: ARG001 - part of the key
    with _turn(_file):
        return thumbnail(_file.decode(), side=PREVIEW_SIDE)


def preview_of_item(gallery: Gallery, item: Item) -> bytes:
    """The same for a picture of a gallery; if its file cannot be had, its thumbnail."""
    return _preview_of_item(item.sha256, gallery, item)


@st.cache_data(max_entries=128, ttl=600, show_spinner=False)
def _preview_of_item(sha256: str, _gallery: Gallery, _item: Item) -> bytes:  # noqa: ARG001 - part of the key
    try:
        file = read_original(_item, fetch=fetch_picture)
        with _turn(file):
            return thumbnail(file.decode(), side=PREVIEW_SIDE)
    except (ImageError, FetchError):
        return _gallery.thumbnail(_item)


def take_along(item: Item) -> bytes:
    """The file of a picture of a gallery, for whoever may see the gallery: that file as it was indexed, and a picture.

    Raises:
        ImageError: it is gone, another one now, or no picture. FetchError: its address cannot be fetched.
    """
    file = read_original(item, fetch=fetch_picture)
    with _turn(file):
        decode_query(file, side=1)
    return file.data


def _turn(file: QueryFile | None = None) -> AbstractContextManager[None]:
    """A turn at work for whoever the page is drawn for, heavy if a large picture is decoded; raises QuotaError."""
    is_heavy = file is not None and count_pixels(file.data) > HEAVY_PIXELS
    return turns.shared_turns().take(visitors.current(), heavy=is_heavy)


@st.cache_data(max_entries=64, show_spinner=False)
def sample_thumbnail(path: str) -> bytes:
    """A sample picture, small; raises ImageError if it is gone."""
    return thumbnail(read_image(path))
