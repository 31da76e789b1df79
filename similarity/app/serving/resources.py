"""Models, galleries and fetched pictures, loaded once and shared by all sessions."""

import threading
from pathlib import Path

import streamlit as st

from similarity.app.serving import access, visitors
from similarity.errors import GalleryError
from similarity.fetch.redaction import redact
from similarity.fetch.web import fetch
from similarity.gallery import Gallery
from similarity.images.exif import PLACE
from similarity.paths import galleries_folder
from similarity.progress import OnProgress
from similarity.query.filters import Facets
from similarity.sample import SAMPLE, ensure_sample
from similarity.service import loaded
from similarity.service.throttle import shared_limiter
from similarity.storage.current import live_state

_INDEXING_SAMPLE = threading.Lock()


def index_sample(progress: OnProgress, *, anew: bool) -> None:
    """Index the sample gallery, anew if it is damaged; a visitor who comes meanwhile waits for it."""
    with _INDEXING_SAMPLE:
        ensure_sample(progress, anew=anew and not _is_sound(galleries_folder() / SAMPLE))


def _is_sound(directory: Path) -> bool:
    try:
        Gallery.open(directory)
    except GalleryError:
        return False
    return True


def gallery_key(gallery: Gallery) -> tuple[str, str]:
    """Return a cache key that changes with every change to a gallery."""
    return str(gallery.directory), gallery.state


def load_gallery(directory: Path) -> Gallery:
    """Load a gallery's live generation; a newer one is noticed at the next call."""
    return _load_generation(directory, live_state(directory))


@st.cache_resource(max_entries=4, show_spinner="Opening the gallery …")
def _load_generation(directory: Path, state: str) -> Gallery:
    return loaded.open_state(directory, state)


def facets(gallery: Gallery) -> Facets:
    """Return the columns and values of a gallery, redacted unless the visitor may manage it."""
    return gallery.facets if access.may_manage() else _redacted_facets(gallery)


@st.cache_resource(max_entries=4, show_spinner=False, hash_funcs={Gallery: gallery_key})
def _redacted_facets(gallery: Gallery) -> Facets:
    return gallery.facets.renamed(redact).without(PLACE)


@st.cache_data(max_entries=4, ttl=600, show_spinner="Fetching the picture …")
def fetch_picture(url: str) -> bytes:
    """Fetch the file at an address; it is kept for ten minutes."""
    shared_limiter().count(visitors.current().session)
    return fetch(url)
