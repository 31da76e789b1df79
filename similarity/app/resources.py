"""What is loaded once and shared by all sessions: models and galleries; and what a session asks for again and again."""

import threading
from pathlib import Path

import streamlit as st

from similarity.app import throttle
from similarity.current import live_state
from similarity.embedding import Embedder, EmbedderId
from similarity.fetch import fetch
from similarity.gallery import Gallery
from similarity.progress import OnProgress
from similarity.queries import QueryFile, decode_query
from similarity.sample import ensure_sample
from similarity.vectors import Vectors


@st.cache_resource(max_entries=4, show_spinner="Loading the model …")
def load_embedder(identity: EmbedderId) -> Embedder:
    """The model that made a gallery."""
    return Embedder.restore(identity)


def index_sample(progress: OnProgress, *, anew: bool) -> None:
    """Index the sample gallery, anew if it is damaged; whoever comes while that is going on waits for it."""
    with _indexing_sample():
        ensure_sample(progress, anew=anew)


@st.cache_resource
def _indexing_sample() -> threading.Lock:
    return threading.Lock()


def load_gallery(directory: Path) -> Gallery:
    """A gallery as it is now; a newer generation is noticed at the next call."""
    return _load_generation(directory, live_state(directory))


@st.cache_resource(max_entries=4, show_spinner="Opening the gallery …")
def _load_generation(directory: Path, state: str) -> Gallery:  # noqa: ARG001 - part of the key
    return Gallery.open(directory, load=load_embedder)


@st.cache_data(max_entries=32, ttl=600, show_spinner="Fetching the picture …")
def fetch_picture(url: str) -> bytes:
    """What an address serves, kept for ten minutes."""
    throttle.count_fetch()
    return fetch(url)


def embed_query(gallery: Gallery, file: QueryFile) -> Vectors:
    """The embedding of a picture file, float32 (dim,), so that moving a slider does not compute it again."""
    manifest = gallery.manifest
    return _embed(gallery.embedder, (manifest.weights_sha256, manifest.network_sha256), file)


@st.cache_data(max_entries=256, show_spinner="Looking at the picture …")
def _embed(_embedder: Embedder, identity: tuple[str, str | None], file: QueryFile) -> Vectors:  # noqa: ARG001 - part of the key
    image = decode_query(file, side=_embedder.backbone.preprocessing.resize)
    vector: Vectors = _embedder.embed([image])[0]
    return vector
