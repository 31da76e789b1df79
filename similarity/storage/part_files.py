"""Embeddings of the regions of a gallery's pictures as they are compared, in the cache, since they can be made again.

cache/parts/
  5c1e…-77ab….npy    named by the gallery's folder and what they depend on; only the last ones are kept

They depend on all pictures of the gallery, so another set of pictures makes them anew, in a time that grows with the
square of their number: up to MOST_PICTURES.
"""

import hashlib
import logging
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from similarity.errors import GalleryError, SearchError
from similarity.paths import cache_folder
from similarity.search.stores import EMBEDDED, Store
from similarity.vectors.mapped import MappedRows

# Another one whenever the same gallery would get other numbers.
METHOD = "1"
MOST_PICTURES = 20_000
# Writes the file; raises OSError.
Write = Callable[[Path], None]

logger = logging.getLogger(__name__)


def check_can_be_searched(count: int, store: Store) -> None:
    """Raise SearchError if a gallery of so many pictures, or in such a store, could not be searched in parts."""
    if store.kind != EMBEDDED.kind:
        raise SearchError("Parts of pictures cannot be searched in Milvus: keep the gallery in --store faiss for that.")
    if count > MOST_PICTURES:
        raise SearchError(
            f"Parts are searched in galleries of up to {MOST_PICTURES:,} pictures, and there are {count:,}: "
            "leave out --parts."
        )


def read_or_write_refined_parts(directory: Path, key: str, shape: tuple[int, int], write: Write) -> MappedRows:
    """Open the refined parts of a gallery's pictures, and write them first if they are not there.

    Args:
        key: what they depend on.
        shape: of the array, which is of float16.

    Raises:
        GalleryError: they can be written nowhere.
    """
    path = _folder() / f"{_digest(os.fspath(directory))}-{_digest(METHOD + key)}.npy"
    with suppress(OSError, ValueError):
        found = MappedRows(path)
        if found.shape == shape:
            return found
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        forget_refined_parts(directory)
        return _written(path.parent, f"{path.name[:24]}-", write, path)
    except OSError as error:
        logger.info("Refined parts of %s cannot be kept: %s", directory, error)
    try:
        return _written(Path(tempfile.gettempdir()), "parts-", write, None)
    except OSError as error:
        raise GalleryError(
            f"Parts of pictures cannot be searched, since there is no room to prepare them in {path.parent} "
            f"({error.strerror or error})."
        ) from error


def forget_refined_parts(directory: Path) -> None:
    """Delete what was prepared for a gallery; it never fails. Who has it open can go on reading."""
    with suppress(OSError):
        for path in _folder().iterdir():
            if path.name.startswith(f"{_digest(os.fspath(directory))}-"):
                path.unlink(missing_ok=True)


def _written(folder: Path, prefix: str, write: Write, kept_as: Path | None) -> MappedRows:
    """Write a file and open it, and give it its name when it is whole, or none.

    Args:
        prefix: of the file meanwhile; that of the gallery has it deleted later if the process is killed.
    """
    descriptor, name = tempfile.mkstemp(".npy", prefix, folder)
    os.close(descriptor)
    new = Path(name)
    try:
        write(new)
        # Named before it is mapped, since Windows renames no mapped file.
        return MappedRows(new.replace(kept_as) if kept_as else new)
    finally:
        with suppress(OSError):  # Windows deletes no mapped file, and keeps it among the temporary ones
            new.unlink(missing_ok=True)


def _folder() -> Path:
    return cache_folder() / "parts"


def _digest(name: str) -> str:
    return hashlib.sha256(os.fsencode(name)).hexdigest()[:24]
