"""Uploads by the galleries that use them: a collection takes them along, and without any they are deleted."""

import logging
from pathlib import Path

from similarity.errors import GalleryNotFoundError, SimilarityError
from similarity.indexing.relocation import Relocation
from similarity.sources.base import files_of
from similarity.sources.uploads import drop_upload, share_uploads, uploads_of
from similarity.storage.generations import read_generation

logger = logging.getLogger(__name__)


def take_used_along(directory: Path, source: str) -> None:
    """Give a new collection its own links to the uploads of another gallery that its pictures are in.

    Otherwise they would be gone once that gallery is deleted, or is named otherwise. It reads its own from then on, see
    `storage.renamed_uploads`.

    Args:
        directory: the collection.
        source: the name of the gallery that its pictures were chosen from.

    Raises:
        SimilarityError: the uploads or the collection cannot be written.
    """
    old, new = uploads_of(source), uploads_of(directory.name)
    if used := _used(directory, old):
        share_uploads(old, new, only=used)


def drop_unless_used(directory: Path, upload: Path) -> None:
    """Delete an upload unless a gallery knows pictures in it, or cannot be asked; never fails."""
    try:
        if not _used(directory, upload):
            drop_upload(upload)
    except GalleryNotFoundError:
        drop_upload(upload)
    except SimilarityError as error:
        logger.warning("The upload %s is kept: %s", upload, error)


def _used(directory: Path, uploads: Path) -> set[str]:
    """Return the paths in a folder that a gallery knows: of its pictures, and of the zips and lists that have them."""
    within = Relocation.of(uploads, f"{uploads}.other")
    files = files_of(read_generation(directory).items)
    return {place for file in files for place in (file.path, file.source) if within.has(place)}
