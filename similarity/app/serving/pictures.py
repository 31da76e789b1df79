"""Thumbnails of galleries, at addresses that name a picture by the SHA-256 of its file."""

import logging
from pathlib import Path

from similarity.app.serving import resources
from similarity.app.serving.hashed_files import HashedFiles
from similarity.gallery import Gallery
from similarity.service import turns
from similarity.service.visitor import Visitor
from similarity.sources.locations import is_remote
from similarity.storage.thumbnails import read_thumbnail, write_thumbnail

logger = logging.getLogger(__name__)


def _read(directory: Path, sha256: str, visitor: Visitor) -> bytes | None:
    """Return a thumbnail, made again if its file is gone."""
    return read_thumbnail(directory, sha256) or _make_again(resources.load_gallery(directory), sha256, visitor)


def _make_again(gallery: Gallery, sha256: str, visitor: Visitor) -> bytes | None:
    """Make a thumbnail and store it; raises SearchError if the gallery has no such picture."""
    item = gallery.find(sha256)
    if is_remote(item.path):
        return None  # a request for a thumbnail must not make this app fetch an address
    with turns.shared_turns().take(visitor):
        jpeg = gallery.thumbnail(item)
    try:
        write_thumbnail(gallery.directory, sha256, jpeg)
    except OSError as error:
        logger.info("It could not be kept: %s", error)
    return jpeg


THUMBNAILS = HashedFiles("pictures", ".jpg", "image/jpeg", _read)
address, routes, find = THUMBNAILS.address, THUMBNAILS.routes, THUMBNAILS.find
