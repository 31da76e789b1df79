"""The small JPEGs of a gallery, named by the SHA-256 of the picture's file and shared by all generations."""

import io
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from PIL import Image

from similarity.files import read_own, write_atomically
from similarity.paths import THUMBNAILS
from similarity.storage.removal import remove_file, thumbnails

FOLDER = THUMBNAILS
# Upper bounds: ours have a few kilobytes, and 320 pixels a side.
MOST_BYTES, LONGEST_SIDE = 5_000_000, 1024
END_OF_JPEG = b"\xff\xd9"


def write_thumbnail(directory: Path, sha256: str, jpeg: bytes) -> None:
    """Write a thumbnail atomically."""
    path = _path(directory, sha256)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, jpeg)


def read_thumbnail(directory: Path, sha256: str) -> bytes | None:
    """Read a thumbnail; None if it is missing or incomplete."""
    try:
        jpeg = read_own(_path(directory, sha256), MOST_BYTES)
    except OSError:
        return None
    return jpeg if jpeg.endswith(END_OF_JPEG) and is_thumbnail(jpeg) else None


def is_thumbnail(jpeg: bytes) -> bool:
    """Whether this is a JPEG of the size of a thumbnail, judged by its header."""
    try:
        with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as image:
            return max(image.size) <= LONGEST_SIDE
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False


def copy_thumbnails(directory: Path, target: Path, contents: Collection[str]) -> None:
    """Copy the thumbnails of some pictures to another gallery; missing ones are made again when they are needed."""
    for sha256 in contents:
        if (jpeg := read_thumbnail(directory, sha256)) and read_thumbnail(target, sha256) is None:
            write_thumbnail(target, sha256, jpeg)


def drop_thumbnails(directory: Path, *, kept: Collection[str]) -> None:
    """Remove all thumbnails except those of some pictures; other files are not touched."""
    for sha256, path in thumbnails(directory):
        if sha256 not in kept:
            with suppress(OSError):
                remove_file(path)


def _path(directory: Path, sha256: str) -> Path:
    return directory / FOLDER / sha256[:2] / f"{sha256}.jpg"
