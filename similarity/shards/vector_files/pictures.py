"""The pictures that vectors are of, where they are files of this computer: their contents, sizes and thumbnails."""

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from similarity.embedding.pipeline import ahead
from similarity.errors import ImageError
from similarity.images.decoding import THUMBNAIL_SIDE, decode_scaled, read_file, thumbnail
from similarity.images.exif import without_place
from similarity.progress import OnProgress, Reporter
from similarity.shards.vector_files.gathered import Gathered, made_up, place_of
from similarity.sources import Item
from similarity.storage.thumbnails import write_thumbnail

UNREAD = (
    "{unread:,} of the {count:,} pictures cannot be read on this computer: they are found by their vectors, and have "
    "no thumbnail."
)


@dataclass(frozen=True, slots=True)
class Looked:
    """A picture with the facts of its file, and a small JPEG of it; empty if it could not be read, or was not to be."""

    item: Item
    is_read: bool
    thumbnail: bytes = b""


def read_pictures(
    gathered: Gathered, directory: Path, *, thumbnails: bool = True, progress: OnProgress | None = None
) -> None:
    """Read the files of pictures, no web addresses, for their hashes, and keep thumbnails in a gallery's folder.

    A picture that cannot be read keeps its vector, and a made-up hash unless the list has one.
    """
    report = Reporter(len(gathered.files), progress, task="Reading pictures")
    files, unread = [], 0
    for looked in _look_at(gathered.files, thumbnails=thumbnails):
        if looked.thumbnail:
            write_thumbnail(directory, looked.item.sha256, looked.thumbnail)
        unread += not looked.is_read
        files.append(looked.item)
        report.advance(1)
    gathered.without_repeats(files)
    if unread:
        gathered.notes.append(UNREAD.format(unread=unread, count=len(files)))


def _look_at(items: list[Item], *, thumbnails: bool) -> Iterator[Looked]:
    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="read") as pool:
        yield from ahead(pool, items, lambda item: _look(item, thumbnails=thumbnails))


def _look(item: Item, *, thumbnails: bool) -> Looked:
    """Read one picture; one that is another than the list says, by its hash, is as if it was not there."""
    path, known = place_of(item), item if item.sha256 else replace(item, sha256=made_up(item))
    if path is None or not (thumbnails or not item.sha256):
        return Looked(known, path is not None)
    try:
        data, mtime = read_file(path)
        sha256 = hashlib.sha256(data).hexdigest()
        if item.sha256 not in ("", sha256):
            return Looked(item, is_read=False)
        read = replace(item, sha256=sha256, size=len(data), mtime=mtime)
        if not thumbnails:
            return Looked(read, is_read=True)
        decoded = decode_scaled(data, item.path, side=THUMBNAIL_SIDE)
    except ImageError:
        return Looked(known, is_read=False)
    exif = item.exif or without_place(decoded.exif)
    sized = replace(read, width=decoded.width, height=decoded.height, exif=exif)
    return Looked(sized, True, thumbnail(decoded.image))
