"""The small JPEGs of a gallery, named by the SHA-256 of the picture's file and shared by all generations."""

import io
import logging
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from PIL import Image

from similarity.errors import FetchError, ImageError
from similarity.files import read_own, write_atomically
from similarity.images.decoding import grey_thumbnail, thumbnail
from similarity.paths import THUMBNAILS
from similarity.sources import Item
from similarity.sources.originals import read_original
from similarity.storage.removal import take_away, thumbnails

FOLDER = THUMBNAILS
# Ours have a few kilobytes.
MOST_BYTES, LONGEST_SIDE = 5_000_000, 1024
END_OF_JPEG = b"\xff\xd9"

logger = logging.getLogger(__name__)


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


def read_or_make_thumbnail(directory: Path, item: Item) -> bytes:
    """A picture's thumbnail; one that is gone is made anew from the picture, or is grey if that is gone too."""
    if kept := read_thumbnail(directory, item.sha256):
        return kept
    logger.warning("The thumbnail of %s is gone from %s", item.id, directory)
    try:
        return thumbnail(read_original(item).decode())
    except (ImageError, FetchError):
        return grey_thumbnail(item.width, item.height)


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
