"""The gallery that a request is about."""

from similarity.errors import GalleryError, GalleryNotFoundError
from similarity.gallery import Gallery
from similarity.sample import SAMPLE, ensure_sample, has_sample, is_ready
from similarity.service.loaded import find_open, load_gallery
from similarity.storage.inventory import named_gallery


def open_named(name: str) -> Gallery:
    """Open a gallery of this computer by its name; the sample is indexed first if it has not been.

    Raises:
        GalleryNotFoundError: there is none. GalleryError: it is damaged or cannot be read.
    """
    if name == SAMPLE and has_sample() and not is_ready():
        ensure_sample()
    try:
        return load_gallery(named_gallery(name))
    except GalleryNotFoundError:
        raise GalleryNotFoundError(f"There is no gallery named {name}.") from None


def at_hand(name: str) -> Gallery | None:
    """Return a gallery of this computer if it is open already, so that it can be asked without waiting."""
    if name == SAMPLE and has_sample() and not is_ready():
        return None
    try:
        return find_open(named_gallery(name))
    except GalleryError:
        return None
