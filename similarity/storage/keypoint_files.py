"""The local features of a gallery's pictures, beside their thumbnails, named by the SHA-256 of the picture's file.

They are found in the thumbnail when they are first needed, and can be found again: a gallery is whole without them.
With SIMILARITY_LOCAL_FEATURES=off nothing is written: those that are stored are read, others are found each time.
"""

import io
import logging
import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from PIL import Image

from similarity.files import read_own, write_atomically
from similarity.images.decoding import grey_thumbnail
from similarity.images.keypoints import (
    MAX_BYTES,
    Codes,
    Keypoints,
    colour_pixels,
    find_keypoints,
    grey_pixels,
    pack,
    unpack,
)
from similarity.sources import Item
from similarity.sources.locations import is_remote
from similarity.storage.removal import remove_file, thumbnails
from similarity.storage.thumbnails import FOLDER, read_or_make_thumbnail, read_thumbnail

SUFFIX = ".sift"

logger = logging.getLogger(__name__)


def read_or_find_keypoints(directory: Path, item: Item) -> Keypoints:
    """Return the local features of a picture: those on disk, or those of its thumbnail, which are then stored.

    A file that is missing, damaged, another picture's or of another version is replaced. Where it cannot be written, as
    in a folder without the right to write, or is not to be, features are found each time.
    """
    path = _path(directory, item.sha256)
    with suppress(OSError, ValueError):
        return unpack(read_own(path, MAX_BYTES), item.sha256)
    stored = read_thumbnail(directory, item.sha256)
    found = find_keypoints(_open(stored or _made_thumbnail(directory, item)))
    packed = pack(found, item.sha256)
    # A picture without a thumbnail may be gone, and what is found in its grey placeholder must not outlast that.
    if stored is not None and len(found) and are_stored():
        try:
            write_atomically(path, packed)
        except OSError as error:
            logger.info("The local features of %s were not stored: %s", item.id, error)
    return unpack(packed, item.sha256)  # as they will be read: the same now as the next time


def read_pixels(directory: Path, item: Item) -> Codes:
    """Return the grey levels of a picture's thumbnail, in which its local features are found."""
    return grey_pixels(_open(_read_thumbnail(directory, item)))


def copy_keypoints(directory: Path, target: Path, contents: Collection[str]) -> None:
    """Copy the stored features of some pictures to another gallery, to which their thumbnails were copied.

    Those that are missing or damaged are left out, since they are found again when they are needed.
    """
    for sha256 in contents if are_stored() else ():
        with suppress(OSError, ValueError):
            data = read_own(_path(directory, sha256), MAX_BYTES)
            unpack(data, sha256)
            write_atomically(_path(target, sha256), data)


def drop_unsound_keypoints(directory: Path) -> None:
    """Delete stored features that are damaged, or another picture's: they are found again when they are needed."""
    for sha256, path in thumbnails(directory):
        if path.suffix == SUFFIX:
            try:
                unpack(read_own(path, MAX_BYTES), sha256)
            except (OSError, ValueError) as error:
                logger.info("The local features in %s are deleted: %s", path, error)
                with suppress(OSError):
                    remove_file(path)


def are_stored() -> bool:
    """Whether features are stored; the setting can turn it off."""
    return os.environ.get("SIMILARITY_LOCAL_FEATURES", "").strip().lower() != "off"


def _read_thumbnail(directory: Path, item: Item) -> bytes:
    return read_thumbnail(directory, item.sha256) or _made_thumbnail(directory, item)


def _made_thumbnail(directory: Path, item: Item) -> bytes:
    """Make a thumbnail that is gone; grey for an address, since a look at many pictures must not fetch each."""
    return grey_thumbnail(item.width, item.height) if is_remote(item.path) else read_or_make_thumbnail(directory, item)


def read_colours(directory: Path, item: Item) -> Codes:
    """Return the colours of these pixels, uint8 (height, width, 3)."""
    return colour_pixels(_open(_read_thumbnail(directory, item), "RGB"))


def _open(jpeg: bytes, mode: str = "L") -> Image.Image:
    """Decode a thumbnail; one whose pixels are damaged is plain, so that no features are stored."""
    try:
        with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as image:
            return image.convert(mode)
    except (OSError, ValueError, SyntaxError):
        return Image.new(mode, (1, 1))


def _path(directory: Path, sha256: str) -> Path:
    return directory / FOLDER / sha256[:2] / f"{sha256}{SUFFIX}"
