"""Galleries and models that are open in this process, once each, for all doors and visitors."""

import threading
from pathlib import Path

from cachetools import LRUCache, cached

from similarity.embedding.embedder import Embedder, EmbedderId
from similarity.gallery import Gallery
from similarity.storage.current import live_state

# Galleries and models that stay open; those that were used last.
MOST = 4
_lock = threading.Condition(threading.RLock())


@cached(LRUCache(MOST), condition=threading.Condition(threading.RLock()))
def load_embedder(identity: EmbedderId) -> Embedder:
    """Load the model that a gallery was made with; raises ModelError if it cannot be loaded."""
    return Embedder.restore(identity)


def load_gallery(directory: Path) -> Gallery:
    """Open a gallery's live generation; a newer one is noticed at the next call. Raises GalleryError."""
    return open_state(directory, live_state(directory))


def find_open(directory: Path) -> Gallery | None:
    """Return a gallery's live generation if it is open already; raises GalleryError if there is no such gallery."""
    key = open_state.cache_key(directory, live_state(directory))
    with _lock:  # another thread may put one of these in the place of another
        return open_state.cache.get(key)


@cached(LRUCache(MOST), condition=_lock)
def open_state(directory: Path, state: str) -> Gallery:  # noqa: ARG001 - part of the key
    """Open a gallery whose live state is known; raises GalleryError."""
    return Gallery.open(directory, load=load_embedder)
