"""Copying a gallery of unknown origin, each part checked while it is copied: a state, thumbnails, feedback."""

import io
import logging
import re
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from similarity.errors import GalleryDamagedError, GalleryError, ImageError
from similarity.files import confirm
from similarity.images.decoding import DECODING_ERRORS, THUMBNAIL_SIDE, decode, thumbnail
from similarity.images.picture import Box
from similarity.paths import (
    CENTRE,
    CHECKSUM,
    EMBEDDINGS,
    GENERATIONS,
    HEAD,
    ITEMS,
    MANIFEST,
    NEIGHBOURS,
    NETWORK,
    NETWORK_FILES,
    PROJECTED,
    THUMBNAILS,
    galleries_folder,
)
from similarity.progress import OnProgress, Reporter
from similarity.search.engines import FILES
from similarity.search.stores import EMBEDDED
from similarity.storage.copying import copy, open_within, read_within
from similarity.storage.current import CURRENT, State
from similarity.storage.feedback import MARKS, MOST_MARKS, Mark, read_marks, write_marks
from similarity.storage.locks import Pin
from similarity.storage.manifest import MOST_BYTES as MOST_MANIFEST
from similarity.storage.manifest import Manifest, read_manifest
from similarity.storage.thumbnails import write_thumbnail

# The files that a generation can have, beside its manifest.
KNOWN = {
    ITEMS,
    EMBEDDINGS,
    HEAD,
    PROJECTED,
    CENTRE,
    NEIGHBOURS,
    *FILES.values(),
    *(f"{NETWORK}/{name}" for name in NETWORK_FILES),
}
SHA256 = re.compile("[0-9a-f]{64}")
# Of a thumbnail; ours have 320 pixels a side and some kilobytes. And how many are in memory at once.
MOST_SIDE, MOST_THUMBNAIL, TOGETHER = 2 * THUMBNAIL_SIDE, 500_000, 512
# Of a line of marks, of which ours have 6 KB; and of all of them.
MOST_LINE, MOST_MARK_BYTES, MOST_TEXT = 100_000, 300_000_000, 4_000
# Bytes that a thumbnail takes, and bytes that are left free on the disk.
THUMBNAIL_BYTES, SPARE_BYTES = 20_000, 100_000_000
NOTHING = "nothing was imported; ask for another copy of the gallery"

logger = logging.getLogger(__name__)


def copy_generation(source: Path, state: State, staged: Path, progress: OnProgress | None = None) -> Manifest:
    """Copy a gallery's live generation; its files are compared with the manifest's hashes while they are copied.

    Args:
        source: the gallery's folder,
        state: and its state.
        staged: the folder of the copy.

    Raises:
        GalleryDamagedError: a file is another one, or none that a gallery has. GalleryError: there is no room for them.
        OSError: the copy cannot be written.
    """
    place = f"{GENERATIONS}/{state.number:06d}"
    folder = staged / place
    folder.mkdir(parents=True)
    with suppress(OSError):  # where nobody can hold it nobody writes
        pin = Pin(source / place)  # noqa: F841 - so that whoever writes there leaves this state until it is copied
    manifest = _copy_manifest(source, place, folder, state)
    _check_room(staged, manifest)
    report = Reporter(sum(one["size"] for one in manifest.files.values()), progress, task="Copying", unit="bytes")
    for name, expected in manifest.files.items():
        _copy_file(source, f"{place}/{name}", folder / name, expected, report)
    (staged / CURRENT).write_text(f"{state}\n")
    return manifest


def copy_thumbnails(source: Path, staged: Path, contents: Sequence[str], progress: OnProgress | None = None) -> int:
    """Copy the thumbnails of some pictures, each decoded and encoded anew; returns how many there were.

    Those that are missing or none of ours are left out, since they can be made again.

    Args:
        contents: the SHA-256 of each picture's file, in hex.
    """
    report, count = Reporter(len(contents), progress, task="Checking small pictures"), 0
    with ThreadPoolExecutor() as pool:
        for start in range(0, len(contents), TOGETHER):
            some = contents[start : start + TOGETHER]
            for sha256, jpeg in zip(some, pool.map(partial(_read_thumbnail, source), some), strict=True):
                if jpeg is not None:
                    write_thumbnail(staged, sha256, jpeg)
                    count += 1
            report.advance(len(some))
    return count


