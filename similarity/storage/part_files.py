"""Embeddings of the regions of a gallery's pictures as they are compared, in the cache, since they can be made again.

cache/parts/
  5c1e…-77ab….npy    named by the gallery's folder and its state; only the last state that was searched is kept

They depend on all pictures of the gallery, so any change makes them anew.
"""

import hashlib
import logging
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from similarity.errors import GalleryError
from similarity.paths import cache_folder
from similarity.vectors.memmap import MappedRows

# Writes the file; raises OSError.
Write = Callable[[Path], None]

logger = logging.getLogger(__name__)


def read_or_write_refined_parts(directory: Path, state: str, shape: tuple[int, int], write: Write) -> MappedRows:
    """Open the refined parts of a state of a gallery, and write them first if they are not there.

    Args:
        state: the state, see `current.live_state`.
        shape: of the array, which is of float16.

    Raises:
        GalleryError: they can be written nowhere.
    """
    path = _folder() / f"{_digest(os.fspath(directory))}-{_digest(state)}.npy"
    with suppress(OSError, ValueError):
        found = MappedRows(path)
        if found.shape == shape:
            return found
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        forget_refined_parts(directory)
        return _written(path.parent, write, path)
    except OSError as error:
        logger.info("Refined parts of %s cannot be kept: %s", directory, error)
    try:
        return _written(Path(tempfile.gettempdir()), write, None)
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


def _written(folder: Path, write: Write, kept_as: Path | None) -> MappedRows:
    """Write a file and open it, and give it its name when it is whole, or none."""
    descriptor, name = tempfile.mkstemp(suffix=".npy", dir=folder)
    os.close(descriptor)
    new = Path(name)
    try:
        write(new)
        rows = MappedRows(new)
        if kept_as:
            new.replace(kept_as)
        return rows
    finally:
        new.unlink(missing_ok=True)


def _folder() -> Path:
    return cache_folder() / "parts"


def _digest(name: str) -> str:
    return hashlib.sha256(os.fsencode(name)).hexdigest()[:24]
