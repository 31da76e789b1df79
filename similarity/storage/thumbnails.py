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
from similarity.storage.removal import remove_file, thumbnails
from similarity.storage.shard_places import set_of

FOLDER = THUMBNAILS
# Upper bounds: ours have a few kilobytes, and 320 pixels a side.
MOST_BYTES, LONGEST_SIDE = 5_000_000, 1024
END_OF_JPEG = b"\xff\xd9"

logger = logging.getLogger(__name__)


def write_thumbnail(directory: Path, sha256: str, jpeg: bytes) -> None:
    """Write a thumbnail atomically."""
    path = _path(directory, sha256)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, jpeg)


def has_thumbnail(directory: Path, sha256: str) -> bool:
    """Whether there is a thumbnail; cheaper than reading it."""
    return _path(directory, sha256).is_file()


def read_thumbnail(directory: Path, sha256: str) -> bytes | None:
    """Read a thumbnail; None if it is missing or incomplete."""
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
    # A shard has none of its own.
    return (set_of(directory) or directory) / FOLDER / sha256[:2] / f"{sha256}.jpg"