def copy_marks(source: Path, staged: Path) -> int:
    """Copy the marks that are sound, the newest if there are too many; returns how many.

    Raises:
        GalleryDamagedError: their file is none of ours. OSError: they cannot be written.
    """
    try:
        file = open_within(source, MARKS)
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise GalleryDamagedError(source / MARKS, f"cannot be copied ({error.strerror or error})", NOTHING) from error
    left = MOST_MARK_BYTES
    with file, (staged / MARKS).open("wb") as copied:
        while left > 0 and (line := file.readline(MOST_LINE)):
            left -= len(line)
            copied.write(line)  # what is cut off of a long one is none, and passed over as such
    marks = [mark for mark in read_marks(staged) if _is_sound(mark)][-MOST_MARKS:]
    write_marks(staged, marks)
    return len(marks)


def _copy_manifest(source: Path, place: str, folder: Path, state: State) -> Manifest:
    """Copy the manifest that CURRENT vouches for; only what a gallery can have is listed in it."""
    path = source / place / MANIFEST
    for name in (MANIFEST, CHECKSUM):
        try:
            data = read_within(source, f"{place}/{name}", MOST_MANIFEST)
        except OSError as error:
            raise GalleryDamagedError(source / place / name, "is damaged or missing", NOTHING) from error
        (folder / name).write_bytes(data)
        confirm(folder / name)
    try:
        manifest, checksum = read_manifest(folder)
    except GalleryDamagedError as error:
        raise GalleryDamagedError(path, error.fault, NOTHING) from error
    except GalleryError as error:  # of another version
        raise GalleryError(str(error).replace(str(folder.parents[1]), str(source))) from error
    if State(manifest.generation, checksum) != state:
        raise GalleryDamagedError(path, f"does not belong to {CURRENT}", NOTHING)
    for name, file in manifest.files.items():
        size, sha256 = file.get("size"), file.get("sha256")
        is_right = type(size) is int and size >= 0 and isinstance(sha256, str) and SHA256.fullmatch(sha256)
        if name not in KNOWN or not is_right:
            raise GalleryDamagedError(path, f"lists {name[:100]!r} as no gallery of ours does", NOTHING)
    return manifest


def _copy_file(source: Path, name: str, target: Path, expected: Mapping[str, Any], report: Reporter) -> None:
    try:
        file = open_within(source, name)
    except OSError as error:
        raise GalleryDamagedError(source / name, "is damaged or missing", NOTHING) from error
    with file:
        try:
            found = copy(file, target, expected["size"], report.advance)
        except ValueError as error:
            raise GalleryDamagedError(source / name, "is damaged or missing", NOTHING) from error
    if found != expected["sha256"]:
        raise GalleryDamagedError(source / name, "is damaged or missing", NOTHING)


def _check_room(staged: Path, manifest: Manifest) -> None:
    needed = sum(one["size"] for one in manifest.files.values()) * (1 if manifest.store == EMBEDDED else 2)
    needed += manifest.count * THUMBNAIL_BYTES + SPARE_BYTES
    free = shutil.disk_usage(staged).free
    if needed > free:
        sizes = f"{needed / 1e9:.2f} GB are needed, {free / 1e9:.2f} GB are free"
        raise GalleryError(f"There is not enough room in {galleries_folder()}: {sizes}. Make room, then try again.")


def _read_thumbnail(source: Path, sha256: str) -> bytes | None:
    """A thumbnail encoded anew, without whatever else was in its file; None if there is none of ours."""
    if not SHA256.fullmatch(sha256):
        return None
    try:
        data = read_within(source, f"{THUMBNAILS}/{sha256[:2]}/{sha256}.jpg", MOST_THUMBNAIL)
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
            if max(image.size) > MOST_SIDE:
                return None
        return thumbnail(decode(data, sha256))
    except (ImageError, *DECODING_ERRORS) as error:
        logger.info("The thumbnail of %s was left behind: %s", sha256, error)
        return None


def _is_sound(mark: Mark) -> bool:
    """Whether all of a mark is what it is taken for."""
    hashes = (mark.query.sha256, mark.sha256, mark.weights_sha256)
    texts = (mark.when, mark.query.title, mark.item, mark.model, mark.network_sha256 or "")
    are_right = (
        all(isinstance(one, str) and SHA256.fullmatch(one) for one in hashes)
        and all(isinstance(one, str) and len(one) <= MOST_TEXT for one in texts)
        and isinstance(mark.wanted, bool)
    )
    return are_right and (mark.query.box is None or _is_inside(mark.query.box))


def _is_inside(box: Box) -> bool:
    edges = (box.left, box.top, box.right, box.bottom)
    if not all(type(one) in (int, float) for one in edges):
        return False
    return 0 <= box.left < box.right <= 1 and 0 <= box.top < box.bottom <= 1
