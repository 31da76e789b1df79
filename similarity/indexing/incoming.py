"""Copying a gallery of unknown origin: a state, thumbnails and feedback, each checked during the copy."""

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
    LABELS,
    MANIFEST,
    NEIGHBOURS,
    NETWORK,
    NETWORK_FILES,
    PARTS,
    PROJECTED,
    THUMBNAILS,
    galleries_folder,
)
from similarity.progress import OnProgress, Reporter
from similarity.search.engines import FILES
from similarity.search.stores import EMBEDDED
from similarity.storage.copying import copy, open_within, read_within
from similarity.storage.current import CURRENT, State
from similarity.storage.feedback import FEEDBACK, MAX_ENTRIES, FeedbackEntry, read_feedback, write_feedback
from similarity.storage.locks import Pin
from similarity.storage.manifest import MOST_BYTES as MOST_MANIFEST
from similarity.storage.manifest import Manifest, read_manifest
from similarity.storage.thumbnails import write_thumbnail
from similarity.storage.unreadable import unreadable_or_damaged

# The files that a generation can have, beside its manifest.
KNOWN = {
    ITEMS,
    LABELS,
    EMBEDDINGS,
    HEAD,
    PROJECTED,
    CENTRE,
    NEIGHBOURS,
    PARTS,
    *FILES.values(),
    *(f"{NETWORK}/{name}" for name in NETWORK_FILES),
}
SHA256 = re.compile("[0-9a-f]{64}")
# Pixels a side and bytes of a thumbnail (ours have 320 pixels and some kilobytes), and thumbnails in memory at once.
MAX_SIDE, MAX_THUMBNAIL_BYTES, BATCH = 2 * THUMBNAIL_SIDE, 500_000, 512
# Bytes of a line of feedback (ours have 6 KB), bytes of all of it, and characters of a text in it.
MAX_LINE, MAX_FEEDBACK_BYTES, MAX_TEXT = 100_000, 300_000_000, 4_000
# Bytes of a thumbnail on disk, and bytes to leave free on the disk.
THUMBNAIL_BYTES, SPARE_BYTES = 20_000, 100_000_000
REMEDY = "nothing was imported; ask for another copy of the gallery"

logger = logging.getLogger(__name__)


def copy_generation(source: Path, state: State, staged: Path, progress: OnProgress | None = None) -> Manifest:
    """Copy a gallery's live generation, and compare its files with the manifest's hashes during the copy.

    Args:
        source: the gallery's folder.
        state: its live state.
        staged: the folder of the copy.

    Raises:
        GalleryDamagedError: a file is damaged, or is not one that a gallery has. GalleryError: there is no room.
            OSError: the copy cannot be written.
    """
    place = f"{GENERATIONS}/{state.number:06d}"
    folder = staged / place
    folder.mkdir(parents=True)
    with suppress(OSError):  # a folder that cannot be locked is not written to, either
        pin = Pin(source / place)  # noqa: F841 - keeps this state from being deleted until it is copied
    manifest = _copy_manifest(source, place, folder, state)
    if manifest.shards or manifest.is_shard:
        what = "a set of shards" if manifest.shards else "a shard of a set"
        raise GalleryError(
            f"{source} is {what}: make one gallery of the set, with `rebalance --shards 1`, to import it."
        )
    _check_room(staged, manifest)
    report = Reporter(sum(file["size"] for file in manifest.files.values()), progress, task="Copying", unit="bytes")
    for name, expected in manifest.files.items():
        _copy_file(source, f"{place}/{name}", folder / name, expected, report)
    (staged / CURRENT).write_text(f"{state}\n", newline="\n")
    return manifest


def copy_thumbnails(source: Path, staged: Path, contents: Sequence[str], progress: OnProgress | None = None) -> int:
    """Copy the thumbnails of some pictures, each decoded and encoded again; returns their number.

    Thumbnails that are missing or invalid are left out, since they can be made again.

    Args:
        contents: the SHA-256 of each picture's file, in hex.
    """
    report, count = Reporter(len(contents), progress, task="Checking small pictures"), 0
    with ThreadPoolExecutor() as pool:
        for start in range(0, len(contents), BATCH):
            batch = contents[start : start + BATCH]
            for sha256, jpeg in zip(batch, pool.map(partial(_read_thumbnail, source), batch), strict=True):
                if jpeg is not None:
                    write_thumbnail(staged, sha256, jpeg)
                    count += 1
            report.advance(len(batch))
    return count


