"""The small JPEGs of a gallery, named by the SHA-256 of the picture's file and shared by all generations."""

import io
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from PIL import Image

from similarity.files import read_own, write_atomically
from similarity.paths import THUMBNAILS
from similarity.storage.removal import take_away, thumbnails

FOLDER = THUMBNAILS
# Ours have a few kilobytes.
MOST_BYTES, LONGEST_SIDE = 5_000_000, 1024
END_OF_JPEG = b"\xff\xd9"


def write_thumbnail(directory: Path, sha256: str, jpeg: bytes) -> None:
    """Keep a thumbnail; it appears whole or not at all."""
    path = _path(directory, sha256)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, jpeg)


def read_thumbnail(directory: Path, sha256: str) -> bytes | None:
    """A thumbnail, or None if it is gone or was cut short."""
    try:
        jpeg = read_own(_path(directory, sha256), MOST_BYTES)
    except OSError:
        return None
    return jpeg if jpeg.endswith(END_OF_JPEG) and is_thumbnail(jpeg) else None


def is_thumbnail(jpeg: bytes) -> bool:
    """Whether this is as small a JPEG as ours; only its header is looked at."""
    try:
        with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as image:
            return max(image.size) <= LONGEST_SIDE
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False


def copy_thumbnails(directory: Path, target: Path, contents: Collection[str]) -> None:
    """Give another gallery the thumbnails of some pictures; what is missing is made anew when it is wanted."""
    for sha256 in contents:
        if (jpeg := read_thumbnail(directory, sha256)) and read_thumbnail(target, sha256) is None:
            write_thumbnail(target, sha256, jpeg)


def drop_thumbnails(directory: Path, *, kept: Collection[str]) -> None:
    """Remove all thumbnails but those of some pictures, and nothing else that may lie there."""
    for sha256, path in thumbnails(directory):
        if sha256 not in kept:
            with suppress(OSError):
                take_away(path)


def _path(directory: Path, sha256: str) -> Path:
    return directory / FOLDER / sha256[:2] / f"{sha256}.jpg"