def copy_feedback(source: Path, staged: Path) -> int:
    """Copy valid feedback, only the newest if there is too much; returns the number of entries.

    Raises:
        GalleryDamagedError: the file cannot be read. OSError: the copy cannot be written.
    """
    try:
        file = open_within(source, FEEDBACK)
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise GalleryDamagedError(source / FEEDBACK, f"cannot be copied ({error.strerror or error})", REMEDY) from error
    left = MAX_FEEDBACK_BYTES
    with file, (staged / FEEDBACK).open("wb") as copied:
        while left > 0 and (line := file.readline(MAX_LINE)):
            left -= len(line)
            copied.write(line)  # a line that is longer is cut into invalid ones, which are passed over
    entries = [entry for entry in read_feedback(staged) if _is_valid(entry)][-MAX_ENTRIES:]
    write_feedback(staged, entries)
    return len(entries)


def _copy_manifest(source: Path, place: str, folder: Path, state: State) -> Manifest:
    """Copy the manifest, if it is the one that CURRENT names and lists only files that a gallery can have."""
    path = source / place / MANIFEST
    for name in (MANIFEST, CHECKSUM):
        try:
            data = read_within(source, f"{place}/{name}", MOST_MANIFEST)
        except OSError as error:
            raise unreadable_or_damaged(source / place / name, error, remedy=REMEDY) from error
        (folder / name).write_bytes(data)
        confirm(folder / name)
    try:
        manifest, checksum = read_manifest(folder)
    except GalleryDamagedError as error:
        raise GalleryDamagedError(path, error.fault, REMEDY) from error
    except GalleryError as error:  # of another version
        raise GalleryError(str(error).replace(str(folder.parents[1]), str(source))) from error
    if State(manifest.generation, checksum) != state:
        raise GalleryDamagedError(path, f"does not belong to {CURRENT}", REMEDY)
    for name, file in manifest.files.items():
        size, sha256 = file.get("size"), file.get("sha256")
        is_right = type(size) is int and size >= 0 and isinstance(sha256, str) and SHA256.fullmatch(sha256)
        if name not in KNOWN or not is_right:
            raise GalleryDamagedError(path, f"lists {name[:100]!r}, which galleries do not have", REMEDY)
    return manifest


def _copy_file(source: Path, name: str, target: Path, expected: Mapping[str, Any], report: Reporter) -> None:
    try:
        file = open_within(source, name)
    except OSError as error:
        raise unreadable_or_damaged(source / name, error, remedy=REMEDY) from error
    with file:
        try:
            sha256 = copy(file, target, expected["size"], report.advance)
        except ValueError as error:
            raise GalleryDamagedError(source / name, "is damaged or missing", REMEDY) from error
    if sha256 != expected["sha256"]:
        raise GalleryDamagedError(source / name, "is damaged or missing", REMEDY)


def _check_room(staged: Path, manifest: Manifest) -> None:
    needed = sum(file["size"] for file in manifest.files.values()) * (1 if manifest.store == EMBEDDED else 2)
    needed += manifest.count * THUMBNAIL_BYTES + SPARE_BYTES
    free = shutil.disk_usage(staged).free
    if needed > free:
        sizes = f"{needed / 1e9:.2f} GB are needed, {free / 1e9:.2f} GB are free"
        raise GalleryError(f"There is not enough room in {galleries_folder()}: {sizes}. Make room, then try again.")


def _read_thumbnail(source: Path, sha256: str) -> bytes | None:
    """Read a thumbnail and encode it again, which drops anything else in its file; None if it is invalid."""
    if not SHA256.fullmatch(sha256):
        return None
    try:
        data = read_within(source, f"{THUMBNAILS}/{sha256[:2]}/{sha256}.jpg", MAX_THUMBNAIL_BYTES)
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
            if max(image.size) > MAX_SIDE:
                return None
        return thumbnail(decode(data, sha256))
    except (ImageError, *DECODING_ERRORS) as error:
        logger.info("The thumbnail of %s was left behind: %s", sha256, error)
        return None


def _is_valid(entry: FeedbackEntry) -> bool:
    """Whether the values of an entry have the right types and are in range."""
    hashes = (entry.query.sha256, entry.sha256, entry.weights_sha256)
    texts = (entry.when, entry.query.title, entry.item, entry.model, entry.network_sha256 or "")
    has_valid_types = (
        all(isinstance(value, str) and SHA256.fullmatch(value) for value in hashes)
        and all(isinstance(value, str) and len(value) <= MAX_TEXT for value in texts)
        and isinstance(entry.wanted, bool)
    )
    return has_valid_types and (entry.query.box is None or _is_inside(entry.query.box))


def _is_inside(box: Box) -> bool:
    edges = (box.left, box.top, box.right, box.bottom)
    if not all(type(edge) in (int, float) for edge in edges):
        return False
    return 0 <= box.left < box.right <= 1 and 0 <= box.top < box.bottom <= 1
